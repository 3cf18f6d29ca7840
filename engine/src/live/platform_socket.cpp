// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/platform.hpp"

#if defined(__linux__)
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#endif

namespace lab::live::platform {

#if defined(__linux__)
std::size_t unsent_bytes(int descriptor) noexcept {
    int bytes = 0;
    if (::ioctl(descriptor, SIOCOUTQNSD, &bytes) != 0 || bytes < 0) return 0;
    return static_cast<std::size_t>(bytes);
}

void report_writable_when_sent(int descriptor, bool on) noexcept {
    const unsigned low_water = on ? 1 : ~0U;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &low_water, sizeof low_water);
}
#else
std::size_t unsent_bytes(int) noexcept { return 0; }

void report_writable_when_sent(int, bool) noexcept {}
#endif

}  // namespace lab::live::platform
