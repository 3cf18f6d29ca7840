// SPDX-License-Identifier: GPL-3.0-or-later
// What pools of workers do with an exchange for which they have no place.
#pragma once

#include "core/program.hpp"
#include "core/slot_pool.hpp"
#include "lab/units.hpp"
#include "live/completion_queue.hpp"
#include "live/exchange.hpp"

namespace lab::live {

[[nodiscard]] core::Ticket ticket_of(Exchange& exchange);
[[nodiscard]] Exchange& exchange_of(core::Ticket ticket);

[[nodiscard]] bool acquires_worker(const core::Effect& effect);
/// The server binds a worker to a connection, not to a request.
[[nodiscard]] bool keeps_worker(const Exchange& exchange);

/// Answers as the program says of that fault; without a request there is nothing but the status.
void refuse(Exchange& exchange, core::Fault fault, Instant now, CompletionQueue& completions);
/// No answer: the front end resets the connection.
void reset(Exchange& exchange, CompletionQueue& completions);

}  // namespace lab::live
