// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/keyed_random.hpp"
#include "core/worker_lives.hpp"
#include "core/worker_slots.hpp"
#include "virtual/data.hpp"
#include "virtual/event_queue.hpp"
#include "virtual/processors.hpp"
#include "virtual/server_parts.hpp"

namespace lab::virtual_time {

/// The server in virtual time: sessions, a front end, the admission queue, workers with threads or
/// event loops, locks, pools and caches, all by the policies and programs of core, on the cores of
/// one host.
///
/// server.cpp: connections and requests, as the front end sees them; server_workers.cpp: their way
/// to a worker; server_lives.cpp: how workers come and go; server_steps.cpp: the effects of a
/// program; server_loops.cpp: turns, thread pools and branches; server_data.cpp: database and
/// cache; server_settings.cpp: settings and samples.
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
    [[nodiscard]] std::optional<SessionRef> knock(ConnectionId client, std::uint32_t life,
                                                  const Pace& pace);
    /// The client writes a request; it arrives after the network's time.
    /// `keeps`: the client would ask again on this connection.
    void send(SessionRef session, const core::Planned& planned, std::uint8_t language, bool keeps);
    /// The client closes.
    void hang_up(SessionRef session);
    /// Inside ClientSide::answered().
    [[nodiscard]] const Reply& reply(SessionId session) const { return at(session).reply; }
    [[nodiscard]] const core::Cursor& cursor(SessionId session) const {
        return at(session).task.cursor;
    }
    [[nodiscard]] const std::vector<std::uint64_t>& versions(SessionId session) const {
        return at(session).task.versions;
    }
    /// Which version of its data the answer to a question should at least be made from.
    [[nodiscard]] std::uint64_t committed(const core::AskedQuery& asked, std::uint64_t key) const {
        return data_.committed(asked, key);
    }
    [[nodiscard]] const Generation& generation() const { return *generations_.back(); }

    // The run's side.

    void handle(const Event& event);
    /// When a computation is done, or a core changes threads.
    [[nodiscard]] Instant cores_due() const { return cores_due_; }
    void handle_cores();
    /// Goes on with whatever became ready; after every event.
    void run_ready() {
        if (!ready_.empty() || !loops_due_.empty() || !doomed_.empty()) drain_ready();
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
    struct Session {
        std::uint32_t life = 0;  ///< counts uses of this place
        ConnectionId client = nobody;
        std::uint32_t client_life = 0;
        State state = State::free;
        bool request_here = false;  ///< its bytes have come and are not read
        bool keeps = true;          ///< the client would ask again on this connection
        bool bind_at_accept = false;
        bool bound = false;            ///< holds a worker that waits for its request
        bool refused = false;          ///< gets a 503 for whatever it asks
        bool worker_leaves = false;    ///< its connection ends with the next answer
        bool answered_before = false;  ///< since it was accepted
        int slot = -1;                 ///< of the workers, or of its loop's places
        int home = core::WorkerSlots::nowhere;  ///< the worker that accepted it (dispatch ahead)
        int served_by = -1;                     ///< the worker whose request it counts as
        LoopId loop = nobody;                   ///< that it belongs to
        Pace pace;
        core::Planned planned;
        std::uint8_t language = 0;
        Instant first_byte{};  ///< of a request that comes slowly
        Instant read_at{};
        Instant idle_until{};
        SessionId idle_before = nobody, idle_after = nobody;  ///< neighbours among the idle
        Reply reply;
        Task task;
    };
    struct Seat {
        SessionId session = nobody;
        std::uint64_t request = 0;
        ThreadId thread = 0;
        LoopId branches = nobody;  ///< the loop that an async view has to itself
        Instant held_since{};
        Duration held_time{}, sampled{};
    };
    struct Job {
        SessionId session = nobody;
        bool answers = false;    ///< else reads
        std::uint32_t life = 0;  ///< of the session
    };
    /// Of one route: where its address holds what, which is what makes cache keys differ.
    struct Address {
        bool key_in_path = false, key_in_query = false, user_in_query = false;
    };
    /// Counts what happens to a cache while it lives.
    struct CacheWatch {
        CacheWatch(Server& its_server, const core::CacheDesk& its_cache)
            : server{its_server},
              cache{its_cache},
              before{its_cache.counts()},
              evictions{its_cache.evictions()} {}
        ~CacheWatch();
        CacheWatch(const CacheWatch&) = delete;
        CacheWatch& operator=(const CacheWatch&) = delete;
        Server& server;
        const core::CacheDesk& cache;
        const core::CacheDesk::Counts before;
        const std::uint64_t evictions;
    };
    struct Ready {
        TaskId task;
        core::Outcome outcome;
    };
    using Answer = std::optional<core::Outcome>;
    static constexpr TaskId branch_bit = 0x8000'0000;

    // Not checked: ids are our own, and each request asks some thirty times.
    [[nodiscard]] Session& at(SessionId id) { return *sessions_.data()[id]; }
    [[nodiscard]] const Session& at(SessionId id) const { return *sessions_.data()[id]; }
    [[nodiscard]] Task& task(TaskId id) {
        if ((id & branch_bit) != 0) return *branches_.data()[id & ~branch_bit];
        return at(id).task;
    }
    [[nodiscard]] Loop& loop(LoopId id) { return *loops_.data()[id]; }
    [[nodiscard]] Seat& seat(int slot) { return seats_.data()[static_cast<std::size_t>(slot)]; }
    [[nodiscard]] core::Outcome outcome(core::Fault fault = core::Fault::none) const {
        core::Outcome made;
        made.now = time_.now;
        made.fault = fault;
        return made;
    }
    void ready(TaskId id, const core::Outcome& outcome) {
        ++task(id).token;
        ready_.push_back({id, outcome});
    }
    void drain_ready();

    void handle_session(const Event& event);

    // Connections and requests.
    SessionId make_session(ConnectionId client, std::uint32_t life);
    void cut_off(SessionId id);
    void accept(SessionId id);
    void accept_more();
    [[nodiscard]] bool full() const;
    [[nodiscard]] bool accepting() const { return held_.empty() && !full(); }
    [[nodiscard]] bool on_loops() const { return rules().execution != Execution::threads; }
    [[nodiscard]] Duration network_time() const {
        return costs().network + generation().system.network.delay;
    }
    [[nodiscard]] const lab::Server& rules() const { return generation().system.server; }
    [[nodiscard]] const Costs& costs() const { return generation().prices.each(); }
    void request_here(SessionId id);
    void read_request(SessionId id);
    void request_read(SessionId id);
    void slow_request(SessionId id);
    void hung_up(SessionId id);
    void respond(SessionId id);
    void answer_without_worker(SessionId id, std::uint16_t status);
    void write_answer(SessionId id);
    void delivered(SessionId id);
    void seen(SessionId id);
    [[nodiscard]] Duration reading_time(const Session& s, bool in_kernel) const;
    void forget(SessionId id);
    void become_idle(SessionId id);
    void leave_idle(SessionId id);
    void close_idle();
    void front_end(SessionId id, bool answers);
    void begin_job(const Job& job);
    void next_job();
    void do_job(const Job& job);
    [[nodiscard]] Duration price_of(const Job& job) const;

    // The way to a worker.
    void ask_for_worker(SessionId id);
    void submit(SessionId id);
    void enter(SessionId id);
    void enter_loop(SessionId id);
    [[nodiscard]] bool find_home(Session& s);
    [[nodiscard]] LoopId loop_of(Session& s);
    void hold(SessionId id, bool in_front);
    void turn_away(SessionId id);
    void refuse(SessionId id, core::Fault fault);
    void admit_held();
    void admit_from_outside(LoopId id);
    void worker_bound(SessionId id);
    void grant(SessionId id, int slot, bool thread_sleeps);
    void put_to_work(SessionId id, bool thread_sleeps);
    void let_go(SessionId id);
    void leave_place(SessionId id);
    void take_worker(Task& t, Worker* worker);
    void leave_worker(Task& t);
    void expire_queue();
    void set_queue_alarm();

    // The lives of workers.
    void look_after_workers();
    void carry_out(const std::vector<core::WorkerLives::Order>& orders);
    void kill(int worker);
    void kill_doomed();
    void send_away(int worker);
    void end_soon(SessionId id);
    void look_whether_left(int worker);
    void renew(int worker);
    void count_end(Session& s);
    void break_off(SessionId id);
    void drop_task(TaskId id);
    [[nodiscard]] std::vector<core::WorkerLives::Look> looks() const;
    [[nodiscard]] std::vector<bool> stopped_workers() const;
    void set_lives_alarm();
    void sample_lives(ServerSample& out);

    // Steps.
    void drive(TaskId id, core::Outcome outcome);
    Answer perform(TaskId id, Task& t);
    Answer acquire(TaskId id, Task& t);
    Answer release(TaskId id, Task& t);
    void release_lock(Task& t);
    Answer compute(TaskId id, Task& t, Duration cost);
    Answer sleep(TaskId id, Task& t, Duration time, Duration then);
    Answer spend(TaskId id, Task& t);
    void computed(ThreadId thread);
    void lock_asked(TaskId id);
    void lock_woken(TaskId id);
    [[nodiscard]] core::Outcome completed(TaskId id, Task& t);
    void resumed(TaskId id);
    void wake_later(TaskId id);
    void cores_changed() { cores_due_ = cores_.next(); }
    void tell(RequestEvent::Kind kind, const Session& s);
    void finish_task(Task& t, TaskId id);

    // Turns, thread pools and branches.
    [[nodiscard]] bool has_turn(TaskId id, const Task& t) {
        return t.loop != nobody && loop(t.loop).current == id;
    }
    void leave_turn(TaskId id, Task& t);
    void await_turn(TaskId id, Task& t, Task::Waits what, Instant due);
    void wake_on_loop(TaskId id, Task& t, core::Fault fault);
    void nudge(LoopId id, Instant due);
    void wake_loop_at(LoopId id, Instant at);
    void run_loop(LoopId id);
    [[nodiscard]] core::Outcome take_up(Task& t, Instant due);
    void rest(LoopId id);
    void start_on_loop(SessionId id);
    Answer acquire_token(TaskId id, Task& t);
    void on_pool_thread(TaskId id, int slot, bool thread_sleeps);
    void leave_pool_thread(TaskId id, Task& t);
    [[nodiscard]] ThreadId take_thread();
    TaskId make_branch(TaskId parent, std::uint32_t index, LoopId loop);
    void start_branches(TaskId id, Task& t);
    void end_branch(TaskId id);
    void abandon(TaskId id);
    void stop_waiting(TaskId id, Task& t);
    void cancel_step(TaskId id, Task& t, core::Outcome& outcome);
    core::Fault collect_branches(Task& parent);
    [[nodiscard]] std::unique_ptr<Loop> make_loop(bool of_worker);
    void resize_loops();
    void sample_loops(ServerSample& out);

    // Database and cache.
    Answer acquire_connection(TaskId id, Task& t);
    void release_connection(Task& t);
    void connection_granted(TaskId id, int slot, bool opens);
    void pass_connection(const core::Wake& wake, bool opens);
    void count_pool();
    void expire_pool(std::uint32_t number);
    void set_pool_alarm(Connections& pool);
    Answer acquire_write_lock(TaskId id, Task& t);
    void pass_write_lock();
    void commit_row();
    void release_write_lock(Task& t);
    void expire_writers();
    void set_write_alarm();
    Answer query(TaskId id, Task& t);
    Answer begin_query(TaskId id, Task& t);
    void queried(Task& t, core::Outcome& made);
    void query_over(TaskId id);
    void note_rows(Task& t, const core::AskedQuery& asked);
    Answer look_up(TaskId id, Task& t);
    void take_in(Task& t, const core::CachedAnswer& found);
    Answer await_entry(TaskId id, Task& t);
    Answer store(TaskId id, Task& t);
    Answer drop_entries(TaskId id, Task& t);
    void wake_waiting(const std::vector<core::Ticket>& waiting);
    void give_up_entries(Task& t);
    void write_key(std::string& key, const Task& t) const;
    void change_row();

    // Settings.
    void make_generation(System system);
    void rebuild_workers();
    [[nodiscard]] std::unique_ptr<Worker> make_worker(const Worker* old);
    void make_connections(Worker& made);
    void retire(std::unique_ptr<Worker> worker);
    void resize();
    void begin_change();
    void end_change();
    void arm_changes();
    [[nodiscard]] static WorkerState state_of(const core::Effect& effect);
    [[nodiscard]] Processors::Options cores_options(const System& system) const;
    [[nodiscard]] WorkerState state_without_request(int worker) const;
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

    core::WorkerSlots slots_;
    core::WorkerLives lives_;
    std::vector<int> doomed_;  ///< workers over their memory limit
    bool changing_ = false;  ///< slots_ is made anew as soon as nobody holds one
    Instant queue_alarm_ = Instant::max();
    Instant lives_alarm_ = Instant::max();
    std::vector<Seat> seats_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::unique_ptr<Worker>> retired_;     ///< tasks still hold them
    std::vector<std::shared_ptr<Connections>> pools_;  ///< by number; null: none has it
    std::shared_ptr<core::CacheDesk> shared_cache_;

    std::vector<std::unique_ptr<Loop>> loops_;  ///< by worker, or by async views' threads
    std::size_t loop_turn_ = 0;                 ///< who is looked at first for a new connection
    std::vector<LoopId> loops_due_;
    std::vector<std::unique_ptr<Task>> branches_;
    std::vector<TaskId> free_branches_;
    std::vector<std::uint32_t> lags_;  ///< buckets of the lags in this frame

    Processors cores_;
    Instant cores_due_ = Instant::max();
    std::vector<TaskId> running_;  ///< by thread: whose step it has in hand
    std::vector<ThreadId> free_threads_;
    std::vector<Ready> ready_;
    std::uint64_t lots_ = 0;  ///< drawn for who is woken at an interpreter lock
    std::string key_;

    core::SlotPool writers_{{.slots = 1, .queue_capacity = 1'000'000}};
    Instant write_alarm_ = Instant::max();
    core::ZipfSampler changed_keys_;
    std::uint64_t changed_ = 0, row_writers_ = 0;
    std::uint32_t changes_token_ = 0;

    std::vector<RequestEvent> events_;
    std::uint64_t events_left_out_ = 0;
    struct {
        Instant at{};
        Duration workers{}, front_end{};
        std::uint64_t changes = 0;
        core::WorkerLives::Counts lives;
    } sampled_;
    Duration pool_busy_{};
    Instant pool_counted_{};
    int pool_in_use_ = 0;
    DatabaseCounts database_;      ///< in this frame
    core::CacheDesk::Counts cache_;  ///< in this frame
    std::uint64_t evictions_ = 0;
};

}  // namespace lab::virtual_time
