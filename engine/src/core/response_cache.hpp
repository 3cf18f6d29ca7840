// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/units.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lab::core {

/// What inner steps made: a piece of the body, for whom it was made and from which versions of the
/// data.
struct CachedAnswer {
    std::string body;
    std::uint32_t made_for = 0;           ///< user
    std::vector<std::uint64_t> versions;  ///< one for each query in it
};

/// Keyed store with a time to live and a bound on entries; the least recently used goes first.
/// Pure: `now` is an argument. Threads: one at a time, the owner's lock.
class ResponseCache {
  public:
    struct Options {
        Duration ttl = 60s;
        std::size_t capacity = 10'000;
    };
    explicit ResponseCache(Options options);

    /// A fresh entry, or nullptr; an expired one is dropped. Valid until the next call. Counts as
    /// hit or miss.
    [[nodiscard]] const CachedAnswer* get(std::string_view key, Instant now);
    /// Replaces what is there; fresh for the ttl from `now` on. At capacity 0 nothing is kept.
    void put(std::string_view key, CachedAnswer answer, Instant now);
    /// Forgets the entries, not the counts.
    void clear();
    /// A smaller capacity evicts at once; a new ttl counts for entries put from now on.
    void configure(Options options);

    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] std::uint64_t hits() const { return hits_; }
    [[nodiscard]] std::uint64_t misses() const { return misses_; }
    /// Entries that had to go for want of room; expired ones are not counted.
    [[nodiscard]] std::uint64_t evictions() const { return evictions_; }

  private:
    struct Entry {
        std::string key;
        CachedAnswer answer;
        Instant expires;
    };
    void evict_to(std::size_t capacity);
    void erase(std::list<Entry>::iterator entry);

    Options options_;
    std::list<Entry> entries_;  ///< most recently used first
    std::unordered_map<std::string_view, std::list<Entry>::iterator> index_;
    std::uint64_t hits_ = 0, misses_ = 0, evictions_ = 0;
};

}  // namespace lab::core
