// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/program.hpp"
#include "lab/model.hpp"
#include "lab/units.hpp"

namespace lab::core {

/// The users of a closed loop: who thinks until when, who has a request out, who has left.
///
/// The n-th request of a user has the same number, and so the same key and the same work, whatever
/// the other users do: number = turn * 2^20 + user + 1. Pure: no clock. Threads: one at a time.
class Crowd {
  public:
    struct Turn {
        std::uint32_t user = 0;
        RequestId id = 0;
        Instant intended{};
    };
    static constexpr std::uint64_t most_users = 1u << 20;

    explicit Crowd(std::uint64_t seed) : seed_{seed} {}

    /// From now on the first `users` take part. Who joins begins in the midst of thinking, so that
    /// equal pauses do not march in step; without a pause, at once. Who is beyond leaves at his
    /// next turn.
    void resize(std::size_t users, const Distribution& think, Instant now);
    /// Nobody takes part; numbers given from now on are above `last`.
    void dismiss(RequestId last);

    /// The user whose request has ended goes on: thinks, at least for `pause`, then has his next
    /// turn.
    void finished(std::uint32_t user, const Distribution& think, Duration pause, Instant now);
    /// When the next turn is due; Instant::max() if there is none.
    [[nodiscard]] Instant next_due();
    /// The oldest turn that is due. He has a request out until finished().
    [[nodiscard]] std::optional<Turn> take(Instant now);
    /// Whatever was due before `now` is due at `now`: the program was stopped meanwhile.
    void postpone(Instant now);

  private:
    struct User {
        std::uint64_t turn = 0;
        bool present = false;
    };
    struct Due {
        Instant at;
        std::uint32_t user;
    };
    [[nodiscard]] RequestId next_id(std::uint32_t user) const;
    void push(Due due);
    void drop_leavers();

    std::uint64_t seed_;
    std::size_t size_ = 0;
    std::uint64_t first_turn_ = 0;
    std::vector<User> users_;
    std::vector<Due> heap_;
};

}  // namespace lab::core
