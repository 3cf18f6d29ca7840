// SPDX-License-Identifier: GPL-3.0-or-later
// The fuzz targets' work without a fuzzer: the corpus itself and mild mutations of it, the same ones
// each time. `./lab test --fuzz` goes on from here with feedback.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "core/keyed_random.hpp"
#include "fuzz/corpus.hpp"
#include "fuzz/streams.hpp"

namespace lab::fuzz {
namespace {

constexpr std::uint64_t seed = 20'260'801;

std::size_t below(std::uint64_t mutation, std::uint32_t step, std::size_t n) {
    return static_cast<std::size_t>(core::keyed_below(seed, mutation, step, n));
}

/// One input changed in up to four places: an octet, a piece taken out, a piece of another input.
std::string mutated(const std::vector<std::string>& seeds, std::uint64_t number) {
    std::string text = seeds[below(number, 1, seeds.size())];
    const std::string& other = seeds[below(number, 2, seeds.size())];
    const auto changes = static_cast<std::uint32_t>(below(number, 3, 5));
    for (std::uint32_t change = 0; change < changes && !text.empty(); ++change) {
        const std::uint32_t step = 10 + change * 10;
        const auto at = below(number, step, text.size());
        switch (below(number, step + 1, 3)) {
            case 0:
                text[at] = static_cast<char>(below(number, step + 2, 256));
                break;
            case 1:
                text.erase(at, 1 + below(number, step + 2, 8));
                break;
            default:
                if (!other.empty()) {
                    text.insert(at, other.substr(below(number, step + 2, other.size()),
                                                 below(number, step + 3, 40)));
                }
                break;
        }
    }
    return text;
}

TEST(FuzzCorpus, RequestsReadTheSameHoweverTheyAreCut) {
    const auto seeds = request_seeds();
    for (const auto& bytes : seeds) check_requests(bytes);
    std::size_t complete = 0;
    for (std::uint64_t i = 0; i < 5'000; ++i) {
        const auto bytes = mutated(seeds, i);
        check_requests(bytes);
        const auto lines = read_requests(bytes, 2'048);
        complete += lines.empty() || lines.front().starts_with("refused") ? 0U : 1U;
    }
    EXPECT_GT(complete, 500u);  // mild enough for good requests to be among them
}

TEST(FuzzCorpus, AnswersReadTheSameHoweverTheyAreCut) {
    const auto seeds = answer_seeds();
    for (const auto& bytes : seeds) check_answers(bytes);
    std::size_t complete = 0;
    for (std::uint64_t i = 0; i < 5'000; ++i) {
        const auto bytes = mutated(seeds, i);
        check_answers(bytes);
        const auto lines = read_answers(bytes, 4'096);
        complete += lines.empty() || lines.front() == "broken" ? 0U : 1U;
    }
    EXPECT_GT(complete, 500u);
}

TEST(FuzzCorpus, ScenarioFilesAreAcceptedOrRefusedWithAReason) {
    const auto seeds = scenario_seeds();
    ASSERT_FALSE(seeds.empty());
    for (std::uint64_t i = 0; i < 500; ++i) check_scenario(mutated(seeds, i));
}

TEST(FuzzCorpus, APipelineIsReadRequestByRequest) {
    EXPECT_EQ(read_requests("GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n"
                            "POST /pay HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"
                            "GET / HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n",
                            3),
              (std::vector<std::string>{"GET /a 1.1 plain 0", "POST /pay 1.1 plain 5",
                                        "refused 421"}));
}

}  // namespace
}  // namespace lab::fuzz
