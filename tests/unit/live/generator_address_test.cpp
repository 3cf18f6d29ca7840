// SPDX-License-Identifier: GPL-3.0-or-later
// The load generator cannot be aimed at another computer.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <regex>
#include <sstream>

#include <boost/asio/error.hpp>

#include "lab/experiment.hpp"
#include "live/loopback_connect.hpp"

namespace lab::live {
namespace {

using boost::asio::ip::make_address;
using boost::asio::ip::tcp;

TEST(LoopbackUrl, TakesAnAddressOfThisComputer) {
    const auto target = parse_loopback_url("http://127.0.0.1:8000/pay?x=1");
    ASSERT_TRUE(target);
    EXPECT_FALSE(target->v6);
    EXPECT_EQ(target->v4, 0x7f000001u);
    EXPECT_EQ(target->port, 8000);
    EXPECT_EQ(target->host, "127.0.0.1:8000");
    EXPECT_EQ(target->target, "/pay?x=1");
}

TEST(LoopbackUrl, FillsInWhatMayBeLeftOut) {
    const auto bare = parse_loopback_url("http://LocalHost");
    ASSERT_TRUE(bare);
    EXPECT_EQ(bare->port, 80);
    EXPECT_EQ(bare->host, "LocalHost");
    EXPECT_EQ(bare->target, "/");
    const auto query = parse_loopback_url("http://127.1.2.3:81?a=/b#part");
    ASSERT_TRUE(query);
    EXPECT_EQ(query->v4, 0x7f010203u);
    EXPECT_EQ(query->target, "/?a=/b");
    const auto v6 = parse_loopback_url("http://[::1]:8080/");
    ASSERT_TRUE(v6);
    EXPECT_TRUE(v6->v6);
    EXPECT_EQ(v6->host, "[::1]:8080");
    EXPECT_EQ(v6->port, 8080);
}

TEST(LoopbackUrl, RefusesEveryOtherComputerAndEverySpellingThatOnlyLooksLikeThisOne) {
    const char* hosts[] = {"example.com",
                           "192.168.0.1",
                           "10.0.0.1",
                           "0.0.0.0",
                           "169.254.169.254",
                           "8.8.8.8",
                           "126.255.255.255",
                           "128.0.0.1",
                           "localhost.example.com",
                           "localhost.",
                           "127.0.0.1.example.com",
                           "127.0.0.1.",
                           "127.1",
                           "127.0.1",
                           "2130706433",
                           "0x7f000001",
                           "0x7f.0.0.1",
                           "0177.0.0.1",
                           "127.0.0.01",
                           "127.0.0.256",
                           "127.0.0.-1",
                           "127.0.0.+1",
                           "127..0.1",
                           "[::]",
                           "[::2]",
                           "[::ffff:127.0.0.1]",
                           "[0:0:0:0:0:0:0:1]",
                           "[fe80::1%25lo]",
                           "[::1%25lo]",
                           "[127.0.0.1]",
                           "user@127.0.0.1",
                           "127.0.0.1@example.com",
                           "a:b@127.0.0.1",
                           "127.0.0.1\\@example.com",
                           "127.0.0.1%2eexample.com",
                           "ip6-localhost",
                           "localhost,example.com"};
    for (const char* host : hosts) {
        for (const std::string tail : {"", "/", ":80/"}) {
            const auto target = parse_loopback_url("http://" + std::string{host} + tail);
            ASSERT_FALSE(target) << host << tail;
            EXPECT_EQ(target.error().code, ErrorCode::not_permitted) << host << tail;
        }
    }
}

TEST(LoopbackUrl, RefusesWhatIsNoUrl) {
    const std::string_view urls[] = {"",
                                     "127.0.0.1:8000",
                                     "https://127.0.0.1/",
                                     "HTTP//127.0.0.1",
                                     "file:///etc/passwd",
                                     "http:/127.0.0.1/",
                                     "http://",
                                     "http:///path",
                                     "http://:80/",
                                     "http://127.0.0.1:/",
                                     "http://127.0.0.1:0/",
                                     "http://127.0.0.1:65536/",
                                     "http://127.0.0.1:99999999999/",
                                     "http://127.0.0.1:+80/",
                                     "http://127.0.0.1:080/",
                                     "http://127.0.0.1:80:80/",
                                     "http://[::1]80/",
                                     "http://[::1",
                                     "http://127.0.0.1/a b",
                                     "http://127.0.0.1/a\r\nX: y",
                                     "http://127.0.0.1/\xc3\xa4",
                                     std::string_view{"http://127.0.0.1/\0", 18}};
    for (const auto url : urls) {
        const auto target = parse_loopback_url(url);
        ASSERT_FALSE(target) << url;
        EXPECT_EQ(target.error().code, ErrorCode::invalid_input) << url;
        for (const char c : target.error().message()) {
            EXPECT_TRUE(static_cast<unsigned char>(c) >= ' ' && c != 0x7f) << "for a terminal";
        }
    }
    EXPECT_FALSE(parse_loopback_url("http://127.0.0.1/" + std::string(8000, 'a')));
    EXPECT_TRUE(parse_loopback_url("http://127.0.0.1/" + std::string(7000, 'a')));
}

TEST(LoopbackConnect, KnowsTheAddressesOfThisComputer) {
    for (const char* address : {"127.0.0.1", "127.255.255.254", "::1"}) {
        EXPECT_TRUE(is_loopback({make_address(address), 80})) << address;
    }
    for (const char* address :
         {"0.0.0.0", "126.0.0.1", "128.0.0.1", "10.0.0.1", "8.8.8.8", "255.255.255.255",
          "::", "::2", "::ffff:127.0.0.1", "fe80::1", "2001:db8::1", "ff02::1"}) {
        EXPECT_FALSE(is_loopback({make_address(address), 80})) << address;
    }
}

TEST(LoopbackConnect, OpensNoSocketForAnyOtherAddress) {
    for (const char* address : {"192.0.2.1", "0.0.0.0", "::ffff:127.0.0.1", "2001:db8::1"}) {
        boost::asio::io_context io;
        ClientSocket socket{io};
        std::optional<boost::system::error_code> outcome;
        loopback_connect(socket, {make_address(address), 80},
                         [&](boost::system::error_code error) { outcome = error; });
        EXPECT_FALSE(socket.is_open()) << address;
        EXPECT_FALSE(outcome) << "told from inside the call";
        io.run();
        ASSERT_TRUE(outcome);
        EXPECT_EQ(*outcome, boost::asio::error::access_denied);
    }
}

TEST(LoopbackConnect, SaysWhenNobodyListens) {
    boost::asio::io_context io;
    tcp::acceptor listener{io, {boost::asio::ip::address_v4::loopback(), 0}};
    LoopbackTarget target;
    target.port = listener.local_endpoint().port();
    EXPECT_TRUE(check_listener(target, 1s));
    listener.close();
    const auto gone = check_listener(target, 1s);
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().code, ErrorCode::unreachable);
}

/// Every call with arguments of a function named connect or the like in the engine and the command
/// line. Qt's is not there; one without arguments names no address.
std::vector<std::string> connecting_lines() {
    namespace fs = std::filesystem;
    const std::regex call{R"(\b(async_connect|connect|ConnectEx|WSAConnect)\s*\((?!\s*\)))"};
    std::vector<std::string> found;
    for (const char* folder : {"engine", "app/cli"}) {
        const fs::path root = fs::path{LAB_SOURCE_FOLDER} / folder;
        for (const auto& entry : fs::recursive_directory_iterator{root}) {
            if (entry.path().extension() != ".cpp" && entry.path().extension() != ".hpp") continue;
            std::ifstream file{entry.path()};
            for (std::string line; std::getline(file, line);) {
                const bool comment = line.find("//") < line.find("connect");
                if (!comment && std::regex_search(line, call)) {
                    found.push_back(entry.path().filename().string() + ":" + line);
                }
            }
        }
    }
    return found;
}

TEST(LoopbackConnect, IsTheOnlyPlaceThatConnects) {
    const auto lines = connecting_lines();
    ASSERT_EQ(lines.size(), 1u) << testing::PrintToString(lines);
    EXPECT_TRUE(lines.front().starts_with("loopback_connect.cpp:")) << lines.front();
}

}  // namespace
}  // namespace lab::live
