"""The server: screens, HTTP routes and the clock in one process (`millrace serve`, or `uvicorn app:app`)."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

from api import clicks, health, signin
from api.middleware import SecurityHeaders
from api.returning import ReturnThere
from core import jobs, settings
from core.runtime import close_house, open_house, transaction
from core.trust.signin import streamlit_secrets

log = logging.getLogger("millrace")
STOP_S_MAX = 5.0
house = open_house(settings.read())


def warm_up() -> None:
    """Import what every page needs, then take it out of the collector's rounds: a rerun is ten times cheaper after."""
    import plotly.io
    import polars
    import streamlit.elements.plotly_chart

    _ = (plotly.io, polars, streamlit.elements.plotly_chart)
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[dict[str, Any]]:
    """Feed, clock and worker live as long as the server."""
    stop = threading.Event()
    house.warehouse.start()
    threads = [jobs.start_clock(stop), jobs.start_worker(stop)]
    await asyncio.to_thread(warm_up)
    yield {}
    stop.set()
    for thread in threads:  # what they are at may end; what takes longer is undone, and done again at the next start
        await asyncio.to_thread(thread.join, STOP_S_MAX)
    await asyncio.to_thread(close_house)


def on_script_error(error: Exception) -> bool:
    """A broken page says so in one sentence; the details go to the log, never to the screen."""
    log.exception("a page failed", exc_info=error)
    st.error(
        "This page could not be shown. Nothing you entered was stored half-way; reload it, or look at System.",
        icon=":material/error:",
    )
    return True


with transaction() as db:
    secrets = streamlit_secrets(db, house.settings)

app = st.App(
    Path(__file__).parent / "pages" / "main.py",
    routes=[*health.routes(), *clicks.routes(), *signin.routes()],
    middleware=[
        Middleware(SecurityHeaders, secure=house.settings.public_url.startswith("https://")),
        Middleware(ReturnThere, public_url=house.settings.public_url),
    ],
    lifespan=lifespan,
    on_script_error=on_script_error,
    secrets=secrets,
)
