// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace lab {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
    std::fprintf(stderr, "latency-lab: %s:%d: this should always hold: %s\n", file, line,
                 condition);
    std::abort();
}

}  // namespace lab
