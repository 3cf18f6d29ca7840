// SPDX-License-Identifier: GPL-3.0-or-later
// What the fuzz targets and their corpus test do with one input. Each reads the same bytes several
// times in pieces of different sizes: bytes mean the same however the network cuts them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lab::fuzz {

/// Reads a stream of requests as a session does (our checks, then Beast, then the next request of a
/// pipeline), given to it in pieces of `piece` octets. One line for each request that is complete,
/// and a last one where the stream is refused: "POST /pay 1.1 chunked 5", "refused 400".
[[nodiscard]] std::vector<std::string> read_requests(std::string_view bytes, std::size_t piece);

/// Reads answers as the generator does. One line each: "200 keep 12 octets", and "broken".
[[nodiscard]] std::vector<std::string> read_answers(std::string_view bytes, std::size_t piece);

/// Stops the program where two ways of cutting `bytes` read differently.
void check_requests(std::string_view bytes);
void check_answers(std::string_view bytes);
/// A scenario file: accepted, or one error with its place. Nothing else may come of it.
void check_scenario(std::string_view bytes);

}  // namespace lab::fuzz
