"""What the tests of screens share: somebody of any role, signed in.

`signed_in(screen, "analyst")` makes the person and gives AppTest the claims of a sign-in a moment ago, as Streamlit
would have them from the ID token; the rest is real: the session row, the roles, the partners.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from streamlit.testing.v1 import AppTest

from core.runtime import House
from data.postgres import transaction
from data.store import people

SignedIn = Callable[..., UUID]


@pytest.fixture
def signed_in(house: House) -> SignedIn:
    """Makes a person of these roles, who sees the rows of these partners (by code), and signs them in."""

    def come_in(screen: AppTest, *roles: str, partners: tuple[str, ...] = (), name: str = "") -> UUID:
        called = name or " ".join(roles).title() or "Nobody"
        email = f"{called.lower().replace(' ', '.')}@house.example"
        with transaction() as db:
            known = {row["code"]: row["id"] for row in people.partners(db)}
            person_id = people.add(db, {"email": email, "name": called, "roles": list(roles), "status": "active"})
            people.set_partners(db, person_id, [known[code] for code in partners])
        at = int(time.time())
        screen.user = {
            "is_logged_in": True,
            "provider": "local",
            "iss": f"{house.settings.public_url}/idp",
            "sub": str(person_id),
            "sid": uuid4().hex,
            "iat": at,
            "exp": at + 3600,
            "auth_time": at,
            "amr": ["pwd"],
            "email": email,
            "name": called,
        }
        return person_id

    return come_in
