// SPDX-License-Identifier: GPL-3.0-or-later
#include "fuzz/streams.hpp"
#include "lab/assert.hpp"
#include "lab/scenario.hpp"
#include "lab/settings.hpp"

namespace lab::fuzz {

void check_scenario(std::string_view bytes) {
    const auto read = parse_scenario(bytes, "input.toml");
    if (read) {
        LAB_ASSERT(validate(read->model).has_value());
        return;
    }
    LAB_ASSERT(read.error().code == ErrorCode::invalid_input);
    LAB_ASSERT(!read.error().message().empty());
}

}  // namespace lab::fuzz
