// SPDX-License-Identifier: GPL-3.0-or-later
// The answer to a learner's SELECT as a table of text.
#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "lab/sql.hpp"
#include "lab/text.hpp"
#include "report/numbers.hpp"

namespace lab {
namespace {

constexpr std::size_t widest = 40;  ///< characters of a cell

/// Characters, not bytes: continuation bytes of UTF-8 take no room.
std::size_t width_of(std::string_view text) {
    constexpr unsigned char mask = 0xc0, continuation = 0x80;
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & mask) != continuation; }));
}

std::string shortened(const std::string& text) {
    const std::string safe = escaped(text);
    if (width_of(safe) <= widest) return safe;
    std::size_t bytes = 0;
    constexpr std::string_view ending = "...";
    for (std::size_t seen = 0; seen <= widest - ending.size(); ++bytes) {
        seen += width_of(std::string_view{safe}.substr(bytes, 1));
    }
    return safe.substr(0, bytes - 1) + std::string{ending};
}

std::vector<std::string> texts_of(const std::vector<SqlAnswer::Cell>& row) {
    std::vector<std::string> texts;
    for (const SqlAnswer::Cell& cell : row) texts.push_back(cell ? shortened(*cell) : "NULL");
    return texts;
}

std::string line_of(const std::vector<std::string>& texts, const std::vector<std::size_t>& widths) {
    std::string line;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (i > 0) line += "  ";
        line += texts[i];
        if (i + 1 < texts.size()) line += std::string(widths[i] - width_of(texts[i]), ' ');
    }
    return line + "\n";
}

}  // namespace

std::string to_text(const SqlAnswer& answer) {
    std::vector<std::vector<std::string>> lines(1);
    for (const std::string& name : answer.columns) lines[0].push_back(shortened(name));
    for (const auto& row : answer.rows) lines.push_back(texts_of(row));
    std::vector<std::size_t> widths(answer.columns.size(), 0);
    for (const auto& line : lines) {
        for (std::size_t i = 0; i < line.size(); ++i) {
            widths[i] = std::max(widths[i], width_of(line[i]));
        }
    }
    std::string out;
    for (const auto& line : lines) out += line_of(line, widths);
    if (answer.row_count > answer.rows.size()) {
        out += fmt::format("... and {} more rows\n",
                           report::for_person_count(answer.row_count - answer.rows.size()));
    }
    out += "\nplan\n";
    for (const std::string& line : answer.plan) out += "  " + escaped(line) + "\n";
    out += fmt::format("\n{} rows in {}; {} rows passed in scans, {} steps of SQLite's machine{}\n",
                       report::for_person_count(answer.row_count),
                       report::for_person_ms(to_ms(answer.time)),
                       report::for_person_count(answer.rows_scanned),
                       report::for_person_count(answer.steps), answer.sorts > 0 ? ", sorted" : "");
    return out;
}

}  // namespace lab
