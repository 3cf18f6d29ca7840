// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/response_store.hpp"

#include <iterator>

#include <fmt/format.h>

namespace lab::live {

void write_cache_key(std::string& out, const Exchange& exchange, std::uint32_t step) {
    const KeyRule& rule = exchange.cursor.program->keys[step];
    const std::string_view target = exchange.target;
    const auto mark = target.find('?');
    // Line feeds cannot occur in a target, so that no two requests run together.
    out.clear();
    fmt::format_to(std::back_inserter(out), "{}.{}", exchange.route, step);
    if (rule.path) out.append("\n").append(target.substr(0, mark));
    if (rule.query) {
        out.append("\n?");
        if (mark != std::string_view::npos) out.append(target.substr(mark + 1));
    }
    if (rule.user) fmt::format_to(std::back_inserter(out), "\n@{}", exchange.user);
}

bool ResponseStore::get(std::string_view key, Instant now, std::uint32_t user, Answer& answer) {
    const std::lock_guard hold{mutex_};
    const core::CachedAnswer* const found = cache_.get(key, now);
    if (found == nullptr) {
        counts_->misses.fetch_add(1, std::memory_order_relaxed);
        return false;
    }
    counts_->hits.fetch_add(1, std::memory_order_relaxed);
    answer.body += found->body;
    answer.versions.insert(answer.versions.end(), found->versions.begin(), found->versions.end());
    if (found->made_for != user) answer.made_for = found->made_for;
    return true;
}

void ResponseStore::put(std::string_view key, core::CachedAnswer made, Instant now) {
    const std::lock_guard hold{mutex_};
    const std::uint64_t before = cache_.evictions();
    cache_.put(key, std::move(made), now);
    counts_->evictions.fetch_add(cache_.evictions() - before, std::memory_order_relaxed);
}

void ResponseStore::configure(core::ResponseCache::Options options) {
    const std::lock_guard hold{mutex_};
    const std::uint64_t before = cache_.evictions();
    cache_.configure(options);
    counts_->evictions.fetch_add(cache_.evictions() - before, std::memory_order_relaxed);
}

std::size_t ResponseStore::size() const {
    const std::lock_guard hold{mutex_};
    return cache_.size();
}

}  // namespace lab::live
