// SPDX-License-Identifier: GPL-3.0-or-later
// Arrival times from a CSV file beside the scenario. The file comes from a stranger, as it does.
#include <charconv>
#include <cmath>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "lab/scenario.hpp"
#include "lab/text.hpp"
#include "scenario/file.hpp"

namespace lab {
namespace {

constexpr std::size_t most_arrivals = 200'000;
constexpr double longest_s = 86'400;
constexpr std::size_t longest_shown = 40;

std::string_view trimmed(std::string_view text) {
    const auto from = text.find_first_not_of(" \t\r\"");
    if (from == std::string_view::npos) return {};
    return text.substr(from, text.find_last_not_of(" \t\r\"") - from + 1);
}

/// The first column of a line.
std::string_view first_cell(std::string_view line) {
    return trimmed(line.substr(0, line.find_first_of(",;\t")));
}

/// The C locale's numbers, the whole cell.
std::optional<double> seconds_in(std::string_view cell) {
    double value = 0;
    const auto* const end = cell.data() + cell.size();
    const auto read = std::from_chars(cell.data(), end, value);
    if (read.ec != std::errc{} || read.ptr != end || !std::isfinite(value)) return std::nullopt;
    return value;
}

Error problem(const std::string& file, std::size_t line, const std::string& detail) {
    return {ErrorCode::invalid_input, "load.recording",
            fmt::format("{}:{}: {}", escaped(file), line, detail)};
}

Result<std::vector<Duration>> parse(std::string_view text, const std::string& file) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    std::vector<Duration> times;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        const std::string_view cell = first_cell(line);
        if (trimmed(line).empty() || cell.starts_with('#')) continue;
        const auto seconds = seconds_in(cell);
        if (!seconds && number == 1) continue;  // a heading
        const auto found = in_quotes(cell.substr(0, longest_shown));
        if (!seconds || *seconds < 0 || *seconds > longest_s) {
            return problem(
                file, number,
                fmt::format("found {}; allowed: a time in seconds from 0 to 86400", found));
        }
        const Duration time{std::llround(*seconds * 1e9)};
        if (!times.empty() && time < times.back()) {
            return problem(
                file, number,
                fmt::format("found {}; allowed: a time not before the one above it", found));
        }
        if (times.size() == most_arrivals) {
            return problem(file, number,
                           fmt::format("found more than {0} arrivals; allowed: {0}",
                                       show_count(most_arrivals)));
        }
        times.push_back(time);
    }
    if (times.empty()) return problem(file, 1, "found no arrival time; allowed: at least one");
    return times;
}

}  // namespace

Result<void> read_recording(Model& model, const std::filesystem::path& folder) {
    Recording& recording = model.load.shape.recording;
    if (recording.file.empty() || recording.times) return {};
    const auto text = scenario::read_beneath(folder, recording.file);
    if (!text) {
        return Error{text.error().code, "load.recording",
                     fmt::format("{}: {}", text.error().where, text.error().detail)};
    }
    auto times = parse(*text, recording.file);
    if (!times) return times.error();
    recording.times = std::make_shared<const std::vector<Duration>>(std::move(*times));
    return {};
}

}  // namespace lab
