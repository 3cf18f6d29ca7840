// SPDX-License-Identifier: GPL-3.0-or-later
// What the front end does round its sessions: binding and letting go of workers, full queues,
// clients that go, ports, descriptors, and the end.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/resource.h>

#include "live/front_end.hpp"
#include "live/wire.hpp"
#include "support/fake_dispatcher.hpp"
#include "support/raw_client.hpp"

namespace lab::live {
namespace {

using testing::RawClient;
using Notes = std::vector<std::string>;

const std::string ok = "GET /ok HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// 0 where the connection ended without an answer.
int status_of(RawClient& client) {
    const auto answer = client.read_answer();
    return answer ? answer->status : 0;
}

std::string body_of(RawClient& client) {
    const auto answer = client.read_answer();
    return answer ? answer->body : std::string{"no answer"};
}

System system_with(const std::function<void(System&)>& change = {}) {
    System system;
    system.routes.resize(3);
    system.routes[0].id = "ok";
    system.routes[0].path = "/ok";
    system.routes[0].personal = true;
    system.routes[1].id = "fast";
    system.routes[1].path = "/fast";
    system.routes[1].inline_answer = true;
    system.routes[2].id = "pay";
    system.routes[2].path = "/pay";
    system.routes[2].method = Method::post;
    if (change) change(system);
    return system;
}

System bound_at(BindPoint point) {
    return system_with([point](System& system) { system.server.bind = point; });
}

class FrontEndTest : public ::testing::Test {
  protected:
    void open(const System& system, std::size_t most_connections = 2'100) {
        generation_ = testing::make_generation(system);
        dispatcher_ = std::make_unique<testing::FakeDispatcher>(completions_, generation_);
        auto opened = FrontEnd::open({.seed = 7,
                                      .most_connections = most_connections,
                                      .generation = generation_,
                                      .dispatcher = dispatcher_.get(),
                                      .completions = &completions_});
        ASSERT_TRUE(opened) << opened.error().message();
        front_end_ = std::move(*opened);
    }
    /// Waits until it is so, 5 s at most.
    static bool becomes(const std::function<bool()>& condition) {
        for (int i = 0; i < 5'000; ++i) {
            if (condition()) return true;
            std::this_thread::sleep_for(1ms);
        }
        return false;
    }
    bool notes_become(const Notes& wanted) {
        return becomes([&] { return dispatcher_->notes() == wanted; });
    }
    std::uint16_t port() const { return front_end_->port(); }

    CompletionQueue completions_;
    GenerationPtr generation_;
    std::unique_ptr<testing::FakeDispatcher> dispatcher_;
    std::unique_ptr<FrontEnd> front_end_;
};

TEST_F(FrontEndTest, SubmitsARequestAndFinishesItWhenItsAnswerIsWritten) {
    open(system_with());
    RawClient client{port()};
    client.send(ok);
    EXPECT_EQ(status_of(client), 200);
    EXPECT_TRUE(notes_become({"submit", "finish"}));
}

TEST_F(FrontEndTest, NeverTouchesTheWorkersForAnInlineRoute) {
    open(system_with());
    RawClient client{port()};
    client.send("GET /fast HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(body_of(client).size(), 100u);
    EXPECT_EQ(dispatcher_->notes(), Notes{});
}

TEST_F(FrontEndTest, GivesTheCursorThePlansNumberAndTheSeed) {
    open(system_with());
    RawClient client{port()};
    client.send(
        "GET /ok HTTP/1.1\r\nHost: localhost\r\nX-Lab-Request: 4711\r\nCookie: user=7\r\n\r\n");
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    const auto cursor = dispatcher_->last_cursor();
    EXPECT_EQ(cursor.id, 4711u);
    EXPECT_EQ(cursor.seed, 7u);
    EXPECT_EQ(cursor.program, &generation_->programs[0]);
    EXPECT_NE(answer->head.find("\r\nX-Lab-User: 7\r\n"), std::string::npos);
    EXPECT_NE(answer->head.find("\r\nX-Lab-Version: 5,9\r\n"), std::string::npos);
    const auto at = answer->head.find("X-Lab-Times: ") + 13;
    const auto times = read_times(answer->head.substr(at, answer->head.find('\r', at) - at));
    ASSERT_TRUE(times);
    EXPECT_EQ(times->parts, cursor.parts);
    EXPECT_LE(times->received, times->ready);
}

TEST_F(FrontEndTest, TellsAClientThatDidNotAskNothingMoreThanHttp) {
    open(system_with());
    RawClient client{port()};
    client.send(ok);
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->head.find("X-Lab"), std::string::npos);
}

TEST_F(FrontEndTest, AnswersAFaultOfTheWorkersWithAFixedPageAndGoesOn) {
    open(system_with());
    dispatcher_->answer_with(core::Op::respond, 503);
    RawClient client{port()};
    client.send(ok);
    const auto refused = client.read_answer();
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status, 503);
    EXPECT_EQ(refused->body, "503 Service Unavailable\n");
    dispatcher_->answer_with(core::Op::respond, 500);
    client.send(ok);
    EXPECT_EQ(status_of(client), 500);
    EXPECT_TRUE(notes_become({"submit", "finish", "submit", "finish"}));
}

TEST_F(FrontEndTest, ResetsTheConnectionOfAnExchangeThatEndsWithoutAnAnswer) {
    open(system_with());
    dispatcher_->answer_with(core::Op::end, 0);
    RawClient client{port()};
    client.send(ok);
    EXPECT_EQ(client.read_end(), RawClient::End::reset);
    EXPECT_TRUE(notes_become({"submit", "finish"}));
}

TEST_F(FrontEndTest, BindsAtAcceptAndKeepsTheWorkerUntilTheConnectionCloses) {
    open(bound_at(BindPoint::accept));
    {
        RawClient client{port()};
        ASSERT_TRUE(notes_become({"bind"}));
        client.send(ok);
        EXPECT_EQ(status_of(client), 200);
        client.send(ok);
        EXPECT_EQ(status_of(client), 200);
    }
    EXPECT_TRUE(
        notes_become({"bind", "submit", "finish, keep", "submit", "finish, keep", "withdraw"}));
}

TEST_F(FrontEndTest, LetsTheWorkerGoWithTheLastAnswerOfAConnectionBoundAtAccept) {
    open(bound_at(BindPoint::accept));
    RawClient client{port()};
    client.send("GET /ok HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(status_of(client), 200);
    EXPECT_EQ(client.read_end(), RawClient::End::closed);
    EXPECT_TRUE(notes_become({"bind", "submit", "finish"}));
}

TEST_F(FrontEndTest, ReadsNothingBeforeTheWorkerIsBoundAtAccept) {
    open(bound_at(BindPoint::accept));
    dispatcher_->keep_waiting(true);
    RawClient client{port()};
    client.send("A : broken\r\n");
    EXPECT_TRUE(becomes([&] { return dispatcher_->waiting() == 1; }));
    EXPECT_TRUE(client.stays_silent(100));
    dispatcher_->keep_waiting(false);
    dispatcher_->release();
    EXPECT_EQ(status_of(client), 400);
    EXPECT_TRUE(notes_become({"bind", "withdraw"}));
}

TEST_F(FrontEndTest, Answers503UnreadWhereNoWorkerCouldBeBoundAtAccept) {
    open(bound_at(BindPoint::accept));
    dispatcher_->refuse_bind(true);
    RawClient client{port()};
    client.send(ok);
    EXPECT_EQ(status_of(client), 503);
    EXPECT_EQ(client.read_end(), RawClient::End::closed);
    EXPECT_TRUE(notes_become({"bind", "finish"}));
}

TEST_F(FrontEndTest, BindsAtTheHeadAndReadsTheBodyAfterwards) {
    open(bound_at(BindPoint::head));
    RawClient client{port()};
    client.send("POST /pay HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n");
    ASSERT_TRUE(notes_become({"bind"}));
    client.send("hello");
    EXPECT_EQ(status_of(client), 200);
    client.send(ok);  // no body: nothing to bind early for
    EXPECT_EQ(status_of(client), 200);
    EXPECT_TRUE(notes_become({"bind", "submit", "finish", "submit", "finish"}));
}

TEST_F(FrontEndTest, LetsTheWorkerGoWhenABodyDoesNotCome) {
    auto system = bound_at(BindPoint::head);
    system.server.body_timeout = 100ms;
    open(system);
    RawClient client{port()};
    client.send("POST /pay HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhel");
    EXPECT_EQ(status_of(client), 408);
    EXPECT_TRUE(notes_become({"bind", "withdraw"}));
}

TEST_F(FrontEndTest, CountsTheWaitForAWorkerAtTheHeadAsQueueNotAsParse) {
    open(bound_at(BindPoint::head));
    dispatcher_->keep_waiting(true);
    RawClient client{port()};
    client.send("POST /pay HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello");
    ASSERT_TRUE(becomes([&] { return dispatcher_->waiting() == 1; }));
    const auto waited = 300ms;
    std::this_thread::sleep_for(waited);
    dispatcher_->keep_waiting(false);
    dispatcher_->release();
    EXPECT_EQ(status_of(client), 200);
    const auto parse = dispatcher_->last_cursor().parts[static_cast<std::size_t>(Part::parse)];
    EXPECT_LT(parse, waited);
}

TEST_F(FrontEndTest, WithdrawsARequestWhoseClientBreaksOff) {
    open(system_with());
    dispatcher_->keep_waiting(true);
    RawClient client{port()};
    client.send(ok);
    ASSERT_TRUE(notes_become({"submit"}));
    client.reset();
    EXPECT_TRUE(notes_become({"submit", "withdraw"}));
    EXPECT_TRUE(becomes([&] { return front_end_->connections() == 0; }));
}

TEST_F(FrontEndTest, WaitsForAnExchangeThatAWorkerHasInHandWhenItsClientBreaksOff) {
    open(system_with());
    dispatcher_->keep_waiting(true);
    dispatcher_->keep_in_hand(true);
    RawClient client{port()};
    client.send(ok);
    ASSERT_TRUE(notes_become({"submit"}));
    client.reset();
    ASSERT_TRUE(notes_become({"submit", "withdraw"}));
    EXPECT_EQ(front_end_->connections(), 1u);
    dispatcher_->release();
    EXPECT_TRUE(notes_become({"submit", "withdraw", "finish"}));
    EXPECT_TRUE(becomes([&] { return front_end_->connections() == 0; }));
}

TEST_F(FrontEndTest, HoldsWhatComesWhileTheQueueIsFullAndServesItInOrderAfterwards) {
    open(system_with());
    RawClient first{port()}, second{port()};
    ASSERT_TRUE(becomes([&] { return front_end_->connections() == 2; }));
    dispatcher_->set_accepting(false);
    first.send(ok);
    EXPECT_TRUE(first.stays_silent(50));
    second.send(ok);
    EXPECT_TRUE(second.stays_silent(50));
    EXPECT_EQ(dispatcher_->notes(), Notes{});
    dispatcher_->set_accepting(true);
    EXPECT_EQ(status_of(first), 200);
    EXPECT_EQ(status_of(second), 200);
}

TEST_F(FrontEndTest, StopsAcceptingWhileTheQueueIsFullSoThatTheBacklogFills) {
    open(system_with());
    dispatcher_->set_accepting(false);
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 5; ++i) clients.push_back(std::make_unique<RawClient>(port()));
    // One accept was under way already.
    EXPECT_TRUE(becomes([&] { return front_end_->backlog() >= 4; }));
    EXPECT_LE(front_end_->connections(), 1u);
    dispatcher_->set_accepting(true);
    EXPECT_TRUE(becomes([&] { return front_end_->connections() == 5; }));
    for (auto& client : clients) {
        client->send(ok);
        EXPECT_EQ(status_of(*client), 200);
    }
    EXPECT_EQ(front_end_->backlog(), 0u);
}

TEST_F(FrontEndTest, AcceptsNoMoreThanItsLimitAndGoesOnWhenOneCloses) {
    open(system_with(), 2);
    auto first = std::make_unique<RawClient>(port());
    RawClient second{port()}, third{port()};
    ASSERT_TRUE(becomes([&] { return front_end_->connections() == 2; }));
    third.send(ok);
    EXPECT_TRUE(third.stays_silent(50));
    first.reset();
    EXPECT_EQ(status_of(third), 200);
}

TEST_F(FrontEndTest, WritesALargeAnswerToASlowClientToItsLastOctet) {
    open(system_with());
    dispatcher_->answer_with(core::Op::respond, 200, std::string(10'000'000, 'x'));
    RawClient client{port()};
    client.send(ok + ok);
    for (int i = 0; i < 2; ++i) {
        const auto answer = client.read_answer();
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->body.size(), 10'000'000u);
    }
}

TEST_F(FrontEndTest, KeepsTheWorkerUntilTheClientsKernelHasTheAnswerWhereItDrains) {
    for (const auto release : {ReleasePoint::buffered, ReleasePoint::drained}) {
        open(system_with([&](System& system) { system.server.release = release; }));
        // Fits into our kernel's buffer, not into the client's.
        dispatcher_->answer_with(core::Op::respond, 200, std::string(400'000, 'x'));
        RawClient client{port()};
        client.shrink_receive_buffer(65'536);
        client.send(ok);
        if (release == ReleasePoint::buffered) {
            EXPECT_TRUE(notes_become({"submit", "finish"}));
        } else {
            EXPECT_TRUE(notes_become({"submit"}));
            std::this_thread::sleep_for(200ms);
            EXPECT_EQ(dispatcher_->notes(), Notes{"submit"});
        }
        EXPECT_EQ(body_of(client).size(), 400'000u);
        EXPECT_TRUE(notes_become({"submit", "finish"}));
        front_end_.reset();
    }
}

TEST_F(FrontEndTest, GivesUpAClientThatDoesNotTakeItsAnswer) {
    open(system_with([](System& system) { system.server.body_timeout = 100ms; }));
    dispatcher_->answer_with(core::Op::respond, 200, std::string(20'000'000, 'x'));
    RawClient client{port()};
    client.shrink_receive_buffer(4'096);
    client.send(ok);
    EXPECT_TRUE(notes_become({"submit", "finish"}));
    EXPECT_TRUE(becomes([&] { return front_end_->connections() == 0; }));
}

TEST_F(FrontEndTest, TakesNewSettingsForTheNextRequestOfAnOpenConnection) {
    open(system_with());
    RawClient client{port()};
    client.send(ok);
    EXPECT_EQ(status_of(client), 200);
    auto system = system_with([](System& changed) {
        changed.server.keep_alive = false;
        changed.routes[1].size = Bytes{5};
        changed.network.no_delay = false;
        changed.network.backlog = 16;
    });
    front_end_->apply(testing::make_generation(std::move(system), 2));
    client.send("GET /fast HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body.size(), 5u);
    EXPECT_NE(answer->head.find("Connection: close"), std::string::npos);
}

TEST_F(FrontEndTest, SaysInWordsThatAPortIsTaken) {
    open(system_with());
    testing::FakeDispatcher other{completions_, generation_};
    CompletionQueue queue;
    const auto second = FrontEnd::open(
        {.port = port(), .generation = generation_, .dispatcher = &other, .completions = &queue});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::port_in_use);
    EXPECT_NE(second.error().detail.find(std::to_string(port())), std::string::npos);
}

TEST_F(FrontEndTest, OpensItsPortAgainAtOnceAfterAStop) {
    open(system_with());
    const auto taken = port();
    RawClient client{taken};
    client.send(ok);
    EXPECT_EQ(status_of(client), 200);
    front_end_->stop();
    auto again = FrontEnd::open({.port = taken,
                                 .generation = generation_,
                                 .dispatcher = dispatcher_.get(),
                                 .completions = &completions_});
    ASSERT_TRUE(again) << again.error().message();
    RawClient next{taken};
    next.send(ok);
    EXPECT_EQ(status_of(next), 200);
}

TEST_F(FrontEndTest, StopsWithinASecondInEveryState) {
    open(system_with());
    RawClient idle{port()}, half{port()}, queued{port()};
    half.send("GET /ok HT");
    dispatcher_->keep_waiting(true);
    queued.send(ok);
    ASSERT_TRUE(notes_become({"submit"}));
    ASSERT_TRUE(becomes([&] { return front_end_->connections() == 3; }));
    const auto begun = std::chrono::steady_clock::now();
    front_end_->stop();
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 1s);
    EXPECT_EQ(idle.read_end(), RawClient::End::closed);
    EXPECT_NE(queued.read_end(), RawClient::End::silent);
    EXPECT_EQ(front_end_->connections(), 0u);
    EXPECT_EQ(front_end_->backlog(), 0u);
}

TEST_F(FrontEndTest, WaitsAtAStopForWhatAWorkerHasInHand) {
    open(system_with());
    dispatcher_->keep_waiting(true);
    dispatcher_->keep_in_hand(true);
    RawClient client{port()};
    client.send(ok);
    ASSERT_TRUE(notes_become({"submit"}));
    front_end_->close();
    ASSERT_TRUE(notes_become({"submit", "withdraw"}));
    EXPECT_EQ(front_end_->connections(), 1u);
    dispatcher_->release();  // the workers are cancelled
    front_end_->stop();
    EXPECT_EQ(dispatcher_->notes(), (Notes{"submit", "withdraw", "finish"}));
}

TEST_F(FrontEndTest, RestsWhenDescriptorsRunOutAndServesAgainWhenThereAreSome) {
    open(system_with());
    RawClient first{port()};
    first.send(ok);
    EXPECT_EQ(status_of(first), 200);
    rlimit usual{};
    ::getrlimit(RLIMIT_NOFILE, &usual);
    // The client's socket is made before the limit falls on the server's.
    RawClient second{port()};
    ASSERT_TRUE(becomes([&] { return front_end_->connections() == 2; }));
    dispatcher_->set_accepting(false);
    RawClient third{port()}, fourth{port()};
    ASSERT_TRUE(becomes([&] { return front_end_->backlog() >= 1; }));
    const rlimit none{3, usual.rlim_max};  // fewer than there are
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    dispatcher_->set_accepting(true);
    rusage before{}, after{};
    ::getrusage(RUSAGE_SELF, &before);
    fourth.send(ok);
    EXPECT_TRUE(fourth.stays_silent(400));
    ::getrusage(RUSAGE_SELF, &after);
    second.send(ok);
    EXPECT_EQ(status_of(second), 200);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
    EXPECT_EQ(status_of(fourth), 200);
    const auto spent = [](const timeval& time) { return time.tv_sec * 1'000'000 + time.tv_usec; };
    EXPECT_LT(spent(after.ru_utime) - spent(before.ru_utime) + spent(after.ru_stime) -
                  spent(before.ru_stime),
              100'000);
}

TEST_F(FrontEndTest, ServesOnAmongManyIdleConnections) {
    open(system_with());
    std::vector<std::unique_ptr<RawClient>> idle;
    for (int i = 0; i < 400; ++i) idle.push_back(std::make_unique<RawClient>(port()));
    RawClient client{port()};
    client.send(ok);
    EXPECT_EQ(status_of(client), 200);
    EXPECT_TRUE(becomes([&] { return front_end_->connections() == 401; }));
    idle.clear();
    EXPECT_TRUE(becomes([&] { return front_end_->connections() == 1; }));
}

}  // namespace
}  // namespace lab::live
