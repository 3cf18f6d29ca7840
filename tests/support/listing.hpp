// SPDX-License-Identifier: GPL-3.0-or-later
// Programs and effects as text, so that a test compares pictures.
#pragma once

#include <string>

#include "core/program.hpp"

namespace lab::test {

[[nodiscard]] inline std::string name_of(core::ResourceId resource) {
    switch (resource) {
        case core::ResourceId::worker:
            return "worker";
        case core::ResourceId::interpreter_lock:
            return "lock";
        case core::ResourceId::connection:
            return "connection";
        case core::ResourceId::loop:
            return "loop";
        case core::ResourceId::token:
            return "token";
        case core::ResourceId::write_lock:
            return "write lock";
    }
    return "?";
}

[[nodiscard]] inline std::string name_of(core::Op op) {
    switch (op) {
        case core::Op::acquire:
            return "acquire";
        case core::Op::release:
            return "release";
        case core::Op::spend:
            return "spend";
        case core::Op::sleep:
            return "sleep";
        case core::Op::query:
            return "query";
        case core::Op::update:
            return "update";
        case core::Op::render:
            return "render";
        case core::Op::fill:
            return "fill";
        case core::Op::cache_get:
            return "cache_get";
        case core::Op::cache_put:
            return "cache_put";
        case core::Op::forward:
            return "forward";
        case core::Op::cache_wait:
            return "cache_wait";
        case core::Op::cache_drop:
            return "cache_drop";
        case core::Op::jump:
            return "jump";
        case core::Op::respond:
            return "respond";
        case core::Op::end:
            return "end";
        case core::Op::travel:
            return "travel";
        case core::Op::fork:
            return "fork";
        case core::Op::join:
            return "join";
    }
    return "?";
}

/// "acquire worker, spend, release worker, respond, end"; a cache_get names where its hit goes.
[[nodiscard]] inline std::string listing(const core::Program& program) {
    std::string text;
    for (const core::Instr& instr : program.code) {
        if (!text.empty()) text += ", ";
        text += name_of(instr.op);
        if (instr.op == core::Op::acquire || instr.op == core::Op::release) {
            text += " " + name_of(static_cast<core::ResourceId>(instr.resource));
        }
        if (instr.op == core::Op::fork) text += " ->" + std::to_string(instr.jump);
        const bool jumps = instr.op == core::Op::cache_get || instr.op == core::Op::jump;
        if (jumps) text += " ->" + std::to_string(instr.jump);
        if (instr.op == core::Op::render || instr.op == core::Op::fill) {
            text += " " + std::to_string(instr.arg);
        }
    }
    return text;
}

/// One effect: "acquire lock", "spend 5ms", "respond 503".
[[nodiscard]] inline std::string show(const core::Effect& effect) {
    std::string text = name_of(effect.op);
    if (effect.op == core::Op::acquire || effect.op == core::Op::release) {
        text += " " + name_of(effect.resource);
    }
    if (effect.op == core::Op::spend || effect.op == core::Op::sleep) {
        text += " " + std::to_string(effect.cost.count() / 1'000'000) + "ms";
    }
    if (effect.op == core::Op::respond) text += " " + std::to_string(effect.status);
    return text;
}

}  // namespace lab::test
