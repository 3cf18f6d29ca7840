// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/settings.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace lab {
namespace {

constexpr std::size_t longest_word = 64;

std::string lower(std::string_view text) {
    std::string copy(text);
    for (char& c : copy) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (c == '-') c = '_';
    }
    return copy;
}

/// Insertions, deletions, substitutions and swaps of neighbours that make one word the other.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before[j - 2] + 1);
            }
        }
        before.swap(last);
        last.swap(row);
    }
    return last[b.size()];
}

std::string_view last_part(std::string_view path) {
    const auto dot = path.rfind('.');
    return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

}  // namespace

std::string_view did_you_mean(std::string_view word, std::span<const std::string_view> known) {
    if (word.empty() || word.size() > longest_word) return {};
    const std::string wanted = lower(word);
    const bool is_path = wanted.find('.') != std::string::npos;
    std::string_view nearest;
    std::size_t least = longest_word;
    for (const std::string_view candidate : known) {
        if (candidate.size() > longest_word) continue;
        const std::string name = lower(candidate);
        std::size_t cost = distance(wanted, name);
        // "workers" means "server.workers"; a near miss of the last part is worth less than a whole
        // one.
        if (!is_path && name.find('.') != std::string::npos) {
            cost = std::min(cost, distance(wanted, last_part(name)));
        }
        // "gunicorn" means "gunicorn-sync": a word of a name is worth more than a near miss.
        if (wanted.size() >= 3 && name.starts_with(wanted + '-')) cost = 0;
        // One slip in a short word, up to three in a long one.
        const std::size_t letters = std::max(wanted.size(), name.size());
        const std::size_t most = std::clamp<std::size_t>(letters / 3, 1, 3);
        if (cost <= most && cost < least) {
            least = cost;
            nearest = candidate;
        }
    }
    return nearest;
}

}  // namespace lab
