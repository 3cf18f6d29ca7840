// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/cpu_kernel.hpp"

#include <algorithm>

#include "live/platform.hpp"

namespace lab::live {

namespace {

/// A thread's clock that does not move (not Linux, say) leaves the wall clock.
Duration cpu_or_wall_clock() noexcept {
    const Duration cpu = platform::thread_cpu_time();
    return cpu > Duration{} ? cpu : std::chrono::steady_clock::now().time_since_epoch();
}

}  // namespace

Duration CpuKernel::clock() noexcept { return cpu_or_wall_clock(); }

CpuKernel CpuKernel::calibrated() {
    // The best of several short stretches: a stretch that met an interrupt counts too few rounds.
    constexpr std::uint64_t rounds = 200'000;
    double best = 0;
    Duration spent{};
    for (int i = 0; i < 25 && (i < 4 || spent < 5ms); ++i) {
        const Duration begun = clock();
        run(rounds);
        const Duration took = clock() - begun;
        spent += took;
        if (took > Duration{}) best = std::max(best, static_cast<double>(rounds) / to_ms(took));
    }
    return CpuKernel{std::max(best, 1.0)};
}

std::uint64_t CpuKernel::rounds_for(Duration cost) const {
    return static_cast<std::uint64_t>(std::max(16.0, to_ms(cost) * rounds_per_ms_));
}

void CpuKernel::run(std::uint64_t rounds) noexcept {
    std::uint64_t x = 0x9e3779b97f4a7c15U;
    for (std::uint64_t i = 0; i < rounds; ++i) {
        x ^= x << 13U;
        x ^= x >> 7U;
        x ^= x << 17U;
    }
    // The result must be wanted by somebody, or the loop is none.
    volatile std::uint64_t sink = x;
    static_cast<void>(sink);
}

}  // namespace lab::live
