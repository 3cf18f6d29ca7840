// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/result.hpp"

#include <cstdint>
#include <memory>

namespace lab::live {

/// A free port of 127.0.0.1 that stays ours while nobody listens on it: a connection to it is then
/// refused, as to a server whose process has died, and never reaches another program. A listener
/// of this program may open on it, close, and open again.
///
/// Threads: one at a time.
class PortReservation {
  public:
    /// Errors: no_resources.
    [[nodiscard]] static Result<std::unique_ptr<PortReservation>> make();
    ~PortReservation();
    PortReservation(const PortReservation&) = delete;
    PortReservation& operator=(const PortReservation&) = delete;

    [[nodiscard]] std::uint16_t port() const;

  private:
    struct Socket;
    explicit PortReservation(std::unique_ptr<Socket> socket);
    std::unique_ptr<Socket> socket_;
};

}  // namespace lab::live
