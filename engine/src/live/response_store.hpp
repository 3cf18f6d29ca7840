// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "core/response_cache.hpp"
#include "lab/model.hpp"
#include "lab/units.hpp"
#include "live/exchange.hpp"

namespace lab::live {

/// Hits, misses and evictions of all stores of a server since it started. Threads: any (atomics).
struct StoreCounts {
    std::atomic<std::uint64_t> hits{0};
    std::atomic<std::uint64_t> misses{0};
    std::atomic<std::uint64_t> evictions{0};
};

[[nodiscard]] inline core::ResponseCache::Options store_options(const Cache& cache) {
    return {cache.ttl, static_cast<std::size_t>(cache.capacity)};
}

/// What makes two requests the same under a rule. Each cache step of each route has entries of its
/// own.
void write_cache_key(std::string& out, const Exchange& exchange, std::uint32_t step);

/// A cache that several threads share: core's rules under a mutex.
///
/// Threads: any.
class ResponseStore {
  public:
    ResponseStore(core::ResponseCache::Options options, std::shared_ptr<StoreCounts> counts)
        : cache_{options}, counts_{std::move(counts)} {}

    /// True: the entry has been appended to `answer`. An entry that was made for somebody else than
    /// `user` makes the whole answer somebody else's.
    [[nodiscard]] bool get(std::string_view key, Instant now, std::uint32_t user, Answer& answer);
    void put(std::string_view key, core::CachedAnswer made, Instant now);
    void configure(core::ResponseCache::Options options);
    [[nodiscard]] std::size_t size() const;

  private:
    mutable std::mutex mutex_;
    core::ResponseCache cache_;
    std::shared_ptr<StoreCounts> counts_;
};

}  // namespace lab::live
