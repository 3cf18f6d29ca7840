// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/platform.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <thread>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#endif
#if defined(__linux__)
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#endif

namespace lab::live::platform {

namespace {

#if defined(__linux__)
/// The last of the cores that the process may use; 0: all of them. The process's, not the calling
/// thread's: that may have been restricted before.
std::optional<cpu_set_t> last_cores(unsigned cores) noexcept {
    cpu_set_t all;
    CPU_ZERO(&all);
    if (::sched_getaffinity(::getpid(), sizeof(all), &all) != 0) return std::nullopt;
    cpu_set_t some;
    CPU_ZERO(&some);
    unsigned taken = 0;
    for (int core = CPU_SETSIZE - 1; core >= 0 && (cores == 0 || taken < cores); --core) {
        if (!CPU_ISSET(core, &all)) continue;
        CPU_SET(core, &some);
        ++taken;
    }
    if (taken == 0) return std::nullopt;
    return some;
}
#endif

#if defined(__unix__) || defined(__APPLE__)
Duration read_clock(clockid_t clock) noexcept {
    timespec t{};
    if (::clock_gettime(clock, &t) != 0) return Duration{};
    return std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec};
}
#endif

}  // namespace

Duration thread_cpu_time() noexcept {
#if defined(CLOCK_THREAD_CPUTIME_ID)
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
#else
    return Duration{};
#endif
}

Duration process_cpu_time() noexcept {
#if defined(CLOCK_PROCESS_CPUTIME_ID)
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
#else
    return Duration{};
#endif
}

int this_thread_clock() noexcept {
#if defined(__linux__)
    clockid_t clock{};
    // Linux's ids of thread clocks are negative numbers; -1 is never one of them.
    return ::pthread_getcpuclockid(::pthread_self(), &clock) == 0 ? static_cast<int>(clock) : -1;
#else
    return -1;
#endif
}

Duration thread_cpu_time_of(int clock) noexcept {
#if defined(__linux__)
    return clock == -1 ? Duration{} : read_clock(static_cast<clockid_t>(clock));
#else
    static_cast<void>(clock);
    return Duration{};
#endif
}

void tighten_timer_slack() noexcept {
#if defined(__linux__)
    ::prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
#endif
}

bool restrict_this_thread(unsigned cores) noexcept {
#if defined(__linux__)
    const auto some = last_cores(cores);
    return some && ::sched_setaffinity(0, sizeof(*some), &*some) == 0;
#else
    static_cast<void>(cores);
    return false;
#endif
}

bool restrict_thread(std::thread& thread, unsigned cores) noexcept {
#if defined(__linux__)
    const auto some = last_cores(cores);
    return some && ::pthread_setaffinity_np(thread.native_handle(), sizeof(*some), &*some) == 0;
#else
    static_cast<void>(thread);
    static_cast<void>(cores);
    return false;
#endif
}

void name_this_thread(const char* name) noexcept {
#if defined(__linux__)
    char kept[16] = {};
    std::strncpy(kept, name, sizeof(kept) - 1);
    ::pthread_setname_np(::pthread_self(), kept);
#else
    static_cast<void>(name);
#endif
}

std::optional<std::uint32_t> listen_backlog(int descriptor) noexcept {
#if defined(__linux__)
    tcp_info info{};
    socklen_t length = sizeof(info);
    if (::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return std::nullopt;
    if (info.tcpi_state != TCP_LISTEN) return std::nullopt;
    return info.tcpi_unacked;  // of a listener: the length of its accept queue
#else
    static_cast<void>(descriptor);
    return std::nullopt;
#endif
}

unsigned usable_cores(unsigned most) noexcept {
    unsigned cores = std::max(1U, std::thread::hardware_concurrency());
#if defined(__linux__)
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof(set), &set) == 0) {
        cores = static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
    }
#endif
    return most == 0 ? cores : std::min(cores, most);
}

std::string system_name() {
#if defined(__unix__) || defined(__APPLE__)
    utsname name{};
    if (::uname(&name) == 0) {
        return std::string{name.sysname} + " " + name.release + " " + name.machine;
    }
#endif
    return "unknown system";
}

std::string processor_name() {
#if defined(__linux__)
    std::ifstream file{"/proc/cpuinfo"};
    for (std::string line; std::getline(file, line);) {
        const bool named = line.rfind("model name", 0) == 0 || line.rfind("Model", 0) == 0;
        const auto colon = line.find(':');
        if (!named || colon == std::string::npos) continue;
        const auto text = line.find_first_not_of(" \t", colon + 1);
        if (text != std::string::npos) return line.substr(text);
    }
#endif
    return "unknown processor";
}

Duration time_asleep() noexcept {
#if defined(CLOCK_BOOTTIME) && defined(CLOCK_MONOTONIC)
    // The first reading may be overtaken by a few hundred ns; that is no sleep.
    return std::max(Duration{}, read_clock(CLOCK_BOOTTIME) - read_clock(CLOCK_MONOTONIC));
#else
    return Duration{};
#endif
}

int raise_descriptor_limit() noexcept {
#if defined(__unix__) || defined(__APPLE__)
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    if (limit.rlim_cur < limit.rlim_max) {
        rlimit wanted = limit;
        wanted.rlim_cur = limit.rlim_max;
        if (::setrlimit(RLIMIT_NOFILE, &wanted) == 0) limit = wanted;
    }
    constexpr rlim_t most = 1'000'000;  // "unlimited" does not fit an int
    return static_cast<int>(std::min(limit.rlim_cur, most));
#else
    return 0;
#endif
}

}  // namespace lab::live::platform
