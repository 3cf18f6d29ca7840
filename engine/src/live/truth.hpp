// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/program.hpp"

#include <array>
#include <cstdint>
#include <span>

namespace lab::live {

/// Up to this many queries of a route are checked for staleness.
inline constexpr std::size_t checked_queries = 4;

/// Versions that were committed at some instant, one for each query of a route, in the order of its
/// steps.
using Versions = std::array<std::uint64_t, checked_queries>;

/// Knows what is true: the version of the data that a query for a key would read right now. Every
/// change of a row gets the next number; an answer made from a lower one than was committed when it
/// was asked for is stale. Threads: any (atomics).
class TruthSource {
  public:
    virtual ~TruthSource() = default;
    /// Of the `trip` of `asked` that reads products (the first).
    [[nodiscard]] virtual std::uint64_t committed(const core::AskedQuery& asked,
                                                  std::uint64_t key) const = 0;
};

/// What is true of a server without a database: nothing ever changes.
class NothingChanges final : public TruthSource {
  public:
    [[nodiscard]] std::uint64_t committed(const core::AskedQuery&, std::uint64_t) const override {
        return 0;
    }
};

}  // namespace lab::live
