// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/response_cache.hpp"

#include <utility>

namespace lab::core {

ResponseCache::ResponseCache(Options options) : options_{options} {}

const CachedAnswer* ResponseCache::get(std::string_view key, Instant now) {
    const auto found = index_.find(key);
    if (found == index_.end()) {
        ++misses_;
        return nullptr;
    }
    const auto entry = found->second;
    if (entry->expires <= now) {
        erase(entry);
        ++misses_;
        return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, entry);
    ++hits_;
    return &entry->answer;
}

void ResponseCache::put(std::string_view key, CachedAnswer answer, Instant now) {
    if (options_.capacity == 0) return;
    const bool endless = options_.ttl > Instant::max() - now;
    const Instant expires = endless ? Instant::max() : now + options_.ttl;
    if (const auto found = index_.find(key); found != index_.end()) {
        const auto entry = found->second;
        entry->answer = std::move(answer);
        entry->expires = expires;
        entries_.splice(entries_.begin(), entries_, entry);
        return;
    }
    evict_to(options_.capacity - 1);
    entries_.push_front({std::string{key}, std::move(answer), expires});
    index_.emplace(entries_.front().key, entries_.begin());
}

void ResponseCache::clear() {
    index_.clear();
    entries_.clear();
}

void ResponseCache::configure(Options options) {
    options_ = options;
    evict_to(options.capacity);
}

std::size_t ResponseCache::size() const { return index_.size(); }

void ResponseCache::evict_to(std::size_t capacity) {
    while (entries_.size() > capacity) {
        erase(std::prev(entries_.end()));
        ++evictions_;
    }
}

void ResponseCache::erase(std::list<Entry>::iterator entry) {
    index_.erase(entry->key);  // before the key that the index looks at is gone
    entries_.erase(entry);
}

}  // namespace lab::core
