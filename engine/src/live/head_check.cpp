// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/head_check.hpp"

#include <cstring>

namespace lab::live {

Scan HeadCheck::refuse(std::uint16_t status) {
    status_ = status;
    return Scan::refused;
}

bool HeadCheck::begun(std::string_view bytes) const {
    return in_fields_ || bytes.find_first_not_of("\r\n", line_start_) != std::string_view::npos;
}

Scan HeadCheck::scan(std::string_view bytes, std::uint64_t body_limit) {
    for (;;) {
        const void* found = scanned_ < bytes.size() ? std::memchr(bytes.data() + scanned_, '\n',
                                                                  bytes.size() - scanned_)
                                                    : nullptr;
        if (found == nullptr) {
            scanned_ = bytes.size();
            return unfinished(bytes);
        }
        const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
        auto line = bytes.substr(line_start_, end - line_start_);
        // A bare LF is no line end here, though RFC 9112 2.2 would let it be: one reading, not two.
        if (line.empty() || line.back() != '\r') return refuse(400);
        line.remove_suffix(1);
        if (!in_fields_ && line.size() > request_line_limit) return refuse(414);
        if (end + 1 > head_limit) return refuse(431);
        const auto start = line_start_;
        line_start_ = scanned_ = end + 1;
        if (in_fields_) {
            if (line.empty()) break;
            if (!read_field(line)) return Scan::refused;
        } else if (line.empty()) {
            if (++blanks_ > blank_line_limit) return refuse(400);
        } else {
            facts_.skipped = start;
            if (!read_request_line(line)) return Scan::refused;
            in_fields_ = true;
        }
    }
    facts_.length = line_start_;
    facts_.method = bytes.substr(facts_.skipped, method_size_);
    facts_.target = split_target(bytes.substr(facts_.skipped + target_start_, target_size_),
                                 connect_, options_);
    return conclude(body_limit);
}

/// No line end in sight: is what there is already too much, or no HTTP at all?
Scan HeadCheck::unfinished(std::string_view bytes) {
    const auto rest = bytes.substr(line_start_);
    if (!in_fields_ && !rest.empty()) {
        if (!is_token_char(rest.front()) && rest.front() != '\r') return refuse(400);
        if (rest.size() > request_line_limit + 1) return refuse(414);
    }
    return bytes.size() >= head_limit ? refuse(431) : Scan::more;
}

/// RFC 9112 3: method SP request-target SP HTTP-version, single spaces.
bool HeadCheck::read_request_line(std::string_view line) {
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    status_ = 400;
    if (first == std::string_view::npos || first == last) return false;
    const auto method = line.substr(0, first);
    const auto target = line.substr(first + 1, last - first - 1);
    const auto version = line.substr(last + 1);
    const auto digit = [&](std::size_t i) { return version[i] >= '0' && version[i] <= '9'; };
    if (!is_token(method)) return false;
    if (version.size() != 8 || version.substr(0, 5) != "HTTP/" || version[6] != '.') return false;
    if (!digit(5) || !digit(7)) return false;
    if (version[5] != '1') {
        status_ = 505;
        return false;
    }
    if (version[7] > '1') return false;
    facts_.http_1_1 = version[7] == '1';
    connect_ = method == "CONNECT";
    options_ = method == "OPTIONS";
    method_size_ = method.size();
    target_start_ = first + 1;
    target_size_ = target.size();
    return split_target(target, connect_, options_).form != Target::Form::malformed;
}

bool HeadCheck::read_field(std::string_view line) {
    if (++fields_ > field_limit) {
        status_ = 431;
        return false;
    }
    status_ = 400;
    // A line that begins with a blank has no token before its colon: obs-fold (RFC 9112 5.2) is
    // refused here too, as is a blank before the colon (5.1).
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return false;
    const auto value = line.substr(colon + 1);
    if (!is_field_text(value)) return false;  // NUL, bare CR and the other controls: RFC 9110 5.5
    note_field(line.substr(0, colon), trim_blanks(value));
    return true;
}

void HeadCheck::note_field(std::string_view name, std::string_view value) {
    switch (name.size()) {
        case 4:
            if (!equal_fold(name, "host")) return;
            ++hosts_;
            host_ = check_host(value);
            return;
        case 6:
            if (!equal_fold(name, "expect")) return;
            facts_.expects_continue = true;
            if (!equal_fold(value, "100-continue")) bad_expectation_ = true;
            return;
        case 14:
            if (!equal_fold(name, "content-length")) return;
            ++lengths_;
            if (const auto length = read_number(value)) {
                facts_.content_length = *length;
            } else {
                bad_length_ = true;
            }
            return;
        case 17:
            if (equal_fold(name, "transfer-encoding")) note_coding(value);
            return;
        default:
            return;
    }
}

/// Exactly `chunked` is understood. A list of proper names with another coding among them is not
/// (501); anything else is a trick (400).
void HeadCheck::note_coding(std::string_view value) {
    ++codings_;
    coding_ = Coding::malformed;
    if (equal_fold(value, "chunked")) {
        coding_ = Coding::chunked;
        return;
    }
    bool other = false;
    int chunked = 0;
    while (true) {
        const auto comma = value.find(',');
        const auto name = trim_blanks(value.substr(0, comma));
        if (!is_token(name)) return;
        const bool last = comma == std::string_view::npos;
        if (equal_fold(name, "chunked")) {
            if (++chunked > 1 || !last) return;
        } else {
            other = true;
        }
        if (last) break;
        value.remove_prefix(comma + 1);
    }
    if (other) coding_ = Coding::unknown;
}

/// The whole head is there: what its fields mean together. RFC 9112 3.2 and 6.1 to 6.3.
Scan HeadCheck::conclude(std::uint64_t body_limit) {
    facts_.chunked = coding_ == Coding::chunked;
    facts_.has_length = lengths_ > 0;
    if (codings_ > 0) {
        if (!facts_.http_1_1 || codings_ > 1 || lengths_ > 0) return refuse(400);
        if (coding_ == Coding::malformed) return refuse(400);
    }
    if (lengths_ > 1 || bad_length_) return refuse(400);
    if (hosts_ > 1 || (facts_.http_1_1 && hosts_ == 0)) return refuse(400);
    if (hosts_ == 1 && host_ == HostVerdict::malformed) return refuse(400);
    auto host = host_;
    if (facts_.target.form == Target::Form::absolute) {
        host = check_host(facts_.target.authority);  // it wins over the field: RFC 9112 3.2.2
        if (host == HostVerdict::malformed) return refuse(400);
        if (facts_.target.secure) return refuse(421);  // RFC 9110 7.4
    }
    if (coding_ == Coding::unknown) return refuse(501);
    if (host == HostVerdict::foreign && !connect_) return refuse(421);
    if (!facts_.http_1_1) facts_.expects_continue = false;  // RFC 9110 10.1.1
    if (facts_.expects_continue && bad_expectation_) return refuse(417);
    if (facts_.content_length > body_limit) return refuse(413);
    return Scan::complete;
}

}  // namespace lab::live
