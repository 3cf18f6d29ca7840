// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "fuzz/streams.hpp"
#include "lab/assert.hpp"
#include "live/chunk_check.hpp"
#include "live/head_check.hpp"
#include "live/http_parser.hpp"

namespace lab::fuzz {

namespace {

constexpr std::uint64_t body_limit = 10'000;

/// A connection's reading side without its socket.
class RequestStream {
  public:
    /// False: refused, and nothing more is read.
    bool put(std::string_view bytes) {
        waiting_.append(bytes);
        while (!refused_ && (in_body_ ? read_body() : read_head())) {
        }
        return !refused_;
    }
    [[nodiscard]] std::vector<std::string> take_lines() { return std::move(lines_); }

  private:
    void refuse(int status) {
        refused_ = true;
        lines_.push_back(fmt::format("refused {}", status));
    }

    void complete() {
        LAB_ASSERT(parser_.done());
        lines_.push_back(fmt::format("{} {}", what_, octets_));
        check_.restart();
        in_body_ = false;
    }

    bool read_head() {
        switch (check_.scan(waiting_, body_limit)) {
            case live::Scan::more:
                LAB_ASSERT(waiting_.size() <= live::head_limit + 2);
                return false;
            case live::Scan::refused:
                refuse(check_.status());
                return false;
            case live::Scan::complete:
                break;
        }
        const live::HeadFacts& facts = check_.facts();
        LAB_ASSERT(facts.length <= waiting_.size());
        const auto head =
            std::string_view{waiting_}.substr(facts.skipped, facts.length - facts.skipped);
        if (!parser_.read_head(head, body_limit)) {
            refuse(400);
            return false;
        }
        // What smuggling is made of: two readings of one head.
        const auto& seen = parser_.seen();
        LAB_ASSERT(seen.method == facts.method);
        LAB_ASSERT(seen.http_1_1 == facts.http_1_1);
        LAB_ASSERT(seen.chunked == facts.chunked);
        LAB_ASSERT(seen.content_length.value_or(0) == facts.content_length);
        LAB_ASSERT(facts.content_length <= body_limit);
        what_ = fmt::format("{} {} {} {}", facts.method, facts.target.path_query,
                            facts.http_1_1 ? "1.1" : "1.0", facts.chunked ? "chunked" : "plain");
        chunked_ = facts.chunked;
        left_ = facts.content_length;
        octets_ = 0;
        waiting_.erase(0, facts.length);
        if (!chunked_ && left_ == 0) {
            complete();
            return true;
        }
        chunks_.restart(body_limit);
        in_body_ = true;
        return true;
    }

    bool read_body() {
        std::size_t cleared = 0;
        auto verdict = live::Scan::more;
        if (chunked_) {
            verdict = chunks_.scan(waiting_, cleared);
            LAB_ASSERT(cleared <= waiting_.size());
        } else {
            cleared = static_cast<std::size_t>(std::min<std::uint64_t>(left_, waiting_.size()));
            left_ -= cleared;
            if (left_ == 0) verdict = live::Scan::complete;
        }
        if (verdict == live::Scan::refused) {
            refuse(chunks_.status());
            return false;
        }
        // Our check of the framing has let it through: Beast must not find fault with it.
        LAB_ASSERT(parser_.read_body(std::string_view{waiting_}.substr(0, cleared)));
        octets_ += cleared;
        waiting_.erase(0, cleared);
        if (verdict == live::Scan::complete) {
            complete();
            return true;
        }
        LAB_ASSERT(!parser_.done());
        return false;
    }

    live::HeadCheck check_;
    live::ChunkCheck chunks_;
    live::RequestParser parser_;
    std::string waiting_;
    std::string what_;
    std::vector<std::string> lines_;
    std::uint64_t left_ = 0;
    std::uint64_t octets_ = 0;
    bool chunked_ = false;
    bool in_body_ = false;
    bool refused_ = false;
};

}  // namespace

std::vector<std::string> read_requests(std::string_view bytes, std::size_t piece) {
    RequestStream stream;
    while (!bytes.empty()) {
        const auto size = std::min(piece, bytes.size());
        if (!stream.put(bytes.substr(0, size))) break;
        bytes.remove_prefix(size);
    }
    return stream.take_lines();
}

void check_requests(std::string_view bytes) {
    const auto whole = read_requests(bytes, 2'048);
    for (const std::size_t piece : {1U, 7U, 100U}) {
        if (piece == 1 && bytes.size() > 2'000) continue;  // octet by octet costs a call each
        LAB_ASSERT(read_requests(bytes, piece) == whole);
    }
}

}  // namespace lab::fuzz
