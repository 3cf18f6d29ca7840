// SPDX-License-Identifier: GPL-3.0-or-later
// [host] and [costs]: the machine that virtual time runs on.
#include "model/table_rows.hpp"

namespace lab::names {

void add_host(std::vector<Row>& t) {
    using enum ValueKind;
    t.push_back(row(ranged(count, "host.cores", "Cores", 0, 1'024,
                           "Cores that the server's threads share; 0 means as many as this "
                           "computer has. Another number exists in virtual time only."),
                    LAB_FIELD(p.model->system.host.cores)));
    t.push_back(row(one_of("host.scheduling", "Threads share cores", {"shared", "slices"},
                           {"all at once, in equal shares", "one after the other, a slice each"},
                           "How runnable threads share the cores in virtual time."),
                    LAB_FIELD(p.model->system.host.scheduling)));
    t.push_back(row(ranged(duration, "host.slice", "Time slice", 10 * us, 1 * s,
                           "With slices: the longest turn of a thread while others wait."),
                    LAB_FIELD(p.model->system.host.slice)));
    t.push_back(row(ranged(duration, "host.switch_cost", "Context switch", 0, 10 * ms,
                           "With slices: CPU time lost where a core goes to another thread."),
                    LAB_FIELD(p.model->system.host.switch_cost)));
}

void add_costs(std::vector<Row>& t) {
    using enum ValueKind;
    t.push_back(row(yes_no("costs.fixed", "Costs are fixed",
                           "Virtual time: the costs below count, whatever `latency-lab calibrate` "
                           "measured on this computer. The live engine pays the real price."),
                    LAB_FIELD(p.model->system.costs.fixed)));
#define LAB_COST(name, label, meaning)                                      \
    t.push_back(row(ranged(duration, "costs." #name, label, 0, 1 * s, meaning), \
                    LAB_FIELD(p.model->system.costs.name)))
    LAB_COST(network, "Network, one way", "One way between client and server.");
    LAB_COST(connect, "New connection", "Until a new connection may be used.");
    LAB_COST(parse, "Reading a request", "CPU time of the front end for each request.");
    LAB_COST(answer, "Writing an answer", "CPU time of the front end for each answer.");
    LAB_COST(body_kb, "Each kB of body", "CPU time for each 1,000 bytes of a body.");
    LAB_COST(hand_off, "Waking a thread", "Until a sleeping thread runs that was given work.");
    LAB_COST(wake, "Late waking", "How much later than asked for a sleep ends.");
    LAB_COST(query, "A query", "CPU time of a query but for its rows.");
    LAB_COST(scan_row, "Each row scanned", "CPU time for each row that a scan compares.");
    LAB_COST(read_row, "Each row read", "CPU time for each row that a query returns.");
    LAB_COST(update, "A row changed", "CPU time of changing a row and committing it.");
    LAB_COST(render, "A template", "CPU time of rendering a template but for its rows.");
    LAB_COST(render_row, "Each row rendered", "CPU time for each row that a template shows.");
    LAB_COST(cache, "Asking the cache", "CPU time of one look-up or store.");
#undef LAB_COST
}

}  // namespace lab::names
