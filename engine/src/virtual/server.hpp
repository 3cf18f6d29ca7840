// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/arrival_schedule.hpp"
#include "core/interpreter_lock.hpp"
#include "core/keyed_random.hpp"
#include "core/program.hpp"
#include "core/response_cache.hpp"
#include "core/slot_pool.hpp"
#include "lab/frame.hpp"
#include "lab/model.hpp"
#include "virtual/data.hpp"
#include "virtual/event_queue.hpp"
#include "virtual/prices.hpp"
#include "virtual/processors.hpp"

namespace lab::virtual_time {

using SessionId = std::uint32_t;
using ConnectionId = std::uint32_t;
inline constexpr std::uint32_t nobody = 0xffff'ffff;

/// A connection as the server knows it; `life` tells it from a later one in the same place.
struct SessionRef {
    SessionId place = nobody;
    std::uint32_t life = 0;
};

/// What the client is told, at the moment at which it sees it. Where the server closes or resets a
/// connection there is an event `cut_off` instead.
class ClientSide {
  public:
    virtual ~ClientSide() = default;
    /// The last byte of the answer is there: Server::reply() says what it is.
    virtual void answered(ConnectionId connection, SessionId session) = 0;
};

/// An answer, and what the server tells about the making of it.
struct Reply {
    std::uint16_t status = 200;
    bool closes = false;       ///< the server closes the connection after it
    bool tells_times = false;  ///< `received`, `ready` and the cursor's parts mean something
    std::uint32_t made_for = 0;
    Instant received{}, ready{};
};

/// The settings in force for a request from its beginning to its end. Immutable.
struct Generation {
    System system;
    std::vector<core::Program> programs;  ///< one for each route
    Prices prices;
};

/// The database connections of one worker.
struct Connections {
    core::SlotPool slots;
    std::uint32_t number = 0;        ///< among all that ever were
    Instant alarm = Instant::max();  ///< when somebody's patience is looked at
};

/// What the threads of one worker share. Settings that change make a new one from the parts that
/// stay; requests in hand keep the one that they began with.
struct Worker {
    std::shared_ptr<core::InterpreterLock> lock;
    std::shared_ptr<Connections> connections;
    std::shared_ptr<core::ResponseCache> cache;  ///< its own, or that of all; null: none
    bool cache_is_shared = false;
};

/// The server in virtual time: sessions, a front end, the admission queue, workers with threads,
/// locks, pools and caches, all by the policies and programs of core, on the cores of one host.
///
/// server.cpp: connections and requests, as the front end sees them; server_steps.cpp: the effects
/// of a program; server_settings.cpp: settings, workers and samples.
/// Threads: one at a time.
class Server {
  public:
    struct Options {
        System system;
        Load load;  ///< keys and their popularity: which rows change by themselves
        std::uint64_t seed = 42;
        int cores = 1;  ///< where the model leaves them to the computer
        Costs costs;
        bool tells_events = false;
        Instant start{};
    };
    Server(Timeline& time, Options options);
    void set_client(ClientSide& client) { client_ = &client; }

    // The client's side.

    /// A connection is asked for. Empty: the kernel's backlog is full, and the knock unheard.
    /// `life` comes back in events about the connection.
    [[nodiscard]] std::optional<SessionRef> knock(ConnectionId client, std::uint32_t life);
    /// The client writes a request; it arrives after the network's time.
    /// `keeps`: the client would ask again on this connection.
    void send(SessionRef session, const core::Planned& planned, bool keeps);
    /// The client closes.
    void hang_up(SessionRef session);
    /// Inside ClientSide::answered().
    [[nodiscard]] const Reply& reply(SessionId session) const { return at(session).reply; }
    [[nodiscard]] const core::Cursor& cursor(SessionId session) const { return at(session).cursor; }
    [[nodiscard]] const std::vector<std::uint64_t>& versions(SessionId session) const {
        return at(session).versions;
    }
    /// Which versions of its data an answer to a request for this route and key should be made
    /// from.
    [[nodiscard]] std::uint64_t committed(QueryKind query, std::uint64_t key) const {
        return data_.version(query, key);
    }
    [[nodiscard]] const Generation& generation() const { return *generations_.back(); }

    // The run's side.

    void handle(const Event& event);
    /// When a computation is done, or a core changes threads.
    [[nodiscard]] Instant cores_due() const { return cores_due_; }
    void handle_cores();
    /// Goes on with whatever became ready; after every event.
    void run_ready() {
        if (!ready_.empty()) drain_ready();
    }
    void apply(System system);
    /// Levels now; times and counts since the last call.
    [[nodiscard]] ServerSample sample();
    [[nodiscard]] std::vector<RequestEvent> take_events(std::uint64_t& left_out);
    /// EXPLAIN QUERY PLAN, one a query of the routes.
    [[nodiscard]] std::vector<std::string> plans() const;

  private:
    enum class State : std::uint8_t {
        free,
        in_backlog,  ///< not accepted yet
        held,        ///< before a full queue
        binding,     ///< waits for a worker; its request, if it is there, is not read
        idle,
        arriving,  ///< a request is on its way, or with the front end
        in_hand,   ///< with the workers
        answering,
    };
    struct Mark {
        std::string key;
        std::size_t versions = 0;
    };
    struct Session {
        std::uint32_t life = 0;   ///< counts uses of this place
        std::uint32_t token = 0;  ///< an event with another one is out of date
        ConnectionId client = nobody;
        std::uint32_t client_life = 0;
        State state = State::free;
        bool request_here = false;  ///< its bytes have come and are not read
        bool keeps = true;          ///< the client would ask again on this connection
        bool bind_at_accept = false;
        bool bound = false;          ///< holds a worker that waits for its request
        bool refused = false;        ///< gets a 503 for whatever it asks
        bool broken_off = false;     ///< the lock is let go because another thread asked for it
        bool hit = false;            ///< what the look-up in hand came to
        bool computes_next = false;  ///< when the wait is over, `then` is computed
        int slot = -1;
        int lease = -1;
        core::Planned planned;
        Instant read_at{};
        Instant idle_until{};
        SessionId idle_before = nobody, idle_after = nobody;  ///< neighbours among the idle
        const Generation* generation = nullptr;
        Worker* worker = nullptr;
        core::Cursor cursor;
        core::Effect effect;
        Duration then{};
        Reply reply;
        std::uint64_t body = 0;
        std::vector<std::uint64_t> versions;
        std::vector<Mark> marks;
    };
    struct Seat {
        SessionId session = nobody;
        std::uint64_t request = 0;
        Instant held_since{};
        Duration held_time{}, sampled{};
    };
    struct Job {
        SessionId session = nobody;
        bool answers = false;  ///< else reads
    };
    /// Of one route: where its address holds what, which is what makes cache keys differ.
    struct Address {
        bool key_in_path = false, key_in_query = false, user_in_query = false;
    };
    struct Ready {
        SessionId session;
        core::Outcome outcome;
    };
    using Answer = std::optional<core::Outcome>;

    // Not checked: ids are our own, and each request asks some thirty times.
    [[nodiscard]] Session& at(SessionId id) { return *sessions_.data()[id]; }
    [[nodiscard]] const Session& at(SessionId id) const { return *sessions_.data()[id]; }
    [[nodiscard]] core::Outcome outcome(core::Fault fault = core::Fault::none) const {
        core::Outcome made;
        made.now = time_.now;
        made.fault = fault;
        return made;
    }
    void ready(SessionId id, const core::Outcome& outcome) {
        ++at(id).token;
        ready_.push_back({id, outcome});
    }
    void drain_ready();

    // Connections and requests.
    SessionId make_session(ConnectionId client, std::uint32_t life);
    void cut_off(SessionId id);
    void accept(SessionId id);
    void accept_more();
    [[nodiscard]] bool full() const;
    [[nodiscard]] bool accepting() const { return held_.empty() && !full(); }
    [[nodiscard]] const lab::Server& rules() const { return generation().system.server; }
    [[nodiscard]] const Costs& costs() const { return generation().prices.each(); }
    void request_here(SessionId id);
    void read_request(SessionId id);
    void request_read(SessionId id);
    void ask_for_worker(SessionId id);
    void submit(SessionId id);
    void enter(SessionId id);
    void turn_away(SessionId id);
    void refuse(SessionId id, core::Fault fault);
    void admit_held();
    void worker_bound(SessionId id);
    void hung_up(SessionId id);
    void respond(SessionId id);
    void answer_without_worker(SessionId id, std::uint16_t status);
    void write_answer(SessionId id);
    void delivered(SessionId id);
    void forget(SessionId id);
    void become_idle(SessionId id);
    void leave_idle(SessionId id);
    void close_idle();
    void front_end(const Job& job);
    void begin_job(const Job& job);
    void next_job();
    void do_job(const Job& job);
    [[nodiscard]] Duration price_of(const Job& job) const;

    // Workers and steps.
    void grant(SessionId id, int slot, bool thread_sleeps);
    void let_go(SessionId id);
    void drive(SessionId id, core::Outcome outcome);
    Answer perform(SessionId id, Session& s);
    Answer acquire(SessionId id, Session& s);
    void release(SessionId id, Session& s);
    void release_lock(Session& s);
    void release_connection(Session& s);
    void count_pool();
    Answer compute(Session& s, Duration cost);
    Answer sleep(SessionId id, Session& s, Duration time, Duration then);
    Answer spend(Session& s);
    Answer look_up(Session& s);
    Answer store(Session& s);
    void write_key(std::string& key, const Session& s) const;
    void computed(SessionId id);
    void lock_asked(SessionId id);
    void lock_woken(SessionId id);
    void expire_queue();
    void expire_pool(std::uint32_t number);
    void set_queue_alarm();
    void set_pool_alarm(Connections& pool);
    [[nodiscard]] core::Outcome completed(Session& s);
    void resumed(SessionId id);
    void put_to_work(SessionId id, bool thread_sleeps);
    void change_row();
    void cores_changed() { cores_due_ = cores_.next(); }
    void tell(RequestEvent::Kind kind, const Session& s);

    // Settings.
    void make_generation(System system);
    void rebuild_workers();
    [[nodiscard]] std::unique_ptr<Worker> make_worker(const Worker* old);
    void resize();
    void arm_changes();
    [[nodiscard]] Processors::Options cores_options(const Host& host) const;
    void sample_seats(ServerSample& out);
    void sample_workers(ServerSample& out);

    Timeline& time_;
    ClientSide* client_ = nullptr;
    Options options_;
    std::vector<std::unique_ptr<Generation>> generations_;  ///< the last is in force
    std::vector<Address> addresses_;
    Data data_;

    std::vector<std::unique_ptr<Session>> sessions_;
    std::vector<SessionId> free_sessions_;
    std::uint32_t open_ = 0;  ///< accepted
    std::deque<SessionId> backlog_;
    std::deque<SessionId> held_;
    SessionId idle_first_ = nobody, idle_last_ = nobody;
    Instant idle_alarm_ = Instant::max();

    std::deque<Job> jobs_;
    Job job_;
    bool front_end_busy_ = false;

    core::SlotPool slots_;
    Instant queue_alarm_ = Instant::max();
    std::vector<Seat> seats_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::unique_ptr<Worker>> retired_;     ///< requests may still hold them
    std::vector<std::shared_ptr<Connections>> pools_;  ///< every one that ever was
    std::shared_ptr<core::ResponseCache> shared_cache_;
    Processors cores_;
    Instant cores_due_ = Instant::max();
    std::vector<Ready> ready_;
    std::uint64_t lots_ = 0;  ///< drawn for who is woken at an interpreter lock
    std::string key_;

    core::ZipfSampler changed_keys_;
    std::uint64_t changed_ = 0;
    std::uint32_t changes_token_ = 0;

    std::vector<RequestEvent> events_;
    std::uint64_t events_left_out_ = 0;
    struct {
        Instant at{};
        Duration workers{}, front_end{};
        std::uint64_t hits = 0, misses = 0, evictions = 0, changes = 0;
    } sampled_;
    Duration pool_busy_{};
    Instant pool_counted_{};
    int pool_in_use_ = 0;
    std::uint64_t hits_ = 0, misses_ = 0, evictions_ = 0;
};

}  // namespace lab::virtual_time
