// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/loopback_probe.hpp"

#include <exception>
#include <utility>

#include "live/client_connection.hpp"
#include "live/generator_text.hpp"

namespace lab::live {

namespace {

constexpr Duration listener_patience = 250ms;

class OneRequest final : public ConnectionOwner {
  public:
    OneRequest(boost::asio::io_context& io, ProbedServer& found)
        : io_{io},
          found_{found},
          wording_{url_template(found.target, true)},
          connection_{io, *this} {}

    void play(Duration patience) {
        connection_.open(endpoint_of(found_.target));
        io_.run_for(patience);
        connection_.close();
        io_.restart();
        io_.run();  // what was cancelled ends before the connection does
    }

  private:
    void on_connected(ClientConnection& connection, Instant) override {
        connection.send(write_request(wording_, core::Planned{}, false, connection.text()));
    }
    void on_answer(ClientConnection& connection, Instant) override {
        found_.answered = true;
        found_.tells_times = connection.answer().times.has_value();
        connection.close();
    }
    void on_broken(ClientConnection&, Breakage, bool, Instant) override {}

    boost::asio::io_context& io_;
    ProbedServer& found_;
    RequestTemplate wording_;
    ClientConnection connection_;
};

}  // namespace

Result<ProbedServer> probe_server(LoopbackTarget target, Duration patience) {
    auto heard = check_listener(target, listener_patience);
    if (!heard && heard.error().code == ErrorCode::unreachable &&
        target.host.starts_with("localhost")) {
        LoopbackTarget other = target;
        other.v6 = true;  // localhost is both addresses
        if (check_listener(other, listener_patience)) {
            heard = Result<void>{};
            target = std::move(other);
        }
    }
    if (!heard) return heard.error();
    try {
        ProbedServer found{std::move(target)};
        boost::asio::io_context io{1};
        OneRequest{io, found}.play(patience);
        return found;
    } catch (const std::exception& reason) {
        return Error{ErrorCode::no_resources, "url", reason.what()};
    }
}

}  // namespace lab::live
