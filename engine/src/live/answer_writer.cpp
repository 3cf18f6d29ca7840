// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/answer_writer.hpp"

#include <charconv>
#include <chrono>
#include <cstring>
#include <ctime>
#include <utility>

namespace lab::live {
namespace {

void write_two(char* out, unsigned value) {
    out[0] = static_cast<char>('0' + value / 10 % 10);
    out[1] = static_cast<char>('0' + value % 10);
}

struct Status {
    int number;
    std::string_view line;  ///< with the start of the Date field, so that one append does
    std::string_view reason;
    std::string_view page;
};

#define LAB_STATUS(number, reason) \
    { number, "HTTP/1.1 " #number " " reason "\r\nDate: ", reason, #number " " reason "\n" }
constexpr Status statuses[] = {
    LAB_STATUS(200, "OK"),
    LAB_STATUS(204, "No Content"),
    LAB_STATUS(400, "Bad Request"),
    LAB_STATUS(404, "Not Found"),
    LAB_STATUS(405, "Method Not Allowed"),
    LAB_STATUS(408, "Request Timeout"),
    LAB_STATUS(413, "Content Too Large"),
    LAB_STATUS(414, "URI Too Long"),
    LAB_STATUS(417, "Expectation Failed"),
    LAB_STATUS(421, "Misdirected Request"),
    LAB_STATUS(431, "Request Header Fields Too Large"),
    LAB_STATUS(500, "Internal Server Error"),
    LAB_STATUS(501, "Not Implemented"),
    LAB_STATUS(502, "Bad Gateway"),
    LAB_STATUS(503, "Service Unavailable"),
    LAB_STATUS(504, "Gateway Timeout"),
    LAB_STATUS(505, "HTTP Version Not Supported"),
};
#undef LAB_STATUS

/// What we do not know we do not send: a worker's odd number becomes a 500.
const Status& find_status(int number) {
    const Status* fallback = nullptr;
    for (const auto& status : statuses) {
        if (status.number == number) return status;
        if (status.number == 500) fallback = &status;
    }
    return *fallback;
}

}  // namespace

void DateText::write(std::int64_t second, char* out) {
    using namespace std::chrono;
    constexpr std::string_view days = "SunMonTueWedThuFriSat";
    constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const auto day = floor<std::chrono::days>(sys_seconds{seconds{second}});
    const year_month_day date{day};
    const auto in_day = static_cast<unsigned>(second - seconds{day.time_since_epoch()}.count());
    const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
    std::memcpy(out, "ddd, dd mmm yyyy hh:mm:ss GMT", size);
    std::memcpy(out, days.data() + 3 * weekday{day}.c_encoding(), 3);
    write_two(out + 5, static_cast<unsigned>(date.day()));
    std::memcpy(out + 8, months.data() + 3 * (static_cast<unsigned>(date.month()) - 1), 3);
    write_two(out + 12, year / 100);
    write_two(out + 14, year);
    write_two(out + 17, in_day / 3600);
    write_two(out + 20, in_day / 60 % 60);
    write_two(out + 23, in_day % 60);
}

bool DateText::refresh() {
    std::timespec now{};
    std::timespec_get(&now, TIME_UTC);
    if (now.tv_sec == second_) return false;
    second_ = now.tv_sec;
    ++number_;
    write(second_, text_.data());
    return true;
}

std::string_view reason_phrase(int status) {
    const auto& found = find_status(status);
    return found.number == status ? found.reason : "Unknown";
}

std::string_view refusal_page(int status) { return find_status(status).page; }

void begin_head(std::string& out, const HeadLines& lines, const DateText& date) {
    const auto& status = find_status(lines.status);
    out += status.line;
    out += date.text();
    if (status.number != 204) {  // RFC 9110 8.6: no length in a 204
        char digits[24];
        out += "\r\nContent-Type: ";
        out += lines.content_type;
        out += "\r\nContent-Length: ";
        out.append(digits, std::to_chars(digits, digits + sizeof digits, lines.length).ptr);
    }
    if (!lines.allow.empty()) {
        out += "\r\nAllow: ";
        out += lines.allow;
    }
    if (lines.persistence == Persistence::close) {
        out += "\r\nConnection: close\r\n";
    } else if (lines.persistence == Persistence::keep_1_0) {
        out += "\r\nConnection: keep-alive\r\n";
    } else {
        out += "\r\n";
    }
}

PreparedAnswer::PreparedAnswer(std::string_view content_type, std::string body)
    : body_{std::move(body)} {
    const DateText date;
    for (std::size_t i = 0; i < heads_.size(); ++i) {
        auto& head = heads_[i];
        begin_head(head.text,
                   {.content_type = content_type,
                    .length = body_.size(),
                    .persistence = static_cast<Persistence>(i),
                    .allow = {}},
                   date);
        end_head(head.text);
        head.size = head.text.size();
        if (body_.size() <= joined_limit) head.text += body_;
        head.date_at = find_status(200).line.size();
    }
}

PreparedAnswer::Parts PreparedAnswer::parts(Persistence persistence, bool head_only,
                                            const DateText& date) {
    auto& head = heads_[static_cast<std::size_t>(persistence)];
    if (head.date_number != date.number()) {
        head.date_number = date.number();
        head.text.replace(head.date_at, DateText::size, date.text());
    }
    const std::string_view text = head.text;
    if (head_only) return {text.substr(0, head.size), {}};
    return {text, text.size() == head.size ? std::string_view{body_} : std::string_view{}};
}

}  // namespace lab::live
