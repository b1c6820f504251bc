"""A small demo, a tenth and a half of all, as frames by kind; of one day, so that nothing here needs the clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl
import pytest

from data import demo

TODAY = date(2026, 3, 18)

Frames = Mapping[str, pl.DataFrame]


@pytest.fixture(scope="session")
def today() -> date:
    return TODAY


@pytest.fixture(scope="session")
def small() -> Frames:
    return dict(demo.business(TODAY, scale=0.02))


@pytest.fixture(scope="session")
def tenth() -> Frames:
    return dict(demo.business(TODAY, scale=0.1))


@pytest.fixture(scope="session")
def half() -> Frames:
    return dict(demo.business(TODAY, scale=0.5))
