// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/main_window.hpp"

#include <QAccessible>
#include <QApplication>
#include <QComboBox>
#include <QDropEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMimeData>
#include <QPushButton>
#include <QTest>
#include <QUrl>

#include <gtest/gtest.h>

#include "app/window_support.hpp"
#include "bridge/experiment_bridge.hpp"
#include "models/lesson_controller.hpp"
#include "models/run_controller.hpp"
#include "pages/bench_page.hpp"
#include "pages/gallery_page.hpp"
#include "pages/present_page.hpp"
#include "widgets/cards.hpp"
#include "widgets/controls.hpp"
#include "widgets/icons.hpp"
#include "widgets/knob_panel.hpp"
#include "widgets/lesson_panel.hpp"
#include "widgets/pieces.hpp"
#include "widgets/top_bar.hpp"

namespace lab::app {
namespace {

using testing::FakeEngine;
using testing::makeScenario;
using testing::Places;
using testing::scenarioText;
using testing::turnUntil;

/// The whole window with a stand-in engine.
struct Desk {
    Places places;
    FakeEngine engine;
    std::unique_ptr<Storage> storage;
    std::unique_ptr<ExperimentBridge> bridge;
    std::unique_ptr<MainWindow> window;

    explicit Desk(const std::string& word = "word") {
        initResources();
        places.write("scenarios/foundations/shop.toml", scenarioText("shop", word));
        places.write("scenarios/foundations/torn.toml", "schema = 1\ntitle = \n");
        storage = std::make_unique<Storage>(places.storage());
        bridge = std::make_unique<ExperimentBridge>(engine.factory());
        window =
            std::make_unique<MainWindow>(storage.get(), bridge.get(), Preferences{}, QPalette());
        window->resize(1440, 900);
        window->show();
        EXPECT_TRUE(turnUntil([this] { return window->gallery()->startHere() != nullptr; }));
    }
    /// Keys reach only an active window, and the one of the test before may just have gone.
    void activate() const {
        window->activateWindow();
        EXPECT_TRUE(turnUntil([this] { return QApplication::activeWindow() == window.get(); }));
    }
    void drop(const std::filesystem::path& file) const {
        QMimeData data;
        data.setUrls({QUrl::fromLocalFile(QString::fromStdString(file.string()))});
        QDragEnterEvent enter(QPoint(300, 300), Qt::CopyAction, &data, Qt::LeftButton,
                              Qt::NoModifier);
        QApplication::sendEvent(window.get(), &enter);
        EXPECT_TRUE(enter.isAccepted());
        QDropEvent event(QPointF(300, 300), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(window.get(), &event);
    }
    [[nodiscard]] QStringList shownText() const {
        QStringList shown;
        for (const QLabel* label : window->findChildren<QLabel*>()) shown << label->text();
        for (const auto* label : window->findChildren<ElidedLabel*>()) shown << label->text();
        return shown;
    }
};

/// Where a Tab may stop and what a screen reader would find there to say.
QStringList namelessWidgets(const QWidget& window) {
    QStringList nameless;
    for (QWidget* widget : window.findChildren<QWidget*>()) {
        if (!widget->isVisible() || !widget->isEnabled()) continue;
        if ((widget->focusPolicy() & Qt::TabFocus) == 0) continue;
        QAccessibleInterface* voice = QAccessible::queryAccessibleInterface(widget);
        if (voice == nullptr || voice->text(QAccessible::Name).trimmed().isEmpty()) {
            nameless << QString::fromLatin1(widget->metaObject()->className());
        }
    }
    return nameless;
}

TEST(Window, ShowsABrokenScenarioInItsPlaceWithItsMessage) {
    const Desk desk;
    const auto problems = desk.window->findChildren<ProblemCard*>();
    ASSERT_EQ(problems.size(), 1);
    EXPECT_TRUE(problems[0]->accessibleDescription().contains(QStringLiteral("torn.toml:2")));
    EXPECT_EQ(desk.window->galleryPage()->cards().size(), 1u);
}

TEST(Window, OpensWithoutRunningAnything) {
    const Desk desk;
    desk.window->galleryPage()->cards()[0]->click();
    EXPECT_EQ(desk.window->place(), MainWindow::Place::lesson);
    EXPECT_TRUE(desk.engine.plans.empty());
}

TEST(Window, MovesSomethingAtTheFirstClickOnJustPlay) {
    const Desk desk;
    desk.window->galleryPage()->playButton()->click();
    EXPECT_EQ(desk.window->place(), MainWindow::Place::experiment);
    EXPECT_EQ(desk.engine.plans.size(), 1u);
}

TEST(Window, RunsInVirtualTimeWhereTheSwitchSaysSo) {
    const Desk desk;
    desk.window->galleryPage()->playButton()->click();
    ASSERT_EQ(desk.engine.plans.size(), 1u);
    EXPECT_EQ(desk.engine.plans.back().mode, RunMode::live);
    auto* bar = desk.window->findChild<TopBar*>();
    ASSERT_NE(bar, nullptr);
    EXPECT_FALSE(bar->speeds()->isVisible());
    bar->runners()->button(1)->click();
    ASSERT_EQ(desk.engine.plans.size(), 2u) << "the run begins anew";
    EXPECT_EQ(desk.engine.plans.back().mode, RunMode::virtual_time);
    EXPECT_EQ(desk.engine.paces.back(), (Pace{1, false}));
    EXPECT_TRUE(bar->speeds()->isVisible());
    EXPECT_FALSE(bar->stepButton()->isVisible());
    bar->pauseButton()->click();
    EXPECT_TRUE(desk.engine.paces.back().paused);
    ASSERT_TRUE(bar->stepButton()->isVisible());
    bar->stepButton()->click();
    EXPECT_EQ(desk.engine.stepped, 100ms);
    bar->speeds()->setCurrentIndex(0);
    emit bar->speeds()->activated(0);
    EXPECT_EQ(desk.engine.paces.back(), (Pace{0.0001, true}));
    bar->runners()->button(0)->click();
    EXPECT_EQ(desk.engine.plans.back().mode, RunMode::live);
    EXPECT_FALSE(bar->pauseButton()->isVisible());
}

TEST(Window, TakesADroppedScenario) {
    const Desk desk;
    desk.places.write("other.toml", scenarioText("other"));
    desk.drop(desk.places.path("other.toml"));
    ASSERT_TRUE(turnUntil([&] { return desk.window->run()->scenario() != nullptr; }));
    EXPECT_EQ(desk.window->run()->scenario()->id, "other");
    EXPECT_TRUE(desk.engine.plans.empty());
}

TEST(Window, SaysWhatIsWrongWithADroppedFileAndKeepsWhatIsOpen) {
    const Desk desk;
    desk.window->galleryPage()->cards()[0]->click();
    desk.places.write("bad.toml", "schema = 1\nid = \"bad\"\ncolour = 3\n");
    desk.drop(desk.places.path("bad.toml"));
    Banner* banner = desk.window->benchPage()->banner();
    ASSERT_TRUE(turnUntil([&] { return banner->isVisible(); }));
    EXPECT_TRUE(banner->message().contains(QStringLiteral("bad.toml:3")))
        << banner->message().toStdString();
    EXPECT_EQ(desk.window->run()->scenario()->id, "shop");
}

TEST(Window, GoesByKeyboardAloneFromTheGalleryToACommittedPrediction) {
    const Desk desk;
    MainWindow* window = desk.window.get();
    desk.activate();
    ASSERT_TRUE(turnUntil([&] { return window->focusWidget() != nullptr; }));
    const auto press = [&](Qt::Key key) { QTest::keyClick(QApplication::focusWidget(), key); };
    const auto tabTo = [&](const QWidget* goal) {
        for (int i = 0; i < 60 && QApplication::focusWidget() != goal; ++i) press(Qt::Key_Tab);
        return QApplication::focusWidget() == goal;
    };
    ASSERT_TRUE(tabTo(window->galleryPage()->predictButton()));
    press(Qt::Key_Return);
    ASSERT_EQ(window->place(), MainWindow::Place::lesson);
    LessonPanel* panel = window->benchPage()->lessonPanel();
    ASSERT_EQ(window->lesson()->current()->kind, LessonKind::predict);
    EXPECT_EQ(QApplication::focusWidget(), panel->options()[0]);
    press(Qt::Key_Down);
    press(Qt::Key_Space);
    EXPECT_EQ(window->lesson()->chosen(1), 1);
    ASSERT_TRUE(tabTo(panel->primaryButton()));
    press(Qt::Key_Return);
    EXPECT_TRUE(turnUntil([&] { return desk.engine.plans.size() == 1; }));
}

TEST(Window, NamesEverythingThatTheKeyboardReaches) {
    const Desk desk;
    EXPECT_EQ(namelessWidgets(*desk.window), QStringList());
    desk.window->galleryPage()->cards()[0]->click();
    EXPECT_EQ(namelessWidgets(*desk.window), QStringList());
    desk.window->showPlace(MainWindow::Place::present);
    EXPECT_EQ(namelessWidgets(*desk.window), QStringList());
}

TEST(Window, ShowsMarkupFromAFileAsItIsWritten) {
    const std::string markup = "<img src=\"x.png\"><b>b</b> ![p](file:///etc/passwd) <% 7 %>";
    const Desk desk(markup);
    desk.window->grab();
    desk.window->galleryPage()->cards()[0]->click();
    LessonPanel* panel = desk.window->benchPage()->lessonPanel();
    for (int step = 0; step < desk.window->lesson()->stepCount(); ++step) {
        desk.window->lesson()->goTo(step);
        desk.window->grab();
        if (panel->text() == nullptr) continue;
        EXPECT_EQ(panel->text()->resourceRequests(), 0);
        EXPECT_TRUE(panel->text()->toPlainText().contains(QStringLiteral("<img src=")))
            << panel->text()->toPlainText().toStdString();
    }
    desk.window->showPlace(MainWindow::Place::present);
    desk.window->grab();
    for (const QLabel* label : desk.window->findChildren<QLabel*>()) {
        EXPECT_EQ(label->textFormat(), Qt::PlainText) << label->text().toStdString();
    }
    EXPECT_FALSE(desk.shownText().filter(QStringLiteral("<img src=\"x.png\"><b>")).isEmpty());
    for (const QWidget* widget : desk.window->findChildren<QWidget*>()) {
        EXPECT_FALSE(widget->toolTip().contains(QStringLiteral("<img"))) << "escaped in a tool tip";
    }
}

TEST(KnobPanel, IsBuiltFromTheScenarioAndMovesTheModel) {
    const Desk desk;
    desk.window->galleryPage()->playButton()->click();
    const auto& rows = desk.window->benchPage()->knobPanel()->rows();
    ASSERT_EQ(rows.size(), 3u);
    qobject_cast<ValueSlider*>(rows[0]->control())->setValue(2);
    EXPECT_EQ(desk.window->run()->model().system.server.workers, 4);
    qobject_cast<ToggleSwitch*>(rows[1]->control())->click();
    EXPECT_FALSE(desk.window->run()->model().system.server.interpreter_lock);
    qobject_cast<SegmentedControl*>(rows[2]->control())->button(2)->click();
    EXPECT_EQ(desk.window->run()->model().system.cache.mode, CacheMode::shared);
    ASSERT_TRUE(turnUntil([&] {
        return !desk.engine.applied.empty() &&
               desk.engine.applied.back() == desk.window->run()->model();
    }));
    desk.activate();
    QTest::keyClick(desk.window.get(), Qt::Key_R, Qt::ControlModifier);
    EXPECT_TRUE(desk.window->run()->isFirstState());
}

TEST(Present, MovesKnobsByTheirLettersAndStepsBySpace) {
    const Desk desk;
    desk.window->galleryPage()->cards()[0]->click();
    desk.window->showPlace(MainWindow::Place::present);
    PresentPage* page = desk.window->presentPage();
    const auto workers = [&] { return desk.window->run()->model().system.server.workers; };
    QTest::keyClick(page, Qt::Key_W);
    QTest::keyClick(page, Qt::Key_W);
    EXPECT_EQ(workers(), 4);
    QTest::keyClick(page, Qt::Key_W, Qt::ShiftModifier);
    EXPECT_EQ(workers(), 2);
    QTest::keyClick(page, Qt::Key_R);
    EXPECT_EQ(workers(), 1);
    EXPECT_EQ(page->headline(), QStringLiteral("word ask"));
    EXPECT_TRUE(desk.engine.plans.empty());
    QTest::keyClick(page, Qt::Key_Space);
    EXPECT_EQ(desk.engine.plans.size(), 1u);  // a run step runs
    QTest::keyClick(page, Qt::Key_Escape);
    EXPECT_EQ(desk.window->place(), MainWindow::Place::lesson);
}

TEST(Gallery, FindsALessonByAWordOfIt) {
    const Desk desk;
    desk.activate();
    QTest::keyClick(desk.window.get(), Qt::Key_K, Qt::ControlModifier);
    EXPECT_EQ(QApplication::focusWidget(), desk.window->topBar()->search());
    desk.window->topBar()->search()->setText(QStringLiteral("TOPIC"));
    EXPECT_EQ(desk.window->galleryPage()->cards().size(), 1u);
    desk.window->topBar()->search()->setText(QStringLiteral("nothing of the kind"));
    EXPECT_EQ(desk.window->galleryPage()->cards().size(), 0u);
}

TEST(Gallery, OpensWhatWasFoundWithReturn) {
    const Desk desk;
    desk.activate();
    QLineEdit* search = desk.window->topBar()->search();
    QTest::keyClick(desk.window.get(), Qt::Key_K, Qt::ControlModifier);
    QTest::keyClick(search, Qt::Key_Return);
    EXPECT_EQ(desk.window->place(), MainWindow::Place::gallery);  // nothing was looked for
    QTest::keyClicks(search, QStringLiteral("topic"));
    QTest::keyClick(search, Qt::Key_Return);
    EXPECT_EQ(desk.window->place(), MainWindow::Place::lesson);
}

TEST(Bench, FoldsTheLessonIntoADrawerWhereItIsNarrow) {
    const Desk desk;
    desk.window->galleryPage()->cards()[0]->click();
    desk.window->resize(1024, 700);
    BenchPage* bench = desk.window->benchPage();
    ASSERT_TRUE(turnUntil([&] { return bench->isNarrow(); }));
    EXPECT_TRUE(bench->lessonPanel()->isVisible());
    bench->setDrawerOpen(false);
    EXPECT_FALSE(bench->lessonPanel()->isVisible());
    EXPECT_TRUE(bench->knobPanel()->isCompact());
}

}  // namespace
}  // namespace lab::app
