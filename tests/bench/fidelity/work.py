# SPDX-License-Identifier: GPL-3.0-or-later
"""What the handlers do, once for all Python servers. Each function is the work of one request."""
import contextlib
import os
import sqlite3
import threading
import time

from jinja2 import Environment

BURN_SECONDS = 0.005
WAIT_SECONDS = 0.050
PAGE = 20
SMALL = "x" * 100
COLUMNS = "id, name, price, category, version"

_page = Environment(autoescape=True).from_string(
    "<!doctype html>\n<table>\n"
    "{% for id, name, price, category in rows %}"
    "<tr><td>{{ id }}</td><td>{{ name }}</td><td>{{ price }}</td><td>{{ category }}</td></tr>\n"
    "{% endfor %}</table>\n")
_rows = [(i, f"Quiet kettle {i}", f"{i % 90 + 10}.{i % 100:02}", i % 500) for i in range(1, 201)]


def burn():
    """5 ms of this thread's CPU time with the interpreter lock held, by its own clock: a thread that
    is put aside by the system or by the lock owes the rest."""
    end = time.thread_time() + BURN_SECONDS
    x = 1
    while time.thread_time() < end:
        for _ in range(300):
            x = x * 1664525 + 1013904223 & 0xFFFFFFFF
    return SMALL


def hello():
    return SMALL


def wait():
    time.sleep(WAIT_SECONDS)
    return SMALL


class Pool:
    """Database connections of one process: 5 kept and 10 more, as SQLAlchemy has by default."""

    def __init__(self, most=15):
        self._free = []
        self._room = threading.BoundedSemaphore(most)

    @contextlib.contextmanager
    def lend(self):
        with self._room:
            try:
                connection = self._free.pop()
            except IndexError:
                connection = sqlite3.connect(os.environ["FIDELITY_DATABASE"],
                                             check_same_thread=False)
            try:
                yield connection
            finally:
                self._free.append(connection)


_pool = Pool()


def ask(sql, *values):
    """One query on a connection of the pool."""
    with _pool.lend() as connection:
        return connection.execute(sql, values).fetchall()


def product_of(key):
    return key * 2654435761 % 200000 + 1


def sku_of(product):
    return f"P-{product * 2654435761 & 0xFFFFFFFF:08X}"


def index(key):
    ask(f"SELECT {COLUMNS} FROM product WHERE sku = ?1", sku_of(product_of(key)))
    return SMALL


def scan(key):
    ask(f"SELECT {COLUMNS} FROM product NOT INDEXED WHERE sku = ?1", sku_of(product_of(key)))
    return SMALL


def nplus1(key):
    first = product_of(key)
    with _pool.lend() as connection:
        products = connection.execute(
            f"SELECT {COLUMNS} FROM product WHERE id >= ?1 AND id < ?2 ORDER BY id",
            (first, first + PAGE)).fetchall()
        for product in products:
            connection.execute("SELECT product, stars FROM review WHERE product = ?1",
                               (product[0],)).fetchall()
    return SMALL


def join(key):
    first = product_of(key)
    ask("SELECT p.id, p.name, p.price, p.category, p.version, r.stars FROM product p "
        "LEFT JOIN review r ON r.product = p.id WHERE p.id >= ?1 AND p.id < ?2 ORDER BY p.id",
        first, first + PAGE)
    return SMALL


def uncached(key):
    rows = ask(f"SELECT {COLUMNS} FROM product WHERE category = ?1", product_of(key) % 500)
    return _page.render(rows=[(r[0], r[1], f"{r[2] / 100:.2f}", r[3]) for r in rows[:PAGE]])


_cache = {}
_cache_lock = threading.RLock()


def cached(key):
    """Per process, as Flask-Caching's SimpleCache: look up, else make and store; no lock between."""
    name = f"view//cached/{key}"
    with _cache_lock:
        entry = _cache.get(name)
    if entry is not None and entry[0] > time.time():
        return entry[1]
    body = uncached(key)
    with _cache_lock:
        _cache[name] = (time.time() + 600, body)
    return body


def render():
    return _page.render(rows=_rows)


PLAIN = {"hello": hello, "wait": wait, "burn": burn, "render": render}
KEYED = {"index": index, "scan": scan, "nplus1": nplus1, "join": join,
         "uncached": uncached, "cached": cached}
