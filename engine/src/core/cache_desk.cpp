// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/cache_desk.hpp"

#include <algorithm>
#include <utility>

#include "core/keyed_random.hpp"
#include "lab/assert.hpp"

namespace lab::core {

namespace {

constexpr std::uint32_t for_early = 3;  ///< use of a lot; 1 and 2 are the store's

}  // namespace

bool due_early(Instant now, Instant expires, Duration made_in, double beta, double rand) {
    if (expires == Instant::max()) return false;
    const double ahead = -static_cast<double>(made_in.count()) * beta * exact_log(rand);
    return ahead >= static_cast<double>((expires - now).count());
}

CacheDesk::Options CacheDesk::options_of(const Cache& cache) {
    Options made;
    made.store.ttl = cache.ttl;
    made.store.capacity = static_cast<std::size_t>(cache.capacity);
    made.store.capacity_bytes = static_cast<std::uint64_t>(cache.capacity_bytes.count);
    made.store.eviction = cache.eviction;
    made.store.ttl_jitter = cache.ttl_jitter;
    if (cache.stampede == Stampede::stale_while_revalidate) {
        made.store.keep_stale = cache.stale_for;
    }
    made.stampede = cache.stampede;
    made.early_beta = cache.early_beta;
    made.null = cache.mode == CacheMode::null;
    made.failing = cache.failing && cache.mode == CacheMode::shared;
    return made;
}

CacheDesk::CacheDesk(Options options) : options_{options}, store_{options.store} {}

/// Whether an entry that is there may be given as it is.
bool CacheDesk::is_answer(const ResponseCache::Entry& entry, std::string_view key, Instant now,
                          std::uint64_t lot) const {
    if (options_.stampede == Stampede::early && entry.fresh(now)) {
        const double rand = 1 - keyed_uniform(lot, 0, for_early);
        return !due_early(now, entry.expires, entry.made_in, options_.early_beta, rand);
    }
    if (entry.fresh(now)) return true;
    if (options_.stampede != Stampede::stale_while_revalidate) return false;
    const bool too_old = now - entry.expires >= options_.store.keep_stale;
    return !too_old && fills_.contains(std::string{key});
}

CacheDesk::Look CacheDesk::look_up(std::string_view key, Instant now, std::uint64_t lot) {
    if (options_.failing) {
        key_failed();
        return {Verdict::failed, nullptr};
    }
    if (!options_.null) {
        const ResponseCache::Entry* const entry = store_.peek(key, now);
        if (entry != nullptr && is_answer(*entry, key, now, lot)) {
            ++counts_.hits;
            store_.use(*entry);
            return {Verdict::hit, entry};
        }
    }
    Fill& fill = fills_[std::string{key}];
    if (options_.stampede == Stampede::lock && !options_.null && fill.makers > 0) {
        return {Verdict::busy, nullptr};
    }
    ++counts_.misses;
    if (fill.makers > 0) ++counts_.duplicates;
    ++fill.makers;
    return {Verdict::miss, nullptr};
}

bool CacheDesk::await(std::string_view key, Ticket who) {
    const auto found = fills_.find(std::string{key});
    if (found == fills_.end()) return false;
    found->second.waiting.push_back(who);
    return true;
}

void CacheDesk::key_failed() {
    ++counts_.errors;
    ++counts_.misses;
}

std::vector<Ticket> CacheDesk::put(std::string_view key, CachedAnswer answer, Instant now,
                                   Duration made_in, std::uint64_t lot) {
    if (!options_.null) store_.put(key, std::move(answer), now, made_in, lot);
    return made(key);
}

std::vector<Ticket> CacheDesk::give_up(std::string_view key) { return made(key); }

std::vector<Ticket> CacheDesk::made(std::string_view key) {
    const auto found = fills_.find(std::string{key});
    LAB_ASSERT(found != fills_.end());
    std::vector<Ticket> woken = std::exchange(found->second.waiting, {});
    if (--found->second.makers == 0) fills_.erase(found);
    return woken;
}

void CacheDesk::withdraw(std::string_view key, Ticket who) {
    const auto found = fills_.find(std::string{key});
    if (found != fills_.end()) std::erase(found->second.waiting, who);
}

void CacheDesk::configure(Options options) {
    options_ = options;
    store_.configure(options.store);
    if (options.null) store_.clear();
}

}  // namespace lab::core
