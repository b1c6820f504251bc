"""The Postgres of our own: it starts for whoever asks, loses nothing when it is killed, and ends with its last user."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import psycopg
import pytest

from data import keeper, server

pytestmark = pytest.mark.faults
WAIT_S_MAX = 30.0
ROOT = Path(__file__).resolve().parents[2]

USER = """
import sys, time
from pathlib import Path
from data import server
running = server.start(Path(sys.argv[1]), durable=False)
print("up", flush=True)
time.sleep(600)
"""

WRITER = """
import sys
from pathlib import Path
import psycopg
from data import server
running = server.start(Path(sys.argv[1]))  # durable, as in life
with psycopg.connect(running.url(), autocommit=True) as db:
    db.execute("create table if not exists written (n bigint)")
    print("up", flush=True)
    for n in range(1_000_000):
        db.execute("insert into written values (%s)", [n])
        print(n, flush=True)
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home whose server is gone when the test ends, whatever the test did to it."""
    yield tmp_path
    until(lambda: not is_kept(tmp_path))


class Person:
    """A process that uses the server, and can be killed."""

    def __init__(self, home: Path, program: str = USER) -> None:
        command = [sys.executable, "-c", program, str(home)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.says() == "up"

    def says(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        with self.process:
            self.process.kill()


@contextlib.contextmanager
def using(home: Path, *, durable: bool = False) -> Iterator[server.Server]:
    running = server.start(home, durable=durable)
    try:
        yield running
    finally:
        running.close()


def until(true: Callable[[], object]) -> None:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < WAIT_S_MAX, "waited too long"
        time.sleep(0.02)


def postmaster(home: Path) -> int:
    return keeper.left_behind(home / "postgres" / "data")


def is_kept(home: Path) -> bool:
    """Whether a keeper is at work; it ends after its server."""
    import fcntl

    lock = home / "postgres" / "keeper.lock"
    if not lock.exists():
        return False
    with lock.open("w") as own:
        return not keeper.nobody_left(own) or bool(fcntl.flock(own, fcntl.LOCK_UN))


def keeper_of(home: Path) -> int:
    """The process number of the keeper: the parent of Postgres."""
    return int(Path(f"/proc/{postmaster(home)}/stat").read_text().rpartition(")")[2].split()[1])


def says_hello(running: server.Server) -> bool:
    with psycopg.connect(running.url(), connect_timeout=5) as db:
        return db.execute("select 'hello'").fetchone() == ("hello",)


def test_it_starts_and_ends_with_its_user(home: Path) -> None:
    with using(home) as running:
        assert says_hello(running)
        assert is_kept(home)
    until(lambda: not is_kept(home))
    assert postmaster(home) == 0


def test_it_listens_on_this_machine_only_and_wants_the_password(home: Path) -> None:
    with using(home) as running:
        with psycopg.connect(running.url()) as db:
            assert db.execute("show listen_addresses").fetchone() == ("127.0.0.1",)
            assert db.execute("show timezone").fetchone() == ("UTC",)
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(running.url().replace(running.password, "guess"))
    assert stat.S_IMODE((home / "postgres" / "password").stat().st_mode) == 0o600


def test_a_second_user_joins_and_the_server_stays_for_who_is_left(home: Path) -> None:
    with using(home) as first:
        began = postmaster(home)
        second = server.start(home, durable=False)
        assert second.url() == first.url()
    time.sleep(0.5)
    assert says_hello(second)
    assert postmaster(home) == began
    second.close()


def test_users_that_start_at_once_share_one_server(home: Path) -> None:
    running: list[server.Server] = []
    threads = [threading.Thread(target=lambda: running.append(server.start(home, durable=False))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({each.url() for each in running}) == 1
    for each in running:
        each.close()


def test_when_every_user_is_killed_the_server_ends_within_seconds(home: Path) -> None:
    users = [Person(home) for _ in range(2)]
    pid = postmaster(home)
    for user in users:
        user.kill()
    began = time.monotonic()
    until(lambda: not is_kept(home))
    assert time.monotonic() - began < 5
    assert not keeper.is_server_of(pid, home / "postgres" / "data")


def test_who_comes_while_it_is_ending_gets_a_server(home: Path, kills: int) -> None:
    for _ in range(kills):
        with using(home) as running:
            assert says_hello(running)


def test_a_killed_server_comes_back_at_the_same_address_and_nothing_acknowledged_is_lost(
    home: Path, kills: int
) -> None:
    written = -1
    with using(home, durable=True) as running:
        address = running.url()
        for _ in range(kills):
            writer = Person(home, WRITER)
            for _ in range(50):
                written = int(writer.says())
            os.kill(postmaster(home), signal.SIGKILL)
            while line := writer.says():
                written = int(line)
            writer.kill()
            until(lambda: _answers(running))
            assert running.url() == address
            with psycopg.connect(address) as db:
                assert db.execute("select max(n) from written").fetchone()[0] >= written  # type: ignore[index]
                db.execute("truncate written")


def _answers(running: server.Server) -> bool:
    with contextlib.suppress(psycopg.OperationalError):
        return says_hello(running)
    return False


def test_a_killed_keeper_takes_its_server_along_and_the_next_start_works(home: Path) -> None:
    user = Person(home)
    pid = postmaster(home)
    os.kill(keeper_of(home), signal.SIGKILL)
    until(lambda: not keeper.is_server_of(pid, home / "postgres" / "data"))
    with using(home) as running:
        assert says_hello(running)
    user.kill()


def test_a_server_that_lost_its_keeper_and_runs_on_is_ended_before_the_next_starts(home: Path) -> None:
    with using(home) as running:
        with psycopg.connect(running.url(), autocommit=True) as db:
            db.execute("create table kept (n int)")
        orphan = postmaster(home)
        os.kill(orphan, signal.SIGSTOP)  # it does not hear that its keeper dies
        os.kill(keeper_of(home), signal.SIGKILL)
        until(lambda: not is_kept(home))
        os.kill(orphan, signal.SIGCONT)
        again = server.start(home, durable=False)
        with psycopg.connect(again.url()) as db:
            db.execute("select * from kept")
        again.close()


def test_everything_killed_at_once_starts_again(home: Path, kills: int) -> None:
    for _ in range(kills):
        user = Person(home)
        everyone = [postmaster(home), keeper_of(home), user.process.pid]
        for pid in everyone:
            os.kill(pid, signal.SIGKILL)
        user.kill()
    with using(home) as running:
        assert says_hello(running)


def test_a_process_number_that_belongs_to_another_by_now_does_not_keep_it_from_starting(
    home: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    with using(home):
        pass
    until(lambda: not is_kept(home))
    stale = home / "postgres" / "data" / "postmaster.pid"
    with using(other) as theirs:  # a living process of the account that Postgres runs as
        stale.write_text(f"{postmaster(other)}\n{stale.parent}\n1700000000\n5432\n\n127.0.0.1\n\n")
        with using(home) as running:
            assert says_hello(running)
        assert says_hello(theirs)
    until(lambda: not is_kept(other))


def test_a_half_made_cluster_is_made_again(home: Path) -> None:
    half = home / "postgres" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    (home / "postgres" / "password.new").write_text("half")
    (home / "postgres" / "password").write_text("of a start that was killed before it moved the data")
    with using(home) as running:
        assert says_hello(running)


def test_a_lost_password_is_said_and_the_data_stay(home: Path) -> None:
    with using(home):
        pass
    (home / "postgres" / "password").rename(home / "kept")
    with pytest.raises(server.NoServer, match="put it back"):
        server.start(home, durable=False)
    (home / "kept").rename(home / "postgres" / "password")
    with using(home) as running:
        assert says_hello(running)


def test_data_that_this_postgres_cannot_read_are_refused_in_its_own_words(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with using(home):
        pass
    until(lambda: not is_kept(home))
    (home / "postgres" / "data" / "PG_VERSION").write_text("12\n")
    monkeypatch.setattr(server, "START_S_MAX", 2.0)
    with pytest.raises(server.NoServer, match="incompatible"):
        server.start(home, durable=False)


def test_two_homes_stand_side_by_side(home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    with using(home) as ours, using(other) as theirs:
        assert ours.port != theirs.port
        assert says_hello(ours)
        assert says_hello(theirs)
    until(lambda: not is_kept(other))


def test_no_folder_is_opened_to_others(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    before = {folder: folder.stat().st_mode for folder in (home, closed)}
    with using(closed) as running:
        assert says_hello(running)
    assert {folder: folder.stat().st_mode for folder in before} == before
    assert stat.S_IMODE((closed / "postgres" / "data").stat().st_mode) == 0o700
    until(lambda: not is_kept(closed))


@pytest.mark.skipif(os.geteuid() != 0, reason="ordinary accounts reach what is theirs")
def test_root_may_keep_code_and_data_in_closed_folders(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As in /root, which Debian closes: the account that Postgres runs as cannot even look at its own program there.
    package = server.binaries().parents[1]
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    for folder in (package, package.with_name(f"{package.name}.libs")):
        if folder.exists():
            shutil.copytree(folder, closed / folder.name, ignore=shutil.ignore_patterns("include", "*.a"))
    monkeypatch.setattr(server, "binaries", lambda: closed / package.name / server_bin(package))
    with using(closed) as running:
        assert says_hello(running)
    until(lambda: not is_kept(closed))


def server_bin(package: Path) -> Path:
    return next(package.glob("*/bin/postgres")).parent.relative_to(package)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root can become somebody else")
def test_an_ordinary_account_has_its_own() -> None:
    nobody = pwd.getpwnam("nobody")
    home = Path("/tmp") / f"millrace-{os.getpid()}"
    home.mkdir(mode=0o700)
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    become = ["setpriv", "--reuid", str(nobody.pw_uid), "--regid", str(nobody.pw_gid), "--clear-groups"]
    look = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]  # this checkout may be closed
    code = "import sys; from pathlib import Path; from data import server; server.start(Path(sys.argv[1])).close()"
    try:
        command = [*become, *look, sys.executable, "-B", "-c", code, str(home)]
        ran = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        assert (home / "postgres" / "data").stat().st_uid == nobody.pw_uid
        until(lambda: not is_kept(home))
    finally:
        shutil.rmtree(home)


def test_a_long_log_is_shortened_while_the_server_appends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "LOG_BYTES_MAX", 100)
    log = tmp_path / "log"

    def write(to: IO[bytes], words: bytes) -> None:
        to.write(words)
        to.flush()

    with log.open("ab") as appending:
        write(appending, b"old " * 50)
        keeper.shorten(log)
        write(appending, b"new")
    assert log.read_bytes() == b"new"
    assert (tmp_path / "log.old").read_bytes() == b"old " * 50
