// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/gallery_page.hpp"

#include <QGridLayout>
#include <QLabel>
#include <QPushButton>
#include <QResizeEvent>
#include <QVBoxLayout>
#include <algorithm>

#include "models/plain_text.hpp"
#include "widgets/cards.hpp"
#include "widgets/pieces.hpp"
#include "widgets/theme.hpp"

namespace lab::app {

namespace {
constexpr int gap = 14;
constexpr int narrowestCard = 256;
constexpr int mostColumns = 4;
constexpr int pageMargin = 34;
}  // namespace

GalleryPage::GalleryPage(GalleryModel* model, QWidget* parent)
    : QScrollArea(parent),
      m_model(model),
      m_banner(new Banner),
      m_hero(buildHero()),
      m_empty(makeParagraph({}, Fonts::text(14), "second")) {
    setWidgetResizable(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::NoFocus);
    auto* content = new QWidget;
    m_layout = new QVBoxLayout(content);
    m_layout->setContentsMargins(pageMargin, 26, pageMargin, 26);
    m_layout->setSpacing(24);
    m_layout->addWidget(m_banner);
    m_layout->addWidget(m_hero);
    m_layout->addWidget(m_empty);
    m_layout->addStretch();
    setWidget(content);
    content->setAutoFillBackground(false);
    viewport()->setAutoFillBackground(false);
    connect(model, &GalleryModel::changed, this, &GalleryPage::refresh);
    refresh();
}

QFrame* GalleryPage::buildHero() {
    QFrame* hero = makeFrame("panel");
    m_heroTag = makeLabel({}, Fonts::groupName(), "accent");
    m_heroTitle = makeParagraph({}, Fonts::text(26, QFont::Bold));
    m_heroSummary = makeParagraph({}, Fonts::text(14));
    m_heroSummary->setMaximumWidth(560);
    m_predict = makeButton(tr("Make your prediction"), "primary");
    m_play = makeButton(tr("Just play"));
    m_play->setToolTip(tr("Open the bench and run at once, without the lesson"));
    m_picture = new HeroPicture;
    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(8);
    buttons->addWidget(m_predict);
    buttons->addWidget(m_play);
    buttons->addStretch();
    auto* words = new QVBoxLayout;
    words->setSpacing(8);
    words->addWidget(m_heroTag);
    words->addWidget(m_heroTitle);
    words->addWidget(m_heroSummary);
    words->addSpacing(6);
    words->addLayout(buttons);
    auto* layout = new QHBoxLayout(hero);
    layout->setContentsMargins(27, 24, 20, 24);
    layout->setSpacing(20);
    layout->addLayout(words, 1);
    layout->addWidget(m_picture);
    connect(m_predict, &QPushButton::clicked, this, [this] {
        if (m_start) emit opened(m_start);
    });
    connect(m_play, &QPushButton::clicked, this, [this] {
        if (m_start) emit played(m_start);
    });
    return hero;
}

void GalleryPage::setSearch(const QString& text) {
    m_search = text.trimmed();
    refresh();
}

void GalleryPage::openFound() {
    if (!m_search.isEmpty() && !m_cards.empty()) m_cards.front()->click();
}

void GalleryPage::showProblem(const QString& title, const QString& message) {
    m_banner->say(title, message);
    ensureWidgetVisible(m_banner);
}

void GalleryPage::refresh() {
    showHero();
    m_shown = m_model->courses(m_search);
    rebuildCourses();
    inviteOnce();
    const bool nothing = m_shown.empty() && m_model->isLoaded();
    m_empty->setVisible(nothing);
    m_empty->setText(m_search.isEmpty()
                         ? tr("No scenarios were found. Open one with Ctrl+O, or drop a scenario "
                              "file on this window.")
                         : tr("Nothing matches “%1”.").arg(m_search));
}

void GalleryPage::showHero() {
    m_start = m_model->startHere();
    m_hero->setVisible(m_start != nullptr && m_search.isEmpty());
    if (!m_start) return;
    const CardState state = m_model->state(*m_start);
    const QString what = state == CardState::begun      ? tr("Go on here")
                         : state == CardState::finished ? tr("Once more")
                                                        : tr("Start here");
    m_heroTag->setText(tr("%1 · %2 minutes").arg(what).arg(m_start->minutes));
    m_heroTitle->setText(plainText(m_start->title));
    m_heroSummary->setText(plainText(m_start->summary, 400));
    m_predict->setVisible(!m_start->lesson.empty());
    m_picture->setModel(m_start->model);
}

void GalleryPage::inviteOnce() {
    if (m_invited || !m_start || !isVisible()) return;
    m_invited = true;
    // Return is the first click for those who have no mouse.
    (m_predict->isVisibleTo(this) ? m_predict : m_play)->setFocus(Qt::OtherFocusReason);
}

QWidget* GalleryPage::makeHeading(const GalleryCourse& course, bool narrow) {
    auto* heading = new QWidget;
    auto* layout = new QGridLayout(heading);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setHorizontalSpacing(12);
    layout->setVerticalSpacing(2);
    auto* progress = new ThinProgress;
    const int all = static_cast<int>(course.cards.size());
    progress->setShare(all > 0 ? double(course.finished()) / all : 0, true);
    progress->setFixedWidth(narrow ? 56 : 120);
    const QString count = tr("%1 of %2").arg(course.finished()).arg(all);
    QString rest = count;
    if (!narrow && !course.subtitle.isEmpty()) rest += QStringLiteral(" · ") + course.subtitle;
    layout->addWidget(makeLabel(course.title, Fonts::text(16, QFont::DemiBold)), 0, 0);
    layout->addWidget(progress, 0, 1);
    layout->addWidget(makeLabel(rest, Fonts::text(12), "second"), 0, 2);
    layout->setColumnStretch(3, 1);
    if (narrow) {
        layout->addWidget(makeLabel(course.subtitle, Fonts::text(12), "second"), 1, 0, 1, 4);
    }
    progress->setAccessibleName(tr("%1: %2 finished").arg(course.title, count));
    return heading;
}

QWidget* GalleryPage::makeSection(const GalleryCourse& course, int columns) {
    auto* section = new QWidget;
    auto* layout = new QVBoxLayout(section);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(10);
    layout->addWidget(makeHeading(course, columns <= 1 && m_columns > 1));
    auto* grid = new QGridLayout;
    grid->setSpacing(gap);
    for (int i = 0; i < columns; ++i) grid->setColumnStretch(i, 1);
    int place = 0;
    for (const GalleryCard& card : course.cards) {
        QWidget* widget = nullptr;
        if (card.scenario) {
            const bool next = m_start && m_start->id == card.scenario->id;
            auto* button = new ScenarioCard(card, next);
            connect(button, &QAbstractButton::clicked, this,
                    [this, scenario = card.scenario] { emit opened(scenario); });
            m_cards.push_back(button);
            widget = button;
        } else {
            widget = new ProblemCard(card);
        }
        grid->addWidget(widget, place / columns, place % columns, Qt::AlignTop);
        widget->setSizePolicy(QSizePolicy::Expanding, widget->sizePolicy().verticalPolicy());
        ++place;
    }
    layout->addLayout(grid);
    layout->addStretch();
    return section;
}

void GalleryPage::rebuildCourses() {
    m_cards.clear();
    delete m_courses;
    m_courses = new QWidget;
    const int space = viewport()->width() - 2 * pageMargin;
    m_columns = std::clamp((space + gap) / (narrowestCard + gap), 1, mostColumns);
    auto* grid = new QGridLayout(m_courses);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setHorizontalSpacing(gap);
    grid->setVerticalSpacing(26);
    // As many columns as are filled: a gallery of three spreads over the page, one of thirty wraps.
    int cards = 0;
    for (const auto& course : m_shown) cards += static_cast<int>(course.cards.size());
    const int columns = std::clamp(cards, 1, m_columns);
    for (int i = 0; i < columns; ++i) {
        grid->setColumnStretch(i, 1);
        grid->setColumnMinimumWidth(i, 200);
    }
    int row = 0;
    int column = 0;
    for (const GalleryCourse& course : m_shown) {
        const int wide = std::clamp(static_cast<int>(course.cards.size()), 1, columns);
        if (column + wide > columns) {
            ++row;
            column = 0;
        }
        grid->addWidget(makeSection(course, wide), row, column, 1, wide);
        column += wide;
    }
    m_layout->insertWidget(m_layout->count() - 1, m_courses);
}

void GalleryPage::resizeEvent(QResizeEvent* event) {
    QScrollArea::resizeEvent(event);
    m_picture->setVisible(event->size().width() > 820);
    const int space = event->size().width() - 2 * pageMargin;
    const int columns = std::clamp((space + gap) / (narrowestCard + gap), 1, mostColumns);
    if (columns != m_columns) rebuildCourses();
}

}  // namespace lab::app
