// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace lab {
/// Prints the condition and its place on standard error and aborts. Threads: any.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;
}  // namespace lab

/// A programmer's mistake stops the program where it is, in release builds too. One condition each.
#define LAB_ASSERT(condition) \
    ((condition) ? static_cast<void>(0) : ::lab::assertion_failed(#condition, __FILE__, __LINE__))
