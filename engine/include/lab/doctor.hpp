// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/units.hpp"

#include <string>
#include <vector>

namespace lab {

/// What this machine can do, measured in about a second.
struct MachineReport {
    unsigned cores = 0;
    std::string system;             ///< "Linux 6.1.0 x86_64"
    std::string processor;          ///< model name
    Duration timer_late_p50{};      ///< how late a 1 ms sleep wakes
    Duration timer_late_p99{};
    Duration clock_read{};          ///< cost of one reading of the steady clock
    double kernel_rounds_per_ms = 0;///< calibration of the CPU-burning kernel
    int descriptors = 0;            ///< limit of open files
    std::vector<std::string> remarks;   ///< what is missing or unusual, one sentence each
};
[[nodiscard]] MachineReport examine_machine();
/// "2 cores, Linux 6.1.0 x86_64, <processor>": quick, for results.
[[nodiscard]] std::string describe_machine();

/// "0.1.0", from the build.
[[nodiscard]] std::string version();

}  // namespace lab
