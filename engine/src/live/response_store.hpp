// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/cache_desk.hpp"
#include "lab/frame.hpp"
#include "lab/model.hpp"
#include "lab/units.hpp"
#include "live/exchange.hpp"

namespace lab::live {

/// Entries on a page for a person.
inline constexpr std::size_t most_contents_shown = 50;

/// What all stores of a server counted since it started. Threads: any (atomics).
struct StoreCounts {
    std::atomic<std::uint64_t> hits{0};
    std::atomic<std::uint64_t> misses{0};
    std::atomic<std::uint64_t> evictions{0};
    std::atomic<std::uint64_t> errors{0};
    std::atomic<std::uint64_t> duplicates{0};
};

/// What makes two requests the same under a rule. Each cache step of each route has entries of its
/// own.
void write_cache_key(std::string& out, const Exchange& exchange, std::uint32_t step);

/// A cache that several threads share: core's rules under a mutex.
///
/// Threads: any.
class ResponseStore {
  public:
    struct Asked {
        std::string_view key;
        std::uint32_t user = 0;
        std::uint8_t language = 0;
        std::uint64_t lot = 0;
    };
    struct Levels {
        std::uint64_t entries = 0, bytes = 0;
    };

    ResponseStore(core::CacheDesk::Options options, std::shared_ptr<StoreCounts> counts)
        : desk_{options}, counts_{std::move(counts)} {}

    /// After `hit` the entry has been appended to `answer`; one that was made for somebody else
    /// makes the whole answer somebody else's. After `miss` the caller puts or gives up. After
    /// `busy` it awaits.
    [[nodiscard]] core::CacheDesk::Verdict look_up(const Asked& asked, Instant now, Answer& answer);
    /// True: `wake` is called once, by any thread, when whoever makes the entry has done, unless
    /// the caller withdraws before. False: nobody makes it any more. `who` is unique among those
    /// who wait for this store.
    [[nodiscard]] bool await(std::string_view key, core::Ticket who, std::function<void()> wake);
    void key_failed();
    void put(std::string_view key, core::CachedAnswer made, Instant now, Duration made_in,
             std::uint64_t lot);
    void give_up(std::string_view key);
    /// Afterwards `wake` may still be on its way.
    void withdraw(std::string_view key, core::Ticket who);
    void drop_made_from(const std::vector<std::uint64_t>& rows);
    void configure(core::CacheDesk::Options options);
    [[nodiscard]] Levels levels() const;
    /// The `most` entries with the most hits, as of `worker`. Walks over all.
    [[nodiscard]] std::vector<CacheContent> contents(Instant now, std::size_t most,
                                                     int worker) const;

  private:
    using Wakes = std::vector<std::function<void()>>;
    [[nodiscard]] Wakes take_wakes(const std::vector<core::Ticket>& tickets);
    void tell_counts();

    mutable std::mutex mutex_;
    core::CacheDesk desk_;
    std::unordered_map<core::Ticket, std::function<void()>> waiting_;
    core::CacheDesk::Counts told_;
    std::uint64_t told_evictions_ = 0;
    std::shared_ptr<StoreCounts> counts_;
};

/// Puts those with the most hits in front and drops the rest but `most`. Equal ones by key.
void keep_most_hit(std::vector<CacheContent>& contents, std::size_t most);

/// Contents as a table of text, one line an entry, for a person with curl.
[[nodiscard]] std::string contents_page(const std::vector<CacheContent>& contents,
                                        const StoreCounts& counts);

}  // namespace lab::live
