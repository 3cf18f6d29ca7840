// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/generator_text.hpp"

#include <charconv>

#include "live/language.hpp"
#include "live/truth.hpp"
#include "live/wire.hpp"

namespace lab::live {

namespace {

using Gap = RequestTemplate::Gap;

constexpr std::string_view closing_field = "Connection: close\r\n";

void collect_queries(const std::vector<Step>& steps, std::vector<core::AskedQuery>& queries) {
    for (const Step& step : steps) {
        if (step.kind == StepKind::query && queries.size() < checked_queries) {
            queries.push_back(core::asked_by(step));
        }
        collect_queries(step.steps, queries);
    }
}

/// Cuts "/item/{key}?u={user}" at its placeholders.
std::vector<RequestTemplate::Piece> cut(std::string_view text) {
    struct Placeholder {
        std::string_view name;
        Gap gap;
    };
    constexpr Placeholder placeholders[] = {{"{key}", Gap::key}, {"{user}", Gap::user}};
    std::vector<RequestTemplate::Piece> pieces;
    while (true) {
        std::size_t at = std::string_view::npos;
        Placeholder found{"", Gap::none};
        for (const auto& placeholder : placeholders) {
            const auto place = text.find(placeholder.name);
            if (place < at) {
                at = place;
                found = placeholder;
            }
        }
        pieces.push_back({std::string{text.substr(0, at)}, found.gap});
        if (found.gap == Gap::none) return pieces;
        text.remove_prefix(at + found.name.size());
    }
}

void append(std::string& out, std::uint64_t number) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    out.append(digits, end);
}

RequestTemplate make_template(std::string_view method, std::vector<RequestTemplate::Piece> target,
                              const std::string& host) {
    RequestTemplate made;
    made.pieces = std::move(target);
    made.pieces.front().text.insert(0, std::string{method} + " ");
    made.pieces.back().text += " HTTP/1.1\r\nHost: " + host + "\r\n";
    return made;
}

}  // namespace

RequestTemplate url_template(const LoopbackTarget& target, bool ask_times) {
    // Not cut: braces in a URL that a person typed are that server's business.
    auto made = make_template("GET", {{target.target, Gap::none}}, target.host);
    made.numbered = ask_times;
    if (!ask_times) {
        made.whole = made.pieces.front().text + "\r\n";
        made.whole_closing = made.pieces.front().text + std::string{closing_field} + "\r\n";
    }
    return made;
}

std::vector<RequestTemplate> route_templates(const LoopbackTarget& target,
                                             const std::vector<Route>& routes, bool ask_times) {
    std::vector<RequestTemplate> templates;
    for (const Route& route : routes) {
        const bool get = route.method == Method::get;
        auto made = make_template(get ? "GET" : "POST", cut(route.path), target.host);
        if (!get) made.pieces.back().text += "Content-Length: 0\r\n";
        made.cookie = true;
        made.numbered = ask_times;
        made.safe_to_repeat = get;
        made.personal = route.personal;
        made.localised = route.localised;
        collect_queries(route.steps, made.queries);
        templates.push_back(std::move(made));
    }
    return templates;
}

std::string_view write_request(const RequestTemplate& request, const core::Planned& planned,
                               bool keep_alive, std::string& room, int languages) {
    if (!request.whole.empty()) return keep_alive ? request.whole : request.whole_closing;
    room.clear();
    for (const auto& piece : request.pieces) {
        room += piece.text;
        if (piece.gap == Gap::key) append(room, planned.key);
        if (piece.gap == Gap::user) append(room, planned.user);
    }
    if (request.cookie) {
        room.append(cookie_field).append(": user=");
        append(room, planned.user);
        room += "\r\n";
    }
    if (request.cookie && languages > 1) {
        room.append(accept_language_field).append(": ");
        room.append(language_name(language_of(planned.user, languages))).append("\r\n");
    }
    if (request.numbered) {
        room.append(request_field).append(": ");
        append(room, planned.id);
        room += "\r\n";
    }
    if (!keep_alive) room += closing_field;
    room += "\r\n";
    return room;
}

}  // namespace lab::live
