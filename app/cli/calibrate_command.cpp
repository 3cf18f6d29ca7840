// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"
#include "cli/interrupts.hpp"

#include <chrono>

#include <fmt/format.h>

#include "lab/calibration.hpp"
#include "lab/doctor.hpp"
#include "lab/settings.hpp"
#include "lab/store.hpp"
#include "lab/text.hpp"

namespace lab::cli {

namespace {

void show(Terminal& terminal, const Costs& costs) {
    Model model;
    model.system.costs = costs;
    for (const SettingInfo& info : settings_table()) {
        if (!info.path.starts_with("costs.") || info.kind != ValueKind::duration) continue;
        const auto value = get_setting(model, info.path);
        if (!value) continue;
        terminal.out(
            fmt::format("  {:<18} {:>12}  {}\n", info.path, write_value(*value), info.label));
    }
}

}  // namespace

std::optional<MeasuredCosts> stored_costs() {
    const auto stored = Store::open({})->calibration();
    if (!stored) return std::nullopt;
    auto costs = measured_costs(*stored);
    if (!costs) return std::nullopt;
    return std::move(*costs);
}

int calibrate_command(Terminal& terminal) {
    Interrupts interrupts{{}};
    const auto costs = calibrate([&](const std::string& what) { terminal.live(what); },
                                 [&] { return interrupts.signal() != 0; });
    terminal.end_live();
    if (!costs) {
        terminal.error(costs.error().message());
        return interrupts.exit_code(exit_code_for(costs.error()));
    }
    show(terminal, *costs);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    StoredCalibration made;
    made.costs = write_costs(*costs);
    made.machine = describe_machine();
    made.at_unix_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    const auto store = Store::open({});
    const auto saved = store->save(made);
    if (!saved) {
        terminal.error(saved.error().message());
        return interrupts.exit_code(exit_failed);
    }
    terminal.out("Kept for runs in virtual time; a scenario may fix its own ([costs]).\n");
    if (!store->remark().empty()) terminal.error(store->remark());
    return interrupts.exit_code(exit_ok);
}

}  // namespace lab::cli
