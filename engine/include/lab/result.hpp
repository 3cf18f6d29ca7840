// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace lab {

/// What kind of thing went wrong, for a caller that reacts differently to each.
enum class ErrorCode : std::uint8_t {
    invalid_input,  ///< a file, flag or value that a person wrote and can mend
    not_found,      ///< a file, scenario, route or setting that does not exist
    port_in_use,    ///< somebody else listens there
    no_resources,   ///< descriptors, memory, threads or disk space have run out
    not_permitted,  ///< an address that is not this machine, a file out of bounds
    unreachable,    ///< nobody listens at the address
    no_samples,     ///< a statistic of nothing
    interrupted,    ///< stopped before it was done
    timed_out,      ///< took longer than it may
    failed,         ///< anything else that the program met while running
};

/// A reason that can be shown to a person as it stands.
///
/// `where` names the place: "file:line:column: key", a setting's path, a flag. `detail` says what
/// was found and what is allowed. Neither ends in a full stop. Both are plain text, control bytes
/// escaped.
struct Error {
    ErrorCode code = ErrorCode::failed;
    std::string where;
    std::string detail;

    /// "where: detail", or `detail` alone.
    [[nodiscard]] std::string message() const {
        return where.empty() ? detail : where + ": " + detail;
    }
    friend bool operator==(const Error&, const Error&) = default;
};

/// Raised only by Result::value() on an error, which is a programmer's mistake: test the result
/// first.
[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location&) {
    throw std::logic_error("result holds an error: " + error.message());
}

/// Either a value or the reason why there is none. One alias, so that a move to std::expected is
/// one file.
template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace lab
