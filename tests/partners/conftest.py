"""What the tests of partners share: an enrolled partner and a program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection

from core.partners import registry
from core.partners.registry import Partner
from core.viewer import Viewer

Enrol = Callable[..., Partner]


@pytest.fixture
def enrol(db: Connection, admin: Viewer) -> Enrol:
    """Enrols a partner with the fields given; the rest is plain."""

    def with_fields(code: str = "acme", **fields: Any) -> Partner:
        plain = {"code": code, "name": code.title(), "type": "affiliate"}
        return registry.enrol(db, admin, plain | fields)

    return with_fields
