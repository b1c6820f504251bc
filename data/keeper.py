"""Keeps a local Postgres running for as long as somebody uses it; run as a script, standard library only.

Its users each hold a shared lock on `users.lock`; the kernel drops the lock however they die. When this process gets
the lock for itself, nobody is left: it stops the server and ends. Postgres is its child, so that a killed server is
reaped and started again, and a killed keeper takes its server along.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
POLL_S = 0.1
RESTART_S_MAX = 30.0
SHUTDOWN_S_MAX = 60.0
SAME_PORT_S_MAX = 5.0
LOG_BYTES_MAX = 16_000_000
LOG_LOOK_S = 60.0
PORTS = range(15_000, 30_000)
"""Below the ports that systems give to outgoing connections: while Postgres restarts none of those takes its port."""


def keep(folder: Path, command: list[str]) -> None:
    """Run `command` (Postgres, without its port) until the last user of `folder` has gone."""
    # `own` is closed before `users`: who waits for the users' lock finds no keeper when it gets it.
    with (folder / "users.lock").open("w") as users, (folder / "keeper.lock").open("w") as own:
        try:
            fcntl.flock(own, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # another keeper is at work
        if os.fork():
            os._exit(0)  # whoever started us goes on; the lock stays with the child
        clear_the_way(folder / "data")
        watch(folder, command, users)


def watch(folder: Path, command: list[str], users: object) -> None:
    server = start(folder, command)
    died_at, looked_at = 0.0, time.monotonic()
    while not nobody_left(users):
        if server.poll() is not None:
            died_at = died_at or time.monotonic()
            if time.monotonic() - died_at > RESTART_S_MAX:
                return
            time.sleep(POLL_S)  # backends of a killed server hold its shared memory for a moment
            server = start(folder, command)
        elif died_at and answers(folder):
            died_at = 0.0
        if time.monotonic() - looked_at > LOG_LOOK_S:
            looked_at = time.monotonic()
            shorten(folder / "log")
        time.sleep(POLL_S)
    stop(server)


def start(folder: Path, command: list[str]) -> subprocess.Popen[bytes]:
    shorten(folder / "log")
    port = free_port(last_port(folder))
    (folder / "port.new").write_text(str(port))
    (folder / "port.new").rename(folder / "port")
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [*command, "-p", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={name: value for name, value in os.environ.items() if not name.startswith("PG")},
            preexec_fn=die_with_me,  # noqa: PLW1509 (the keeper has one thread)
        )


def stop(server: subprocess.Popen[bytes]) -> None:
    """A fast, clean shutdown; where that hangs, harder ones, from which the next start recovers."""
    for how, patience_s in ((signal.SIGINT, SHUTDOWN_S_MAX), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
        server.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(patience_s)
            return


def die_with_me() -> None:
    """In the child: ask Linux for a clean shutdown when the keeper dies (elsewhere the next keeper stops it)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def nobody_left(users: object) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)  # type: ignore[arg-type]
    except BlockingIOError:
        return False
    return True


# ── what an earlier keeper left behind ─────────────────────────────────────────────────────────────────────────────


def clear_the_way(data: Path) -> None:
    """End a server whose keeper was killed; forget one whose number belongs to another process by now.

    Postgres trusts the process number in postmaster.pid. After a reboot, or in a container whose numbers are small and
    whose first process reaps nobody, that number may be anybody's, and Postgres would refuse to start for ever. That
    no process of the old server lives on, Postgres finds out by its shared memory.
    """
    began = time.monotonic()
    while (pid := left_behind(data)) and is_server_of(pid, data):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT if time.monotonic() - began < SHUTDOWN_S_MAX else signal.SIGQUIT)
        time.sleep(POLL_S)
    if pid and is_alive(pid):
        (data / "postmaster.pid").unlink(missing_ok=True)


def left_behind(data: Path) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int((data / "postmaster.pid").read_text().splitlines()[0])
    return 0


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError as error:
        return not isinstance(error, ProcessLookupError)
    return True


def is_server_of(pid: int, data: Path) -> bool:
    """Whether the process is a living Postgres of this folder; a server works in its folder."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/cwd").resolve(strict=True) == data.resolve()
        return False
    named = subprocess.run(["ps", "-o", "comm=", "-p", str(pid)], check=False, capture_output=True, text=True)
    return named.stdout.strip().endswith("postgres")


# ── port and log ───────────────────────────────────────────────────────────────────────────────────────────────────


def answers(folder: Path) -> bool:
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


def free_port(last: int) -> int:
    """The last one if it can be had, as running users know it; else another."""
    began = time.monotonic()
    while last and time.monotonic() - began < SAME_PORT_S_MAX:
        if is_free(last):
            return last
        time.sleep(POLL_S)
    for port in random.sample(PORTS, 200):
        if is_free(port):
            return port
    raise OSError("no free port on 127.0.0.1")


def is_free(port: int) -> bool:
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return True
    return False


def shorten(log: Path) -> None:
    """Keep the newest part of a long log beside it; Postgres appends, so it goes on at the new end."""
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        shutil.copyfile(log, log.with_name("log.old"))
        os.truncate(log, 0)


if __name__ == "__main__":
    keep(Path(sys.argv[1]), json.loads(sys.argv[2]))
