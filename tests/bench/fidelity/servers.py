# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers: how each real one is started, and which of our presets stands for it."""
import dataclasses
import shutil
import subprocess

PYTHON = "/usr/bin/python3"  # Debian's own, which sees Debian's packages

DATABASE_FREE = ["wait", "burn", "render"]
DATABASE = ["scan", "index", "nplus1", "join", "uncached", "cached"]
VIEWS = DATABASE_FREE + DATABASE
ASYNC_VIEWS = ["await", "block", "burn", "render"] + DATABASE


@dataclasses.dataclass
class Server:
    """`command` holds {port}. `base` is the same server with one worker; without one, the cells are
    compared with one user."""
    name: str
    command: list
    preset: str
    handlers: list
    subset: list                      # of the handlers, those measured without --full
    needs: list                       # programs, and Python modules as "python:NAME"
    settings: list = dataclasses.field(default_factory=list)
    base: str = ""
    environment: dict = dataclasses.field(default_factory=dict)
    behind_nginx: bool = False


def python(module, *words):
    return [PYTHON, "-m", module, *words]


def flask(name, preset, subset, *words):
    return Server(name, python("flask", "--app", "app_wsgi", "run", "--host", "127.0.0.1",
                               "--port", "{port}", *words),
                  preset, VIEWS, subset, ["python:flask", "python:jinja2"])


def gunicorn(name, preset, subset, words, settings=(), base="", **more):
    return Server(name, python("gunicorn", "--bind", "127.0.0.1:{port}", *words, "app_wsgi:app"),
                  preset, more.pop("handlers", VIEWS), subset,
                  ["python:gunicorn", "python:flask"] + more.pop("needs", []),
                  list(settings), base, **more)


def uwsgi(name, workers, subset, base=""):
    command = ["uwsgi", "--plugin", "python3", "--http-socket", "127.0.0.1:{port}", "--master",
               "--need-app", "--die-on-term", "-p", str(workers), "--module", "app_wsgi:app",
               "--pythonpath", "."]
    return Server(name, command, "uwsgi", VIEWS, subset, ["uwsgi", "python:flask"],
                  [f"server.workers={workers}"], base)


def uvicorn(name, preset, views, handlers, subset):
    return Server(name, python("uvicorn", "--host", "127.0.0.1", "--port", "{port}",
                               "app_asgi:app"),
                  preset, handlers, subset, ["python:uvicorn", "python:fastapi"],
                  environment={"FIDELITY_VIEWS": views})


def all_servers():
    """In the order in which they are measured: a base before what is compared with it."""
    through_nginx = {"behind_nginx": True, "needs": ["nginx"]}
    return [
        gunicorn("sync-1", "gunicorn-sync", VIEWS, ["-w", "1"]),
        gunicorn("sync-4", "gunicorn-sync", ["wait", "burn", "scan"], ["-w", "4"],
                 ["server.workers=4"], "sync-1"),
        flask("flask-dev", "flask-dev", ["wait", "burn"]),
        flask("flask-unthreaded", "flask-dev-unthreaded", ["wait"], "--without-threads"),
        gunicorn("gthread-1x4", "gunicorn-gthread", ["wait", "burn"],
                 ["-w", "1", "-k", "gthread", "--threads", "4"], ["server.threads=4"]),
        gunicorn("gevent-1", "gunicorn-gevent", ["wait", "burn"], ["-w", "1", "-k", "gevent"],
                 needs=["python:gevent"]),
        uwsgi("uwsgi-1", 1, ["wait"]),
        uwsgi("uwsgi-4", 4, ["wait"], "uwsgi-1"),
        gunicorn("flask-async", "flask-async", ["await"], ["-w", "1"],
                 handlers=["await", "block"], needs=["python:asgiref"],
                 environment={"FIDELITY_VIEWS": "async"}),
        uvicorn("uvicorn", "uvicorn", "async", ASYNC_VIEWS, ["await", "block"]),
        uvicorn("fastapi-def", "fastapi-def", "def", VIEWS, ["wait", "burn"]),
        Server("node", ["node", "app.js", "{port}"], "node",
               ["await", "block", "burn", "render", "cached"], ["await", "burn"], ["node"]),
        gunicorn("nginx-sync-1", "gunicorn-sync", ["wait"], ["-w", "1"],
                 ["balancer.rule=round-robin"], **through_nginx),
        gunicorn("nginx-sync-4", "gunicorn-sync", ["wait"], ["-w", "4"],
                 ["balancer.rule=round-robin", "server.workers=4"], "nginx-sync-1",
                 behind_nginx=True, needs=["nginx"]),
    ]


def program(name):
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")


def missing(server):
    """What of its needs is not there."""
    absent = []
    for need in server.needs:
        if need.startswith("python:"):
            tried = subprocess.run([PYTHON, "-c", f"import {need[7:]}"], check=False,
                                   stderr=subprocess.DEVNULL)
            if tried.returncode != 0:
                absent.append(need[7:])
        elif program(need) is None:
            absent.append(need)
    return absent
