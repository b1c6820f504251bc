"""Keeps a local Postgres running for as long as somebody uses it; run as a script, standard library only.

Its users each hold a shared lock on `users.lock`; the kernel drops the lock however they die. When this
process gets the lock for itself, nobody is left: it stops the server and ends. Postgres is its child, so
that a killed server is reaped and started again, and a killed keeper takes its server along.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
POLL_S = 0.1
RESTART_S_MAX = 60.0


def keep(folder: Path, command: list[str]) -> None:
    """Run `command` (Postgres, without its port) until the last user of `folder` has gone."""
    with (folder / "keeper.lock").open("w") as own, (folder / "users.lock").open("w") as users:
        try:
            fcntl.flock(own, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # another keeper is at work
        server = start(folder, command)
        died_at = 0.0
        while not nobody_left(users):
            if server.poll() is not None:
                died_at = died_at or time.monotonic()
                if time.monotonic() - died_at > RESTART_S_MAX:
                    return
                time.sleep(POLL_S)  # backends of a killed server hold its shared memory for a moment
                server = start(folder, command)
            elif died_at and ready(folder):
                died_at = 0.0
            time.sleep(POLL_S)
        with contextlib.suppress(ProcessLookupError):
            server.send_signal(signal.SIGINT)  # a fast, clean shutdown
        server.wait()


def start(folder: Path, command: list[str]) -> subprocess.Popen[bytes]:
    port = free_port(wanted=last_port(folder))
    (folder / "port").write_text(str(port))
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [*command, "-p", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            preexec_fn=die_with_me,
        )


def die_with_me() -> None:
    """In the child: ask Linux for a clean shutdown when the keeper dies (elsewhere the next start finds it running)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def nobody_left(users: object) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)  # type: ignore[arg-type]
    except BlockingIOError:
        return False
    return True


def ready(folder: Path) -> bool:
    with (
        contextlib.suppress(OSError, ValueError),
        socket.create_connection(("127.0.0.1", last_port(folder)), timeout=1),
    ):
        return True
    return False


def last_port(folder: Path) -> int:
    try:
        return int((folder / "port").read_text())
    except (OSError, ValueError):
        return 0


def free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


if __name__ == "__main__":
    keep(Path(sys.argv[1]), json.loads(sys.argv[2]))
