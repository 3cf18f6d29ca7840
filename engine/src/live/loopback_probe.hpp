// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/experiment.hpp"
#include "lab/result.hpp"

namespace lab::live {

/// What one request told about a server.
struct ProbedServer {
    LoopbackTarget target;     ///< where it listens: "localhost" may have turned out to be ::1
    bool answered = false;     ///< within the patience
    bool tells_times = false;  ///< it is ours: it answers X-Lab-Request with X-Lab-Times
};

/// Asks once, GET on a connection of its own. Blocks for at most `patience` and a little.
/// Errors: unreachable (nobody listens), no_resources, not_permitted. Threads: any.
[[nodiscard]] Result<ProbedServer> probe_server(LoopbackTarget target, Duration patience);

}  // namespace lab::live
