// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/theory.hpp"
#include "theory/service_law.hpp"

namespace lab::theory {

/// Something that a request needs while it keeps a worker thread.
struct Shared {
    std::string name;   ///< "the interpreter lock", for a sentence
    double demand = 0;  ///< seconds a request
    int servers = 1;
};

/// What the routes, their steps and the mix ask of the worker threads.
struct Workload {
    double share = 1;            ///< of the requests that need a worker thread at all
    int servers = 1;             ///< threads; or workers, where one lets others run while it waits
    bool cooperative = false;    ///< event loops and greenlets: served in pieces
    double delay = 0;            ///< seconds a request spends besides, in nobody's way
    ServiceLaw service;          ///< of those
    double computing = 0;        ///< seconds of CPU in it, where stated
    std::vector<Shared> shared;  ///< what can be waited for besides the threads
    std::vector<std::string> unstated;  ///< steps of which no time is known
    bool measured = false;              ///< the law is that of a run
    std::optional<double> hit_ratio;
};

/// `per_second`: arrivals, where they are known (a cache's hit ratio depends on them).
[[nodiscard]] Workload workload_of(const Model& model, const TheoryOptions& options,
                                   double per_second);

}  // namespace lab::theory
