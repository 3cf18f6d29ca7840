// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/private_folder.hpp"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string>
#include <system_error>

namespace lab::live {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view prefix = "latency-lab-";
constexpr const char* lock_name = "in-use";

/// Takes the lock of a folder; -1 where somebody holds it or there is none.
int take_lock(const fs::path& folder, int flags) {
    const int file = ::open((folder / lock_name).c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) return -1;
    if (::flock(file, LOCK_EX | LOCK_NB) == 0) return file;
    ::close(file);
    return -1;
}

/// The process in "latency-lab-123-abcdef", or 0.
long owner_in(const std::string& name) {
    if (name.rfind(prefix, 0) != 0) return 0;
    long pid = 0;
    const char* const begin = name.data() + prefix.size();
    const char* const end = name.data() + name.size();
    const auto [rest, error] = std::from_chars(begin, end, pid);
    const bool whole = error == std::errc{} && rest != end && *rest == '-';
    return whole ? pid : 0;
}

bool is_ours(const fs::path& folder) {
    struct stat info {};
    return ::lstat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode) &&
           info.st_uid == ::geteuid();
}

void remove_left_behind(const fs::path& base) {
    std::error_code ignored;
    fs::directory_iterator entry{base, fs::directory_options::skip_permission_denied, ignored};
    for (; !ignored && entry != fs::directory_iterator{}; entry.increment(ignored)) {
        const long pid = owner_in(entry->path().filename().string());
        if (pid <= 0 || process_lives(pid) || !is_ours(entry->path())) continue;
        // In another container the same number may be another process: the lock says so. A folder
        // without a lock file was abandoned before it held anything.
        std::error_code error;
        const bool locked = fs::exists(entry->path() / lock_name, error);
        const int lock = locked ? take_lock(entry->path(), O_RDWR) : -1;
        if (locked && lock < 0) continue;
        fs::remove_all(entry->path(), error);
        if (lock >= 0) ::close(lock);
    }
}

}  // namespace

long own_process() noexcept { return static_cast<long>(::getpid()); }

bool process_lives(long pid) noexcept {
    return ::kill(static_cast<pid_t>(pid), 0) == 0 || errno != ESRCH;
}

Result<std::unique_ptr<PrivateFolder>> PrivateFolder::create(const fs::path& base) {
    std::error_code error;
    fs::path parent = base;
    if (parent.empty()) parent = fs::temp_directory_path(error);
    if (error) parent = "/tmp";  // TMPDIR names a folder that is not there
    remove_left_behind(parent);

    std::string name =
        (parent / (std::string{prefix} + std::to_string(own_process()) + "-XXXXXX")).string();
    if (::mkdtemp(name.data()) == nullptr) {
        const std::error_code reason{errno, std::generic_category()};
        return Error{ErrorCode::no_resources, parent.string(),
                     "cannot make a folder for the database: " + reason.message()};
    }
    const int lock = take_lock(name, O_RDWR | O_CREAT);
    return std::unique_ptr<PrivateFolder>{new PrivateFolder{name, lock}};
}

PrivateFolder::~PrivateFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
    if (lock_ >= 0) ::close(lock_);
}

}  // namespace lab::live
