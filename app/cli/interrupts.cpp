// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/interrupts.hpp"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <utility>

namespace lab::cli {

namespace {

sigset_t ending_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
    return set;
}

}  // namespace

Interrupts::Interrupts(std::function<void()> on_interrupt)
    : on_interrupt_{std::move(on_interrupt)} {
    const auto set = ending_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    thread_ = std::thread{[this] { wait_for_signals(); }};
}

Interrupts::~Interrupts() {
    ending_ = true;
    thread_.join();
}

void Interrupts::wait_for_signals() {
    const auto set = ending_signals();
    const timespec look_again{0, 50'000'000};  // 50 ms: how long the destructor may wait
    while (!ending_) {
        const int got = sigtimedwait(&set, nullptr, &look_again);
        if (got <= 0) continue;
        if (signal_.exchange(got) != 0) _exit(128 + got);
        if (on_interrupt_) on_interrupt_();
    }
}

}  // namespace lab::cli
