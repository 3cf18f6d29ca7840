// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>
#include <QString>
#include <map>
#include <string>
#include <vector>

#include "bridge/storage.hpp"

namespace lab::app {

enum class CardState { untouched, begun, finished };

/// One card of the gallery. A broken file is a card with a problem and no scenario.
struct GalleryCard {
    ScenarioPtr scenario;
    QString title, topic, summary;
    int minutes = 0;
    CardState state = CardState::untouched;
    QString fileName, problem;
};

struct GalleryCourse {
    QString title, subtitle;
    std::vector<GalleryCard> cards;
    [[nodiscard]] int finished() const;
};

/// The scenarios that are there, by course, with how far the learner has come. Threads: GUI.
class GalleryModel : public QObject {
    Q_OBJECT
  public:
    explicit GalleryModel(Storage* storage, QObject* parent = nullptr);

    [[nodiscard]] bool isLoaded() const { return m_catalogue != nullptr; }
    /// Courses that have a card in which every word of `search` occurs (title, topic, summary,
    /// Flask lines); all for an empty search.
    [[nodiscard]] std::vector<GalleryCourse> courses(const QString& search = {}) const;
    /// What a new learner should begin with: the first that is not finished, else the first. Or
    /// null.
    [[nodiscard]] ScenarioPtr startHere() const;
    [[nodiscard]] CardState state(const Scenario& scenario) const;
    /// As a heading: "finding-the-slow-part" to "Finding the slow part".
    [[nodiscard]] static QString courseTitle(const std::string& course);

    void noteProgress(const StoredProgress& progress);

  signals:
    void changed();

  private:
    CataloguePtr m_catalogue;
    std::map<std::string, StoredProgress> m_progress;
};

}  // namespace lab::app
