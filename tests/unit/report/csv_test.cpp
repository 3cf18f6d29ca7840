// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lab/report.hpp"
#include "unit/report/results.hpp"

namespace lab {
namespace {

using ::testing::EndsWith;
using testing::eventful_frame;

/// One record, read as RFC 4180 says.
std::vector<std::string> cells(std::string_view record) {
    std::vector<std::string> out(1);
    bool quoted = false;
    for (std::size_t i = 0; i < record.size(); ++i) {
        const char c = record[i];
        if (c == '"' && quoted && i + 1 < record.size() && record[i + 1] == '"') {
            out.back() += record[++i];
        } else if (c == '"') {
            quoted = !quoted;
        } else if (c == ',' && !quoted) {
            out.emplace_back();
        } else if (c == '\r' && !quoted) {
            break;
        } else {
            out.back() += c;
        }
    }
    return out;
}

std::map<std::string, std::string> row(const Frame& f) {
    const auto names = cells(csv_header()), values = cells(to_csv_row(f));
    EXPECT_EQ(names.size(), values.size());
    std::map<std::string, std::string> out;
    for (std::size_t i = 0; i < std::min(names.size(), values.size()); ++i)
        out[names[i]] = values[i];
    EXPECT_EQ(out.size(), names.size()) << "a name stands twice";
    return out;
}

TEST(Csv, HasOneRowAFrameBelowOneHeader) {
    const auto frame = std::make_shared<const Frame>(eventful_frame());
    const std::vector<FramePtr> frames{frame, frame, frame};
    const std::string text = to_csv(frames);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
    EXPECT_THAT(text, EndsWith("\r\n"));
    EXPECT_EQ(text, csv_header() + to_csv_row(*frame) + to_csv_row(*frame) + to_csv_row(*frame));
    EXPECT_EQ(to_csv(std::span<const FramePtr>{}), csv_header());
}

TEST(Csv, HasTheNamesOfTheTableOfQuantities) {
    const auto names = cells(csv_header());
    for (const QuantityInfo& q : quantities_table()) {
        // A sum of counts; a mean over a run; a share of cores that a frame does not know.
        if (q.name == "errors" || q.name == "concurrency" || q.name == "utilisation.cpu") continue;
        EXPECT_NE(std::find(names.begin(), names.end(), q.name), names.end()) << q.name;
    }
}

TEST(Csv, HoldsTheValuesOfTheFrame) {
    auto r = row(eventful_frame());
    EXPECT_EQ(r["time_s"], "1.3");
    EXPECT_EQ(r["warm_up"], "0");
    EXPECT_EQ(r["offered_per_s"], "120");
    EXPECT_EQ(r["throughput_per_s"], "110");
    EXPECT_EQ(r["goodput_per_s"], "100");
    EXPECT_EQ(r["counts.rejected"], "1");
    EXPECT_EQ(r["counts.stale"], "0");
    EXPECT_EQ(r["latency_ms.count"], "11");
    EXPECT_NEAR(std::stod(r["latency_ms.p99"]), 52, 0.06);
    EXPECT_EQ(r["breakdown_ms.io_wait"], "50");
    EXPECT_EQ(r["utilisation.workers"], "0.75");
    EXPECT_EQ(r["cache_hit_ratio"], "0.25");
    EXPECT_EQ(r["queue_depth"], "5");
    EXPECT_EQ(r["generation"], "2");
    EXPECT_EQ(r["changes"], "server.workers: 1 -> 2");
}

TEST(Csv, LeavesACellEmptyWhereThereAreNoSamples) {
    auto r = row(Frame{});
    for (const char* name : {"latency_ms.mean", "latency_ms.p99", "service_ms.max",
                             "breakdown_ms.cpu", "cache_hit_ratio", "utilisation.workers",
                             "queue_depth", "counts.wrong_user", "counts.stale", "changes"})
        EXPECT_EQ(r[name], "") << name;
    EXPECT_EQ(r["latency_ms.count"], "0");
    EXPECT_EQ(r["counts.ok"], "0");
}

TEST(Csv, QuotesSeveralChangesSoThatTheyStayOneCell) {
    Frame f = eventful_frame();
    f.changes.push_back({"cache.mode", "Cache", "none", "per \"worker\", or so"});
    EXPECT_EQ(row(f)["changes"],
              "server.workers: 1 -> 2; cache.mode: none -> per \"worker\", or so");
}

TEST(CsvCell, IsTakenForNoFormula) {
    EXPECT_EQ(csv_cell("=1+1"), "'=1+1");
    EXPECT_EQ(csv_cell("+1"), "'+1");
    EXPECT_EQ(csv_cell("-1"), "'-1");
    EXPECT_EQ(csv_cell("@sum"), "'@sum");
    EXPECT_EQ(csv_cell("\tx"), "'\tx");
    EXPECT_EQ(csv_cell("\rx"), "\"'\rx\"");
    EXPECT_EQ(csv_cell(std::string_view("\0x", 2)), std::string("'\0x", 3));
    EXPECT_EQ(csv_cell("=HYPERLINK(\"a\",\"b\")"), "\"'=HYPERLINK(\"\"a\"\",\"\"b\"\")\"");
}

TEST(CsvCell, IsQuotedOnlyWhereNeeded) {
    EXPECT_EQ(csv_cell(""), "");
    EXPECT_EQ(csv_cell("plain text"), "plain text");
    EXPECT_EQ(csv_cell("a,b"), "\"a,b\"");
    EXPECT_EQ(csv_cell("a\nb"), "\"a\nb\"");
    EXPECT_EQ(csv_cell("say \"no\""), "\"say \"\"no\"\"\"");
}

}  // namespace
}  // namespace lab
