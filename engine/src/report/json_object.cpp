// SPDX-License-Identifier: GPL-3.0-or-later
#include "report/json_object.hpp"

#include <fmt/format.h>

#include "model/utf8.hpp"
#include "report/numbers.hpp"

namespace lab::report {

std::string quote(std::string_view text) {
    std::string out = "\"";
    while (!text.empty()) {
        const utf8::Character c = utf8::first(text);
        if (!c.valid)
            out += "\xEF\xBF\xBD";
        else if (c.code == '"' || c.code == '\\')
            out += {'\\', text.front()};
        else if (utf8::is_control(c.code))
            out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(c.code));
        else
            out += text.substr(0, c.length);
        text.remove_prefix(c.length);
    }
    return out + '"';
}

std::string list_of(const std::vector<std::string>& texts) {
    std::string out;
    for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + quote(text);
    return "[" + out + "]";
}

void Object::number(std::string_view key, double value) { raw(key, plain(value)); }
void Object::number(std::string_view key, const std::optional<double>& value) {
    raw(key, plain(value, "null"));
}
void Object::count(std::string_view key, std::uint64_t n) { raw(key, fmt::format("{}", n)); }

std::string Object::on_one_line() const {
    std::string out;
    for (const auto& [key, value] : members_)
        out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", quote(key), value);
    return "{" + out + "}";
}

std::string Object::on_many_lines(std::string_view indent) const {
    std::string out;
    for (const auto& [key, value] : members_)
        out += fmt::format("{}\n{}  {}: {}", out.empty() ? "" : ",", indent, quote(key), value);
    return "{" + out + "\n" + std::string(indent) + "}";
}

void add_percentiles(Object& o, const LatencySummary& s) {
    o.number("mean", s.mean);
    o.number("p50", s.p50);
    o.number("p90", s.p90);
    o.number("p95", s.p95);
    o.number("p99", s.p99);
    o.number("p999", s.p999);
}

}  // namespace lab::report
