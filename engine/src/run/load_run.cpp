// SPDX-License-Identifier: GPL-3.0-or-later
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "lab/doctor.hpp"
#include "lab/experiment.hpp"
#include "live/generator.hpp"
#include "live/loopback_probe.hpp"
#include "live/platform.hpp"
#include "measure/aggregator.hpp"

namespace lab {

namespace {

using measure::IntervalCut;
using measure::WindowTotals;

constexpr Duration stop_poll = 50ms;
constexpr Duration probe_patience = 2s;

/// Brings what the load thread cuts to the thread that waits in run_load().
/// Threads: put_* the load thread, take the caller's.
class Mailbox {
  public:
    struct Delivery {
        std::deque<std::unique_ptr<IntervalCut>> cuts;
        std::unique_ptr<WindowTotals> totals;
    };

    void put_cut(std::unique_ptr<IntervalCut> cut) {
        const std::lock_guard lock{mutex_};
        waiting_.cuts.push_back(std::move(cut));
        wake_.notify_one();
    }
    void put_totals(std::unique_ptr<WindowTotals> totals) {
        const std::lock_guard lock{mutex_};
        waiting_.totals = std::move(totals);
        wake_.notify_one();
    }
    /// What has come; empty after `patience` without anything.
    Delivery take(Duration patience) {
        std::unique_lock lock{mutex_};
        wake_.wait_for(lock, patience,
                       [this] { return !waiting_.cuts.empty() || waiting_.totals != nullptr; });
        return std::exchange(waiting_, Delivery{});
    }

  private:
    std::mutex mutex_;
    std::condition_variable wake_;
    Delivery waiting_;
};

live::Generator::Options generator_options(const LoadOptions& options,
                                           const live::ProbedServer& server) {
    live::Generator::Options made;
    made.target = server.target;
    made.load = options.load;
    made.network = options.network;
    made.seed = options.seed;
    made.ask_times = server.tells_times;
    made.warm_up = options.warm_up;
    made.length = options.length;
    return made;
}

measure::Aggregator::Run description(const LoadOptions& options, Instant start) {
    measure::Aggregator::Run run;
    run.scenario = options.url;
    run.mode = "load";
    run.seed = options.seed;
    run.model.load = options.load;
    run.model.system.network = options.network;
    run.start = start;
    run.warm_up = options.warm_up;
    run.cores = live::platform::usable_cores();
    run.machine = describe_machine();
    run.version = version();
    return run;
}

Result<void> check(const LoadOptions& options) {
    if (options.length <= Duration{}) {
        return Error{ErrorCode::invalid_input, "for", "allowed: more than 0"};
    }
    if (options.warm_up < Duration{}) {
        return Error{ErrorCode::invalid_input, "warm-up", "allowed: 0 or more"};
    }
    return {};
}

}  // namespace

Result<RunResultPtr> run_load(const LoadOptions& options,
                              const std::function<void(FramePtr)>& on_frame,
                              const std::function<bool()>& stop) {
    if (auto checked = check(options); !checked) return checked.error();
    auto target = parse_loopback_url(options.url);
    if (!target) return target.error();
    auto server = live::probe_server(std::move(*target), probe_patience);
    if (!server) return server.error();

    Mailbox mailbox;
    auto generator = live::Generator::start(
        generator_options(options, *server),
        {.on_cut = [&](std::unique_ptr<IntervalCut> cut) { mailbox.put_cut(std::move(cut)); },
         .on_phase = {},
         .on_done = [&](std::unique_ptr<WindowTotals> t) { mailbox.put_totals(std::move(t)); }});
    if (!generator) return generator.error();

    measure::Aggregator aggregator{description(options, (*generator)->started())};
    bool stopped = false;
    Mailbox::Delivery delivery;
    while (delivery.totals == nullptr) {
        if (!stopped && stop && stop()) {
            stopped = true;
            (*generator)->stop();
        }
        delivery = mailbox.take(stop_poll);
        for (const auto& cut : delivery.cuts) {
            const FramePtr frame = aggregator.frame(*cut, {}, {}, 0, 0, {});
            if (on_frame) on_frame(frame);
        }
    }
    std::vector<std::string> remarks;
    if (!server->answered) {
        remarks.emplace_back("The server did not answer a first request within 2 s.");
    }
    return aggregator.finish(*delivery.totals, stopped, {}, std::move(remarks));
}

}  // namespace lab
