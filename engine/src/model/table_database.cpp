// SPDX-License-Identifier: GPL-3.0-or-later
// [database] and [network].
#include "model/table_rows.hpp"

namespace lab::names {
namespace {

/// SQLAlchemy's QueuePool, with its defaults, and the limits of what a connection may wait for.
void add_connections(std::vector<Row>& t) {
    using enum ValueKind;
    t.push_back(row(ranged(count, "database.pool", "Connections per worker", 1, 64,
                           "Database connections that each worker keeps open.",
                           "create_engine(url, pool_size={})"),
                    LAB_FIELD(p.model->system.database.pool)));
    t.push_back(row(ranged(count, "database.overflow", "Overflow connections", 0, 64,
                           "Connections that each worker may open beyond those; they are closed "
                           "when they come back.",
                           "create_engine(url, max_overflow={})"),
                    LAB_FIELD(p.model->system.database.overflow)));
    t.push_back(
        row(ranged(duration, "database.pool_timeout", "Longest wait for a connection", 0, 600 * s,
                   "Longest wait for a database connection, then 500; 0 s means no limit.",
                   "create_engine(url, pool_timeout=SECONDS)"),
            LAB_FIELD(p.model->system.database.pool_timeout)));
    t.push_back(row(ranged(duration, "database.query_timeout", "Longest time of a query", 0,
                           600 * s, "A query that runs longer ends in 500; 0 s means no limit.",
                           R"(connect_args={"options": "-c statement_timeout=MILLISECONDS"})"),
                    LAB_FIELD(p.model->system.database.query_timeout)));
    t.push_back(
        row(ranged(duration, "database.lock_timeout", "Longest wait for the write lock", 0, 600 * s,
                   "One transaction writes at a time; another that waits longer ends in "
                   "500; 0 s means no limit.",
                   R"(connect_args={"timeout": SECONDS}, of SQLite)"),
            LAB_FIELD(p.model->system.database.lock_timeout)));
}

}  // namespace

void add_database(std::vector<Row>& t) {
    using enum ValueKind;
    t.push_back(row(ranged(count, "database.products", "Products", 400, 1'000'000,
                           "Rows of the product table."),
                    LAB_FIELD(p.model->system.database.products)));
    t.push_back(
        row(yes_no("database.index", "Index", "An index on the product's code and on its category.",
                   "sku = db.Column(db.String, index=True)"),
            LAB_FIELD(p.model->system.database.index)));
    t.push_back(row(ranged(count, "database.price_indexes", "Indexes on the price", 0, 8,
                           "Indexes that hold the price, the first on it alone: every write "
                           "changes them all.",
                           "price = db.Column(db.Integer, index=True)"),
                    LAB_FIELD(p.model->system.database.price_indexes)));
    t.push_back(row(one_of("database.access", "Way to the rows", {"planner", "index", "scan"},
                           {"as the planner chooses", "by index", "by a scan"},
                           "How rows are found where there is an index for them: as SQLite's "
                           "planner chooses, always by it, or never."),
                    LAB_FIELD(p.model->system.database.access)));
    add_connections(t);
    t.push_back(row(ranged(duration, "database.round_trip", "Round trip to the database", 0, 60 * s,
                           "Added to every query, as to a database on another machine."),
                    LAB_FIELD(p.model->system.database.round_trip)));
    t.push_back(row(ranged(duration, "database.replica_lag", "Replica is behind by", 0, 60 * s,
                           "Reads go to a copy that takes up each change this long after it; 0 s "
                           "means no copy.",
                           R"(app.config["SQLALCHEMY_BINDS"] = {"replica": url})"),
                    LAB_FIELD(p.model->system.database.replica_lag)));
    t.push_back(row(ranged(rate, "database.updates", "Rows changed", 0, 1'000,
                           "Rows changed per second behind the application's back."),
                    LAB_FIELD(p.model->system.database.updates)));
    t.push_back(row(ranged(count, "network.backlog", "Kernel backlog", 1, 4'096,
                           "Connections that the kernel holds until they are accepted.",
                           "gunicorn --backlog {} app:app"),
                    LAB_FIELD(p.model->system.network.backlog)));
    t.push_back(row(yes_no("network.no_delay", "Send at once",
                           "TCP_NODELAY; without it Nagle's rule meets delayed acknowledgements."),
                    LAB_FIELD(p.model->system.network.no_delay)));
    t.push_back(row(ranged(duration, "network.delay", "Network delay", 0, 2 * s,
                           "Each way takes this much longer, and a new connection one more round "
                           "trip; added in the client, not in the kernel."),
                    LAB_FIELD(p.model->system.network.delay)));
}

}  // namespace lab::names
