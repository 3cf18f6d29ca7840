// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/answer_writer.hpp"

#include <gtest/gtest.h>

#include <new>
#include <string>

#include "live/completion_queue.hpp"
#include "live/read_buffer.hpp"

namespace lab::live {
namespace {

std::string date_of(std::int64_t second) {
    std::string text(DateText::size, ' ');
    DateText::write(second, text.data());
    return text;
}

TEST(DateText, WritesTheDatesOfTheRfc) {
    EXPECT_EQ(date_of(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");  // RFC 9110 5.6.7
    EXPECT_EQ(date_of(0), "Thu, 01 Jan 1970 00:00:00 GMT");
    EXPECT_EQ(date_of(951'827'696), "Tue, 29 Feb 2000 12:34:56 GMT");
    EXPECT_EQ(date_of(1'767'225'599), "Wed, 31 Dec 2025 23:59:59 GMT");
}

TEST(AnswerHead, HasADateAndALengthAndNamesNoServer) {
    const DateText date;
    std::string head;
    begin_head(head, {.status = 404, .length = 14, .persistence = Persistence::close, .allow = {}},
               date);
    end_head(head);
    EXPECT_EQ(head, "HTTP/1.1 404 Not Found\r\nDate: " + std::string{date.text()} +
                        "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\n"
                        "Connection: close\r\n\r\n");
}

TEST(AnswerHead, HasNoLengthInA204) {
    const DateText date;
    std::string head;
    begin_head(head, {.status = 204, .allow = "GET"}, date);
    EXPECT_EQ(head.find("Content-"), std::string::npos);
    EXPECT_NE(head.find("\r\nAllow: GET\r\n"), std::string::npos);
}

TEST(AnswerHead, TurnsAStatusThatWeNeverSendIntoA500) {
    const DateText date;
    std::string head;
    begin_head(head, {.status = 799, .allow = {}}, date);
    EXPECT_EQ(head.substr(0, 34), "HTTP/1.1 500 Internal Server Error");
    EXPECT_EQ(reason_phrase(799), "Unknown");
    EXPECT_EQ(refusal_page(431), "431 Request Header Fields Too Large\n");
}

TEST(PreparedAnswer, SaysWhatTheConnectionNeedsToHear) {
    PreparedAnswer answer{plain_text, "hello"};
    const DateText date;
    const std::string keep{answer.parts(Persistence::keep, true, date).first};
    EXPECT_EQ(keep.find("Connection"), std::string::npos);
    EXPECT_NE(keep.find("Content-Length: 5\r\n"), std::string::npos);
    EXPECT_NE(keep.find(date.text()), std::string::npos);
    EXPECT_EQ(keep.substr(keep.size() - 4), "\r\n\r\n");
    const auto head = [&](Persistence persistence) {
        return answer.parts(persistence, true, date).first;
    };
    EXPECT_NE(head(Persistence::keep_1_0).find("Connection: keep-alive\r\n"), std::string::npos);
    EXPECT_NE(head(Persistence::close).find("Connection: close\r\n"), std::string::npos);
}

TEST(PreparedAnswer, IsSentInOnePieceWhenItsBodyIsSmallAndInTwoWhenItIsLarge) {
    const DateText date;
    for (const std::size_t size : {std::size_t{0}, std::size_t{5}, PreparedAnswer::joined_limit,
                                   PreparedAnswer::joined_limit + 1}) {
        const std::string body(size, 'x');
        PreparedAnswer answer{plain_text, body};
        const std::string head{answer.parts(Persistence::keep, true, date).first};
        const auto parts = answer.parts(Persistence::keep, false, date);
        EXPECT_EQ(std::string{parts.first} + std::string{parts.second}, head + body);
        EXPECT_EQ(parts.second.empty(), size <= PreparedAnswer::joined_limit);
    }
}

TEST(ReadBuffer, KeepsWhatIsThereWhenItGrowsAndShrinksOnlyWhenEmpty) {
    ReadBuffer buffer;
    std::memcpy(buffer.free_space(), "hello", 5);
    buffer.commit(5);
    buffer.consume(2);
    buffer.grow();
    EXPECT_EQ(buffer.view(), "llo");
    buffer.shrink();
    EXPECT_EQ(buffer.view(), "llo");
    (void)buffer.free_space();
    EXPECT_EQ(buffer.free_size(), ReadBuffer::large_size - 3);
    buffer.consume(3);
    buffer.shrink();
    (void)buffer.free_space();
    EXPECT_EQ(buffer.free_size(), ReadBuffer::small_size);
    EXPECT_TRUE(buffer.empty());
}

class Recorded final : public Exchange {
  public:
    void on_bound() override { heard += 'b'; }
    void on_answer() override { heard += 'a'; }
    void on_worker_gone(bool killed) override { heard += killed ? 'k' : 'l'; }
    std::string heard;
};

TEST(CompletionQueue, WakesOnceForABatchAndKeepsItsOrder) {
    CompletionQueue queue;
    int wakes = 0;
    queue.attach([&] { ++wakes; }, [](Instant) {});
    Recorded exchange;
    queue.bound(exchange);
    queue.answered(exchange);
    queue.post([&] { exchange.heard += 'p'; });
    EXPECT_EQ(wakes, 1);
    queue.drain(Instant{});
    EXPECT_EQ(exchange.heard, "bap");
    queue.bound(exchange);
    EXPECT_EQ(wakes, 2);
}

TEST(CompletionQueue, ForgetsThatAWorkerHasGoneApartFromTheRest) {
    CompletionQueue queue;
    queue.attach([] {}, [](Instant) {});
    Recorded exchange;
    queue.worker_gone(exchange, true);
    queue.answered(exchange);
    queue.forget_gone(exchange);
    queue.drain(Instant{});
    EXPECT_EQ(exchange.heard, "a");
    queue.worker_gone(exchange, false);
    queue.answered(exchange);
    queue.forget(exchange);
    queue.drain(Instant{});
    EXPECT_EQ(exchange.heard, "al");
}

TEST(CompletionQueue, DeliversWhatWasPostedBeforeAnybodyCouldBeWoken) {
    CompletionQueue queue;
    Recorded exchange;
    queue.answered(exchange);
    int wakes = 0;
    queue.attach([&] { ++wakes; }, [](Instant) {});
    EXPECT_EQ(wakes, 1);
    queue.drain(Instant{});
    EXPECT_EQ(exchange.heard, "a");
}

TEST(CompletionQueue, ForgetsAnExchangeThatWasWithdrawn) {
    CompletionQueue queue;
    Recorded gone, stays;
    queue.post([&] { queue.forget(gone); });  // while the batch is being delivered
    queue.bound(gone);
    queue.bound(stays);
    queue.drain(Instant{});
    queue.answered(gone);
    queue.forget(gone);
    queue.drain(Instant{});
    EXPECT_EQ(gone.heard, "");
    EXPECT_EQ(stays.heard, "b");
}

TEST(CompletionQueue, DeliversTheRestOfABatchAfterACallbackThatThrew) {
    CompletionQueue queue;
    Recorded exchange;
    queue.bound(exchange);
    queue.post([] { throw std::bad_alloc{}; });
    queue.answered(exchange);
    EXPECT_THROW(queue.drain(Instant{}), std::bad_alloc);
    EXPECT_EQ(exchange.heard, "b");
    queue.post([&] { exchange.heard += 'p'; });
    queue.drain(Instant{});
    EXPECT_EQ(exchange.heard, "bap");
}

TEST(CompletionQueue, CallsItsAlarmOnceAndTheLatestOnly) {
    CompletionQueue queue;
    Instant set{};
    queue.attach([] {}, [&](Instant when) { set = when; });
    std::string heard;
    queue.wake_at(Instant{10ms}, [&] { heard += '1'; });
    queue.wake_at(Instant{20ms}, [&] { heard += '2'; });
    queue.drain(Instant{15ms});
    EXPECT_EQ(set, Instant{20ms});
    EXPECT_EQ(heard, "");
    queue.drain(Instant{20ms});
    queue.drain(Instant{30ms});
    EXPECT_EQ(heard, "2");
}

}  // namespace
}  // namespace lab::live
