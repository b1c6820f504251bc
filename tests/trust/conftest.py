"""What the tests of trust share: settings of an installation of its own, and people in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, insert

from core import settings as all_settings
from core.settings import Settings
from core.trust import passwords
from data import tables
from data.store import people as store

PASSWORD = "four words of mine"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return all_settings.read({"MILLRACE_HOME": str(tmp_path), "PORT": "8555"})


@pytest.fixture
def company(tmp_path: Path) -> Settings:
    """An installation whose people sign in through their company."""
    oidc = {"ISSUER": "https://id.example.com", "CLIENT_ID": "millrace", "CLIENT_SECRET": "quiet"}
    return all_settings.read({"MILLRACE_HOME": str(tmp_path), **{f"MILLRACE_OIDC_{k}": v for k, v in oidc.items()}})


AddPerson = Callable[..., UUID]


@pytest.fixture
def add_person() -> AddPerson:
    def add(
        db: Connection, *roles: str, email: str = "", password: str = PASSWORD, status: str = "active", partner: int = 0
    ) -> UUID:
        address = email or f"{uuid4().hex[:8]}@example.com"
        kept = passwords.seal(password) if password else None
        row = {"email": address, "name": "Ana Able", "roles": list(roles), "status": status, "password_hash": kept}
        person_id = store.add(db, row)
        if partner:
            store.set_partners(db, person_id, [partner])
        return person_id

    return add


@pytest.fixture
def add_partner() -> Callable[..., int]:
    def add(db: Connection, code: str = "acme") -> int:
        row = {"code": code, "name": code.title(), "type": "affiliate", "status": "active"}
        return db.execute(insert(tables.partner).values(**row).returning(tables.partner.c.id)).scalar_one()

    return add
