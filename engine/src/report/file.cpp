// SPDX-License-Identifier: GPL-3.0-or-later
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "lab/report.hpp"
#include "lab/text.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

/// Names tried beside the target before giving up.
constexpr int temporary_names = 100;

Error failure(const fs::path& file, const char* what, int number) {
    return {ErrorCode::failed, escaped(file.string()),
            fmt::format("{}: {}", what, std::generic_category().message(number))};
}

/// Owns a descriptor above 2: with standard output closed, the next file opened must not become it.
class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_{fd} {
        if (fd_ < 0 || fd_ > STDERR_FILENO) return;
        const int moved = ::fcntl(fd_, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        const int reason = errno;
        ::close(fd_);
        errno = reason;
        fd_ = moved;
    }
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    [[nodiscard]] int get() const { return fd_; }
    /// False with errno where the last of the data could not be written.
    bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

  private:
    int fd_;
};

/// False with errno.
bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::write(fd, text.data(), text.size());
        if (n > 0)
            text.remove_prefix(static_cast<std::size_t>(n));
        else if (n == 0 || errno != EINTR) {
            if (n == 0) errno = ENOSPC;
            return false;
        }
    }
    return true;
}

/// To standard output, a device or a pipe: nothing to rename.
Result<void> write_straight(const fs::path& name, int fd, std::string_view text) {
    if (!write_all(fd, text)) return failure(name, "could not be written", errno);
    return {};
}

/// A name beside the target that nothing has, or -1 with errno.
int open_beside(const fs::path& target, mode_t mode, fs::path& name) {
    for (int i = 0; i < temporary_names; ++i) {
        name = target.parent_path() /
               fmt::format(".{}.{}-{}.part", target.filename().string(), ::getpid(), i);
        const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
}

/// The new name survives a loss of power once the folder is on disk. Not every file system can say
/// so.
void sync_folder(const fs::path& folder) {
    const Descriptor fd{
        ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (fd.get() >= 0) ::fsync(fd.get());
}

Result<void> replace_whole(const fs::path& shown, const fs::path& target, mode_t mode,
                           std::string_view text) {
    fs::path temporary;
    Descriptor fd{open_beside(target, mode, temporary)};
    if (fd.get() < 0) return failure(shown, "could not be created", errno);
    const bool written = write_all(fd.get(), text) && ::fsync(fd.get()) == 0 && fd.close();
    if (!written || ::rename(temporary.c_str(), target.c_str()) != 0) {
        const int reason = errno;
        ::unlink(temporary.c_str());
        return failure(shown, "could not be written", reason);
    }
    sync_folder(target.parent_path());
    return {};
}

}  // namespace

Result<void> write_text_file(const fs::path& file, std::string_view text) {
    if (file == "-") return write_straight("standard output", STDOUT_FILENO, text);
    if (file.empty()) return Error{ErrorCode::failed, "", "a file needs a name"};

    struct stat there {};
    const bool exists = ::stat(file.c_str(), &there) == 0;
    if (exists && S_ISDIR(there.st_mode)) return failure(file, "could not be written", EISDIR);
    if (exists && !S_ISREG(there.st_mode)) {
        const Descriptor fd{::open(file.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY)};
        if (fd.get() < 0) return failure(file, "could not be opened", errno);
        return write_straight(file, fd.get(), text);
    }
    // Through a link, what it points to is replaced, not the link.
    std::error_code ignored;
    const fs::path real = exists ? fs::canonical(file, ignored) : file;
    const mode_t mode = exists ? there.st_mode & 0777 : 0666;
    return replace_whole(file, real.empty() ? file : real, mode, text);
}

}  // namespace lab
