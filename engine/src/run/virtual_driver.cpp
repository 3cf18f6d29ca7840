// SPDX-License-Identifier: GPL-3.0-or-later
#include "run/virtual_driver.hpp"

#include <algorithm>
#include <chrono>

#include "live/platform.hpp"

namespace lab::run {

namespace {

constexpr Duration between_frames = 100ms;
/// Real time between two looks at the pace, and virtual time at most between two of them.
constexpr Duration turn = 10ms;
constexpr Duration longest_turn = 100ms;

Instant clock_now() { return std::chrono::steady_clock::now(); }

RunPhase phase_of(virtual_time::Stage stage) {
    switch (stage) {
        case virtual_time::Stage::warm_up:
            return RunPhase::warm_up;
        case virtual_time::Stage::running:
            return RunPhase::running;
        case virtual_time::Stage::draining:
        case virtual_time::Stage::done:
            break;
    }
    return RunPhase::draining;
}

}  // namespace

VirtualDriver::VirtualDriver(virtual_time::Run::Options options, Pace pace, Callbacks callbacks)
    : callbacks_{std::move(callbacks)}, pace_{pace} {
    thread_ =
        std::thread{[this, options = std::move(options)]() mutable { work(std::move(options)); }};
}

VirtualDriver::~VirtualDriver() {
    stop();
    if (thread_.joinable()) thread_.join();
}

void VirtualDriver::apply(std::uint64_t generation, Model model) {
    const std::lock_guard hold{mutex_};
    settings_.emplace(generation, std::move(model));
    changed_.notify_all();
}

void VirtualDriver::set_pace(Pace pace) {
    const std::lock_guard hold{mutex_};
    pace_ = pace;
    pace_is_new_ = true;
    steps_ = Duration{};
    changed_.notify_all();
}

void VirtualDriver::step(Duration by) {
    const std::lock_guard hold{mutex_};
    steps_ += by;
    changed_.notify_all();
}

void VirtualDriver::stop() {
    const std::lock_guard hold{mutex_};
    stop_ = true;
    changed_.notify_all();
}

void VirtualDriver::frame_taken() {
    const std::lock_guard hold{mutex_};
    --frames_ahead_;
    changed_.notify_all();
}

void VirtualDriver::work(virtual_time::Run::Options options) {
    live::platform::name_this_thread("virtual time");
    Result<RunResultPtr> result = Error{ErrorCode::failed, {}, "the run ended by itself"};
    try {
        auto made = virtual_time::Run::create(std::move(options));
        result = made ? drive(**made) : Result<RunResultPtr>{made.error()};
    } catch (const std::exception& error) {  // memory has run out
        result = Error{ErrorCode::no_resources, {}, error.what()};
    }
    callbacks_.on_done(std::move(result));
}

Result<RunResultPtr> VirtualDriver::drive(virtual_time::Run& run) {
    last_frame_ = clock_now();
    while (run.stage() != virtual_time::Stage::done && !interrupted()) {
        take_settings(run);
        tell_phase(run);
        if (auto gone = go_on(run); !gone) return gone.error();
    }
    const bool stopped = run.stage() != virtual_time::Stage::done;
    return run.finish(stopped, [this](FramePtr frame) { give_frame(std::move(frame)); });
}

/// A little of the run, or of rest.
Result<void> VirtualDriver::go_on(virtual_time::Run& run) {
    Duration by = virtual_time::Run::beat;
    {
        const std::lock_guard hold{mutex_};
        if (in_force_.paused) by = std::min(std::exchange(steps_, Duration{}), 10min + 0ns);
    }
    const Instant now = clock_now();
    if (!in_force_.paused && in_force_.speed > 0) {
        const double passed = to_seconds(now - paced_from_) * in_force_.speed;
        by = std::min(paced_at_ + from_seconds(passed) - run.elapsed(), longest_turn);
    }
    const auto on_frame = [this](FramePtr frame) { give_frame(std::move(frame)); };
    const bool steps = in_force_.paused && by > Duration{};
    if (by > Duration{}) {
        auto gone = run.advance(
            by, [this] { return interrupted(); }, on_frame);
        if (!gone) return gone;
    }
    const bool slow = in_force_.speed > 0 && in_force_.speed < 1;
    if (steps || (slow && now - last_frame_ >= between_frames)) run.cut(on_frame);
    if (in_force_.paused) {
        rest_until(now + 1h);
    } else if (in_force_.speed > 0 && by < longest_turn) {
        rest_until(now + turn);
    }
    return {};
}

void VirtualDriver::take_settings(virtual_time::Run& run) {
    std::optional<std::pair<std::uint64_t, Model>> settings;
    {
        const std::lock_guard hold{mutex_};
        settings = std::exchange(settings_, std::nullopt);
        if (std::exchange(pace_is_new_, false)) {
            in_force_ = pace_;
            paced_from_ = clock_now();
            paced_at_ = run.elapsed();
        }
    }
    // What virtual time cannot do was refused before it came here.
    if (settings) static_cast<void>(run.apply(settings->first, settings->second));
}

void VirtualDriver::tell_phase(const virtual_time::Run& run) {
    if (told_ == run.stage()) return;
    told_ = run.stage();
    callbacks_.on_phase(phase_of(*told_));
}

void VirtualDriver::give_frame(FramePtr frame) {
    last_frame_ = clock_now();
    {
        std::unique_lock hold{mutex_};
        changed_.wait(hold, [this] { return frames_ahead_ < most_frames_ahead || stop_; });
        ++frames_ahead_;
    }
    callbacks_.on_frame(std::move(frame));
}

void VirtualDriver::rest_until(Instant moment) {
    std::unique_lock hold{mutex_};
    changed_.wait_until(
        hold, moment, [this] { return stop_ || settings_ || pace_is_new_ || steps_ > Duration{}; });
}

bool VirtualDriver::interrupted() {
    const std::lock_guard hold{mutex_};
    return stop_;
}

}  // namespace lab::run
