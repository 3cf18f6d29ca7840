// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/generator.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <thread>
#include <utility>

#include "live/generator_loop.hpp"
#include "live/loopback_connect.hpp"
#include "live/platform.hpp"

namespace lab::live {

namespace {

/// The first request is due no earlier than this after start(): by then the thread runs.
constexpr Duration head_start = 2ms;
/// A listener that says neither yes nor no for so long has a full backlog: it is there.
constexpr Duration listener_patience = 250ms;

Error bad_load(std::string_view where, std::string_view allowed) {
    return {ErrorCode::invalid_input, std::string{where}, "allowed: " + std::string{allowed}};
}

/// What would make no sense to run. Ranges for people are the table of names' business.
Result<void> check(const Generator::Options& options) {
    const Load& load = options.load;
    if (options.target.port == 0) return bad_load("port", "1 to 65535");
    if (!std::isfinite(load.rate.per_second()) || load.rate.per_second() < 0) {
        return bad_load("load.rate", "a number, not negative");
    }
    if (load.users < 1 || static_cast<std::uint64_t>(load.users) >= core::Crowd::most_users) {
        return bad_load("load.users", "1 to 1,000,000");
    }
    if (load.connections < 1) return bad_load("load.connections", "at least 1");
    if (load.backlog < 0) return bad_load("load.backlog", "not negative");
    if (load.keys < 1) return bad_load("load.keys", "at least 1");
    if (load.timeout <= Duration{}) return bad_load("load.timeout", "more than 0");
    return {};
}

/// A new load comes validated; what slipped through must not stop the program.
Load made_sane(Load load) {
    if (!std::isfinite(load.rate.per_second())) load.rate = ArrivalRate{};
    load.users = std::clamp(load.users, 1, static_cast<int>(core::Crowd::most_users) - 1);
    load.connections = std::max(load.connections, 1);
    load.backlog = std::max(load.backlog, 0);
    load.keys = std::max(load.keys, 1);
    load.timeout = std::max(load.timeout, Duration{1ms});
    return load;
}

class ThreadedGenerator final : public Generator {
  public:
    ThreadedGenerator(Options options, Callbacks callbacks, Instant start)
        : start_{start}, loop_{std::move(options), std::move(callbacks), start}, thread_{[this] {
              loop_.run();
          }} {}

    ~ThreadedGenerator() override {
        loop_.stop();
        thread_.join();
    }
    ThreadedGenerator(const ThreadedGenerator&) = delete;
    ThreadedGenerator& operator=(const ThreadedGenerator&) = delete;

    [[nodiscard]] Instant started() const override { return start_; }
    void apply(Load load, Network network) override {
        loop_.apply(made_sane(std::move(load)), network);
    }
    void stop() override { loop_.stop(); }

  private:
    Instant start_;
    LoadLoop loop_;
    std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Generator>> Generator::start(Options options, Callbacks callbacks) {
    if (auto checked = check(options); !checked) return checked.error();
    platform::raise_descriptor_limit();
    if (auto heard = check_listener(options.target, listener_patience); !heard) {
        return heard.error();
    }
    try {
        const Instant start = std::chrono::steady_clock::now() + head_start;
        return std::unique_ptr<Generator>{
            std::make_unique<ThreadedGenerator>(std::move(options), std::move(callbacks), start)};
    } catch (const std::exception& reason) {
        return Error{ErrorCode::no_resources, "load", reason.what()};
    }
}

}  // namespace lab::live
