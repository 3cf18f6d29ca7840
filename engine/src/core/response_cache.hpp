// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/model.hpp"
#include "lab/units.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace lab::core {

/// What inner steps made: a piece of the body, for whom it was made and from which versions of the
/// data.
struct CachedAnswer {
    std::string body;
    std::uint32_t made_for = 0;           ///< user
    std::vector<std::uint64_t> versions;  ///< one for each query in it
    std::vector<std::uint64_t> rows;      ///< what it was made from; a change of one may drop it
    std::uint8_t language = 0;            ///< in which it was made
    std::uint64_t weight = 0;             ///< bytes of a body that is not there itself
};

/// Keyed store with a time to live and a bound on entries and bytes.
///
/// Who goes for want of room, when an entry is put:
/// - lru, lfu, fifo: the least recently used, the least often used (of those the least recently),
///   the one made longest ago. `random`: any, each as likely.
/// - soonest_expiry: cachelib's SimpleCache (its source, simple.py). Nothing goes until there are
///   more entries than places; then, before the new one is put, all that are expired go, and those
///   that never expire with them (their expiry is 0), and then the soonest to expire until the
///   places suffice. There may thus be one more entry than places. Expiry lies on whole seconds:
///   the second in which the entry was put, and its life. A look-up removes nothing.
///
/// An entry that alone has more than `capacity_bytes` is not kept. Bytes are those of key and body.
/// Pure: `now` is an argument. Threads: one at a time, the owner's lock.
class ResponseCache {
  public:
    struct Options {
        Duration ttl = 60s;                ///< 0: for ever
        std::size_t capacity = 10'000;     ///< entries; 0: nothing is kept
        std::uint64_t capacity_bytes = 0;  ///< 0: no limit
        Eviction eviction = Eviction::lru;
        double ttl_jitter = 0;  ///< up to this share of a life is taken off, by lot
        Duration keep_stale{};  ///< expired entries can be found for so long
    };
    struct Entry {
        std::string key;
        CachedAnswer answer;
        Instant made{};
        Instant expires{};   ///< Instant::max(): never
        Duration made_in{};  ///< how long making it took
        std::uint64_t hits = 0;

        [[nodiscard]] bool fresh(Instant now) const { return expires > now; }
        [[nodiscard]] std::uint64_t bytes() const {
            return key.size() + answer.body.size() + answer.weight;
        }

      private:
        friend class ResponseCache;
        std::uint64_t first_put = 0;  ///< order among the keys, kept when it is put anew
        std::uint64_t last_put = 0;
        std::uint64_t last_used = 0;
        std::size_t place = 0;  ///< in all_
    };

    explicit ResponseCache(Options options);

    /// What is there, fresh or stale, or nullptr; counts and changes nothing but that what is of no
    /// more use is dropped. Valid until the next call.
    [[nodiscard]] const Entry* peek(std::string_view key, Instant now);
    /// The entry is given to somebody: its use counts.
    void use(const Entry& entry);
    /// A fresh entry, used, or nullptr.
    [[nodiscard]] const CachedAnswer* get(std::string_view key, Instant now);
    /// Replaces what is there. `lot`: random bits of this request and step, for jitter and chance.
    void put(std::string_view key, CachedAnswer answer, Instant now, Duration made_in = {},
             std::uint64_t lot = 0);
    /// Drops every entry made from this row. Returns how many there were.
    std::size_t drop_made_from(std::uint64_t row);
    /// Forgets the entries, not the count of evictions.
    void clear();
    /// A smaller capacity evicts at once, but for soonest_expiry; a new ttl counts for entries put
    /// from now on.
    void configure(Options options);

    [[nodiscard]] std::size_t size() const { return all_.size(); }
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
    /// Entries that had to go for want of room; expired ones that were swept are not counted.
    [[nodiscard]] std::uint64_t evictions() const { return evictions_; }
    /// Every entry, in no order, until the next call.
    [[nodiscard]] const std::vector<Entry*>& entries() const { return all_; }

  private:
    using Rank = std::pair<std::uint64_t, std::uint64_t>;  ///< the least goes first; unique

    [[nodiscard]] Rank rank_of(const Entry& entry) const;
    [[nodiscard]] Instant expiry(Instant now, std::uint64_t lot) const;
    void rank_again(Entry& entry, Rank before);
    void make_room(std::size_t entries, std::uint64_t bytes, std::uint64_t lot);
    void prune(Instant now);
    void evict_one(std::uint64_t lot);
    void insert(std::unique_ptr<Entry> entry);
    void erase(Entry& entry);

    Options options_;
    std::unordered_map<std::string_view, std::unique_ptr<Entry>>
        index_;  ///< keys look into entries
    std::vector<Entry*> all_;
    std::map<Rank, Entry*> ranked_;  ///< empty where chance decides
    std::unordered_multimap<std::uint64_t, Entry*> by_row_;
    std::uint64_t bytes_ = 0;
    std::uint64_t clock_ = 0;  ///< counts puts and uses
    std::uint64_t evictions_ = 0;
};

}  // namespace lab::core
