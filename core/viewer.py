"""Who is looking: the signed-in person as a plain value, what each role opens, and whose rows it covers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from core.errors import NotAllowed

Role = Literal["partner", "admin", "analyst", "executive"]
ROLES: tuple[Role, ...] = ("partner", "admin", "analyst", "executive")

SCREENS: dict[str, frozenset[Role]] = {
    "overview": frozenset({"executive", "admin", "analyst"}),
    "revenue": frozenset({"executive", "admin", "analyst"}),
    "earnings": frozenset({"partner"}),
    "partners": frozenset({"admin"}),
    "import": frozenset({"admin"}),
    "people": frozenset({"admin"}),
    "system": frozenset({"admin"}),
}
"""Which roles open each screen: the one table that menu, pages and core ask. A screen is listed once it stands."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in person for the length of one request. Sessions are checked before one is made."""

    person_id: UUID
    name: str
    email: str
    roles: frozenset[Role]
    partner_ids: frozenset[int] = frozenset()
    session_id: UUID | None = None
    signed_in_at: datetime | None = None
    factors: frozenset[str] = field(default=frozenset())  # RFC 8176 `amr` values: pwd, otp, hwk …
    origin: str = ""  # where the request came from, for the audit trail

    def opens(self, screen: str) -> bool:
        return bool(self.roles & SCREENS.get(screen, frozenset()))

    @property
    def sees_all_partners(self) -> bool:
        return bool(self.roles & {"admin", "analyst", "executive"})

    @property
    def sees_customers(self) -> bool:
        """Names and addresses of customers are for admins; everybody else sees them masked."""
        return "admin" in self.roles

    def as_partner(self) -> Viewer:
        """The same person with the partner's eyes only: their own rows, whatever else they may see."""
        require(self, "partner")
        return replace(self, roles=frozenset({"partner"}))


def require(viewer: Viewer, *roles: Role) -> None:
    """Refuse a viewer who holds none of `roles`; every public function of core that acts or reads calls it."""
    if not viewer.roles & set(roles):
        wanted = " or ".join(roles)
        raise NotAllowed(f"This needs the role {wanted}; ask an admin to add it under People.")


def require_screen(viewer: Viewer, screen: str) -> None:
    """Refuse a viewer whose roles do not open `screen`; every page calls it before anything else."""
    if not viewer.opens(screen):
        raise NotAllowed("Your roles do not open this screen; ask an admin to change them under People.")


SYSTEM = Viewer(
    person_id=UUID(int=0),
    name="Millrace",
    email="",
    roles=frozenset({"admin", "analyst"}),
    origin="millrace",
)
"""The product itself, acting for nobody: the command line, the clock, the loading of the demo."""
