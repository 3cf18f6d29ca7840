# SPDX-License-Identifier: GPL-3.0-or-later
"""The same small application under the real servers and under our presets, by the same generator."""
import argparse
import fnmatch
import os
import pathlib
import signal
import sys
import time

import measure
import products
import report
import servers

ROOT = pathlib.Path(__file__).resolve().parents[3]


def arguments():
    parser = argparse.ArgumentParser(prog="./lab bench fidelity", description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--full", action="store_true",
                        help="every server with every handler, three runs each: about four hours")
    parser.add_argument("--only", default="", metavar="SERVER:HANDLER,...",
                        help="these alone; * and ? as in file names; the handler may be left out")
    parser.add_argument("--again", action="store_true", help="measure what is there already, too")
    parser.add_argument("--seconds", type=float, default=2.5, help="measured for each cell, at least")
    parser.add_argument("--minutes", type=float, default=28,
                        help="no new group begins after these (not with --full); run again to go on")
    parser.add_argument("--users", default="", help="such as 1,16: these alone")
    parser.add_argument("--real", action="store_true", help="the real servers alone")
    parser.add_argument("--report", action="store_true", help="measure nothing: what there is")
    parser.add_argument("--write-readme", action="store_true", help="put the table into the README")
    return parser.parse_args()


def chosen(options):
    """The groups (server, handler) that are wanted."""
    patterns = [p if ":" in p else p + ":*" for p in options.only.split(",") if p]
    for server in servers.all_servers():
        for handler in server.handlers:
            if patterns:
                wanted = any(fnmatch.fnmatch(f"{server.name}:{handler}", p) for p in patterns)
            else:
                wanted = options.full or handler in server.subset
            if wanted:
                yield server, handler


def with_bases(groups):
    """Each group after what it is compared with."""
    by_name = {server.name: server for server in servers.all_servers()}
    complete = []
    for server, handler in groups:
        for one in ([(by_name[server.base], handler)] if server.base else []) + [(server, handler)]:
            if one[0].name not in [s.name for s, h in complete if h == handler]:
                complete.append(one)
    return complete


def present(groups):
    """Those whose program is installed; says which are not."""
    absent = {}
    for server, _ in groups:
        if server.name not in absent:
            absent[server.name] = servers.missing(server)
            if absent[server.name]:
                print(f"  left out: {server.name} needs {', '.join(absent[server.name])}")
    by_name = {server.name: server for server, _ in groups}
    return [(s, h) for s, h in groups
            if not absent[s.name] and not (s.base in by_name and absent.get(s.base))]


def settings_of(bench, server, handler):
    """What a request costs is that of one worker: with more of them only their number differs."""
    if server.base:
        server = next(s for s in servers.all_servers() if s.name == server.base)
    return bench.settings(server, handler)


def measure_group(bench, results, server, handler, users, options):
    """The real server and ours by turns; the real one twice, or three times where it varies."""
    for repeat in range(1, 4):
        if repeat == 3 and not options.full and not results.real_spread(server, handler):
            break
        bench.real(server, handler, repeat, users)
        if not options.real and (repeat == 1 or options.full):
            bench.ours(server, handler, settings_of(bench, server, handler), repeat, users)


def warn_of_others():
    """A shared machine makes every figure larger, and not both sides alike."""
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"  others are at work here (load average {load:.1f}): these figures are weather")


def measure_all(groups, bench, results, users, options):
    """True when nothing is left."""
    begun = time.monotonic()
    for number, (server, handler) in enumerate(groups, 1):
        minutes = (time.monotonic() - begun) / 60
        if minutes > options.minutes and not options.full:
            print(f"  {options.minutes:g} minutes are over, {len(groups) - number + 1} groups are "
                  "left: run it again to go on")
            return False
        print(f"  {number}/{len(groups)} {server.name} {handler} ({minutes:.0f} min)", flush=True)
        try:
            measure_group(bench, results, server, handler, users, options)
        except RuntimeError as error:
            print(f"  FAILED: {server.name} {handler}: {error}", flush=True)
    return True


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers end, too
    store = measure.Store(options.build / "fidelity")
    products.make(str(store.folder / "products.sqlite"))
    groups = present(with_bases(chosen(options)))
    if not groups:
        print("  nothing to measure: no such server, or none is installed")
        return 1
    if options.again:
        for server, handler in groups:
            store.forget(f"{server.name}.{handler}.")
            store.forget(f"{server.name}.hello.")
    users = [int(u) for u in options.users.split(",") if u] or measure.USERS
    users = sorted({1, *users})
    bench = measure.Bench(str(options.build / "bin" / "latency-lab"), store, options.seconds,
                          lambda text: print(text, flush=True))
    results = report.Results(store, 3)
    if not options.report:
        warn_of_others()
        measure_all(groups, bench, results, users, options)
    compared = list(results.compared(groups))
    if not compared:
        print("  nothing to compare yet")
        return 0 if options.real else 1
    report.print_table(compared)
    met = report.verdicts(compared)
    if options.write_readme:
        report.write_readme(ROOT / "README.md", compared)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
