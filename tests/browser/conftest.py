"""A served Millrace and a browser that looks at it: what every browser test stands on.

`served` is a small business (tests/browser/business.py), `served_empty` a house before its first admin. A test takes
`page` (1440 × 900) or `phone` (390 × 844), signs in with `sign_in(page, "admin")` and waits with `ready(page)`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from data import keeper, postgres, server

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PASSWORD = "four plain random words"  # of everybody in business.py
START_S_MAX = 90.0
STOP_S_MAX = 20.0
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

READY = """() => {
    const app = document.querySelector('[data-testid=stApp]');
    return app && app.dataset.testScriptState === 'notRunning' && app.dataset.testConnectionState === 'CONNECTED'
        && !document.querySelector('[data-stale=true], [data-testid=stSkeleton]');
}"""

expect.set_options(timeout=20_000)


@dataclass
class Served:
    """A running `millrace serve`: where it is, what it says, and the database behind it."""

    url: str
    log: Path
    home: Path
    engine: Engine
    cookies: dict[str, Any] = field(default_factory=dict)  # of those who have signed in, by who they are

    def says(self) -> str:
        return self.log.read_text(errors="replace")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))  # one server and one browser for all of them


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    for name in ("served", "served_empty"):
        house = getattr(item, "funcargs", {}).get(name)
        if house and report.failed:  # type: ignore[attr-defined]
            report.sections.append((f"what {name} said", house.says()[-6000:]))  # type: ignore[attr-defined]
    return report


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The small business, served."""
    with serving(tmp_path_factory.mktemp("served"), filled=True) as house:
        yield house


@pytest.fixture
def served_empty(tmp_path: Path) -> Iterator[Served]:
    """A house in which nobody has an account yet."""
    with serving(tmp_path, filled=False) as house:
        yield house


@contextmanager
def serving(home: Path, *, filled: bool) -> Iterator[Served]:
    with database(home) as (url, setting):
        port = keeper.free_port(0)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MILLRACE_", "STREAMLIT_"))}
        ours = kept | setting | {"MILLRACE_HOME": str(home), "PORT": str(port), "PYTHONPATH": str(ROOT)}
        if filled:
            subprocess.run([sys.executable, str(HERE / "business.py")], check=True, cwd=ROOT, env=ours)
        engine = postgres.connect(url)
        with (home / "server.log").open("wb") as log:
            command = [sys.executable, "-c", "import sys; from core.cli import main; sys.exit(main(['serve']))"]
            process = subprocess.Popen(
                command, cwd=ROOT, env=ours, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        with process:
            try:
                house = Served(f"http://127.0.0.1:{port}", home / "server.log", home, engine)
                wait_for_health(house, process)
                yield house
            finally:
                process.terminate()
                try:
                    process.wait(STOP_S_MAX)
                except subprocess.TimeoutExpired:
                    process.kill()
                engine.dispose()


@contextmanager
def database(home: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """An empty database and the setting that leads to it: of DATABASE_URL's server, else of one under `home`."""
    if "DATABASE_URL" not in os.environ:
        running = server.start(home, durable=False)
        yield running.url(), {}
        running.close()
        return
    shared, name = postgres.libpq_url(os.environ["DATABASE_URL"]), f"millrace_browser_{uuid.uuid4().hex[:8]}"
    admin = create_engine(postgres.sqlalchemy_url(shared), isolation_level="AUTOCOMMIT")
    with admin.connect() as db:
        db.execute(text(f'create database "{name}"'))
    url = make_url(shared).set(database=name).render_as_string(hide_password=False)
    yield url, {"DATABASE_URL": url}
    with admin.connect() as db:
        db.execute(text(f'drop database "{name}" with (force)'))
    admin.dispose()


def wait_for_health(house: Served, process: subprocess.Popen[bytes]) -> None:
    began = time.monotonic()
    while time.monotonic() - began < START_S_MAX:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{house.url}/health", timeout=5):
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
    raise RuntimeError(f"millrace serve did not come up; it says:\n{house.says()[-4000:]}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests; where there is none they fail, with the sentence that says how to get one."""
    looked = subprocess.run(
        [sys.executable, str(HERE / "chromium.py"), "--path"], check=False, capture_output=True, text=True
    )
    if looked.returncode:
        pytest.fail(looked.stderr.strip(), pytrace=False)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=looked.stdout.strip(), args=ARGS)
        yield chromium
        chromium.close()


@contextmanager
def tab(browser: Browser, size: dict[str, int], **options: Any) -> Iterator[Page]:
    context = browser.new_context(
        viewport=size,  # type: ignore[arg-type]
        reduced_motion="reduce",
        locale="en-US",
        timezone_id="UTC",
        accept_downloads=True,
        **options,
    )
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh tab on a desk, of nobody."""
    with tab(browser, DESK) as opened:
        yield opened


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """A fresh tab on a telephone, of nobody."""
    with tab(browser, PHONE, has_touch=True) as opened:
        yield opened


@pytest.fixture
def ready() -> Callable[[Page], None]:
    """Waits until the script is idle and nothing on the page is stale."""
    return wait_until_ready


@pytest.fixture
def sign_in(served: Served) -> Callable[..., None]:
    """`sign_in(page, "admin")`: comes in as one of business.PEOPLE and stands, ready, on `at` ("" is their first page).

    The first time through the form, afterwards with the cookies of that time; `afresh=True` always uses the form.
    """

    def come_in(page: Page, who: str, at: str = "", *, afresh: bool = False) -> None:
        if who in served.cookies and not afresh:
            page.context.add_cookies(served.cookies[who])
        else:
            through_the_form(page, served.url, f"{who}@house.example")
            served.cookies[who] = page.context.cookies()
        page.goto(f"{served.url}/{at}")
        wait_until_ready(page)

    return come_in


def through_the_form(page: Page, url: str, email: str, password: str = PASSWORD) -> None:
    page.goto(url)
    wait_until_ready(page)
    page.locator(".st-key-sign_in button").click()
    page.locator("input[name=email]").fill(email)
    page.locator("input[name=password]").fill(password)
    page.locator("button[type=submit]").click()
    page.wait_for_url(lambda address: "/idp/" not in address)
    wait_until_ready(page)


def wait_until_ready(page: Page) -> None:
    page.wait_for_function(READY, timeout=30_000)
