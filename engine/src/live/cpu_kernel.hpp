// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/units.hpp"

#include <cstdint>

namespace lab::live {

/// Work that a compiler cannot remove: rounds of a dependent integer chain, which stay in registers
/// and so take the same time whatever the caches hold.
///
/// Calibrated once (about 5 ms of CPU), then immutable. Threads: any.
class CpuKernel {
  public:
    /// Measures how many rounds this machine does in a millisecond of the calling thread's CPU
    /// time.
    [[nodiscard]] static CpuKernel calibrated();
    explicit CpuKernel(double rounds_per_ms) : rounds_per_ms_{rounds_per_ms} {}

    [[nodiscard]] double rounds_per_ms() const { return rounds_per_ms_; }

    /// Burns `cost` of the calling thread's CPU time (not wall time: a thread that is put aside by
    /// the system owes the rest) in chunks of about 50 us; between two chunks `stop()` is asked.
    /// Returns what is left, zero when all of it was burnt.
    template <class Stop>
    Duration burn(Duration cost, Stop&& stop) const {
        const Duration begun = clock();
        for (Duration left = cost; left > Duration{}; left = cost - (clock() - begun)) {
            if (stop()) return left;
            run(rounds_for(left < chunk ? left : chunk));
        }
        return Duration{};
    }

    static constexpr Duration chunk = 50us;

  private:
    [[nodiscard]] static Duration clock() noexcept;
    [[nodiscard]] std::uint64_t rounds_for(Duration cost) const;
    static void run(std::uint64_t rounds) noexcept;

    double rounds_per_ms_;
};

}  // namespace lab::live
