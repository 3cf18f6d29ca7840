// SPDX-License-Identifier: GPL-3.0-or-later
#include "bridge/storage.hpp"

#include <QFileInfo>
#include <QMetaObject>
#include <utility>

#include "lab/calibration.hpp"

namespace lab::app {

Storage::Storage(Places places, QObject* parent)
    : QObject(parent), m_places(std::move(places)), m_worker(std::make_unique<QObject>()) {
    m_thread.setObjectName(QStringLiteral("storage"));
    m_worker->moveToThread(&m_thread);
    m_thread.start();
}

Storage::~Storage() {
    // The quit stands in the queue behind the work, so that what was asked for is done first.
    post([this] {
        m_store.reset();
        m_thread.quit();
    });
    m_thread.wait();
}

void Storage::post(std::function<void()> work) {
    QMetaObject::invokeMethod(m_worker.get(), std::move(work), Qt::QueuedConnection);
}

void Storage::answer(std::function<void()> tell) {
    QMetaObject::invokeMethod(this, std::move(tell), Qt::QueuedConnection);
}

Store& Storage::store() {
    if (!m_store) {
        m_store = Store::open(m_places.data);
        const std::string remark = m_store->remark();
        if (!remark.empty()) complain(QString::fromStdString(remark));
    }
    return *m_store;
}

void Storage::complain(const QString& why) {
    if (why == m_lastComplaint) return;
    m_lastComplaint = why;
    answer([this, why] { emit notSaved(why); });
}

void Storage::loadCatalogue() {
    post([this] {
        auto catalogue = std::make_shared<const Catalogue>(list_scenarios(m_places.scenarios));
        answer([this, catalogue] { emit catalogueLoaded(catalogue); });
        auto progress = store().progress();
        answer([this, progress = std::move(progress)] { emit progressLoaded(progress); });
        const auto stored = store().calibration();
        if (!stored) return;
        const auto costs = measured_costs(*stored);
        if (costs) answer([this, costs = *costs] { emit calibrationLoaded(costs); });
    });
}

void Storage::openScenario(const QString& idOrPath) {
    post([this, idOrPath] {
        auto opened = open_scenario(idOrPath.toStdString(), m_places.scenarios);
        if (opened) {
            auto scenario = std::make_shared<const Scenario>(std::move(*opened));
            answer([this, scenario] { emit scenarioOpened(scenario); });
        } else {
            const QString message = QString::fromStdString(opened.error().message());
            answer([this, idOrPath, message] {
                emit scenarioRefused(QFileInfo(idOrPath).fileName(), message);
            });
        }
    });
}

void Storage::savePrediction(const StoredPrediction& prediction) {
    post([this, prediction] {
        const auto saved = store().save(prediction);
        if (!saved) complain(QString::fromStdString(saved.error().message()));
        answer([this, prediction] { emit predictionSaved(prediction); });
    });
}

void Storage::saveProgress(const StoredProgress& progress) {
    post([this, progress] {
        const auto saved = store().save(progress);
        if (!saved) complain(QString::fromStdString(saved.error().message()));
        answer([this, progress] { emit progressSaved(progress); });
    });
}

void Storage::savePreferences(const Preferences& preferences) {
    post([this, preferences] {
        const QString problem = writePreferences(m_places.preferences, preferences);
        if (!problem.isEmpty()) complain(problem);
    });
}

}  // namespace lab::app
