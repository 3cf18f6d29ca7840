// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenario/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "lab/text.hpp"
#include "scenario/tree.hpp"

namespace lab::scenario {
namespace {

class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_{fd} {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const { return fd_; }

  private:
    int fd_;
};

Error system_error(const std::filesystem::path& file, int number) {
    const bool absent = number == ENOENT || number == ENOTDIR || number == ENAMETOOLONG;
    const bool forbidden = number == EACCES || number == EPERM;
    const ErrorCode code = absent      ? ErrorCode::not_found
                           : forbidden ? ErrorCode::not_permitted
                                       : ErrorCode::failed;
    return {code, escaped(file.string()), std::generic_category().message(number)};
}

std::string_view kind_of(mode_t mode) {
    if (S_ISDIR(mode)) return "a folder";
    if (S_ISFIFO(mode)) return "a named pipe";
    if (S_ISSOCK(mode)) return "a socket";
    return "a device";
}

}  // namespace

namespace {

constexpr int untrusted = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;

Result<std::string> read_open(const Descriptor& open, const std::filesystem::path& file) {
    struct stat info {};
    if (::fstat(open.get(), &info) != 0) return system_error(file, errno);
    if (!S_ISREG(info.st_mode)) {
        return Error{ErrorCode::invalid_input, escaped(file.string()),
                     fmt::format("found {}; allowed: a regular file", kind_of(info.st_mode))};
    }
    const auto too_long = [&](std::int64_t size) {
        return Error{ErrorCode::invalid_input, escaped(file.string()),
                     fmt::format("found {} bytes; allowed: {} (1 MiB)", show_count(size),
                                 show_count(most_file_bytes))};
    };
    if (info.st_size > static_cast<off_t>(most_file_bytes)) return too_long(info.st_size);
    std::string text(most_file_bytes + 1, '\0');
    std::size_t size = 0;
    while (size < text.size()) {  // a file may grow while it is read
        const ssize_t n = ::read(open.get(), text.data() + size, text.size() - size);
        if (n == 0) break;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_error(file, errno);
        size += static_cast<std::size_t>(n);
    }
    if (size > most_file_bytes) return too_long(static_cast<std::int64_t>(size));
    text.resize(size);
    text.shrink_to_fit();
    return text;
}

/// Letters, digits, '_', '.', '-'; not empty, and no dot in front.
bool is_plain_name(std::string_view part) {
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '.' || c == '-';
    };
    return !part.empty() && part.front() != '.' && std::all_of(part.begin(), part.end(), is_plain);
}

}  // namespace

Result<std::string> read_untrusted(const std::filesystem::path& file) {
    const Descriptor open{::open(file.c_str(), untrusted)};  // NOLINT: variadic
    if (open.get() < 0) return system_error(file, errno);
    return read_open(open, file);
}

Result<std::string> read_beneath(const std::filesystem::path& folder, const std::string& name) {
    const auto path = folder / name;
    // Part by part and no link followed: what is opened lies beneath the folder.
    auto at = std::make_unique<Descriptor>(
        ::open(folder.empty() ? "." : folder.c_str(),  // NOLINT: variadic
               O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (at->get() < 0) return system_error(folder, errno);
    std::string_view rest = name;
    for (;;) {
        const auto slash = rest.find('/');
        const std::string part{rest.substr(0, slash)};
        if (!is_plain_name(part)) {
            return Error{ErrorCode::invalid_input, in_quotes(name),
                         "allowed: a name inside the scenario's folder, of letters, digits, '_', "
                         "'.', '-' and '/'"};
        }
        const bool last = slash == std::string_view::npos;
        const int kind = last ? untrusted : O_RDONLY | O_DIRECTORY | O_CLOEXEC;
        auto next = std::make_unique<Descriptor>(
            ::openat(at->get(), part.c_str(), kind | O_NOFOLLOW));  // NOLINT: variadic
        if (next->get() < 0 && (errno == ELOOP || errno == EMLINK)) {
            return Error{ErrorCode::not_permitted, escaped(path.string()),
                         "it is a link; allowed: a file in the scenario's folder"};
        }
        if (next->get() < 0) return system_error(path, errno);
        if (last) return read_open(*next, path);
        at = std::move(next);
        rest.remove_prefix(slash + 1);
    }
}

}  // namespace lab::scenario
