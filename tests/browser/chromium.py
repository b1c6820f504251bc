"""Finds Chromium, or installs one: from PATH, else Debian's package when root, else Playwright's own.

`make test` runs it with --install before the tests; the browser tests ask it for the --path, and fail with `MISSING`
when there is none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

MISSING = (
    "There is no Chromium for the browser tests, and none could be installed. Put one on PATH (on Debian: "
    "apt-get install chromium) or run: .venv/bin/playwright install chromium"
)


def find() -> Path | None:
    """The Chromium to drive: CHROMIUM if set, else the first on PATH, else the one that Playwright keeps."""
    for name in (os.environ.get("CHROMIUM", ""), *NAMES):
        if name and (found := shutil.which(name)):
            return Path(found)
    return playwrights_own()


def playwrights_own() -> Path | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return path if path.exists() else None


def install() -> bool:
    """Try Debian's package when root, then Playwright's download. Says what it does; never asks."""
    print("There is no Chromium on PATH; installing one for the browser tests …", flush=True)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        if done("apt-get", "update", env=quietly) and done("apt-get", "install", "-y", "chromium", env=quietly):
            return True
    return done(sys.executable, "-m", "playwright", "install", "chromium", env=dict(os.environ))


def done(*command: str, env: dict[str, str]) -> bool:
    ran = subprocess.run(command, check=False, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if ran.returncode:
        print(f"{' '.join(command)} failed: {(ran.stderr or ran.stdout).strip()[-300:]}", file=sys.stderr)
    return ran.returncode == 0


if __name__ == "__main__":
    if "--install" in sys.argv and find() is None:
        install()
    if (path := find()) is None:
        print(MISSING, file=sys.stderr)
        sys.exit(1)
    print(path if "--path" in sys.argv else f"Browser tests use {path}")
