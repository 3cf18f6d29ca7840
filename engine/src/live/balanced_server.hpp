// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "live/exchange.hpp"
#include "live/server.hpp"
#include "live/storage.hpp"

#include <memory>
#include <vector>

namespace lab::live {

/// A proxy in front of balancer.count copies of the server, each with its own listener, queue,
/// workers, interpreter locks and caches, over real connections; they share one database.
///
/// A backend whose `up` turns false is stopped as a killed process is: its port refuses, its
/// connections break, what it had in hand is lost to it. One whose `up` turns true starts anew on
/// the same port, with cold caches. The proxy is told neither: it finds out.
///
/// Errors and threads: as Server::open.
[[nodiscard]] Result<std::unique_ptr<Server>> open_balanced_server(Server::Options options);

// Shared with the server that stands alone.
[[nodiscard]] bool uses_database(const System& system);
[[nodiscard]] Storage::Options storage_options(const Server::Options& options,
                                               const Generation& generation);
/// Each query once, in the order in which the routes name them.
[[nodiscard]] std::vector<core::AskedQuery> queries_of(const Generation& generation);

}  // namespace lab::live
