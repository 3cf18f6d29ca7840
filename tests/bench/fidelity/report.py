# SPDX-License-Identifier: GPL-3.0-or-later
"""Ratios, ours beside the real ones: the verdicts, the table, the README."""
import dataclasses
import statistics

from measure import USERS, cell_name

FIGURES = ["throughput", "p50", "p99"]
ENOUGH_FOR_P99 = 100
NEAR, FAR = 0.10, 0.25
BEGIN, END = "<!-- fidelity -->", "<!-- /fidelity -->"


@dataclasses.dataclass
class Compared:
    """One figure of one cell as a ratio to its base: the real repeats and ours."""
    server: str
    handler: str
    users: int
    figure: str
    real: list
    ours: float

    @property
    def middle(self):
        return statistics.median(self.real)

    @property
    def varies(self):
        return max(self.real) - min(self.real) > NEAR * self.middle

    @property
    def deviation(self):
        """Ours against the real ratio; where that varies, against the nearer end of its range."""
        near = self.middle
        if self.varies:
            near = min(max(self.ours, min(self.real)), max(self.real))
        return self.ours / near - 1

    @property
    def key(self):
        return (self.server, self.handler)


class Results:
    """Reads what the store has."""

    def __init__(self, store, repeats):
        self._store = store
        self._repeats = repeats

    def _cell(self, server, handler, users, side, repeat, figure):
        cell = self._store.get(cell_name(server, handler, users, side, repeat))
        if cell is None or not cell[figure]:
            return None
        if figure == "p99" and cell["answers"] < ENOUGH_FOR_P99:
            return None
        return cell[figure]

    def _ratio(self, server, handler, users, side, repeat, figure):
        """To one worker with as many users, or to one user."""
        base = (server.base, users) if server.base else (server.name, 1)
        value = self._cell(server.name, handler, users, side, repeat, figure)
        below = self._cell(base[0], handler, base[1], side, repeat, figure)
        return value / below if value and below else None

    def _ratios(self, side, *cell):
        server, handler, users, figure = cell
        found = [self._ratio(server, handler, users, side, r, figure)
                 for r in range(1, self._repeats + 1)]
        return [ratio for ratio in found if ratio]

    def compared(self, groups):
        for server, handler in groups:
            for users in USERS if server.base else USERS[1:]:
                for figure in FIGURES:
                    real = self._ratios("real", server, handler, users, figure)
                    ours = self._ratios("ours", server, handler, users, figure)
                    if real and ours:
                        yield Compared(server.name, handler, users, figure, real,
                                       statistics.median(ours))

    def real_spread(self, server, handler):
        """Whether any ratio of the group varies from run to run."""
        for users in USERS:
            for figure in FIGURES:
                real = self._ratios("real", server, handler, users, figure)
                if len(real) > 1 and max(real) - min(real) > NEAR * statistics.median(real):
                    return True
        return False


def number(value):
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def pair(compared):
    if compared is None:
        return "-"
    low, high = min(compared.real), max(compared.real)
    real = f"{number(low)}..{number(high)}" if compared.varies else number(compared.middle)
    return f"{real} / {number(compared.ours)}"


def rows_of(compared):
    """(server, handler) -> the columns of its row."""
    groups = {}
    for one in compared:
        groups.setdefault(one.key, {})[(one.figure, one.users)] = one
    for key, cells in groups.items():
        worst = max(cells.values(), key=lambda c: abs(c.deviation))
        yield [*key, *(pair(cells.get((f, u))) for f in FIGURES for u in (4, 64)),
               f"{worst.deviation:+.0%} ({worst.figure}, {worst.users})"]


HEAD = ["server", "handler", "throughput, 4 users", "64", "p50, 4", "64", "p99, 4", "64", "farthest"]


def print_table(compared):
    rows = [HEAD, *rows_of(compared)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    for row in rows:
        print("  " + "  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())


def markdown(compared):
    lines = ["Ratios to the same server with one worker, or with one user where it has none: "
             "real / ours; a range where the real one varies by more than 10 % from run to run.", "",
             "| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    lines += ["| " + " | ".join(row) + " |" for row in rows_of(compared)]
    near = sum(abs(c.deviation) <= NEAR for c in compared)
    lines += ["", f"{near} of {len(compared)} figures within 10 %; "
              f"the farthest {max(abs(c.deviation) for c in compared):.0%}; "
              f"{sum(c.varies for c in compared)} held to a range."]
    return "\n".join(lines)


def write_readme(readme, compared):
    text = readme.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise RuntimeError(f"{readme.name} has no {BEGIN} ... {END}")
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    readme.write_text(f"{before}{BEGIN}\n{markdown(compared)}\n{END}{after}", encoding="utf-8")


def verdict(what, value, sign, bound):
    met = value >= bound if sign == ">=" else value <= bound
    print(f"  {what:<58} {value:10.3f}  {sign} {bound:<8} {'met' if met else 'MISSED'}")
    return met


def verdicts(compared):
    """Prints the summary; whether all of it is met."""
    far = sorted(compared, key=lambda c: -abs(c.deviation))
    for one in [c for c in far if abs(c.deviation) > NEAR][:20]:
        print(f"  off by {one.deviation:+.0%}: {one.server} {one.handler}, {one.users} users, "
              f"{one.figure}: {pair(one)}")
    varying = sum(c.varies for c in compared)
    if varying:
        print(f"  {varying} of {len(compared)} figures vary by more than 10 % from one real run to the "
              "next and are held to their range")
    share = sum(abs(c.deviation) <= NEAR for c in compared) / len(compared)
    near = verdict(f"share of {len(compared)} figures within 10 % of the real ratio", share, ">=", 0.9)
    worst = verdict("the farthest from it", abs(far[0].deviation), "<=", FAR)
    return near and worst
