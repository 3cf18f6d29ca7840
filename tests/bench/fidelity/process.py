# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting a server on a free loopback port, and ending it with all that it started."""
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import servers

HERE = pathlib.Path(__file__).parent

NGINX = """worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; uwsgi_temp_path {folder}/uwsgi;
    fastcgi_temp_path {folder}/fastcgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=2048;
        location / {{ proxy_pass http://127.0.0.1:{behind}; }}
    }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url, timeout=10):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        answer.read()
        return answer.status


class Process:
    """One program and its children. Use with `with`: what was started ends."""

    def __init__(self, command, log, environment=None, folder=HERE):
        self._log = open(log, "w", encoding="utf-8")
        self._process = subprocess.Popen(
            command, cwd=folder, stdout=self._log, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, start_new_session=True,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})})

    def ended(self):
        return self._process.poll() is not None

    def end(self):
        for how, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
            try:
                os.killpg(self._process.pid, how)
                self._process.wait(patience)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        self._log.close()


class Running:
    """A server that answers; `url` is its address."""

    def __init__(self, processes, port, log):
        self.url = f"http://127.0.0.1:{port}"
        self._processes = processes
        self._log = log

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self._processes):
            process.end()

    def await_answer(self, path, patience=60):
        """Returns when it answers 200; it may be making its database meanwhile."""
        try:
            self._try_until(path, time.monotonic() + patience)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _try_until(self, path, last):
        while True:
            why = "no answer"
            try:
                get(self.url + path)
                return
            except urllib.error.HTTPError as error:
                why = f"answered {error.code}"
            except OSError:
                pass
            if time.monotonic() > last or any(p.ended() for p in self._processes):
                raise RuntimeError(f"{path}: {why}; what it said is in {self._log}")
            time.sleep(0.05)


def start_real(server, work_folder, path):
    """The real server, with nginx before it if it has one."""
    port, log = free_port(), work_folder / f"{server.name}.log"
    command = [word.replace("{port}", str(port)) for word in server.command]
    environment = {"FIDELITY_DATABASE": str(work_folder / "products.sqlite"), **server.environment}
    processes = [Process(command, log, environment)]
    if server.behind_nginx:
        behind, port = port, free_port()
        folder = work_folder / "nginx"
        folder.mkdir(exist_ok=True)
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, behind=behind))
        processes.append(Process([servers.program("nginx"), "-c", str(folder / "nginx.conf"),
                                  "-p", str(folder)], work_folder / "nginx.log"))
        await_port(behind)
    return Running(processes, port, log).await_answer(path)


def await_port(port, patience=30):
    last = time.monotonic() + patience
    while time.monotonic() < last:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)


def start_ours(lab, server, settings, work_folder, path):
    """Our server under the preset, with the settings of the calibration."""
    port, log = free_port(), work_folder / f"{server.name}.ours.log"
    command = [lab, "serve", str(HERE / "fidelity.toml"), "--port", str(port)]
    for setting in [f"server.preset={server.preset}", *server.settings, *settings]:
        command += ["--set", setting]
    return Running([Process(command, log)], port, log).await_answer(path)
