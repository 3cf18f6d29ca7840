// SPDX-License-Identifier: GPL-3.0-or-later
// What only Linux has, behind one door. Elsewhere each function says that it cannot, and callers go
// on.
#pragma once

#include "lab/units.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>

namespace lab::live::platform {

/// CPU time of the calling thread. Resolution about 1 us. Throws nothing.
[[nodiscard]] Duration thread_cpu_time() noexcept;
/// CPU time of the whole process.
[[nodiscard]] Duration process_cpu_time() noexcept;
/// A handle with which another thread can read this thread's CPU time while it lives; -1 where
/// impossible.
[[nodiscard]] int this_thread_clock() noexcept;
[[nodiscard]] Duration thread_cpu_time_of(int clock) noexcept;
/// Asks for timers of this thread to fire within a microsecond of their time instead of 50.
void tighten_timer_slack() noexcept;
/// Lets the calling thread run on so many of the cores that this process may use, the last of them
/// (what serves clients prefers the first); 0 means all. False where the system cannot.
bool restrict_this_thread(unsigned cores) noexcept;
/// The same for another thread, which must not have been joined.
bool restrict_thread(std::thread& thread, unsigned cores) noexcept;
/// For debuggers and `top -H`. At most 15 bytes are kept.
void name_this_thread(const char* name) noexcept;
/// Connections completed by the kernel and not yet accepted on a listening socket (TCP_INFO).
[[nodiscard]] std::optional<std::uint32_t> listen_backlog(int descriptor) noexcept;
/// Bytes written to a TCP socket that have not yet gone to the peer (SIOCOUTQNSD). On loopback what
/// has gone is in the peer's kernel. 0 where it cannot be known.
[[nodiscard]] std::size_t unsent_bytes(int descriptor) noexcept;
/// Lets a wait for writability end only when all has gone to the peer (TCP_NOTSENT_LOWAT).
void report_writable_when_sent(int descriptor, bool on) noexcept;
/// Cores that this thread may use, at most so many; 0: all.
[[nodiscard]] unsigned usable_cores(unsigned most = 0) noexcept;
/// "Linux 6.1.0 x86_64" and the processor's name.
[[nodiscard]] std::string system_name();
[[nodiscard]] std::string processor_name();
/// Time for which the machine was asleep since boot (CLOCK_BOOTTIME minus CLOCK_MONOTONIC).
[[nodiscard]] Duration time_asleep() noexcept;
/// Raises the soft limit of open descriptors to the hard one; returns the soft limit.
int raise_descriptor_limit() noexcept;

}  // namespace lab::live::platform
