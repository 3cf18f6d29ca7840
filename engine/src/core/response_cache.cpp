// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/response_cache.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>

#include "core/keyed_random.hpp"
#include "lab/assert.hpp"

namespace lab::core {

namespace {

constexpr Instant never = Instant::max();

/// What a lot is used for; apart, so that one does not tell the other.
enum LotUse : std::uint32_t { for_jitter = 1, for_victim = 2 };

}  // namespace

ResponseCache::ResponseCache(Options options) : options_{options} {}

const ResponseCache::Entry* ResponseCache::peek(std::string_view key, Instant now) {
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    Entry& entry = *found->second;
    if (entry.fresh(now)) return &entry;
    const bool kept = now - entry.expires < options_.keep_stale;
    if (!kept && options_.eviction != Eviction::soonest_expiry) {
        erase(entry);
        return nullptr;
    }
    return &entry;
}

void ResponseCache::use(const Entry& used) {
    Entry& entry = *all_[used.place];
    LAB_ASSERT(&entry == &used);
    const Rank before = rank_of(entry);
    ++entry.hits;
    entry.last_used = ++clock_;
    rank_again(entry, before);
}

const CachedAnswer* ResponseCache::get(std::string_view key, Instant now) {
    const Entry* const entry = peek(key, now);
    if (entry == nullptr || !entry->fresh(now)) return nullptr;
    use(*entry);
    return &entry->answer;
}

void ResponseCache::put(std::string_view key, CachedAnswer answer, Instant now, Duration made_in,
                        std::uint64_t lot) {
    if (options_.capacity == 0) return;
    if (options_.eviction == Eviction::soonest_expiry) prune(now);
    auto made = std::make_unique<Entry>();
    made->key = key;
    made->answer = std::move(answer);
    made->made = now;
    made->made_in = made_in;
    made->expires = expiry(now, lot);
    made->first_put = made->last_put = made->last_used = ++clock_;
    if (const auto found = index_.find(key); found != index_.end()) {
        made->hits = found->second->hits;
        made->first_put = found->second->first_put;
        erase(*found->second);
    }
    const std::uint64_t bytes = made->bytes();
    if (options_.capacity_bytes > 0 && bytes > options_.capacity_bytes) return;
    make_room(1, bytes, lot);
    insert(std::move(made));
}

std::size_t ResponseCache::drop_made_from(std::uint64_t row) {
    std::size_t dropped = 0;
    for (auto found = by_row_.find(row); found != by_row_.end(); found = by_row_.find(row)) {
        erase(*found->second);
        ++dropped;
    }
    return dropped;
}

void ResponseCache::clear() {
    by_row_.clear();
    ranked_.clear();
    all_.clear();
    index_.clear();
    bytes_ = 0;
}

void ResponseCache::configure(Options options) {
    options_ = options;
    ranked_.clear();
    if (options_.eviction != Eviction::random) {
        for (Entry* const entry : all_) ranked_.emplace(rank_of(*entry), entry);
    }
    if (options_.eviction == Eviction::soonest_expiry) return;
    make_room(0, 0, clock_);
}

/// In nanoseconds of expiry, 0 for never, as SimpleCache has it; else by the counter of puts and
/// uses. The second number keeps ranks apart.
ResponseCache::Rank ResponseCache::rank_of(const Entry& entry) const {
    switch (options_.eviction) {
        case Eviction::lru:
            return {entry.last_used, 0};
        case Eviction::lfu:
            return {entry.hits, entry.last_used};
        case Eviction::fifo:
            return {entry.last_put, 0};
        case Eviction::random:
            return {0, 0};
        case Eviction::soonest_expiry:
            break;
    }
    const auto expires = entry.expires.time_since_epoch().count();
    return {entry.expires == never ? 0 : static_cast<std::uint64_t>(expires), entry.first_put};
}

Instant ResponseCache::expiry(Instant now, std::uint64_t lot) const {
    if (options_.ttl <= Duration{}) return never;
    const double off = options_.ttl_jitter * keyed_uniform(lot, 0, for_jitter);
    const auto life = off > 0 ? Duration{static_cast<std::int64_t>(
                                    static_cast<double>(options_.ttl.count()) * (1 - off))}
                              : options_.ttl;
    Instant from = now;
    if (options_.eviction == Eviction::soonest_expiry) {
        from = std::chrono::floor<std::chrono::seconds>(now);
    }
    return life > never - from ? never : from + life;
}

void ResponseCache::rank_again(Entry& entry, Rank before) {
    if (options_.eviction == Eviction::random) return;
    auto node = ranked_.extract(before);
    LAB_ASSERT(!node.empty());
    node.key() = rank_of(entry);
    ranked_.insert(std::move(node));
}

/// Evicts until `entries` and `bytes` more can come.
void ResponseCache::make_room(std::size_t entries, std::uint64_t bytes, std::uint64_t lot) {
    const bool counts = options_.eviction != Eviction::soonest_expiry;  // prune() has seen to it
    const auto full = [&] {
        if (all_.empty()) return false;
        if (counts && all_.size() + entries > options_.capacity) return true;
        return options_.capacity_bytes > 0 && bytes_ + bytes > options_.capacity_bytes;
    };
    while (full()) evict_one(lot);
}

void ResponseCache::prune(Instant now) {
    if (all_.size() <= options_.capacity) return;
    const std::vector<Entry*> entries = all_;
    for (Entry* const entry : entries) {
        const bool endless = entry->expires == never;
        if (endless) ++evictions_;
        if (endless || entry->expires < now) erase(*entry);
    }
    while (all_.size() > options_.capacity) evict_one(0);
}

void ResponseCache::evict_one(std::uint64_t lot) {
    ++evictions_;
    if (options_.eviction != Eviction::random) {
        erase(*ranked_.begin()->second);
        return;
    }
    erase(*all_[keyed_below(lot, evictions_, for_victim, all_.size())]);
}

void ResponseCache::insert(std::unique_ptr<Entry> made) {
    Entry& entry = *made;
    entry.place = all_.size();
    all_.push_back(&entry);
    bytes_ += entry.bytes();
    if (options_.eviction != Eviction::random) ranked_.emplace(rank_of(entry), &entry);
    for (const std::uint64_t row : entry.answer.rows) by_row_.emplace(row, &entry);
    index_.emplace(std::string_view{entry.key}, std::move(made));
}

void ResponseCache::erase(Entry& entry) {
    if (options_.eviction != Eviction::random) ranked_.erase(rank_of(entry));
    for (const std::uint64_t row : entry.answer.rows) {
        const auto [first, last] = by_row_.equal_range(row);
        const auto own =
            std::find_if(first, last, [&](const auto& e) { return e.second == &entry; });
        if (own != last) by_row_.erase(own);
    }
    bytes_ -= entry.bytes();
    all_.back()->place = entry.place;
    all_[entry.place] = all_.back();
    all_.pop_back();
    const auto found = index_.find(entry.key);
    const std::unique_ptr<Entry> last = std::move(found->second);  // the index looks at its key
    index_.erase(found);
}

}  // namespace lab::core
