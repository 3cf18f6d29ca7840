// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/route_table.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

namespace lab::live {
namespace {

constexpr std::string_view key_mark = "{key}";
constexpr std::string_view user_mark = "{user}";
constexpr std::string_view all_methods = "GET, HEAD, POST, OPTIONS";
constexpr std::size_t page_limit = 500;

/// A template's text with its escapes replaced; as it stands where they are broken.
std::string decoded(std::string_view text) {
    auto plain = percent_decode(text);
    return plain ? std::move(*plain) : std::string{text};
}

bool has_step(const std::vector<Step>& steps, StepKind kind) {
    return std::any_of(steps.begin(), steps.end(), [kind](const Step& step) {
        return step.kind == kind || has_step(step.steps, kind);
    });
}

/// The value of a parameter in a query string, or nothing.
std::optional<std::string_view> find_parameter(std::string_view query, std::string_view name) {
    while (!query.empty()) {
        const auto end = query.find('&');
        const auto pair = query.substr(0, end);
        const auto equals = pair.find('=');
        if (pair.substr(0, equals) == name) {
            return equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
        }
        if (end == std::string_view::npos) break;
        query.remove_prefix(end + 1);
    }
    return std::nullopt;
}

/// A number that may be written with escapes.
std::optional<std::uint64_t> read_escaped_number(std::string_view text) {
    if (text.find('%') == std::string_view::npos) return read_number(text);
    const auto plain = percent_decode(text);
    return plain ? read_number(*plain) : std::nullopt;
}

/// Cuts text to `limit` octets without cutting a character of UTF-8 in two.
void cut(std::string& text, std::size_t limit) {
    if (text.size() <= limit) return;
    while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0U) == 0x80U) --limit;
    text.resize(limit);
}

}  // namespace

Verb read_verb(std::string_view method) {
    switch (method.size()) {
        case 3:
            if (method == "GET") return Verb::get;
            return method == "PUT" ? Verb::other : Verb::unknown;
        case 4:
            if (method == "POST") return Verb::post;
            return method == "HEAD" ? Verb::head : Verb::unknown;
        case 5:
            if (method == "TRACE") return Verb::trace;
            return method == "PATCH" ? Verb::other : Verb::unknown;
        case 6:
            return method == "DELETE" ? Verb::other : Verb::unknown;
        case 7:
            if (method == "OPTIONS") return Verb::options;
            return method == "CONNECT" ? Verb::connect : Verb::unknown;
        default:
            return Verb::unknown;
    }
}

std::string index_page(const System& system, std::string_view title) {
    std::string page = "Latency Lab";
    if (!title.empty()) page.append(": ").append(title);
    for (char& c : page) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    }
    cut(page, 100);
    page += "\n\n";
    // Room is kept for the last line, which says how many routes did not fit.
    constexpr std::size_t last_line = 24;
    for (std::size_t i = 0; i < system.routes.size(); ++i) {
        const auto& route = system.routes[i];
        std::string line = route.method == Method::post ? "POST " : "GET ";
        line += route.path;
        line += '\n';
        if (page.size() + line.size() + last_line > page_limit) {
            page += "and " + std::to_string(system.routes.size() - i) + " more\n";
            break;
        }
        page += line;
    }
    return page;
}

RouteTable::RouteTable(const System& system, std::string_view title) {
    entries_.reserve(system.routes.size() + 1);
    for (const auto& route : system.routes) add(route);
    add_page(system, title);
    add_cache_page(system);
}

void RouteTable::add(const Route& route) {
    Entry entry;
    entry.post = route.method == Method::post;
    entry.inline_answer = route.inline_answer;
    entry.html = has_step(route.steps, StepKind::render);
    const std::string_view text = route.path;
    const auto mark = text.find('?');
    const auto path = text.substr(0, mark);
    const auto key = path.find(key_mark);
    entry.key_in_path = key != std::string_view::npos;
    entry.prefix = decoded(path.substr(0, key));
    if (entry.key_in_path) entry.suffix = decoded(path.substr(key + key_mark.size()));
    auto query = mark == std::string_view::npos ? std::string_view{} : text.substr(mark + 1);
    while (!query.empty()) {
        const auto end = query.find('&');
        const auto pair = query.substr(0, end);
        const auto equals = pair.find('=');
        Parameter parameter;
        parameter.name = pair.substr(0, equals);
        if (equals != std::string_view::npos) parameter.value = pair.substr(equals + 1);
        if (parameter.value == key_mark) parameter.kind = Parameter::Kind::key;
        if (parameter.value == user_mark) parameter.kind = Parameter::Kind::user;
        entry.parameters.push_back(std::move(parameter));
        if (end == std::string_view::npos) break;
        query.remove_prefix(end + 1);
    }
    if (route.inline_answer) {
        entry.prepared = prepared_.size();
        const auto size = static_cast<std::size_t>(std::max<std::int64_t>(route.size.count, 0));
        prepared_.emplace_back(plain_text, std::string(size, 'x'));
    }
    entries_.push_back(std::move(entry));
}

void RouteTable::add_page(const System& system, std::string_view title) {
    Entry entry;
    entry.inline_answer = true;
    entry.prefix = "/";
    entry.prepared = prepared_.size();
    prepared_.emplace_back(plain_text, index_page(system, title));
    entries_.push_back(std::move(entry));
}

/// Where a step may cache. A route of the scenario with this path stands before it.
void RouteTable::add_cache_page(const System& system) {
    const bool caches =
        std::any_of(system.routes.begin(), system.routes.end(),
                    [](const Route& route) { return has_step(route.steps, StepKind::cache); });
    if (!caches) return;
    Entry entry;
    entry.cache_page = true;
    entry.prefix = "/lab/cache";
    entries_.push_back(std::move(entry));
}

std::string_view RouteTable::content_type(std::uint32_t route) const {
    return entries_[route].html ? html_text : plain_text;
}

bool RouteTable::fits_path(const Entry& entry, std::string_view path, RouteMatch& match) {
    if (!entry.key_in_path) return path == entry.prefix;
    const auto ends = entry.prefix.size() + entry.suffix.size();
    if (path.size() <= ends || path.substr(0, entry.prefix.size()) != entry.prefix) return false;
    if (path.substr(path.size() - entry.suffix.size()) != entry.suffix) return false;
    const auto key = read_number(path.substr(entry.prefix.size(), path.size() - ends));
    if (!key) return false;
    match.key = *key;
    return true;
}

RouteTable::Fit RouteTable::fits_query(const Entry& entry, std::string_view query,
                                       RouteMatch& match) {
    Fit fit = Fit::yes;
    for (const auto& parameter : entry.parameters) {
        const auto value = find_parameter(query, parameter.name);
        if (parameter.kind == Parameter::Kind::literal) {
            if (!value || *value != parameter.value) return Fit::no;
            continue;
        }
        if (parameter.kind == Parameter::Kind::user && !value) continue;  // the cookie may say it
        const auto number = value ? read_escaped_number(*value) : std::nullopt;
        if (!number) {
            fit = Fit::bad_query;
        } else if (parameter.kind == Parameter::Kind::key) {
            match.key = *number;
        } else if (*number > std::numeric_limits<std::uint32_t>::max()) {
            fit = Fit::bad_query;
        } else {
            match.user = static_cast<std::uint32_t>(*number);
            match.has_user = true;
        }
    }
    return fit;
}

RouteMatch RouteTable::look_up(Verb verb, std::string_view path, std::string_view query) {
    const bool wants_get = verb == Verb::get || verb == Verb::head;
    RouteMatch refusal;
    bool get_fits = false, post_fits = false, bad_query = false;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        const auto& entry = entries_[i];
        RouteMatch match;
        if (!fits_path(entry, path, match)) continue;
        const auto fit = fits_query(entry, query, match);
        if (fit == Fit::no) continue;
        (entry.post ? post_fits : get_fits) = true;
        if (entry.post ? verb != Verb::post : !wants_get) continue;
        if (fit == Fit::bad_query) {
            bad_query = true;
            continue;
        }
        match.status = 200;
        match.route = static_cast<std::uint32_t>(i);
        match.kind = entry.inline_answer ? RouteMatch::Kind::prepared
                     : entry.cache_page  ? RouteMatch::Kind::cache_page
                                         : RouteMatch::Kind::handler;
        match.prepared = entry.prepared;
        return match;
    }
    if (bad_query) {
        refusal.status = 400;
    } else if (get_fits || post_fits) {
        refusal.status = verb == Verb::options ? 204 : 405;
        refusal.allow = get_fits && post_fits ? all_methods
                        : get_fits            ? "GET, HEAD, OPTIONS"
                                              : "POST, OPTIONS";
    }
    return refusal;
}

RouteMatch RouteTable::match(Verb verb, const Target& target) {
    RouteMatch refusal;
    if (verb == Verb::unknown) {
        refusal.status = 501;
        return refusal;
    }
    if (target.form == Target::Form::asterisk) {
        refusal.status = 204;
        refusal.allow = all_methods;
        return refusal;
    }
    if (verb == Verb::connect || verb == Verb::trace) {
        refusal.status = 405;
        refusal.allow = all_methods;
        return refusal;
    }
    if (target.path.find('%') == std::string_view::npos) {
        return look_up(verb, target.path, target.query);
    }
    const auto path = percent_decode(target.path);
    if (!path) {
        refusal.status = 400;
        return refusal;
    }
    // An escaped slash is no separator: RFC 3986 2.2. No route has one, so nothing fits.
    const auto slashes = [](std::string_view text) {
        return std::count(text.begin(), text.end(), '/');
    };
    if (slashes(*path) != slashes(target.path)) return refusal;
    return look_up(verb, *path, target.query);
}

}  // namespace lab::live
