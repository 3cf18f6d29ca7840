// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/gallery.hpp"

#include <QStringList>
#include <algorithm>

#include "models/plain_text.hpp"

namespace lab::app {

namespace {

struct CourseName {
    const char* id;
    const char* title;
    const char* subtitle;
};
constexpr CourseName courseNames[] = {
    {"foundations", QT_TRANSLATE_NOOP("lab::app::GalleryModel", "Foundations"),
     QT_TRANSLATE_NOOP("lab::app::GalleryModel", "what latency is made of")},
    {"caching", QT_TRANSLATE_NOOP("lab::app::GalleryModel", "Caching"),
     QT_TRANSLATE_NOOP("lab::app::GalleryModel", "the answer we already had")},
    {"finding", QT_TRANSLATE_NOOP("lab::app::GalleryModel", "Finding the slow part"),
     QT_TRANSLATE_NOOP("lab::app::GalleryModel", "measure, then mend")},
    {"async", QT_TRANSLATE_NOOP("lab::app::GalleryModel", "Async"),
     QT_TRANSLATE_NOOP("lab::app::GalleryModel", "who waits for whom")},
    {"measuring", QT_TRANSLATE_NOOP("lab::app::GalleryModel", "Measuring"),
     QT_TRANSLATE_NOOP("lab::app::GalleryModel", "what a stopwatch sees")},
    {"resilience", QT_TRANSLATE_NOOP("lab::app::GalleryModel", "Resilience"),
     QT_TRANSLATE_NOOP("lab::app::GalleryModel", "too many, and what then")},
};

QString courseSubtitle(const std::string& course) {
    for (const auto& name : courseNames) {
        if (course == name.id) return GalleryModel::tr(name.subtitle);
    }
    return {};
}

/// Every word that a search may meet in a scenario.
QString haystack(const GalleryCard& card) {
    QStringList words{card.title, card.topic, card.summary, card.fileName};
    if (card.scenario) {
        for (const auto& knob : card.scenario->knobs) {
            words << plainText(knob.label) << plainText(knob.flask) << plainText(knob.path);
        }
        for (const auto& step : card.scenario->lesson) {
            if (step.kind == LessonKind::flask) words << plainText(step.code, 2000, true);
        }
    }
    return words.join(u'\n');
}

bool matches(const GalleryCard& card, const QStringList& wanted) {
    if (wanted.isEmpty()) return true;
    const QString hay = haystack(card);
    return std::all_of(wanted.begin(), wanted.end(), [&](const QString& word) {
        return hay.contains(word, Qt::CaseInsensitive);
    });
}

}  // namespace

int GalleryCourse::finished() const {
    return static_cast<int>(std::count_if(cards.begin(), cards.end(), [](const GalleryCard& card) {
        return card.state == CardState::finished;
    }));
}

GalleryModel::GalleryModel(Storage* storage, QObject* parent) : QObject(parent) {
    connect(storage, &Storage::catalogueLoaded, this, [this](CataloguePtr catalogue) {
        m_catalogue = std::move(catalogue);
        emit changed();
    });
    connect(storage, &Storage::progressLoaded, this,
            [this](const std::vector<StoredProgress>& progress) {
                for (const auto& one : progress) m_progress[one.scenario] = one;
                emit changed();
            });
    connect(storage, &Storage::progressSaved, this, &GalleryModel::noteProgress);
}

void GalleryModel::noteProgress(const StoredProgress& progress) {
    StoredProgress& kept = m_progress[progress.scenario];
    const bool finished = kept.finished || progress.finished;
    kept = progress;
    kept.finished = finished;
    emit changed();
}

QString GalleryModel::courseTitle(const std::string& course) {
    for (const auto& name : courseNames) {
        if (course == name.id) return tr(name.title);
    }
    QString title = plainText(course, 60).replace(u'-', u' ');
    if (title.isEmpty()) return tr("Other scenarios");
    title[0] = title[0].toUpper();
    return title;
}

CardState GalleryModel::state(const Scenario& scenario) const {
    const auto found = m_progress.find(scenario.id);
    if (found == m_progress.end()) return CardState::untouched;
    return found->second.finished ? CardState::finished : CardState::begun;
}

std::vector<GalleryCourse> GalleryModel::courses(const QString& search) const {
    std::vector<GalleryCourse> courses;
    if (!m_catalogue) return courses;
    const QStringList wanted = search.split(u' ', Qt::SkipEmptyParts);
    std::string course;
    for (const auto& entry : *m_catalogue) {
        GalleryCard card;
        card.fileName = plainText(entry.file.filename().string(), 80);
        // A broken file stands in the course its folder names.
        course = entry.file.parent_path().filename().string();
        if (entry.scenario) {
            // The catalogue is shared and immutable: the card points into it.
            card.scenario = ScenarioPtr(m_catalogue, &*entry.scenario);
            card.title = plainText(entry.scenario->title);
            card.topic = plainText(entry.scenario->topic, 60);
            card.summary = plainText(entry.scenario->summary, 400);
            card.minutes = entry.scenario->minutes;
            card.state = state(*entry.scenario);
            course = entry.scenario->course;
        } else if (entry.problem) {
            card.title = card.fileName;
            card.problem = plainText(entry.problem->message(), 1000);
        }
        if (!matches(card, wanted)) continue;
        const QString title = courseTitle(course);
        auto found = std::find_if(courses.begin(), courses.end(),
                                  [&](const GalleryCourse& one) { return one.title == title; });
        if (found == courses.end()) {
            courses.push_back({title, courseSubtitle(course), {}});
            found = std::prev(courses.end());
        }
        found->cards.push_back(std::move(card));
    }
    return courses;
}

ScenarioPtr GalleryModel::startHere() const {
    if (!m_catalogue) return nullptr;
    ScenarioPtr first;
    for (const auto& entry : *m_catalogue) {
        if (!entry.scenario) continue;
        ScenarioPtr scenario(m_catalogue, &*entry.scenario);
        if (!first) first = scenario;
        if (state(*scenario) != CardState::finished) return scenario;
    }
    return first;
}

}  // namespace lab::app
