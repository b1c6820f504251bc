"""Settings are read in one file, and each is in docs/settings.md."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READS = ROOT / "core" / "settings.py"
PASSES_ON = {ROOT / "data" / "keeper.py", ROOT / "core" / "cli" / "serve.py"}
"""These hand the environment to a program that they start; they read no setting in it."""


def read_names() -> set[str]:
    return set(re.findall(r'"((?:MILLRACE_|DATABASE_|PORT)[A-Z_]*)"', READS.read_text()))


def test_every_setting_is_documented_and_no_other() -> None:
    told = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE))
    assert told == read_names()


def test_every_setting_is_explained_beside_its_field() -> None:
    explained = " ".join(re.findall(r'"""(.+?)"""', READS.read_text(), re.DOTALL))
    assert [name for name in read_names() if name not in explained] == []


def test_only_the_settings_read_the_environment() -> None:
    others = [path for part in ("api", "core", "data", "pages") for path in (ROOT / part).rglob("*.py")]
    others = [path for path in [*others, ROOT / "app.py"] if path != READS and path not in PASSES_ON]
    assert [path for path in others if re.search(r"\bos\.(environ|getenv)\b", path.read_text())] == []
