"""`millrace jobs` as somebody types it: the list, a date, a range, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
Millrace = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def millrace(tmp_path: Path) -> Millrace:
    """The command in a home of its own."""
    program = "import sys; from core.cli import main; sys.exit(main())"
    ours = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environ = ours | {"MILLRACE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}

    def type_in(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", program, *words]
        return subprocess.run(command, check=False, cwd=ROOT, env=environ, capture_output=True, text=True)

    return type_in


def test_the_jobs_are_listed_and_a_date_of_one_is_run_once(millrace: Millrace) -> None:
    listed = millrace("jobs")
    assert listed.returncode == 0, listed.stderr
    assert "lock_rates" in listed.stdout
    assert "not run yet" in listed.stdout
    ran = millrace("jobs", "run", "lock_rates", "--since", "2026-03-07", "--until", "2026-03-09")
    assert ran.stdout.splitlines() == [
        "2026-03-07  lock_rates  done  locked 0",
        "2026-03-08  lock_rates  done  locked 0",
    ]
    assert "done before" in millrace("jobs", "run", "lock_rates", "--date", "2026-03-08").stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["run", "tidy"], "There is no job “tidy”"),
        (["run", "check", "--date", "8 March"], "write it as 2026-03-08"),
        (["run", "check", "--since", "2026-03-08"], "both --since and --until"),
        (["run", "check", "--since", "2026-03-08", "--until", "2026-03-01"], "swap the two dates"),
        (["run", "check", "--since", "1970-01-01", "--until", "2026-03-01"], "more than one command runs"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(millrace: Millrace, words: list[str], sentence: str) -> None:
    refused = millrace("jobs", *words)
    assert refused.returncode == 1
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr
    assert refused.stdout == ""
