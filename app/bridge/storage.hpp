// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>
#include <QString>
#include <QThread>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "bridge/preferences.hpp"
#include "lab/experiment.hpp"
#include "lab/scenario.hpp"
#include "lab/store.hpp"

namespace lab::app {

using ScenarioPtr = std::shared_ptr<const Scenario>;
using Catalogue = std::vector<CatalogueEntry>;
using CataloguePtr = std::shared_ptr<const Catalogue>;

/// Everything that touches the disk, on a thread of its own; answers come as signals on the GUI
/// thread.
///
/// Threads: GUI; no call blocks. The destructor finishes what was asked for, then joins.
class Storage : public QObject {
    Q_OBJECT
  public:
    struct Places {
        std::vector<std::filesystem::path> scenarios;
        std::filesystem::path data;  ///< of lab::Store; empty: the XDG folder
        QString preferences;         ///< file; empty: the XDG one
    };

    explicit Storage(Places places, QObject* parent = nullptr);
    ~Storage() override;

    /// Answers catalogueLoaded, then progressLoaded.
    void loadCatalogue();
    /// Answers scenarioOpened or scenarioRefused.
    void openScenario(const QString& idOrPath);
    /// Answers predictionSaved, also where it could not be kept (and then notSaved, once).
    void savePrediction(const StoredPrediction& prediction);
    void saveProgress(const StoredProgress& progress);
    void savePreferences(const Preferences& preferences);

  signals:
    void catalogueLoaded(lab::app::CataloguePtr catalogue);
    /// What was measured on this computer, if anything was.
    void calibrationLoaded(const lab::MeasuredCosts& costs);
    void progressLoaded(const std::vector<lab::StoredProgress>& progress);
    void scenarioOpened(lab::app::ScenarioPtr scenario);
    /// `message` is as lab::Error::message(): file, line, column, what was found, what is allowed.
    void scenarioRefused(const QString& name, const QString& message);
    void predictionSaved(const lab::StoredPrediction& prediction);
    void progressSaved(const lab::StoredProgress& progress);
    /// A sentence to be shown: what could not be kept and why. Once for each kind of trouble.
    void notSaved(const QString& why);

  private:
    void post(std::function<void()> work);
    void answer(std::function<void()> tell);
    /// The store, opened at its first use. Storage thread only.
    Store& store();
    void complain(const QString& why);

    Places m_places;
    QThread m_thread;
    std::unique_ptr<QObject> m_worker;  ///< lives on m_thread: where posted work runs
    std::unique_ptr<Store> m_store;     ///< storage thread only
    QString m_lastComplaint;            ///< storage thread only
};

}  // namespace lab::app
