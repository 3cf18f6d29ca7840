# SPDX-License-Identifier: GPL-3.0-or-later
"""The small application under Flask: for its own server, gunicorn and uWSGI."""
import asyncio
import os
import time

from flask import Flask

import work

app = Flask(__name__)


async def async_hello():
    return work.hello()


# What a request costs is measured with "hello": where the views are async, with an async one.
views = dict(work.PLAIN)
if os.environ.get("FIDELITY_VIEWS") == "async":
    views["hello"] = async_hello
for name, view in views.items():
    app.add_url_rule(f"/{name}", name, view)
for name, view in work.KEYED.items():
    app.add_url_rule(f"/{name}/<int:key>", name, view)


@app.get("/await")
async def await_view():
    await asyncio.sleep(work.WAIT_SECONDS)
    return work.SMALL


@app.get("/block")
async def block_view():
    time.sleep(work.WAIT_SECONDS)
    return work.SMALL
