// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenario/big_stack.hpp"

#include <pthread.h>

#include <system_error>

namespace lab::scenario {
namespace {

constexpr std::size_t stack_bytes = 8 * 1024 * 1024;

void* run_task(void* task) {
    (*static_cast<const std::function<void()>*>(task))();
    return nullptr;
}

Result<void> no_thread(int problem) {
    return Error{ErrorCode::no_resources, "",
                 "no thread to read the file: " + std::generic_category().message(problem)};
}

}  // namespace

Result<void> on_big_stack(const std::function<void()>& task) {
    pthread_attr_t attributes;
    if (const int problem = pthread_attr_init(&attributes)) return no_thread(problem);
    int problem = pthread_attr_setstacksize(&attributes, stack_bytes);
    pthread_t thread{};
    if (problem == 0) {
        auto* const argument = const_cast<std::function<void()>*>(&task);
        problem = pthread_create(&thread, &attributes, run_task, argument);
    }
    pthread_attr_destroy(&attributes);
    if (problem == 0) problem = pthread_join(thread, nullptr);
    if (problem != 0) return no_thread(problem);
    return {};
}

}  // namespace lab::scenario
