"""docs/importing.md names every kind and every column, which are required, and every word of the command."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from core.cli import imports
from core.intake.kinds import KINDS

DOC = (Path(__file__).resolve().parents[2] / "docs" / "importing.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##)", DOC, re.MULTILINE | re.DOTALL))


def test_every_kind_has_its_section() -> None:
    assert set(SECTIONS) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_columns_of_a_kind_are_those_that_it_takes(kind: str) -> None:
    told = re.findall(r"^\| `(\w+)`( \*)? \|", SECTIONS[kind], re.MULTILINE)
    assert [(name, bool(star)) for name, star in told] == [(f.name, f.required) for f in KINDS[kind].fields]


def test_every_word_of_the_command_is_told() -> None:
    parser = argparse.ArgumentParser()
    imports.arguments(parser)
    words = {word for action in parser._actions for word in action.option_strings if word.startswith("--")}
    assert {word for word in words if word not in DOC} == {"--help"}
