// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/doctor.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <thread>

#include <fmt/format.h>

#include "live/cpu_kernel.hpp"
#include "live/database_template.hpp"
#include "live/platform.hpp"

namespace lab {

namespace platform = live::platform;

namespace {

Instant now() { return std::chrono::steady_clock::now(); }

/// How late a millisecond's sleep wakes, ascending, with timers as the server's threads have them.
std::vector<Duration> late_wakes() {
    constexpr std::size_t sleeps = 300;
    std::vector<Duration> late;
    platform::tighten_timer_slack();
    while (late.size() < sleeps) {
        const Instant due = now() + 1ms;
        std::this_thread::sleep_until(due);
        late.push_back(now() - due);
    }
    std::sort(late.begin(), late.end());
    return late;
}

Duration cost_of_reading_the_clock() {
    constexpr int readings = 20'000;
    const Instant begun = now();
    Instant last = begun;
    for (int i = 0; i < readings; ++i) last = now();
    return (last - begun) / readings;
}

void add_remarks(MachineReport& report) {
    auto& remarks = report.remarks;
    if (report.cores < 2) {
        remarks.emplace_back(
            "Only one core: server and load take time from each other, so compare ratios only.");
    }
    if (report.timer_late_p99 > 2ms) {
        remarks.push_back(
            fmt::format("Timers wake up to {:.1f} ms late: the machine is busy, and short waits "
                        "will be longer.",
                        to_ms(report.timer_late_p99)));
    }
    // A connection takes two descriptors, one at each end.
    constexpr int wanted_descriptors = 4'500;
    if (report.descriptors > 0 && report.descriptors < wanted_descriptors) {
        remarks.push_back(fmt::format(
            "Only {} open files are allowed: about {} connections at once (ulimit -n raises it).",
            report.descriptors, std::max(0, (report.descriptors - 200) / 2)));
    }
    if (platform::this_thread_clock() == -1) {
        remarks.emplace_back("CPU time of single threads cannot be read here.");
    }
    const auto folder = live::default_data_folder();
    std::error_code error;
    const auto space = std::filesystem::space(folder, error);
    constexpr std::uintmax_t wanted_space = 200'000'000;
    if (error) {
        remarks.push_back(
            fmt::format("No folder to keep databases in: {} is not there.", folder.string()));
    } else if (space.available < wanted_space) {
        remarks.push_back(fmt::format("Only {} MB are free in {}.", space.available / 1'000'000,
                                      folder.string()));
    }
#ifndef NDEBUG
    remarks.emplace_back("This is a debug build: every figure of our own server is worse.");
#endif
}

}  // namespace

MachineReport examine_machine() {
    MachineReport report;
    report.cores = platform::usable_cores();
    report.system = platform::system_name();
    report.processor = platform::processor_name();
    const auto late = late_wakes();
    report.timer_late_p50 = late[late.size() / 2];
    report.timer_late_p99 = late[late.size() * 99 / 100];
    report.clock_read = cost_of_reading_the_clock();
    report.kernel_rounds_per_ms = live::CpuKernel::calibrated().rounds_per_ms();
    report.descriptors = platform::raise_descriptor_limit();
    add_remarks(report);
    return report;
}

std::string describe_machine() {
    const unsigned cores = platform::usable_cores();
    return fmt::format("{} {}, {}, {}", cores, cores == 1 ? "core" : "cores",
                       platform::system_name(), platform::processor_name());
}

std::string version() { return LAB_VERSION; }

}  // namespace lab
