// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include <fmt/format.h>

#include "fuzz/streams.hpp"
#include "lab/assert.hpp"
#include "live/response_reader.hpp"

namespace lab::fuzz {

namespace {

std::string line_of(const live::ReceivedAnswer& answer) {
    LAB_ASSERT(answer.status >= 200);
    LAB_ASSERT(answer.status <= 599);
    LAB_ASSERT(answer.body_bytes <= live::ResponseReader::body_limit);
    LAB_ASSERT(answer.version_count <= answer.versions.size());
    return fmt::format("{} {} {} octets for {} of {}{}", answer.status,
                       answer.keep_alive ? "keep" : "close", answer.body_bytes,
                       answer.made_for ? fmt::format("{}", *answer.made_for) : "nobody",
                       answer.version_count, answer.times ? " timed" : "");
}

}  // namespace

std::vector<std::string> read_answers(std::string_view bytes, std::size_t piece) {
    using State = live::ResponseReader::State;
    live::ResponseReader reader;
    std::vector<std::string> lines;
    std::string waiting;
    const auto settle = [&] {
        if (reader.state() == State::complete) {
            lines.push_back(line_of(reader.answer()));
            const bool goes_on = reader.answer().keep_alive;
            reader.reset();
            return goes_on;
        }
        if (reader.state() == State::broken) lines.emplace_back("broken");
        return reader.state() == State::reading;
    };
    while (!bytes.empty()) {
        const auto size = std::min(piece, bytes.size());
        waiting.append(bytes.substr(0, size));
        bytes.remove_prefix(size);
        for (;;) {
            const auto used = reader.put(waiting);
            LAB_ASSERT(used <= waiting.size());
            waiting.erase(0, used);
            const bool complete = reader.state() == State::complete;
            if (!settle()) return lines;
            if (!complete || waiting.empty()) break;
        }
    }
    reader.put_end();
    static_cast<void>(settle());
    return lines;
}

void check_answers(std::string_view bytes) {
    const auto whole = read_answers(bytes, 4'096);
    for (const std::size_t piece : {1U, 7U, 100U}) {
        if (piece == 1 && bytes.size() > 2'000) continue;
        LAB_ASSERT(read_answers(bytes, piece) == whole);
    }
}

}  // namespace lab::fuzz
