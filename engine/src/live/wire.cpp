// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/wire.hpp"

#include "core/program.hpp"

#include <charconv>

namespace lab::live {
namespace {

// The parts that a server can know of: from the proxy before it to the last of the handler.
constexpr auto first_part = static_cast<std::size_t>(Part::proxy);
constexpr auto last_part = static_cast<std::size_t>(Part::render);

void write_hex(std::string& out, std::int64_t value) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, value < 0 ? 0 : value, 16).ptr;
    out.append(digits, end);
}

/// Takes one number off the front, and the separator after it. No sign, no upper case, no empty
/// number.
bool take_number(std::string_view& text, int base, char separator, bool last,
                 std::uint64_t& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{}) return false;
    const auto used = static_cast<std::size_t>(end - text.data());
    if (last) return used == text.size();
    if (used == text.size() || text[used] != separator) return false;
    text.remove_prefix(used + 1);
    return true;
}

bool take_nanoseconds(std::string_view& text, bool last, Duration& value) {
    std::uint64_t number = 0;
    if (!take_number(text, 16, '.', last, number)) return false;
    if (number > static_cast<std::uint64_t>(Duration::max().count())) return false;
    value = Duration{static_cast<std::int64_t>(number)};
    return true;
}

}  // namespace

void write_times(std::string& out, const measure::ServerTimes& times) {
    write_hex(out, times.received.time_since_epoch().count());
    out.push_back('.');
    write_hex(out, times.ready.time_since_epoch().count());
    for (std::size_t part = first_part; part <= last_part; ++part) {
        out.push_back('.');
        write_hex(out, times.parts[part].count());
    }
}

std::optional<measure::ServerTimes> read_times(std::string_view text) {
    measure::ServerTimes times;
    Duration received{}, ready{};
    if (!take_nanoseconds(text, false, received)) return std::nullopt;
    if (!take_nanoseconds(text, false, ready)) return std::nullopt;
    if (ready < received) return std::nullopt;
    times.received = Instant{received};
    times.ready = Instant{ready};
    for (std::size_t part = first_part; part <= last_part; ++part) {
        if (!take_nanoseconds(text, part == last_part, times.parts[part])) return std::nullopt;
    }
    times.service = core::service_time(times.parts);
    return times;
}

void write_versions(std::string& out, const std::vector<std::uint64_t>& versions) {
    char digits[24];
    for (std::size_t i = 0; i < versions.size(); ++i) {
        if (i > 0) out.push_back(',');
        out.append(digits, std::to_chars(digits, digits + sizeof digits, versions[i]).ptr);
    }
}

std::size_t read_versions(std::string_view text, std::uint64_t* out, std::size_t room) {
    std::size_t count = 0;
    while (count < room) {
        const bool last = text.find(',') == std::string_view::npos;
        if (!take_number(text, 10, ',', last, out[count])) return 0;
        ++count;
        if (last) return count;
    }
    return 0;
}

}  // namespace lab::live
