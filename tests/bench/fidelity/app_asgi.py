# SPDX-License-Identifier: GPL-3.0-or-later
"""The same under FastAPI; FIDELITY_VIEWS says whether the views are written with def or async def."""
import asyncio
import os
import time

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

import work

app = FastAPI(default_response_class=PlainTextResponse)
with_async = os.environ.get("FIDELITY_VIEWS", "async") == "async"


def plain(view):
    async def async_view():
        return view()

    def def_view():
        return view()

    return async_view if with_async else def_view


def keyed(view):
    async def async_view(key: int):
        return view(key)

    def def_view(key: int):
        return view(key)

    return async_view if with_async else def_view


for name, work_of in work.PLAIN.items():
    app.get(f"/{name}")(plain(work_of))
for name, work_of in work.KEYED.items():
    app.get(f"/{name}/{{key}}")(keyed(work_of))


@app.get("/await")
async def await_view():
    await asyncio.sleep(work.WAIT_SECONDS)
    return work.SMALL


@app.get("/block")
async def block_view():
    time.sleep(work.WAIT_SECONDS)
    return work.SMALL
