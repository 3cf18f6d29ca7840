// SPDX-License-Identifier: GPL-3.0-or-later
#include "virtual/run.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "lab/settings.hpp"
#include "measure/aggregator.hpp"
#include "measure/recorder.hpp"
#include "virtual/client.hpp"
#include "virtual/server.hpp"
#include "virtual/support.hpp"

namespace lab::virtual_time {

namespace {

/// Zero means "has not happened" in the books: time begins later.
constexpr Instant beginning{1s};
/// Events between two looks at whether to go on.
constexpr int events_between_looks = 4'096;
/// So many requests that end at one moment: time stands still.
constexpr std::uint64_t most_endings_at_once = 1'000'000;
/// Dots in a frame of a run that somebody watches.
constexpr std::size_t events_per_cut = 400;

Server::Options server_options(const Run::Options& options) {
    Server::Options made;
    made.system = options.model.system;
    made.load = options.model.load;
    made.seed = options.seed;
    made.cores = std::max(1, options.cores);
    made.costs = options.costs;
    made.tells_events = options.watched;
    made.start = beginning;
    return made;
}

Client::Options client_options(const Run::Options& options) {
    Client::Options made;
    made.load = options.model.load;
    made.seed = options.seed;
    made.start = beginning;
    made.window_from = beginning + options.warm_up;
    if (options.length) made.window_to = made.window_from + *options.length;
    made.requests = options.requests;
    made.network = options.model.system.network;
    return made;
}

measure::Aggregator::Run description(const Run::Options& options) {
    measure::Aggregator::Run run;
    run.scenario = options.scenario;
    run.mode = "virtual";
    run.seed = options.seed;
    run.model = options.model;
    run.start = beginning;
    run.warm_up = options.warm_up;
    run.truth_known = true;
    const int cores = options.model.system.host.cores;
    run.cores = static_cast<unsigned>(std::max(1, cores > 0 ? cores : options.cores));
    run.machine = options.machine;
    run.version = options.version;
    return run;
}

}  // namespace

class Run::Impl {
  public:
    explicit Impl(Options options)
        : options_{std::move(options)},
          time_{beginning, {}},
          recorder_{options_.watched ? events_per_cut : 0},
          server_{time_, server_options(options_)},
          client_{time_, server_, recorder_, client_options(options_)},
          aggregator_{description(options_)},
          model_{options_.model} {
        recorder_.begin(beginning);
        window_from_ = beginning + options_.warm_up;
        if (options_.length) window_to_ = window_from_ + *options_.length;
        recorder_.set_window(window_from_,
                             options_.length ? std::optional{window_to_} : std::nullopt);
        stage_ = options_.warm_up > Duration{} ? Stage::warm_up : Stage::running;
    }

    Result<void> advance(Duration time, const std::function<bool()>& interrupt,
                         const std::function<void(FramePtr)>& on_frame) {
        const Instant until = time_.now + time;
        while (stage_ != Stage::done && time_.now < until) {
            const Instant next = std::min(until, next_beat());
            if (!pass_to(next, interrupt)) return {};
            if (client_.endings_now() > most_endings_at_once) {
                return Error{ErrorCode::invalid_input, "load.think",
                             "nothing takes any time: users without a pause ask a server that "
                             "costs nothing; allowed: a pause, a step or costs above 0"};
            }
            if ((time_.now - beginning) % beat == Duration{}) on_beat(on_frame);
        }
        return {};
    }

    void cut(const std::function<void(FramePtr)>& on_frame) {
        if (time_.now <= last_cut_) return;
        recorder_.set_client_backlog(client_.waiting());
        const auto cut = recorder_.cut(time_.now);
        cut->breaker_open = client_.take_breaker_open();
        last_cut_ = time_.now;
        std::uint64_t left_out = 0;
        auto events = server_.take_events(left_out);
        auto frame = aggregator_.frame(*cut, server_.sample(), std::move(events), left_out,
                                       generation_, std::exchange(changes_, {}));
        if (on_frame) on_frame(std::move(frame));
    }

    [[nodiscard]] Stage stage() const { return stage_; }
    [[nodiscard]] Duration elapsed() const { return time_.now - beginning; }

    Result<void> apply(std::uint64_t generation, const Model& model) {
        if (auto fit = check_supported(model); !fit) return fit;
        if (auto fit = check_change(model_, model); !fit) return fit;
        auto changes = changed_settings(model_, model);
        generation_ = generation;
        if (changes.empty()) return {};
        std::move(changes.begin(), changes.end(), std::back_inserter(changes_));
        model_ = model;
        server_.apply(model.system);
        client_.apply(model.load, model.system.network);
        server_.run_ready();
        return {};
    }

    RunResultPtr finish(bool stopped, const std::function<void(FramePtr)>& on_frame) {
        if (stage_ == Stage::warm_up || stage_ == Stage::running) recorder_.close_window(time_.now);
        client_.withdraw_all();
        cut(on_frame);
        stage_ = Stage::done;
        auto totals = recorder_.totals();
        totals->trace = client_.trace();
        std::vector<std::string> remarks;
        if (!options_.model.system.costs.fixed && !options_.costs_from.empty()) {
            remarks.push_back(options_.costs_from);
        }
        return aggregator_.finish(*totals, stopped, server_.plans(), std::move(remarks));
    }

  private:
    [[nodiscard]] Instant next_beat() const {
        return time_.now - (time_.now - beginning) % beat + beat;
    }

    /// Everything that happens up to `moment` and at it. False: interrupted before.
    bool pass_to(Instant moment, const std::function<bool()>& interrupt) {
        for (int left = events_between_looks;;) {
            const Instant arrival = client_.next_arrival();
            const Instant event = time_.events.next();
            const Instant cores = server_.cores_due();
            const Instant first = std::min(arrival, std::min(event, cores));
            if (first > moment) break;
            time_.now = first;
            if (first == arrival) {
                client_.release();
                if (client_.window_closed() && !closed_) close_window();
            } else if (first == event) {
                handle(time_.events.pop());
            } else {
                server_.handle_cores();
            }
            server_.run_ready();
            if (--left == 0) {
                left = events_between_looks;
                if (client_.endings_now() > most_endings_at_once) return true;
                if (interrupt && interrupt()) return false;
            }
        }
        time_.now = moment;
        return true;
    }

    /// As many requests were due in it as were asked for.
    void close_window() {
        closed_ = true;
        window_to_ = std::min(window_to_, *client_.window_closed());
        recorder_.close_window(window_to_);
    }

    void handle(const Event& event) {
        if (event.kind() >= EventKind::connected) {
            client_.handle(event);
        } else {
            server_.handle(event);
        }
    }

    void on_beat(const std::function<void(FramePtr)>& on_frame) {
        cut(on_frame);
        if (stage_ == Stage::warm_up && time_.now >= window_from_) stage_ = Stage::running;
        if (stage_ == Stage::running && time_.now >= window_to_) {
            client_.end_of_plan();
            recorder_.close_window(window_to_);
            stage_ = Stage::draining;
        }
        if (stage_ == Stage::draining &&
            (client_.idle() || time_.now >= window_to_ + options_.drain)) {
            stage_ = Stage::done;
        }
    }

    Options options_;
    Timeline time_;
    measure::Recorder recorder_;
    Server server_;
    Client client_;
    measure::Aggregator aggregator_;
    Model model_;  ///< as last asked for
    Instant window_from_{};
    Instant window_to_ = Instant::max();
    Instant last_cut_ = beginning;
    Stage stage_ = Stage::warm_up;
    bool closed_ = false;
    std::uint64_t generation_ = 0;
    std::vector<SettingChange> changes_;
};

Result<std::unique_ptr<Run>> Run::create(Options options) {
    if (auto fit = check_supported(options.model); !fit) return fit.error();
    return std::unique_ptr<Run>(new Run(std::make_unique<Impl>(std::move(options))));
}

Run::Run(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
Run::~Run() = default;
Result<void> Run::advance(Duration time, const std::function<bool()>& interrupt,
                          const std::function<void(FramePtr)>& on_frame) {
    return impl_->advance(time, interrupt, on_frame);
}
void Run::cut(const std::function<void(FramePtr)>& on_frame) { impl_->cut(on_frame); }
Stage Run::stage() const { return impl_->stage(); }
Duration Run::elapsed() const { return impl_->elapsed(); }
Result<void> Run::apply(std::uint64_t generation, const Model& model) {
    return impl_->apply(generation, model);
}
RunResultPtr Run::finish(bool stopped, const std::function<void(FramePtr)>& on_frame) {
    return impl_->finish(stopped, on_frame);
}

}  // namespace lab::virtual_time
