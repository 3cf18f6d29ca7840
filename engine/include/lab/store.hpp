// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/result.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lab {

/// What a learner chose, before the run that shows it.
struct StoredPrediction {
    std::string scenario;
    int step = 0;  ///< index of the lesson's step
    int option = 0;
    std::string text;             ///< of the option, as it was shown
    std::int64_t at_unix_ms = 0;  ///< wall clock
    friend bool operator==(const StoredPrediction&, const StoredPrediction&) = default;
};

/// How far a learner has come in one scenario.
struct StoredProgress {
    std::string scenario;
    int step = 0;  ///< the furthest step reached
    bool finished = false;
    std::int64_t at_unix_ms = 0;
    friend bool operator==(const StoredProgress&, const StoredProgress&) = default;
};

/// What things cost on this computer, as lab::write_costs() writes it.
struct StoredCalibration {
    std::string costs;
    std::string machine;
    std::int64_t at_unix_ms = 0;
    friend bool operator==(const StoredCalibration&, const StoredCalibration&) = default;
};

/// Predictions and progress on disk. SQLite, WAL, synchronous=FULL: what is stored survives kill
/// -9.
///
/// A damaged file is renamed with a date and kept; `remark()` says so. A file of a newer version is
/// opened for reading only. Where the folder cannot be written the store works in memory and
/// `remark()` says so.
/// Threads: one at a time; blocks on the disk, so call it from the storage thread.
class Store {
  public:
    /// `folder` empty: $XDG_DATA_HOME/latency-lab or ~/.local/share/latency-lab.
    [[nodiscard]] static std::unique_ptr<Store> open(const std::filesystem::path& folder);
    virtual ~Store() = default;
    /// A sentence to be shown, or empty.
    [[nodiscard]] virtual std::string remark() const = 0;
    [[nodiscard]] virtual Result<void> save(const StoredPrediction&) = 0;
    [[nodiscard]] virtual Result<void> save(const StoredProgress&) = 0;
    /// The newest one counts; older ones are forgotten.
    [[nodiscard]] virtual Result<void> save(const StoredCalibration&) = 0;
    [[nodiscard]] virtual std::optional<StoredCalibration> calibration() const = 0;
    [[nodiscard]] virtual std::vector<StoredPrediction> predictions(
        const std::string& scenario) const = 0;
    [[nodiscard]] virtual std::vector<StoredProgress> progress() const = 0;
};

}  // namespace lab
