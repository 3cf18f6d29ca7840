// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/turned_away.hpp"

namespace lab::live {

core::Ticket ticket_of(Exchange& exchange) {
    return static_cast<core::Ticket>(reinterpret_cast<std::uintptr_t>(&exchange));
}

Exchange& exchange_of(core::Ticket ticket) {
    return *reinterpret_cast<Exchange*>(static_cast<std::uintptr_t>(ticket));
}

bool acquires_worker(const core::Effect& effect) {
    return effect.op == core::Op::acquire && effect.resource == core::ResourceId::worker;
}

bool keeps_worker(const Exchange& exchange) {
    return exchange.generation->system.server.bind == BindPoint::accept;
}

void refuse(Exchange& exchange, core::Fault fault, Instant now, CompletionQueue& completions) {
    if (!acquires_worker(exchange.effect)) {
        exchange.effect = {.op = core::Op::respond, .status = 503};
    } else {
        core::Outcome outcome{.now = now, .fault = fault};
        do {
            exchange.effect = core::next(exchange.cursor, outcome);
            outcome.fault = core::Fault::none;
        } while (exchange.effect.op == core::Op::release);
    }
    exchange.place = Exchange::Place::in_hand;
    completions.answered(exchange);
}

void reset(Exchange& exchange, CompletionQueue& completions) {
    exchange.effect = {.op = core::Op::end, .status = 0};
    exchange.place = Exchange::Place::in_hand;
    completions.answered(exchange);
}

}  // namespace lab::live
