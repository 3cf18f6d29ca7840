// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/response_cache.hpp"
#include "core/slot_pool.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lab::core {

/// Whether an entry is made again before its time, so that of many requests one does it early
/// rather than all at once: now - delta * beta * ln(rand) >= expiry.
///
/// `made_in`: delta, how long making it took. `rand` in (0, 1]. Source: Vattani, Chierichetti,
/// Lowenstein, "Optimal probabilistic cache stampede prevention", VLDB 2015 (XFetch).
[[nodiscard]] bool due_early(Instant now, Instant expires, Duration made_in, double beta,
                             double rand);

/// A cache as requests meet it: looks up, says who makes what is not there, and who waits.
///
/// Who is told `miss` makes the entry and then calls put() or give_up(), once. Misses and hits add
/// up to the look-ups that led to something; `busy` counts as none, because whoever waited looks
/// again. A duplicate is a miss that came while somebody was making the same entry.
///
/// Pure: `now` is an argument, and `lot` are the random bits of a request's step. Threads: one at a
/// time, the owner's lock.
class CacheDesk {
  public:
    struct Options {
        ResponseCache::Options store;
        Stampede stampede = Stampede::none;
        double early_beta = 1;
        bool null = false;     ///< keeps nothing, and nobody waits for what is not kept
        bool failing = false;  ///< every look-up is an error
    };
    /// What the model says of a cache of one worker or of all.
    [[nodiscard]] static Options options_of(const Cache& cache);

    enum class Verdict : std::uint8_t {
        hit,     ///< `entry` is to be given
        miss,    ///< make it
        busy,    ///< somebody makes it: await(), then look again
        failed,  ///< the cache is of no use: make it, and do not put it
    };
    struct Look {
        Verdict verdict = Verdict::miss;
        const ResponseCache::Entry* entry = nullptr;  ///< until the next call
    };
    struct Counts {
        std::uint64_t hits = 0, misses = 0, errors = 0, duplicates = 0;
    };

    explicit CacheDesk(Options options);

    [[nodiscard]] Look look_up(std::string_view key, Instant now, std::uint64_t lot);
    /// True: waits for whoever makes the entry, and is among those that put() or give_up() tell.
    /// False: nobody makes it any more.
    [[nodiscard]] bool await(std::string_view key, Ticket who);
    /// The key function threw: no look-up came of it. Counts as a miss and as an error.
    void key_failed();
    /// The entry is made; says who waited for it.
    [[nodiscard]] std::vector<Ticket> put(std::string_view key, CachedAnswer answer, Instant now,
                                          Duration made_in, std::uint64_t lot);
    /// The entry could not be made; says who waited for it.
    [[nodiscard]] std::vector<Ticket> give_up(std::string_view key);
    /// Waits no longer.
    void withdraw(std::string_view key, Ticket who);
    std::size_t drop_made_from(std::uint64_t row) { return store_.drop_made_from(row); }
    /// Who makes or waits goes on with it. A null cache forgets what it holds.
    void configure(Options options);

    [[nodiscard]] const ResponseCache& store() const { return store_; }
    [[nodiscard]] const Counts& counts() const { return counts_; }
    [[nodiscard]] std::uint64_t evictions() const { return store_.evictions(); }

  private:
    struct Fill {
        int makers = 0;
        std::vector<Ticket> waiting;
    };
    [[nodiscard]] bool is_answer(const ResponseCache::Entry& entry, std::string_view key,
                                 Instant now, std::uint64_t lot) const;
    [[nodiscard]] std::vector<Ticket> made(std::string_view key);

    Options options_;
    ResponseCache store_;
    std::unordered_map<std::string, Fill> fills_;
    Counts counts_;
};

}  // namespace lab::core
