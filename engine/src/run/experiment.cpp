// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/experiment.hpp"

#include "live/generator.hpp"
#include "live/platform.hpp"
#include "live/server.hpp"
#include "measure/aggregator.hpp"
#include "run/virtual_driver.hpp"
#include "run/virtual_plan.hpp"
#include "run/worker_thread.hpp"
#include "virtual/support.hpp"

#include "lab/assert.hpp"
#include "lab/doctor.hpp"
#include "lab/settings.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <utility>

namespace lab {

namespace {

/// Events told of the server in one frame: enough for every dot up to about 1,300 requests a
/// second.
constexpr std::size_t server_events_per_frame = 400;

live::Server::Options server_options(const RunPlan& plan) {
    live::Server::Options options;
    options.system = plan.model.system;
    options.load = plan.model.load;
    options.seed = plan.seed;
    options.title = plan.scenario;
    return options;
}

live::Generator::Options generator_options(const RunPlan& plan, const live::Server& server) {
    live::Generator::Options options;
    options.target.port = server.port();
    options.target.host = "127.0.0.1:" + std::to_string(server.port());
    options.target.target = "/";
    options.routes = plan.model.system.routes;
    options.load = plan.model.load;
    options.network = plan.model.system.network;
    options.seed = plan.seed;
    options.ask_times = true;
    options.truth = &server.truth();
    options.warm_up = plan.warm_up;
    options.length = plan.length;
    return options;
}

bool is_balanced(const Model& model) { return model.system.balancer.rule != BalancerRule::none; }

/// Settings that were asked for and are not yet wholly in force.
struct PendingChange {
    std::uint64_t generation = 0;         ///< of the experiment
    std::uint64_t server_generation = 0;  ///< of the server, which says when it is there
    std::vector<SettingChange> changes;
};

/// One run: what it owns, and where it stands. Lives on the control thread.
struct Run {
    std::uint64_t number = 0;
    RunPlan plan;
    Model model;  ///< as last asked for
    std::unique_ptr<live::Server> server;
    std::unique_ptr<live::Generator> generator;
    std::unique_ptr<measure::Aggregator> aggregator;
    std::shared_ptr<run::VirtualDriver> driver;  ///< of virtual time, in place of the three above
    std::deque<PendingChange> pending;
    std::uint64_t generation = 0;
    bool stop_asked = false;
    std::shared_ptr<std::atomic<bool>> cancelled = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace

/// Two threads: control, which owns the state of the run and never blocks; storage, which opens and
/// closes servers (databases, joins). Runs are numbered, and a message of an older run is dropped.
class Experiment::Impl {
  public:
    explicit Impl(ExperimentEvents events)
        : events_{std::move(events)}, control_{"control"}, storage_{"storage"} {}

    ~Impl() {
        control_.post([this] {
            closing_ = true;
            queued_.reset();
            stop_run();
        });
        // Closing a run takes at most a second or two; the storage thread does it and then tells
        // control.
        closed_.wait(false);
        control_.stop();
        storage_.stop();
    }

    Result<void> start(RunPlan plan) {
        if (auto fit = check(plan.mode, plan.model); !fit) return fit;
        if (auto fit = check_plan(plan); !fit) return fit;
        mode_.store(plan.mode);
        balanced_ = is_balanced(plan.model);
        control_.post([this, plan = std::move(plan)]() mutable {
            if (closing_) return;
            if (run_ || tearing_down_) {
                queued_ = std::move(plan);
                stop_run();
                return;
            }
            begin(std::move(plan));
        });
        return {};
    }

    Result<std::uint64_t> apply(Model model) {
        if (is_balanced(model) != balanced_) {
            return Error{ErrorCode::invalid_input, "balancer.rule",
                         "a run that goes on keeps its balancer, or stays without one; allowed: "
                         "stop it, and start it with the new rule"};
        }
        if (auto fit = check(mode_.load(), model); !fit) return fit.error();
        const auto generation = next_generation_.fetch_add(1) + 1;
        control_.post([this, generation, model = std::move(model)]() mutable {
            if (queued_) {
                queued_->model = std::move(model);
            } else if (run_) {
                apply_to_run(generation, std::move(model));
            }
        });
        return generation;
    }

    void stop() {
        control_.post([this] {
            if (queued_) {  // never began: it ends as one that was stopped
                queued_.reset();
                finished(Error{ErrorCode::interrupted, {}, "stopped before it began"});
            }
            stop_run();
        });
    }

    void ask_cache(std::size_t most) {
        control_.post([this, most] {
            if (!run_ || !run_->server || tearing_down_) return;
            // The server is closed on the storage thread, after this.
            storage_.post([this, most, number = run_->number, server = run_->server.get()] {
                control_.post([this, number, contents = server->cache_contents(most)]() mutable {
                    if (closing_ || !run_ || run_->number != number) return;
                    if (events_.on_cache) events_.on_cache(std::move(contents));
                });
            });
        });
    }

    void set_pace(Pace pace) {
        control_.post([this, pace] {
            pace_ = pace;
            if (run_ && run_->driver) run_->driver->set_pace(pace);
        });
    }

    void step(Duration by) {
        control_.post([this, by] {
            if (run_ && run_->driver) run_->driver->step(by);
        });
    }

  private:
    /// Whether that runner can do the model.
    static Result<void> check(RunMode mode, const Model& model) {
        if (auto valid = validate(model); !valid) return valid;
        if (mode == RunMode::virtual_time) return virtual_time::check_supported(model);
        return run::check_live(model);
    }

    static Result<void> check_plan(const RunPlan& plan) {
        if (plan.mode == RunMode::virtual_time || !plan.requests) return {};
        return Error{ErrorCode::invalid_input, "requests",
                     "found a number of requests for a live run; allowed: --mode virtual, or a "
                     "length"};
    }

    void phase(RunPhase phase, const std::string& progress = {}) {
        if (!closing_ && events_.on_phase) events_.on_phase(phase, progress);
    }

    void finished(Result<RunResultPtr> result) {
        if (!closing_ && events_.on_finished) events_.on_finished(std::move(result));
    }

    void begin(RunPlan plan) {
        run_ = std::make_unique<Run>();
        run_->number = ++run_count_;
        run_->model = plan.model;
        run_->plan = std::move(plan);
        phase(RunPhase::preparing);
        if (run_->plan.mode == RunMode::virtual_time) return begin_virtual();
        auto options = server_options(run_->plan);
        options.cancelled = [flag = run_->cancelled] { return flag->load(); };
        options.on_progress = [this, number = run_->number](const std::string& text) {
            control_.post([this, number, text] {
                if (run_ && run_->number == number) phase(RunPhase::preparing, text);
            });
        };
        storage_.post([this, number = run_->number, options = std::move(options)]() mutable {
            auto server = std::make_shared<Result<std::unique_ptr<live::Server>>>(
                live::Server::open(std::move(options)));
            control_.post([this, number, server] { server_opened(number, std::move(*server)); });
        });
    }

    void begin_virtual() {
        const auto to_run = [this, number = run_->number](auto then) {
            control_.post([this, number, then = std::move(then)]() mutable {
                if (run_ && run_->number == number) then();
            });
        };
        run::VirtualDriver::Callbacks callbacks;
        callbacks.on_phase = [this, to_run](RunPhase at) { to_run([this, at] { phase(at); }); };
        callbacks.on_frame = [this, to_run](FramePtr frame) {
            to_run([this, frame = std::move(frame)]() mutable {
                if (!closing_ && events_.on_frame) events_.on_frame(std::move(frame));
                run_->driver->frame_taken();
            });
        };
        callbacks.on_done = [this, to_run](Result<RunResultPtr> result) {
            to_run([this, result = std::move(result)]() mutable {
                tear_down();
                finished(std::move(result));
            });
        };
        auto options = run::virtual_options(run_->plan, true);
        if (!options) return fail(options.error());
        try {
            run_->driver = std::make_shared<run::VirtualDriver>(std::move(*options), pace_,
                                                                std::move(callbacks));
        } catch (const std::system_error& error) {
            fail({ErrorCode::no_resources, "threads", error.what()});
        }
    }

    void server_opened(std::uint64_t number, Result<std::unique_ptr<live::Server>> server) {
        LAB_ASSERT(run_ != nullptr);
        LAB_ASSERT(run_->number == number);
        if (!server) return fail(server.error());
        run_->server = std::move(*server);
        if (run_->stop_asked) return fail({ErrorCode::interrupted, {}, "stopped before it began"});
        if (run_->model != run_->plan.model) {  // knobs moved while the database was made
            run_->plan.model = run_->model;
            run_->server->apply(run_->model.system);
        }
        live::Generator::Callbacks callbacks;
        callbacks.on_cut = [this, number](std::unique_ptr<measure::IntervalCut> cut) {
            control_.post([this, number, held = std::shared_ptr(std::move(cut))] {
                if (run_ && run_->number == number && run_->aggregator) publish(*held);
            });
        };
        callbacks.on_phase = [this, number](RunPhase at) {
            control_.post([this, number, at] {
                if (run_ && run_->number == number) phase(at);
            });
        };
        callbacks.on_done = [this, number](std::unique_ptr<measure::WindowTotals> totals) {
            control_.post([this, number, held = std::shared_ptr(std::move(totals))] {
                if (run_ && run_->number == number) complete(*held);
            });
        };
        auto generator = live::Generator::start(generator_options(run_->plan, *run_->server),
                                                std::move(callbacks));
        if (!generator) return fail(generator.error());
        run_->generator = std::move(*generator);
        run_->aggregator = std::make_unique<measure::Aggregator>(aggregated_run());
    }

    measure::Aggregator::Run aggregated_run() const {
        measure::Aggregator::Run run;
        run.scenario = run_->plan.scenario;
        run.seed = run_->plan.seed;
        run.model = run_->plan.model;
        run.start = run_->generator->started();
        run.warm_up = run_->plan.warm_up;
        run.truth_known = true;
        run.cores = live::platform::usable_cores();
        run.machine = describe_machine();
        run.version = version();
        return run;
    }

    void apply_to_run(std::uint64_t generation, Model model) {
        auto changes = changed_settings(run_->model, model);
        run_->model = std::move(model);
        if (run_->driver) return run_->driver->apply(generation, run_->model);
        if (!run_->generator) return;  // taken up when the server is there
        if (changes.empty()) return;
        run_->generator->apply(run_->model.load, run_->model.system.network);
        const auto server_generation = run_->server->apply(run_->model.system);
        run_->pending.push_back({generation, server_generation, std::move(changes)});
    }

    void publish(const measure::IntervalCut& cut) {
        auto sample = run_->server->sample();
        std::uint64_t left_out = 0;
        auto server_events = run_->server->take_events(server_events_per_frame, left_out);
        std::vector<SettingChange> changes;
        const auto in_force = run_->server->generation();
        while (!run_->pending.empty() && run_->pending.front().server_generation <= in_force) {
            auto& ready = run_->pending.front();
            std::move(ready.changes.begin(), ready.changes.end(), std::back_inserter(changes));
            run_->generation = ready.generation;
            run_->pending.pop_front();
        }
        auto frame = run_->aggregator->frame(cut, std::move(sample), std::move(server_events),
                                             left_out, run_->generation, std::move(changes));
        if (!closing_ && events_.on_frame) events_.on_frame(std::move(frame));
    }

    void complete(const measure::WindowTotals& totals) {
        auto result = run_->aggregator->finish(totals, run_->stop_asked, run_->server->plans(), {});
        tear_down();
        finished(std::move(result));
    }

    void fail(Error error) {
        tear_down();
        finished(std::move(error));
    }

    void stop_run() {
        if (run_) {
            run_->stop_asked = true;
            run_->cancelled->store(true);
            if (run_->generator) run_->generator->stop();
            if (run_->driver) run_->driver->stop();
        } else if (!tearing_down_) {
            idle();
        }
    }

    /// The run's threads are joined on the storage thread; the next run begins when they are gone.
    void tear_down() {
        tearing_down_ = true;
        std::shared_ptr<Run> old = std::move(run_);
        storage_.post([this, old = std::move(old)]() mutable {
            old->driver.reset();
            old->generator.reset();
            if (old->server) old->server->stop();
            old.reset();
            control_.post([this] {
                tearing_down_ = false;
                idle();
            });
        });
    }

    void idle() {
        if (closing_) {
            closed_.store(true);
            closed_.notify_all();
            return;
        }
        if (queued_) {
            auto plan = std::move(*queued_);
            queued_.reset();
            begin(std::move(plan));
            return;
        }
        phase(RunPhase::idle);
    }

    ExperimentEvents events_;
    std::atomic<std::uint64_t> next_generation_{0};
    std::atomic<RunMode> mode_{RunMode::live};  ///< of the last plan
    std::atomic<bool> closed_{false};
    std::atomic<bool> balanced_{false};  ///< of the plan started last
    // Below: the control thread alone.
    std::unique_ptr<Run> run_;
    std::optional<RunPlan> queued_;
    Pace pace_;
    std::uint64_t run_count_ = 0;
    bool tearing_down_ = false;
    bool closing_ = false;
    // Last, so that they end first.
    run::WorkerThread control_;
    run::WorkerThread storage_;
};

Result<std::unique_ptr<Experiment>> Experiment::create(ExperimentEvents events) {
    live::platform::raise_descriptor_limit();
    try {
        return std::unique_ptr<Experiment>(
            new Experiment(std::make_unique<Impl>(std::move(events))));
    } catch (const std::system_error& error) {
        return Error{ErrorCode::no_resources, "threads",
                     std::string{"the system gives no more threads: "} + error.what()};
    }
}

Experiment::Experiment(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
Experiment::~Experiment() = default;
Result<void> Experiment::start(RunPlan plan) { return impl_->start(std::move(plan)); }
Result<std::uint64_t> Experiment::apply(Model model) { return impl_->apply(std::move(model)); }
void Experiment::ask_cache(std::size_t most) { impl_->ask_cache(most); }
void Experiment::stop() { impl_->stop(); }
void Experiment::set_pace(Pace pace) { impl_->set_pace(pace); }
void Experiment::step(Duration by) { impl_->step(by); }

}  // namespace lab
