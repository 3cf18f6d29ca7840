// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace lab::store {

/// $XDG_DATA_HOME/latency-lab or ~/.local/share/latency-lab. Empty where neither is an absolute
/// path.
[[nodiscard]] std::filesystem::path default_folder();

/// Whether a folder is on a share of another machine, where SQLite's write-ahead log does not work
/// because it needs memory that all its users map. False where that cannot be told.
[[nodiscard]] bool on_network_share(const std::filesystem::path& folder);
/// The same for the type that statfs() tells.
[[nodiscard]] bool is_network_type(std::uint32_t file_system_type);

/// Which file a path leads to at this moment: the same as long as it is not replaced or removed.
struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};
/// Empty where there is no file.
[[nodiscard]] std::optional<FileIdentity> identity_of(const std::filesystem::path& file);

}  // namespace lab::store
