// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/arrival_schedule.hpp"
#include "core/program.hpp"
#include "lab/experiment.hpp"
#include "lab/model.hpp"

namespace lab::live {

/// What the generator has to know of a route: its request as text with gaps, and how to judge an
/// answer.
struct RequestTemplate {
    enum class Gap : std::uint8_t { none, key, user };
    struct Piece {
        std::string text;  ///< goes before the gap
        Gap gap = Gap::none;
    };
    std::vector<Piece> pieces;   ///< the request line and Host
    bool cookie = false;         ///< tells who asks
    bool numbered = false;       ///< tells the plan's number, so that our server answers with times
    bool safe_to_repeat = true;  ///< RFC 9110 9.2.2: GET; what POST did is not done twice
    bool personal = false;
    bool localised = false;
    std::vector<core::AskedQuery> queries;  ///< the first few, in the order of the steps
    std::string whole;                      ///< the finished text where nothing varies, else empty
    std::string whole_closing;              ///< the same with "Connection: close"
};

/// The requests of a server of ours, one template a route.
[[nodiscard]] std::vector<RequestTemplate> route_templates(const LoopbackTarget& target,
                                                           const std::vector<Route>& routes,
                                                           bool ask_times);
/// The one request of a URL.
[[nodiscard]] RequestTemplate url_template(const LoopbackTarget& target, bool ask_times);

/// The bytes to send, with Accept-Language where the users speak more than one of `languages`.
/// Written into `room` (no allocation once it has grown), unless nothing varies. Valid while both
/// arguments are left alone.
[[nodiscard]] std::string_view write_request(const RequestTemplate& request,
                                             const core::Planned& planned, bool keep_alive,
                                             std::string& room, int languages = 1);

}  // namespace lab::live
