// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/program_parts.hpp"

#include <algorithm>

namespace lab::core {

Part part_of(const Effect& effect, Part open) {
    switch (effect.op) {
        case Op::acquire:
            switch (effect.resource) {
                case ResourceId::worker:
                    return Part::queue;
                case ResourceId::interpreter_lock:
                    return Part::lock_wait;
                case ResourceId::connection:
                    return Part::pool_wait;
                case ResourceId::write_lock:
                    return Part::write_wait;
                case ResourceId::loop:
                    return Part::loop_wait;
                case ResourceId::token:
                    return Part::token_wait;
            }
            return open;
        case Op::spend:
            return Part::cpu;
        case Op::sleep:
            return Part::io_wait;
        case Op::query:
        case Op::update:
        case Op::travel:
            return Part::database;
        case Op::fork:
            return Part::loop_wait;
        case Op::render:
        case Op::fill:
            return Part::render;
        case Op::cache_get:
        case Op::cache_put:
        case Op::cache_wait:
        case Op::cache_drop:
            return Part::cache;
        case Op::forward:
            return Part::proxy;
        case Op::respond:
            return Part::write;
        case Op::release:
        case Op::join:
        case Op::jump:
        case Op::end:
            return open;
    }
    return open;
}

void attribute(Cursor& cursor, Duration span, const PartTimes& told) {
    Duration left = span;
    for (std::size_t i = 0; i < told.size(); ++i) {
        const Duration part = std::clamp(told[i], Duration{}, left);
        cursor.parts[i] += part;
        left -= part;
    }
    cursor.parts[static_cast<std::size_t>(Part::proxy)] -= span - left;
}

Duration service_time(const PartTimes& parts) {
    Duration sum{};
    for (const Part part :
         {Part::lock_wait, Part::loop_wait, Part::token_wait, Part::cpu, Part::io_wait,
          Part::pool_wait, Part::write_wait, Part::database, Part::cache, Part::render}) {
        sum += parts[static_cast<std::size_t>(part)];
    }
    return sum;
}

}  // namespace lab::core
