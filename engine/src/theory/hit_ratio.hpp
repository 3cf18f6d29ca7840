// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace lab::theory {

/// What is asked of one cache, and what it can hold.
struct CacheLoad {
    double rate = 0;  ///< look-ups per second
    std::uint64_t keys = 1;
    double zipf = 0;    ///< popularity of the k-th key: 1/k^zipf
    double others = 1;  ///< each key comes in so many equally likely shapes (users)
    double ttl = 60;    ///< seconds from when an entry is made
    double capacity = 1e9;
};

/// Share of the look-ups that find a fresh entry, in steady state, with Poisson look-ups.
///
/// An entry that lives for T and is asked for at rate r is missed once and then hit r T times: hit
/// ratio r T / (1 + r T). Where more keys are asked for than there are places, T is at most the
/// time that the least recently used entry stays (Che's approximation).
/// Source: J. Jung, A. W. Berger, H. Balakrishnan, "Modeling TTL-based internet caches", INFOCOM
/// (2003); H. Che, Y. Tung, Z. Wang, "Hierarchical web caching systems", IEEE JSAC 20 (2002).
[[nodiscard]] double hit_ratio(const CacheLoad& load);

}  // namespace lab::theory
