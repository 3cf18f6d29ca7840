# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of the load generator, its result kept in a file, and the calibration of our steps."""
import json
import os
import statistics
import subprocess
import time

import process

USERS = [1, 4, 16, 64]
KEYED = {"index", "scan", "nplus1", "join", "uncached", "cached"}
ROWS = {"render": 200, "uncached": 20, "cached": 20}  # rendered, where a handler renders
# What these cost beside the framework is stated, not measured.
STATED = {"hello", "wait", "burn", "await", "block"}
WANTED_ANSWERS = 110  # below 100 a p99 is the longest of them


def path_of(handler):
    return f"/{handler}/7" if handler in KEYED else f"/{handler}"


class Store:
    """Results by name, one file each; what is there is not measured again."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def _file(self, name):
        return self.folder / f"{name}.json"

    def get(self, name):
        try:
            return json.loads(self._file(name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def put(self, name, value):
        unfinished = self.folder / f"{name}.unfinished"
        unfinished.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
        os.replace(unfinished, self._file(name))
        return value

    def forget(self, beginning):
        for file in self.folder.glob(f"{beginning}*.json"):
            file.unlink()


def cell_name(server, handler, users, side, repeat):
    return f"{server}.{handler}.u{users}.{side}{repeat}"


def sequential_rate(url, asked=5):
    """Answers a second of one user: sets the length of the first run."""
    begun = time.monotonic()
    for _ in range(asked):
        process.get(url)
    return asked / (time.monotonic() - begun)


def lengths(users, rate, seconds):
    """Warm-up and length in seconds. `rate` is that of fewer users: with more it is no lower, or not
    by much, so that a request takes at most about users / rate."""
    longest = 1.3 * users / rate
    warm_up = min(max(0.5, longest), 6.0)
    # Where answers are too few even so, the longest wait of a serial server must fit in twice.
    return warm_up, min(max(seconds, WANTED_ANSWERS / rate, 1.5 * longest), 2.4 * seconds)


def load(lab, url, users, warm_up, seconds):
    """The figures of one closed-loop run."""
    done = subprocess.run(
        [lab, "load", "--url", url, "--users", str(users), "--for", f"{seconds:.2f}s",
         "--warm-up", f"{warm_up:.2f}s", "--timeout", "60s", "--json", "-"],
        capture_output=True, text=True, check=False)
    if not done.stdout.lstrip().startswith("{"):
        raise RuntimeError(f"load failed at {url}: {done.stderr.strip() or done.stdout.strip()}")
    result = json.loads(done.stdout)
    latency, counts = result["latency_ms"], result["counts"]
    if latency["p50"] is None:
        raise RuntimeError(f"no answer from {url} in {seconds:.1f} s with {users} users")
    return {"throughput": result["throughput_per_s"], "p50": latency["p50"], "p99": latency["p99"],
            "answers": counts["ok"], "not_ok": counts["planned"] - counts["ok"],
            "generator_limited": result["generator_limited"], "for_s": round(seconds, 2)}


class Bench:
    """Measures groups (one server with one handler) on both sides."""

    def __init__(self, lab, store, seconds, say):
        self.lab = lab
        self.store = store
        self.seconds = seconds
        self.say = say

    def _cells(self, running, server, handler, side, repeat, users):
        """What is missing of one side and repeat, from few users to many."""
        url = running.url + path_of(handler)
        rate = sequential_rate(url)
        for count in users:
            name = cell_name(server.name, handler, count, side, repeat)
            cell = self.store.get(name)
            if cell is None:
                cell = self.store.put(
                    name, load(self.lab, url, count, *lengths(count, rate, self.seconds)))
                self.say(f"    {side}{repeat} {count:>2} users: {cell['throughput']:9.1f}/s  "
                         f"p50 {cell['p50']:8.2f} ms  p99 {cell['p99']:8.2f} ms"
                         + (f"  NOT OK: {cell['not_ok']}" if cell["not_ok"] else ""))
            if cell["throughput"]:
                rate = cell["throughput"]

    def _missing(self, server, handler, side, repeat, users):
        return [u for u in users
                if self.store.get(cell_name(server.name, handler, u, side, repeat)) is None]

    def real(self, server, handler, repeat, users):
        if self._missing(server, handler, "real", repeat, users):
            with process.start_real(server, self.store.folder, path_of(handler)) as running:
                self._cells(running, server, handler, "real", repeat, users)

    def ours(self, server, handler, settings, repeat, users):
        if self._missing(server, handler, "ours", repeat, users):
            with self._start_ours(server, handler, settings) as running:
                self._cells(running, server, handler, "ours", repeat, users)

    def _start_ours(self, server, handler, settings):
        if handler == "scan":
            settings = [*settings, "database.access=scan"]
        return process.start_ours(self.lab, server, settings, self.store.folder, path_of(handler))

    def real_p50(self, server, handler):
        """One user's, over the repeats that there are."""
        cells = [self.store.get(cell_name(server.name, handler, 1, "real", r)) for r in (1, 2, 3)]
        return statistics.median(c["p50"] for c in cells if c)

    def settings(self, server, handler):
        """Settings under which one request costs what it costs the real server."""
        if handler not in STATED:
            return self._calibrated(server, handler)["settings"]
        self.real(server, "hello", 1, [1])
        framework = self._calibrated(server, "hello")["framework_ns"]
        return [f"route.{handler}.framework={framework}ns"]

    def _calibrated(self, server, handler):
        name = f"{server.name}.{handler}.calibration"
        return self.store.get(name) or self.store.put(name, self._calibrate(server, handler))

    def _calibrate(self, server, handler):
        wanted = self.real_p50(server, handler)
        framework, rows, tries = 0, ROWS.get(handler), []
        for _ in range(5):
            settings = [f"route.{handler}.framework={framework}ns"]
            if rows:
                settings.append(f"route.{handler}.render={rows}")
            with self._start_ours(server, handler, settings) as running:
                got = load(self.lab, running.url + path_of(handler), 1, 0.5,
                           max(0.6 * self.seconds, 40 * wanted / 1000))["p50"]
            tries.append((abs(got - wanted), {"framework_ns": framework, "settings": settings,
                                              "real_p50": wanted, "ours_p50": got}))
            gap = wanted - got
            if abs(gap) <= 0.02 * wanted:
                break
            if framework == 0 and gap < 0:
                if not rows or rows == 1:
                    break  # ours costs more, and nothing is left to take away
                rows = max(1, int(rows * wanted / got * 0.9))
            framework = max(0, framework + int(gap * 1e6))
        off, best = min(tries, key=lambda t: t[0])
        if off > 0.1 * wanted and best["ours_p50"] < wanted:
            self.store.forget(f"{server.name}.hello.")
            raise RuntimeError(f"one request takes {best['ours_p50']:.2f} ms where the real server's "
                               f"took {wanted:.2f} ms: were others at work? run it again")
        self.say(f"    calibrated: {best['settings']}: one user's p50 {best['ours_p50']:.3f} ms, "
                 f"real {wanted:.3f} ms")
        return best
