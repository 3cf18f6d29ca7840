// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/frame.hpp"
#include "lab/result.hpp"
#include "lab/study.hpp"
#include "lab/theory.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace lab {

/// The run as JSON, schema 1: durations in milliseconds as numbers, null for "no samples". README
/// documents it.
[[nodiscard]] std::string to_json(const RunResult&);

/// One row a frame (RFC 4180), the names of the JSON, units in the header, a point in every locale.
[[nodiscard]] std::string csv_header();
[[nodiscard]] std::string to_csv_row(const Frame&);

/// A page of plain text for a terminal.
[[nodiscard]] std::string to_text(const RunResult&);
/// One line for a terminal while it runs.
[[nodiscard]] std::string to_live_line(const Frame&, std::size_t columns);

/// Text cell that a spreadsheet will not take for a formula (OWASP ASVS 1.2.10), quoted where
/// needed.
[[nodiscard]] std::string csv_cell(std::string_view text);

/// What theory says: figures, bounds and lights. JSON schema 1; and a page for a terminal.
[[nodiscard]] std::string to_json(const Prediction&, std::string_view scenario);
[[nodiscard]] std::string to_text(const Prediction&);

/// Studies: JSON schema 1; one row a system with intervals; a page for a terminal. Threads: any.
[[nodiscard]] std::string to_json(const Sweep&);
[[nodiscard]] std::string to_csv(const Sweep&);
[[nodiscard]] std::string to_text(const Sweep&);
[[nodiscard]] std::string to_json(const Comparison&);
[[nodiscard]] std::string to_csv(const Comparison&);
[[nodiscard]] std::string to_text(const Comparison&);
[[nodiscard]] std::string to_json(const AdviceList&);
[[nodiscard]] std::string to_csv(const AdviceList&);
[[nodiscard]] std::string to_text(const AdviceList&);
[[nodiscard]] std::string to_json(const Frontier&);
[[nodiscard]] std::string to_csv(const Frontier&);
[[nodiscard]] std::string to_text(const Frontier&);
[[nodiscard]] std::string to_json(const std::vector<ClaimCheck>&, std::string_view scenario);
[[nodiscard]] std::string to_text(const std::vector<ClaimCheck>&);

/// Writes to a file beside the target and renames it over: whole or not at all. "-" is standard
/// output.
/// Errors: failed with the reason (disk full, not permitted).
[[nodiscard]] Result<void> write_text_file(const std::filesystem::path& file,
                                           std::string_view text);

}  // namespace lab
