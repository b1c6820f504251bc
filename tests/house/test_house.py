"""The house itself: what every file keeps to, wherever it stands."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from core.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
LINES_MAX = 450
LONG = {
    "data/tables.py": "every table on one page",
    "data/migrations/versions/0001_the_first_tables.py": "every table, once",
}
"""Files that may be longer, and why."""
SOURCES = ("api", "bench", "core", "data", "pages", "app.py")


def sources() -> list[Path]:
    found: list[Path] = []
    for part in SOURCES:
        path = ROOT / part
        found += [path] if path.is_file() else sorted(path.rglob("*.py"))
    return found


def tree() -> list[Path]:
    """Every file that is, or is about to be, in the repository."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        names = subprocess.run(listed, check=True, cwd=ROOT, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this tree is no checkout")
    return [path for name in names.split("\0") if name and (path := ROOT / name).is_file()]


def words(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="ignore")


def test_no_file_grows_past_one_reading() -> None:
    long = {str(path.relative_to(ROOT)): len(words(path).splitlines()) for path in sources()}
    assert {name: lines for name, lines in long.items() if lines > LINES_MAX and name not in LONG} == {}


def test_every_module_opens_with_its_sentence() -> None:
    silent = [path for path in sources() if words(path).strip() and not words(path).startswith(('"""', 'r"""'))]
    assert silent == []


MACHINE = re.compile(r"/(?:work|root|opt/pypi|home/\w+|Users/\w+)/")
REGISTRY = re.compile(r"(?:--(?:extra-)?index-url|--find-links|https?://\S*(?:pypi|pythonhosted|npmjs)\S*)")


def test_the_tree_names_no_machine_and_no_registry() -> None:
    itself = Path(__file__)
    named = [
        f"{path.relative_to(ROOT)}: {found.group()}"
        for path in tree()
        if path != itself and path.suffix not in {".png", ".parquet", ".gz"}
        for pattern in (MACHINE, REGISTRY)
        for found in pattern.finditer(words(path))
    ]
    assert named == []


def test_nothing_is_left_to_be_done_later() -> None:
    mark = re.compile(r"\b(?:TODO|FIXME|XXX)\b")
    assert [path for path in [*sources(), ROOT / "Makefile"] if mark.search(words(path))] == []


def locked(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+?)(?: ;.*)? \\$", words(ROOT / name), re.MULTILINE))


def test_the_three_locks_agree_so_that_no_target_undoes_another() -> None:
    run, dev, bench = (locked(f"requirements{kind}.lock") for kind in ("", "-dev", "-bench"))
    assert run
    assert run.items() <= dev.items() <= bench.items()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "requirements-bench.lock"])
def test_every_locked_package_has_a_hash_and_no_address(name: str) -> None:
    lines = [line.strip() for line in words(ROOT / name).splitlines()]
    pinned = [at for at, line in enumerate(lines) if "==" in line]
    assert pinned
    assert all(lines[at + 1].startswith("--hash=sha256:") for at in pinned)
    assert not any("://" in line or (line.startswith("-") and not line.startswith("--hash")) for line in lines)


def test_every_command_is_documented() -> None:
    told = " ".join(words(path) for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))])
    assert [name for name in COMMANDS if not re.search(rf"\bmillrace {name}\b", told)] == []


def test_every_target_of_the_makefile_is_explained_by_make() -> None:
    makefile = words(ROOT / "Makefile")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    explained = set(re.findall(r"^([a-z]+):[^#\n]*## \S", makefile, re.MULTILINE))
    assert targets == explained


def test_each_decision_is_listed_and_can_be_read_in_a_minute() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = words(folder / "README.md")
    records = sorted(folder.glob("[0-9]*.md"))
    assert records
    for record in records:
        assert f"({record.name})" in listed, f"list {record.name} in docs/decisions/README.md"
        assert len(words(record).splitlines()) <= 40, f"{record.name} is longer than forty lines"
        for heading in ("## Context", "## Decision", "## Consequences", "## Rejected"):
            assert heading in words(record), f"{record.name} has no {heading}"
    numbers = [record.name[:4] for record in records]
    assert len(set(numbers)) == len(numbers)


def test_a_decision_that_the_code_names_exists() -> None:
    written = {record.name[:4] for record in (ROOT / "docs" / "decisions").glob("[0-9]*.md")}
    named = {number for path in sources() for number in re.findall(r"docs/decisions/(\d{4})", words(path))}
    assert named <= written
