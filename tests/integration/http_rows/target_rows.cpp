// SPDX-License-Identifier: GPL-3.0-or-later
#include "row.hpp"

namespace lab::http_rows {
namespace {

std::string asks(const std::string& target, const std::string& fields = host) {
    return "GET " + target + " HTTP/1.1\r\n" + fields + "\r\n";
}

std::string with_host(const std::string& value) { return asks("/ok", "Host: " + value + "\r\n"); }

const std::vector<Row> table{
    {"TargetWithAQuery", "9112 3.2.1", asks("/ok?a=b&c"), {200}, After::open, "target=/ok?a=b&c"},
    {"TargetWithAnEscape", "3986 2.1", asks("/%6fk"), {200}, After::open},
    {"TargetWithABrokenEscape", "3986 2.1", asks("/%6"), {400}},
    {"TargetWithAnEscapeThatIsNoNumber", "3986 2.1", asks("/%zz"), {400}},
    {"TargetWithAnEscapedNul", "SAFETY 2", asks("/ok%00"), {400}},
    {"TargetWithAnEscapedSlash", "3986 2.2", asks("%2Fok"), {400}},
    {"TargetWithAnEscapedSlashInside", "3986 2.2", asks("/item%2F7"), {404}, After::open},
    {"TargetWithDots", "3986 3.3", asks("/x/../ok"), {404}, After::open},
    {"TargetWithAFragment", "9112 3.2", asks("/ok#top"), {400}},
    {"TargetWithoutASlash", "9112 3.2.1", asks("ok"), {400}},
    {"TargetWithAQuote", "3986 2", asks("/ok\""), {400}},
    {"TargetWithABackslash", "3986 2", asks("\\ok"), {400}},
    {"TargetWithUtf8", "3986 2", asks("/\xc3\xa4"), {400}},
    {"TargetWithDelete", "3986 2", asks("/ok\x7f"), {400}},
    {"TargetWithAControl", "3986 2", asks("/ok\x01"), {400}},
    {"TargetWithASpace", "9112 3.2", asks("/o k"), {400}},
    {"AbsoluteForm", "9112 3.2.2", asks("http://localhost/ok"), {200}, After::open, "target=/ok"},
    {"AbsoluteFormWithAPort", "9112 3.2.2", asks("http://127.0.0.1:80/ok?x"), {200}, After::open},
    {"AbsoluteFormWithoutAPath",
     "9112 3.2.2",
     asks("http://localhost"),
     {200},
     After::open,
     "Latency Lab"},
    {"AbsoluteFormSchemeInUpperCase", "3986 3.1", asks("HTTP://localhost/ok"), {200}, After::open},
    {"AbsoluteFormWinsOverHost",
     "9112 3.2.2",
     asks("http://localhost/ok", "Host: example.org\r\n"),
     {200},
     After::open},
    {"AbsoluteFormOfAnotherHost", "9110 7.4", asks("http://example.org/ok"), {421}},
    {"AbsoluteFormOfHttps", "9110 7.4", asks("https://localhost/ok"), {421}},
    {"AbsoluteFormOfFtp", "9112 3.2.2", asks("ftp://localhost/ok"), {400}},
    {"AbsoluteFormWithUserInfo", "9110 4.2.4", asks("http://me@localhost/ok"), {400}},
    {"AbsoluteFormWithoutAHost", "9110 4.2.1", asks("http:///ok"), {400}},
    {"AbsoluteFormWithoutHostField", "9112 3.2", asks("http://localhost/ok", ""), {400}},
    {"AuthorityFormWithGet", "9112 3.2.3", asks("localhost:80"), {400}},
    {"AsteriskFormWithGet", "9112 3.2.4", asks("*"), {400}},
    {"NoHost", "9112 3.2", asks("/ok", ""), {400}},
    {"NoHostInHttp10", "9112 3.2", "GET /ok HTTP/1.0\r\n\r\n", {200}},
    {"ForeignHostInHttp10", "SAFETY 2", "GET /ok HTTP/1.0\r\nHost: example.org\r\n\r\n", {421}},
    {"TwoHosts", "9112 3.2", asks("/ok", host + "Host: example.org\r\n"), {400}},
    {"TwoEqualHosts", "9112 3.2", asks("/ok", host + host), {400}},
    {"TwoHostsInHttp10", "9112 3.2", "GET /ok HTTP/1.0\r\n" + host + host + "\r\n", {400}},
    {"EmptyHost", "9110 7.2", with_host(""), {400}},
    {"HostWithAPort", "9110 7.2", with_host("127.0.0.1:8080"), {200}, After::open},
    {"HostInUpperCase", "9110 4.2.3", with_host("LOCALHOST"), {200}, After::open},
    {"HostOfIpv6", "3986 3.2.2", with_host("[::1]:80"), {200}, After::open},
    {"HostOfIpv6WithoutBrackets", "3986 3.2.2", with_host("::1"), {400}},
    {"HostWithABadPort", "3986 3.2.3", with_host("localhost:http"), {400}},
    {"HostWithAPortTooHigh", "3986 3.2.3", with_host("localhost:65536"), {400}},
    {"HostWithUserInfo", "9110 7.2", with_host("me@localhost"), {400}},
    {"HostWithAPath", "9110 7.2", with_host("localhost/ok"), {400}},
    {"HostWithASpace", "9110 7.2", with_host("local host"), {400}},
    {"HostList", "9110 7.2", with_host("localhost, localhost"), {400}},
    {"ForeignHost", "9110 7.4", with_host("example.org"), {421}},
    {"HostOfARebindingName", "SAFETY 2", with_host("127.0.0.1.example.org"), {421}},
    {"HostThatOnlyLooksLikeOurs", "SAFETY 2", with_host("127.0.0.1.:80"), {421}},
};

}  // namespace

std::vector<Row> target_rows() { return table; }

}  // namespace lab::http_rows
