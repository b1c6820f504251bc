"""Page: spawn to first chart, click to repainted chart, CPU per rerun, 25 sessions; beside Plotly Dash."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import websockets
from playwright.sync_api import Browser, Page, sync_playwright

from bench import rows
from bench.report import Measure, percentile
from bench.scratch import Scratch, scratch, tell

ROOT = Path(__file__).resolve().parents[1]
SALES = 300_000
CLICKS = 12
SESSIONS = 25
RERUNS = 6
PAUSE_S = 1.0
EMAIL, PASSWORD = "bench@house.example", "four plain random words"
CHART = ".js-plotly-plot .main-svg"
DRAWN = """() => { const drawn = document.querySelector('.js-plotly-plot')?._fullData?.[0];
                   return drawn?.x?.length ? `${drawn.x.length} ${drawn.x[0]} ${drawn.x[drawn.x.length - 1]}` : ''; }"""


@dataclass
class App:
    """One of the two: how it is started, and where."""

    name: str
    port: int
    command: list[str]
    environ: dict[str, str]
    ready: str
    page: str
    choose: Callable[[Page, str], None]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def run() -> tuple[dict[str, Any], list[Measure]]:
    with scratch() as place, browser() as chromium:
        tell(f"{SALES:,} sales")
        rows.fill(place.url, SALES)
        account(place)
        ours, dash = millrace(place), plotly_dash(place)
        cookies = signed_in(ours, chromium)
        measured = [measure(app, chromium, cookies if app is ours else []) for app in (ours, dash)]
    names = {"first": ("spawn to first chart", "s"), "click": ("click to repainted chart, median", "ms"),
             "cpu": ("server CPU per rerun", "ms"), "p50": (f"{SESSIONS} sessions, rerun p50", "ms"),
             "p95": (f"{SESSIONS} sessions, rerun p95", "ms"), "kb": ("sent per rerun", "kB"),
             "memory": (f"server memory with {SESSIONS} sessions", "MB")}  # fmt: skip
    mine, theirs = measured
    measures = [Measure(what, mine[key], unit, theirs[key], "Plotly Dash") for key, (what, unit) in names.items()]
    return {"sales": SALES, "sessions": SESSIONS}, measures


def account(place: Scratch) -> None:
    from core.trust import passwords
    from data import postgres
    from data.store import people

    engine = postgres.connect(place.url)
    with engine.begin() as db:
        person = {"email": EMAIL, "name": "Bench", "roles": ["executive"], "status": "active"}
        people.add(db, person | {"password_hash": passwords.seal(PASSWORD)})
    engine.dispose()


def millrace(place: Scratch) -> App:
    port = free_port()
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("MILLRACE_", "STREAMLIT_", "DATABASE_"))
    }
    environ = kept | {"MILLRACE_HOME": str(place.home), "PORT": str(port), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", "import sys; from core.cli import main; sys.exit(main(['serve']))"]

    def choose(page: Page, period: str) -> None:
        page.locator(".st-key-period").get_by_text(period, exact=True).click()

    return App("Millrace", port, command, environ, "/health", "/revenue", choose)


def plotly_dash(place: Scratch) -> App:
    port = free_port()
    command = [sys.executable, "-m", "bench.dash_page", str(port), str(place.home / "dash"), place.url]

    def choose(page: Page, period: str) -> None:
        page.locator("#period").get_by_text(period, exact=True).click()

    return App("Plotly Dash", port, command, {**os.environ, "PYTHONPATH": str(ROOT)}, "/_dash-layout", "/", choose)


@contextmanager
def started(app: App) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        app.command, cwd=ROOT, env=app.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 120
        while not answers(app.url + app.ready):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{app.name} did not start")
            time.sleep(0.02)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


def signed_in(app: App, chromium: Browser) -> list[Any]:
    """The cookies of somebody who came in through the form; they hold over a restart."""
    tell("signing in")
    with started(app):
        context = chromium.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.goto(app.url)
        page.locator(".st-key-sign_in button").click()
        page.locator("input[name=email]").fill(EMAIL)
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("button[type=submit]").click()
        page.wait_for_url(lambda address: "/idp/" not in address)
        page.wait_for_selector("[data-testid=stApp]")
        cookies = context.cookies()
        context.close()
    return cookies


def measure(app: App, chromium: Browser, cookies: list[Any]) -> dict[str, float]:
    tell(app.name)
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.add_cookies(cookies)
    page = context.new_page()
    began = time.perf_counter()
    with started(app) as process:
        page.goto(app.url + app.page)
        page.wait_for_selector(CHART, timeout=60_000)
        found = {"first": time.perf_counter() - began}
        page.wait_for_timeout(3000)
        idle = idle_cpu(process.pid)
        found |= clicks(app, page, process.pid, idle)
        context.close()
        words = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in cookies)
        with ThreadPoolExecutor(1) as apart:  # the browser's own loop runs in this thread
            sessions = apart.submit(lambda: asyncio.run(crowd(app, words))).result()
        status = Path(f"/proc/{process.pid}/status").read_text()
        memory = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return found | sessions | {"memory": int(memory.split()[1]) / 1024}


def clicks(app: App, page: Page, pid: int, idle: float) -> dict[str, float]:
    """Another period, until the first chart has drawn other days."""
    took = []
    before, began = cpu(pid), time.perf_counter()
    for number in range(CLICKS):
        drawn = page.evaluate(DRAWN)
        clicked = time.perf_counter()
        app.choose(page, ("30D", "90D")[number % 2])
        page.wait_for_function(f"was => {{ const now = ({DRAWN})(); return now && now !== was; }}", arg=drawn)
        took.append((time.perf_counter() - clicked) * 1000)
        page.wait_for_timeout(1500)
    spent = cpu(pid) - before - idle * (time.perf_counter() - began)
    return {"click": median(took), "cpu": spent * 1000 / CLICKS}


async def crowd(app: App, cookies: str) -> dict[str, float]:
    """Sessions that each choose another period about once a second."""
    took: list[float] = []
    sizes: list[int] = []
    session = over_websocket if app.name == "Millrace" else over_http
    await asyncio.gather(*(session(app, cookies, number, took, sizes) for number in range(SESSIONS)))
    return {"p50": percentile(took, 0.5), "p95": percentile(took, 0.95), "kb": sum(sizes) / len(sizes) / 1000}


async def over_websocket(app: App, cookies: str, number: int, took: list[float], sizes: list[int]) -> None:
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    await asyncio.sleep(number * 0.1)
    address = f"ws://127.0.0.1:{app.port}/_stcore/stream"
    headers = {"Cookie": cookies}
    options: dict[str, Any] = {
        "origin": app.url,
        "additional_headers": headers,
        "max_size": None,
        "ping_interval": None,
    }
    token = next((word.partition("=")[2] for word in cookies.split("; ") if word.startswith("_streamlit_xsrf=")), "")
    options["subprotocols"] = ["streamlit", token]  # the cookie of the sign-in counts beside this token only
    async with websockets.connect(address, **options) as socket_:
        for rerun in range(RERUNS + 1):
            message = BackMsg()
            message.rerun_script.query_string = f"period={('30D', '90D', '12M')[(number + rerun) % 3]}"
            message.rerun_script.page_name = "revenue"
            began, size, is_ours, charts = time.perf_counter(), 0, False, 0
            await socket_.send(message.SerializeToString())
            while True:
                data = await asyncio.wait_for(socket_.recv(), 60)
                size += len(data)
                forward = ForwardMsg()
                forward.ParseFromString(data)
                is_ours = is_ours or forward.HasField("new_session")
                charts += forward.delta.new_element.HasField("plotly_chart")
                if is_ours and forward.HasField("script_finished"):
                    break
            if rerun:
                took.append((time.perf_counter() - began) * 1000)
                sizes.append(size)
            elif not charts:
                raise RuntimeError("a session saw no chart: it is not signed in")
            await asyncio.sleep(PAUSE_S)


async def over_http(app: App, _: str, number: int, took: list[float], sizes: list[int]) -> None:
    outputs = [
        ("cards", "children"),
        ("trend", "figure"),
        ("partners", "figure"),
        ("products", "figure"),
        ("lines", "data"),
    ]
    await asyncio.sleep(number * 0.1)
    async with httpx.AsyncClient(base_url=app.url, timeout=60) as client:
        for rerun in range(RERUNS):
            period = ("30D", "90D", "12M")[(number + rerun) % 3]
            body = {
                "output": f"..{'...'.join(f'{name}.{kind}' for name, kind in outputs)}..",
                "outputs": [{"id": name, "property": kind} for name, kind in outputs],
                "inputs": [{"id": "period", "property": "value", "value": period}],
                "changedPropIds": ["period.value"],
            }
            began = time.perf_counter()
            answer = await client.post("/_dash-update-component", json=body)
            answer.raise_for_status()
            took.append((time.perf_counter() - began) * 1000)
            sizes.append(len(answer.content))
            await asyncio.sleep(PAUSE_S)


def cpu(pid: int) -> float:
    """Seconds of processor time so far."""
    parts = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def idle_cpu(pid: int) -> float:
    """What the server spends in a second in which nobody asks."""
    before = cpu(pid)
    time.sleep(5)
    return (cpu(pid) - before) / 5


@contextmanager
def browser() -> Iterator[Browser]:
    finder = [sys.executable, str(ROOT / "tests" / "browser" / "chromium.py"), "--path"]
    path = subprocess.run(finder, check=True, capture_output=True, text=True).stdout.strip()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
