// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <SQLiteCpp/Database.h>

#include "store/place.hpp"

namespace lab::store {

inline constexpr int schema_version = 1;
inline constexpr const char* file_name = "progress.db";
inline constexpr const char* backup_name = "progress.backup.db";

/// A database to read from, and to write to unless it is read-only.
struct Opened {
    std::unique_ptr<SQLite::Database> database;
    bool read_only = false;
    std::string why_read_only;             ///< for the error of a save
    std::filesystem::path file;            ///< empty in memory
    std::optional<FileIdentity> identity;  ///< of the file, to notice that it was taken away
    std::string remark;                    ///< a sentence to be shown, or empty
};

/// Opens FOLDER/progress.db as Store::open() documents. Throws only where not even memory is left.
///
/// Each time a sound file was opened a copy is put beside it (progress.backup.db); where the file
/// is found damaged, it is renamed and kept, and the copy takes its place.
[[nodiscard]] Opened open_database(const std::filesystem::path& folder);

}  // namespace lab::store
