// SPDX-License-Identifier: GPL-3.0-or-later
#include "row.hpp"

namespace lab::http_rows {

using namespace std::string_literals;

namespace {

const auto long_target = [](std::size_t octets) {
    return "GET /" + std::string(octets - "GET / HTTP/1.1"s.size(), 'a') + " HTTP/1.1";
};

const std::vector<Row> table{
    {"PlainGet", "9112 3", get(), {200}, After::open},
    {"PlainPost", "9112 3", post("Content-Length: 5\r\n", "hello"), {200}, After::open},
    {"OneBlankLineBefore", "9112 2.2", "\r\n" + get(), {200}, After::open},
    {"EightBlankLinesBefore", "9112 2.2", times(8, "\r\n") + get(), {200}, After::open},
    {"NineBlankLinesBefore", "SAFETY 2", times(9, "\r\n") + get(), {400}},
    {"BareLineFeedBefore", "9112 2.2", "\n" + get(), {400}},
    {"BareCarriageReturnBefore", "9112 2.2", "\r" + get(), {400}},
    {"SpaceBeforeTheMethod", "9112 3", " " + get(), {400}},
    {"TabBeforeTheMethod", "9112 3", "\t" + get(), {400}},
    {"NoMethod", "9112 3.1", line("/ok HTTP/1.1"), {400}},
    {"MethodWithAColon", "9112 3.1", line("GE:T /ok HTTP/1.1"), {400}},
    {"MethodInBraces", "9112 3.1", line("{GET} /ok HTTP/1.1"), {400}},
    {"MethodWithNul", "9112 3.1", line("G\0ET /ok HTTP/1.1"s), {400}},
    {"MethodInLowerCase", "9110 9.1", line("get /ok HTTP/1.1"), {501}},
    {"UnknownMethod", "9110 9.1", line("BREW /ok HTTP/1.1"), {501}},
    {"VeryLongMethod", "9112 3", line(std::string(7'000, 'G') + " / HTTP/1.1"), {501}},
    {"TwoSpacesAfterTheMethod", "9112 3", line("GET  /ok HTTP/1.1"), {400}},
    {"TwoSpacesBeforeTheVersion", "9112 3", line("GET /ok  HTTP/1.1"), {400}},
    {"TabAfterTheMethod", "9112 3", line("GET\t/ok HTTP/1.1"), {400}},
    {"TabBeforeTheVersion", "9112 3", line("GET /ok\tHTTP/1.1"), {400}},
    {"SpaceAfterTheVersion", "9112 3", line("GET /ok HTTP/1.1 "), {400}},
    {"CarriageReturnInsideTheLine", "9112 2.2", line("GET /ok\r HTTP/1.1"), {400}},
    {"TwoCarriageReturnsAtItsEnd", "9112 2.2", line("GET /ok HTTP/1.1\r"), {400}},
    {"LineFeedAloneEndsIt", "9112 2.2", "GET /ok HTTP/1.1\n" + host + "\r\n", {400}},
    {"NoTarget", "9112 3", line("GET HTTP/1.1"), {400}},
    {"NoVersion", "9112 3", line("GET /ok"), {400}},
    {"Http09", "9112 2.3", "GET /ok\r\n", {400}},
    {"VersionInLowerCase", "9112 2.3", line("GET /ok http/1.1"), {400}},
    {"VersionOfAnotherProtocol", "9112 2.3", line("GET /ok HTCPCP/1.1"), {400}},
    {"VersionWithoutMinor", "9112 2.3", line("GET /ok HTTP/1"), {400}},
    {"VersionWithTwoDigits", "9112 2.3", line("GET /ok HTTP/1.10"), {400}},
    {"VersionWithALeadingZero", "9112 2.3", line("GET /ok HTTP/01.1"), {400}},
    {"VersionWithAComma", "9112 2.3", line("GET /ok HTTP/1,1"), {400}},
    {"Version12", "9112 2.3", line("GET /ok HTTP/1.2"), {400}},
    {"Version00", "9110 15.6.6", line("GET /ok HTTP/0.9"), {505}},
    {"Version20", "9110 15.6.6", line("GET /ok HTTP/2.0"), {505}},
    {"Version99", "9110 15.6.6", line("GET /ok HTTP/9.9"), {505}},
    {"PrefaceOfHttp2", "9113 3.4", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {505}},
    {"LineOf8000Octets", "9112 3", line(long_target(8'000)), {404}, After::open},
    {"LineOf8001Octets", "9110 15.5.15", line(long_target(8'001)), {414}},
    {"LineWithoutAnEnd", "9110 15.5.15", std::string(9'000, 'A'), {414}},
    {"HandshakeOfTls", "9112 2.2", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, {400}},
    {"RandomOctets", "9112 2.2", "\x93\xe0\x01\xff\xfe\x00\x7f\x80\x0d\x0a"s, {400}},
    {"OctetByOctet", "9112 2.2", get("A: b\r\n"), {200}, After::open, {}, {}, 0, false, 1},
    {"OctetByOctetAndBroken",
     "9112 5.1",
     get("A : b\r\n"),
     {400},
     After::closes,
     {},
     {},
     0,
     false,
     1},
    {"NothingAndThenTheEnd", "9112 9.6", "", {}, After::closes, {}, {}, 0, true},
    {"BlankLinesAndThenTheEnd", "9112 2.2", "\r\n\r\n", {}, After::closes, {}, {}, 0, true},
    {"HalfALineAndThenTheEnd", "9112 8", "GET /ok HT", {400}, After::closes, {}, {}, 0, true},
    {"HalfAHeadAndThenTheEnd",
     "9112 8",
     "GET /ok HTTP/1.1\r\nHost: lo",
     {400},
     After::closes,
     {},
     {},
     0,
     true},
};

}  // namespace

std::vector<Row> request_line_rows() { return table; }

}  // namespace lab::http_rows
