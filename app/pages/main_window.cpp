// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/main_window.hpp"

#include <QAction>
#include <QActionGroup>
#include <QApplication>
#include <QCloseEvent>
#include <QFileDialog>
#include <QGridLayout>
#include <QLineEdit>
#include <QMenu>
#include <QMimeData>
#include <QPushButton>
#include <QScreen>
#include <QStackedWidget>

#include "bridge/experiment_bridge.hpp"
#include "bridge/sql_bridge.hpp"
#include "models/lesson_controller.hpp"
#include "models/plain_text.hpp"
#include "models/run_controller.hpp"
#include "models/run_history.hpp"
#include "pages/bench_page.hpp"
#include "pages/gallery_page.hpp"
#include "pages/present_page.hpp"
#include "pages/query_dialog.hpp"
#include "pages/settings_dialog.hpp"
#include "widgets/knob_panel.hpp"
#include "widgets/lesson_panel.hpp"
#include "widgets/nav_rail.hpp"
#include "widgets/pieces.hpp"
#include "widgets/top_bar.hpp"

namespace lab::app {

namespace {

constexpr QSize firstSize(1440, 900);
constexpr QSize smallestSize(760, 520);

/// The one local file that is dragged, or empty.
QString draggedFile(const QMimeData* data) {
    if (data == nullptr || !data->hasUrls() || data->urls().size() != 1) return {};
    return data->urls().front().toLocalFile();
}

}  // namespace

MainWindow::MainWindow(Storage* storage, ExperimentBridge* bridge, const Preferences& preferences,
                       const QPalette& systemPalette, QWidget* parent)
    : QWidget(parent),
      m_storage(storage),
      m_bridge(bridge),
      m_preferences(preferences),
      m_systemPalette(systemPalette),
      m_history(new RunHistory(this)),
      m_run(new RunController(bridge, m_history, this)),
      m_lesson(new LessonModel(this)),
      m_controller(new LessonController(m_lesson, m_run, storage, this)),
      m_gallery(new GalleryModel(storage, this)) {
    setWindowTitle(tr("Latency Lab"));
    setObjectName(QStringLiteral("mainWindow"));  // the style sheet paints its ground
    setAttribute(Qt::WA_StyledBackground);
    setAcceptDrops(true);
    setMinimumSize(smallestSize);
    buildPages();
    buildActions();
    connectAll();
    applyTheme();
    if (m_preferences.geometry.isEmpty() || !restoreGeometry(m_preferences.geometry)) {
        const QScreen* where = screen();
        constexpr QSize frame(16, 48);  // what a window manager draws around it, at most
        resize(where != nullptr ? firstSize.boundedTo(where->availableSize() - frame) : firstSize);
    }
    showPlace(Place::gallery);
    if (bridge->problem()) {
        say(tr("Nothing can be run"), plainText(bridge->problem()->message(), 600));
    }
    connect(storage, &Storage::calibrationLoaded, m_run, &RunController::setCosts);
    storage->loadCatalogue();
}

MainWindow::~MainWindow() {
    // Before the models they look at, which are older children and would go first.
    delete m_stack;
    delete m_bar;
}

void MainWindow::buildPages() {
    m_bar = new TopBar(m_run);
    m_rail = new NavRail;
    m_stack = new QStackedWidget;
    m_galleryPage = new GalleryPage(m_gallery);
    m_bench = new BenchPage(m_lesson, m_controller, m_run);
    m_present = new PresentPage(m_lesson, m_controller, m_run);
    m_stack->addWidget(m_galleryPage);
    m_stack->addWidget(m_bench);
    m_stack->addWidget(m_present);
    auto* layout = new QGridLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_bar, 0, 0, 1, 2);
    layout->addWidget(m_rail, 1, 0);
    layout->addWidget(m_stack, 1, 1);
    layout->setRowStretch(1, 1);
    layout->setColumnStretch(1, 1);
}

QAction* MainWindow::addKey(QMenu* menu, const QString& text, const QKeySequence& keys,
                            void (MainWindow::*slot)()) {
    auto* action = new QAction(text, this);
    action->setShortcut(keys);
    action->setShortcutContext(Qt::WindowShortcut);
    connect(action, &QAction::triggered, this, slot);
    addAction(action);
    menu->addAction(action);
    return action;
}

void MainWindow::buildActions() {
    auto* menu = new QMenu(this);
    menu->setFont(Fonts::text(13));
    addKey(menu, tr("Run"), QKeySequence(Qt::Key_F5), &MainWindow::runNow);
    m_stopKey = addKey(menu, tr("Stop"), QKeySequence(Qt::Key_Escape), &MainWindow::stopOrLeave);
    addKey(menu, tr("Back to the first state"), QKeySequence(Qt::CTRL | Qt::Key_R),
           &MainWindow::resetRun);
    menu->addSeparator();
    addKey(menu, tr("Open a scenario…"), QKeySequence(Qt::CTRL | Qt::Key_O),
           &MainWindow::askForFile);
    addKey(menu, tr("Find a lesson"), QKeySequence(Qt::CTRL | Qt::Key_K), &MainWindow::findLesson);
    addKey(menu, tr("What the cache holds"), QKeySequence(Qt::CTRL | Qt::Key_I),
           &MainWindow::showCache);
    addKey(menu, tr("Ask the database…"), QKeySequence(Qt::CTRL | Qt::Key_E),
           &MainWindow::askDatabase);
    addKey(menu, tr("All settings…"), QKeySequence(Qt::CTRL | Qt::Key_Comma),
           &MainWindow::showSettings);
    menu->addSeparator();
    addKey(menu, tr("Present"), QKeySequence(Qt::SHIFT | Qt::Key_F11), &MainWindow::togglePresent);
    addKey(menu, tr("Full screen"), QKeySequence(Qt::Key_F11), &MainWindow::toggleFullScreen);
    menu->addSeparator();
    addThemeChoices(menu);
    m_bar->setMenu(menu);
}

void MainWindow::addThemeChoices(QMenu* menu) {
    auto* choices = new QActionGroup(this);
    const std::pair<ThemeChoice, QString> names[] = {{ThemeChoice::system, tr("As the system")},
                                                     {ThemeChoice::light, tr("Light")},
                                                     {ThemeChoice::dark, tr("Dark")}};
    for (const auto& [choice, name] : names) {
        QAction* action = menu->addAction(name);
        action->setCheckable(true);
        action->setChecked(choice == m_preferences.theme);
        choices->addAction(action);
        connect(action, &QAction::triggered, this,
                [this, picked = choice] { setThemeChoice(picked); });
    }
}

void MainWindow::connectAll() {
    connect(m_galleryPage, &GalleryPage::opened, this, &MainWindow::openLesson);
    connect(m_galleryPage, &GalleryPage::played, this, &MainWindow::playScenario);
    connect(m_gallery, &GalleryModel::changed, this, [this] {
        m_rail->setScenarioThere(m_run->scenario() != nullptr || m_gallery->startHere());
    });
    connect(m_storage, &Storage::scenarioOpened, this, &MainWindow::openLesson);
    connect(m_storage, &Storage::scenarioRefused, this,
            [this](const QString& name, const QString& message) {
                say(tr("%1 cannot be opened").arg(plainText(name.toStdString(), 120)),
                    plainText(message.toStdString(), 1000));
            });
    connect(m_storage, &Storage::notSaved, this, [this](const QString& why) {
        say(tr("Not everything is saved"), plainText(why.toStdString(), 600));
    });
    connect(m_run, &RunController::problem, this, [this](const QString& message) {
        const bool saidThere = m_settings != nullptr && m_settings->isVisible();
        if (!saidThere) say(tr("That did not work"), message);
    });
    connect(m_run, &RunController::stateChanged, this, &MainWindow::updateKeys);
    connect(m_controller, &LessonController::done, this, [this] {
        m_run->stop();
        showPlace(Place::gallery);
    });
    connect(m_rail, &NavRail::chosen, this, &MainWindow::onRail);
    connect(m_bar, &TopBar::courseClicked, this, [this] { showPlace(Place::gallery); });
    connect(m_bar, &TopBar::openClicked, this, &MainWindow::askForFile);
    connect(m_bar, &TopBar::runClicked, this, &MainWindow::toggleRun);
    connect(m_bar, &TopBar::resetClicked, this, &MainWindow::resetRun);
    connect(m_bar, &TopBar::pinClicked, m_run, &RunController::pinAsA);
    connect(m_bar, &TopBar::searchChanged, m_galleryPage, &GalleryPage::setSearch);
    connect(m_bar->search(), &QLineEdit::returnPressed, m_galleryPage, &GalleryPage::openFound);
    connect(m_bar, &TopBar::lessonClicked, this,
            [this] { m_bench->setDrawerOpen(!m_bench->isDrawerOpen()); });
    connect(m_bench, &BenchPage::databaseClicked, this, &MainWindow::askDatabase);
    connect(m_bench->knobPanel(), &KnobPanel::allSettingsWanted, this, &MainWindow::showSettings);
    connect(m_bench, &BenchPage::drawerChanged, this, &MainWindow::showLessonButton);
    connect(m_present, &PresentPage::left, this, &MainWindow::leavePresent);
    connect(m_present, &PresentPage::runToggled, this, &MainWindow::toggleRun);
    m_rail->setScenarioThere(false);
}

void MainWindow::say(const QString& title, const QString& message) {
    if (m_place == Place::gallery) {
        m_galleryPage->showProblem(title, message);
    } else {
        m_bench->banner()->say(title, message);
    }
}

void MainWindow::openByName(const QString& idOrPath) { m_storage->openScenario(idOrPath); }

void MainWindow::openLesson(const ScenarioPtr& scenario) {
    const bool same = m_run->scenarioPtr() == scenario && m_lesson->scenarioPtr() == scenario;
    if (!same) {
        m_run->open(scenario);
        m_lesson->open(scenario);
    }
    m_bench->banner()->hide();
    m_galleryPage->banner()->hide();
    m_rail->setScenarioThere(true);
    showPlace(m_lesson->hasSteps() ? Place::lesson : Place::experiment);
}

void MainWindow::playScenario(const ScenarioPtr& scenario) {
    openLesson(scenario);
    showPlace(Place::experiment);
    runNow();
}

void MainWindow::showPlace(Place place) {
    const bool presenting = place == Place::present;
    if (presenting && m_place != Place::present) m_beforePresent = m_place;
    m_place = place;
    m_bar->setVisible(!presenting);
    m_rail->setVisible(!presenting);
    if (place == Place::gallery) {
        m_rail->setCurrent(NavRail::learn);
        m_bar->setPlace(TopBar::Place::gallery);
        m_stack->setCurrentWidget(m_galleryPage);
    } else if (presenting) {
        m_stack->setCurrentWidget(m_present);
    } else {
        const bool lesson = place == Place::lesson;
        m_rail->setCurrent(lesson ? NavRail::learn : NavRail::experiment);
        m_bar->setPlace(TopBar::Place::bench);
        m_bench->setLessonShown(lesson);
        m_stack->setCurrentWidget(m_bench);
        if (lesson) m_bench->lessonPanel()->focusStep();
        if (!lesson) m_bar->runButton()->setFocus();
    }
    const Scenario* open = m_run->scenario();
    const bool named = open != nullptr && place != Place::gallery;
    setWindowTitle(named ? tr("%1 – Latency Lab").arg(plainText(open->title)) : tr("Latency Lab"));
    showLessonButton();
    updateKeys();
}

void MainWindow::ensureScenario() {
    if (m_run->scenario() != nullptr) return;
    if (const ScenarioPtr first = m_gallery->startHere()) {
        m_run->open(first);
        m_lesson->open(first);
    }
}

void MainWindow::onRail(int place) {
    if (place == NavRail::learn) {
        const bool toLesson = m_place == Place::experiment && m_lesson->hasSteps();
        showPlace(toLesson ? Place::lesson : Place::gallery);
        return;
    }
    ensureScenario();
    if (m_run->scenario() == nullptr) return;
    if (place == NavRail::experiment) {
        showPlace(Place::experiment);
    } else {
        togglePresent();
    }
}

void MainWindow::showLessonButton() {
    const bool there = m_bench->isNarrow() && m_bench->isLessonShown() && m_lesson->hasSteps();
    m_bar->setLessonButton(there, m_bench->isDrawerOpen());
}

void MainWindow::updateKeys() {
    // Esc belongs to charts and fields where there is nothing to stop or to leave.
    m_stopKey->setEnabled(m_run->isRunning() || m_place == Place::present);
}

void MainWindow::toggleRun() {
    if (m_run->isRunning()) {
        m_run->stop();
    } else {
        runNow();
    }
}

void MainWindow::runNow() {
    if (m_place == Place::present && m_run->isRunning()) {
        m_run->stop();
        return;
    }
    if (m_run->isRunning()) return;
    ensureScenario();
    if (m_run->scenario() == nullptr) return;
    if (m_place == Place::gallery) showPlace(Place::experiment);
    m_run->play();
}

void MainWindow::stopOrLeave() {
    if (m_place == Place::present) {
        leavePresent();
    } else {
        m_run->stop();
    }
}

void MainWindow::resetRun() { m_run->reset(); }

void MainWindow::askForFile() {
    auto* dialog = new QFileDialog(this, tr("Open a scenario"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    dialog->setNameFilters({tr("Scenarios (*.toml)"), tr("All files (*)")});
    connect(dialog, &QFileDialog::fileSelected, this, &MainWindow::openByName);
    dialog->open();
}

void MainWindow::findLesson() {
    if (m_place == Place::present) return;
    showPlace(Place::gallery);
    m_bar->search()->setFocus(Qt::ShortcutFocusReason);
    m_bar->search()->selectAll();
}

void MainWindow::showCache() {
    if (m_place == Place::gallery || m_place == Place::present) return;
    m_bench->showCache();
}

void MainWindow::askDatabase() {
    ensureScenario();
    if (m_query == nullptr) {
        m_sql = new SqlBridge({}, this);
        m_query = new QueryDialog(m_sql, this);
    }
    if (m_run->scenario() != nullptr) m_query->setDatabase(m_run->model().system.database);
    m_query->show();
    m_query->raise();
    m_query->activateWindow();
}

void MainWindow::showSettings() {
    ensureScenario();
    if (m_settings == nullptr) m_settings = new SettingsDialog(m_run, this);
    m_settings->show();
    m_settings->raise();
    m_settings->activateWindow();
}

void MainWindow::toggleFullScreen() { setWindowState(windowState() ^ Qt::WindowFullScreen); }

void MainWindow::togglePresent() {
    if (m_place == Place::present) {
        leavePresent();
        return;
    }
    ensureScenario();
    if (m_run->scenario() == nullptr) return;
    m_fullBeforePresent = isFullScreen();
    showPlace(Place::present);
    setWindowState(windowState() | Qt::WindowFullScreen);
}

void MainWindow::leavePresent() {
    if (!m_fullBeforePresent) setWindowState(windowState() & ~Qt::WindowFullScreen);
    const bool fromGallery = m_beforePresent == Place::gallery && m_run->isRunning();
    showPlace(fromGallery ? Place::experiment : m_beforePresent);
}

void MainWindow::setThemeChoice(ThemeChoice choice) {
    m_preferences.theme = choice;
    applyTheme();
    m_storage->savePreferences(m_preferences);
}

void MainWindow::applyTheme() {
    const bool dark = m_preferences.theme == ThemeChoice::system
                          ? Theme::systemIsDark(m_systemPalette)
                          : m_preferences.theme == ThemeChoice::dark;
    const Theme theme = dark ? Theme::forDark() : Theme::light();
    QApplication::setPalette(theme.palette());
    setPalette(theme.palette());
    setStyleSheet(theme.styleSheet());
    m_bench->setTheme(theme);
    m_present->setTheme(Theme::forDark());
}

void MainWindow::closeEvent(QCloseEvent* event) {
    m_preferences.geometry = saveGeometry();
    m_storage->savePreferences(m_preferences);
    m_run->stop();
    event->accept();
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    if (!draggedFile(event->mimeData()).isEmpty()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
    const QString file = draggedFile(event->mimeData());
    if (file.isEmpty()) return;
    event->acceptProposedAction();
    openByName(file);
}

}  // namespace lab::app
