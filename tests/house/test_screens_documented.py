"""docs/screens.md tells of every screen that stands, and opens it for whom the product does."""

from __future__ import annotations

import re
from pathlib import Path

from core.viewer import SCREENS
from pages.parts import filters

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "screens.md").read_text()


def test_every_screen_is_told_with_its_address_and_its_roles() -> None:
    rows = re.findall(r"^\| (\w+) \| `/(\w+)` \| ([\w, ]+) \|", TEXT, re.MULTILINE)
    assert {address: set(roles.split(", ")) for _, address, roles in rows} == {
        screen: set(roles) for screen, roles in SCREENS.items()
    }


def test_every_screen_has_its_section() -> None:
    named = re.findall(r"^\| (\w+) \| `/", TEXT, re.MULTILINE)
    assert [name for name in named if f"\n## {name}\n" not in TEXT] == []


def test_the_periods_and_dimensions_of_the_filters_are_told() -> None:
    assert [name for name in filters.PERIODS if f"`{name}`" not in TEXT and f"={name}`" not in TEXT] == []
    assert [name for name in filters.DIMENSIONS if name.replace("_", " ") not in " ".join(TEXT.split())] == []
