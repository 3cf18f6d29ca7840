// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "lab/result.hpp"

namespace lab::live {

/// Is a process with this number running? True where that cannot be found out.
[[nodiscard]] bool process_lives(long pid) noexcept;
[[nodiscard]] long own_process() noexcept;

/// A folder for this process alone, named after it, readable by nobody else, removed with its
/// owner. Folders that killed processes left behind are removed when the next one is made: those
/// whose process is gone and whose lock file nobody holds.
///
/// Threads: any, immutable.
class PrivateFolder {
  public:
    /// `base` empty: the system's folder for temporary files. Errors: no_resources.
    [[nodiscard]] static Result<std::unique_ptr<PrivateFolder>> create(
        const std::filesystem::path& base);
    ~PrivateFolder();
    PrivateFolder(const PrivateFolder&) = delete;
    PrivateFolder& operator=(const PrivateFolder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    PrivateFolder(std::filesystem::path path, int lock) : path_{std::move(path)}, lock_{lock} {}

    std::filesystem::path path_;
    int lock_;
};

}  // namespace lab::live
