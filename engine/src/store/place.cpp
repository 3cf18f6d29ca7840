// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/place.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#ifdef __linux__
#include <sys/vfs.h>
#endif

namespace lab::store {
namespace {

std::filesystem::path absolute_from(const char* variable) {
    const char* const value = std::getenv(variable);
    const std::filesystem::path path = value == nullptr ? "" : value;
    return path.is_absolute() ? path : std::filesystem::path{};
}

}  // namespace

std::filesystem::path default_folder() {
    const auto data = absolute_from("XDG_DATA_HOME");
    if (!data.empty()) return data / "latency-lab";
    const auto home = absolute_from("HOME");
    return home.empty() ? home : home / ".local" / "share" / "latency-lab";
}

bool is_network_type(std::uint32_t type) {
    // linux/magic.h and statfs(2): NFS, SMB, CIFS, SMB2, Coda, AFS, OpenAFS, Ceph, 9P, Lustre,
    // GFS2, OCFS2.
    constexpr std::array<std::uint32_t, 12> shares{0x6969,     0x517B,     0xFF534D42, 0xFE534D42,
                                                   0x73757245, 0x5346414F, 0x6B414653, 0x00C36400,
                                                   0x01021997, 0x0BD00BD0, 0x01161970, 0x7461636F};
    return std::find(shares.begin(), shares.end(), type) != shares.end();
}

bool on_network_share([[maybe_unused]] const std::filesystem::path& folder) {
#ifdef __linux__
    struct statfs about {};
    if (::statfs(folder.c_str(), &about) != 0) return false;
    return is_network_type(static_cast<std::uint32_t>(about.f_type));
#else
    return false;
#endif
}

std::optional<FileIdentity> identity_of(const std::filesystem::path& file) {
    struct stat about {};
    if (::stat(file.c_str(), &about) != 0) return std::nullopt;
    return FileIdentity{static_cast<std::uint64_t>(about.st_dev),
                        static_cast<std::uint64_t>(about.st_ino)};
}

}  // namespace lab::store
