"""Deliberately wrong builds, each with the test that is shown to catch it (tests/mutants/*.toml).

A test that cannot fail proves nothing. Each mutant is a copy of the tree with one passage made wrong; the test that is
named beside it must fail there, and pass in a copy with nothing wrong. `make test` tries the quick ones, `make mutants`
all of them. To add one, write its table into the file of your area.
"""

from __future__ import annotations

import ast
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PARTS = ("api", "core", "data", "pages", "tests", "app.py", "pyproject.toml", ".streamlit")
CAUGHT = 1  # pytest: tests ran and some failed; everything above is an accident
RUN_S_MAX = 300


@dataclass(frozen=True)
class Mutant:
    """One passage of one file, made wrong."""

    name: str
    file: str
    old: str
    new: str
    test: str
    quick: bool = False


MUTANTS = [
    Mutant(**table)
    for file in sorted(HERE.glob("*.toml"))
    for table in tomllib.loads(file.read_text(encoding="utf-8"))["mutant"]
]
IS_ALL = os.environ.get("MILLRACE_MUTANTS") == "all"
TRIED = [mutant for mutant in MUTANTS if IS_ALL or mutant.quick]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_passage_stands_once_in_the_code_and_the_wrong_one_is_code_too(mutant: Mutant) -> None:
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert text.count(mutant.old) == 1, f"rewrite this mutant: its passage stands {text.count(mutant.old)} times"
    assert (ROOT / mutant.test.partition("::")[0]).exists()
    if mutant.file.endswith(".py"):
        ast.parse(text.replace(mutant.old, mutant.new))


@pytest.mark.parametrize("mutant", TRIED, ids=lambda mutant: mutant.name)
def test_a_wrong_build_is_caught(mutant: Mutant, tmp_path: Path) -> None:
    tree = copy(tmp_path / "tree")
    wrong = tree / mutant.file
    wrong.write_text(wrong.read_text(encoding="utf-8").replace(mutant.old, mutant.new), encoding="utf-8")
    code, said = run(tree, mutant.test)
    assert code == CAUGHT, f"{mutant.test} does not catch it:\n{said[-3000:]}"


@pytest.mark.skipif(not IS_ALL, reason="`make mutants` tries this; here the tests themselves run beside it")
@pytest.mark.parametrize("test", sorted({mutant.test for mutant in MUTANTS}))
def test_a_right_build_passes(test: str, tmp_path: Path) -> None:
    code, said = run(copy(tmp_path / "tree"), test)
    assert code == 0, said[-3000:]


def copy(tree: Path) -> Path:
    tree.mkdir()
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(ROOT / part, tree / part)
    return tree


def run(tree: Path, test: str) -> tuple[int, str]:
    """Run one test in a tree; what it left running there is ended."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "MILLRACE_"))}
    ours = environ | {"PYTHONPATH": str(tree), "MILLRACE_HOME": str(tree / ".millrace")}
    options = ["-q", "-x", "-p", "no:cacheprovider", f"--basetemp={tree}/tmp"]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", test, *options],
            check=False, cwd=tree, env=ours, timeout=RUN_S_MAX,
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
        )  # fmt: skip
    finally:
        end_what_runs_in(tree)
    return done.returncode, done.stdout + done.stderr


def end_what_runs_in(tree: Path) -> None:
    """A wrong build may leave servers behind: those whose command names its folder."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int(process.name) != os.getpid() and str(tree).encode() in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
