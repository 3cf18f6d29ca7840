// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/retry_policy.hpp"

#include <algorithm>
#include <cmath>

#include "core/keyed_random.hpp"

namespace lab::core {

namespace {

constexpr std::uint32_t key_of(Purpose purpose) { return static_cast<std::uint32_t>(purpose); }

/// Bits of a number below those that count the requests of one visit.
constexpr unsigned visit_bits = 40;

}  // namespace

bool is_retried(RetryOn on, Ending ending) {
    switch (ending) {
        case Ending::timed_out:
            return on == RetryOn::all || on == RetryOn::timeouts;
        case Ending::rejected:
            return on != RetryOn::timeouts;
        case Ending::reset:
        case Ending::http_5xx:
            return on == RetryOn::all || on == RetryOn::errors;
        case Ending::ok:
        case Ending::not_sent:
        case Ending::http_4xx:
            break;
    }
    return false;
}

void RetryPolicy::begun() { tokens_ = std::min(tokens_ + retry_.budget, most_tokens); }

std::optional<Duration> RetryPolicy::next(RequestId id, int made, Ending ending) {
    if (made > retry_.most || !is_retried(retry_.on, ending)) return std::nullopt;
    if (retry_.budget > 0) {
        if (tokens_ < 1) return std::nullopt;
        tokens_ -= 1;
    }
    if (retry_.back_off == BackOff::constant) return std::min(retry_.base, retry_.cap);
    Duration limit = std::min(retry_.base, retry_.cap);
    for (int i = 1; i < made && limit < retry_.cap; ++i) limit = std::min(limit * 2, retry_.cap);
    // One draw for each attempt of each request.
    const std::uint64_t draw = keyed_bits(id, static_cast<std::uint64_t>(made), 0);
    return from_seconds(to_seconds(limit) * keyed_uniform(seed_, draw, key_of(Purpose::back_off)));
}

GiveUp give_up_at(const Load& load, std::uint64_t seed, const Planned& planned) {
    GiveUp give_up{planned.intended + load.timeout, false};
    const Distribution& law = load.patience;
    if (law.a <= Duration{} && law.b <= Duration{}) return give_up;
    const Duration patience = keyed_duration(law, seed, planned.id, key_of(Purpose::patience));
    if (patience >= load.timeout) return give_up;
    return {planned.intended + patience, true};
}

RequestId visit_of(RequestId id) { return id & ((RequestId{1} << visit_bits) - 1); }

std::optional<Planned> next_of_visit(const Load& load, std::uint64_t seed, const Planned& ended,
                                     Instant done) {
    if (load.session <= 1) return std::nullopt;
    if (keyed_uniform(seed, ended.id, key_of(Purpose::visit)) < 1 / load.session) {
        return std::nullopt;
    }
    Planned next;
    next.id = ended.id + (RequestId{1} << visit_bits);
    next.user = ended.user;
    next.intended = done + keyed_duration(load.think, seed, next.id, key_of(Purpose::think));
    return next;
}

bool in_share(std::uint64_t n, double share) {
    const auto upto = [share](std::uint64_t k) {
        return std::floor(static_cast<double>(k) * std::clamp(share, 0.0, 1.0) + 1e-9);
    };
    return upto(n + 1) > upto(n);
}

}  // namespace lab::core
