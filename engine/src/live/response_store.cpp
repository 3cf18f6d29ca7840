// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/response_store.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "lab/text.hpp"
#include "live/language.hpp"

namespace lab::live {

void write_cache_key(std::string& out, const Exchange& exchange, std::uint32_t step) {
    const core::Program& program = *exchange.cursor.program;
    const KeyRule& rule = program.keys[step];
    const std::string_view target = exchange.target;
    const auto mark = target.find('?');
    // Line feeds cannot occur in a target, so that no two requests run together.
    out.clear();
    out += program.key_names[step];
    if (rule.function != KeyFunction::parts) return;
    if (rule.path) out.append("\n").append(target.substr(0, mark));
    if (rule.query) {
        out.append("\n?");
        if (mark != std::string_view::npos) out.append(target.substr(mark + 1));
    }
    if (rule.user) fmt::format_to(std::back_inserter(out), "\n@{}", exchange.user);
    if (rule.header) out.append("\n~").append(language_name(exchange.language));
}

core::CacheDesk::Verdict ResponseStore::look_up(const Asked& asked, Instant now, Answer& answer) {
    using Verdict = core::CacheDesk::Verdict;
    const std::lock_guard hold{mutex_};
    const auto look = desk_.look_up(asked.key, now, asked.lot);
    tell_counts();
    if (look.verdict != Verdict::hit) return look.verdict;
    const core::CachedAnswer& found = look.entry->answer;
    answer.body += found.body;
    answer.versions.insert(answer.versions.end(), found.versions.begin(), found.versions.end());
    answer.rows.insert(answer.rows.end(), found.rows.begin(), found.rows.end());
    if (found.made_for != asked.user) answer.made_for = found.made_for;
    if (found.language != asked.language) answer.language = found.language;
    return Verdict::hit;
}

bool ResponseStore::await(std::string_view key, core::Ticket who, std::function<void()> wake) {
    const std::lock_guard hold{mutex_};
    if (!desk_.await(key, who)) return false;
    waiting_[who] = std::move(wake);
    return true;
}

void ResponseStore::key_failed() {
    const std::lock_guard hold{mutex_};
    desk_.key_failed();
    tell_counts();
}

void ResponseStore::put(std::string_view key, core::CachedAnswer made, Instant now,
                        Duration made_in, std::uint64_t lot) {
    Wakes wakes;
    {
        const std::lock_guard hold{mutex_};
        wakes = take_wakes(desk_.put(key, std::move(made), now, made_in, lot));
        tell_counts();
    }
    for (const auto& wake : wakes) wake();
}

void ResponseStore::give_up(std::string_view key) {
    Wakes wakes;
    {
        const std::lock_guard hold{mutex_};
        wakes = take_wakes(desk_.give_up(key));
    }
    for (const auto& wake : wakes) wake();
}

void ResponseStore::withdraw(std::string_view key, core::Ticket who) {
    const std::lock_guard hold{mutex_};
    desk_.withdraw(key, who);
    waiting_.erase(who);
}

void ResponseStore::drop_made_from(const std::vector<std::uint64_t>& rows) {
    const std::lock_guard hold{mutex_};
    for (const std::uint64_t row : rows) desk_.drop_made_from(row);
}

void ResponseStore::configure(core::CacheDesk::Options options) {
    const std::lock_guard hold{mutex_};
    desk_.configure(options);
    tell_counts();
}

ResponseStore::Levels ResponseStore::levels() const {
    const std::lock_guard hold{mutex_};
    return {desk_.store().size(), desk_.store().bytes()};
}

std::vector<CacheContent> ResponseStore::contents(Instant now, std::size_t most, int worker) const {
    std::vector<CacheContent> shown;
    const std::lock_guard hold{mutex_};
    // Copies of texts for those alone that are shown: the store serves meanwhile.
    std::vector<const core::ResponseCache::Entry*> entries(desk_.store().entries().begin(),
                                                           desk_.store().entries().end());
    const auto middle =
        entries.begin() + static_cast<std::ptrdiff_t>(std::min(most, entries.size()));
    std::partial_sort(entries.begin(), middle, entries.end(), [](const auto* a, const auto* b) {
        return a->hits != b->hits ? a->hits > b->hits : a->key < b->key;
    });
    for (auto entry = entries.begin(); entry != middle; ++entry) {
        CacheContent made;
        made.key = (*entry)->key;
        std::replace(made.key.begin(), made.key.end(), '\n', ' ');
        made.worker = worker;
        made.age = now - (*entry)->made;
        if ((*entry)->expires != Instant::max()) made.left = (*entry)->expires - now;
        made.hits = (*entry)->hits;
        made.size.count = static_cast<std::int64_t>((*entry)->bytes());
        made.made_for = (*entry)->answer.made_for;
        shown.push_back(std::move(made));
    }
    return shown;
}

ResponseStore::Wakes ResponseStore::take_wakes(const std::vector<core::Ticket>& tickets) {
    Wakes wakes;
    for (const core::Ticket ticket : tickets) {
        const auto found = waiting_.find(ticket);
        if (found == waiting_.end()) continue;
        wakes.push_back(std::move(found->second));
        waiting_.erase(found);
    }
    return wakes;
}

/// What has been counted since the last time.
void ResponseStore::tell_counts() {
    const core::CacheDesk::Counts now = desk_.counts();
    const auto add = [](std::atomic<std::uint64_t>& to, std::uint64_t total, std::uint64_t told) {
        if (total != told) to.fetch_add(total - told, std::memory_order_relaxed);
    };
    add(counts_->hits, now.hits, told_.hits);
    add(counts_->misses, now.misses, told_.misses);
    add(counts_->errors, now.errors, told_.errors);
    add(counts_->duplicates, now.duplicates, told_.duplicates);
    add(counts_->evictions, desk_.evictions(), told_evictions_);
    told_ = now;
    told_evictions_ = desk_.evictions();
}

void keep_most_hit(std::vector<CacheContent>& contents, std::size_t most) {
    std::sort(contents.begin(), contents.end(), [](const auto& a, const auto& b) {
        if (a.hits != b.hits) return a.hits > b.hits;
        return a.key != b.key ? a.key < b.key : a.worker < b.worker;
    });
    if (contents.size() > most) contents.resize(most);
}

std::string contents_page(const std::vector<CacheContent>& contents, const StoreCounts& counts) {
    std::string page = fmt::format(
        "{} hits, {} misses, {} evictions, {} errors swallowed, {} made more than once at a "
        "time\n\n{:>8} {:>8} {:>8} {:>8} {:>8} {:>7}  {}\n",
        counts.hits.load(), counts.misses.load(), counts.evictions.load(), counts.errors.load(),
        counts.duplicates.load(), "hits", "age s", "left s", "bytes", "user", "worker", "key");
    for (const CacheContent& entry : contents) {
        page += fmt::format(
            "{:>8} {:>8.1f} {:>8} {:>8} {:>8} {:>7}  {}\n", entry.hits, to_seconds(entry.age),
            entry.left ? fmt::format("{:.1f}", to_seconds(*entry.left)) : "never", entry.size.count,
            entry.made_for, entry.worker < 0 ? std::string("all") : std::to_string(entry.worker),
            escaped(entry.key));
    }
    if (contents.empty()) page += "  the cache is empty\n";
    return page;
}

}  // namespace lab::live
