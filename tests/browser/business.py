"""The small business that the browser tests look at: two partners, 400 days of sales, and somebody of each role.

Run as a program, it fills the house that the environment names (MILLRACE_HOME, DATABASE_URL).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import polars as pl

from core.intake.load import load_frame
from core.partners import registry
from core.runtime import close_house, open_house
from core.settings import read
from core.trust import passwords
from core.viewer import SYSTEM
from data.postgres import transaction
from data.store import people

PASSWORD = "four plain random words"
PARTNERS = {"acme": ("Acme Analytics", "na"), "birch": ("Birch & Co", "eu")}
PEOPLE: dict[str, tuple[list[str], str | None]] = {
    "admin": (["admin"], None),
    "analyst": (["analyst"], None),
    "executive": (["executive"], None),
    "partner": (["partner"], "acme"),
    "birch": (["partner"], "birch"),
}
"""The name before @house.example → roles, and the partner whose rows are theirs."""
DAYS = 400


def sales(until: datetime) -> pl.DataFrame:
    """Three sales a day, of Acme, of Birch and of nobody; each tenth day Acme's is taken back the day after."""
    rows = []
    for back in range(DAYS, 0, -1):
        at = until - timedelta(days=back)
        for nth, partner in enumerate(("acme", "birch", None)):
            number = f"S-{at:%Y%m%d}-{nth}"
            amount = Decimal(4000 + 17 * (back % 31) + 900 * nth) / 100
            rows.append(row(number, at, amount, partner, back, nth))
            if nth == 0 and back % 10 == 0:
                taken = row(f"R-{at:%Y%m%d}", at + timedelta(days=1), -amount, partner, back, nth)
                rows.append(taken | {"kind": "refund", "refunds": f"{number}:1"})
    return pl.DataFrame(rows, infer_schema_length=None)


def row(number: str, at: datetime, amount: Decimal, partner: str | None, back: int, nth: int) -> dict[str, object]:
    return {
        "source_id": f"{number}:1",
        "order_id": number,
        "at": at.isoformat(),
        "kind": "sale",
        "amount": str(amount),
        "currency": "USD",
        "refunds": None,
        "customer": f"c{back % 40}",
        "customer_name": f"Customer {back % 40}",
        "customer_email": f"buyer{back % 40}@example.com",
        "product": ("Compass", "Lantern", "Anchor")[nth],
        "category": ("Tools", "Light", "Tools")[nth],
        "region": ("na", "eu", "apac")[nth],
        "country": ("US", "DE", "JP")[nth],
        "channel": ("partner", "partner", "direct")[nth],
        "partner": partner,
    }


def fill() -> None:
    open_house(read())
    with transaction() as db:
        for code, (name, region) in PARTNERS.items():
            fields = {"code": code, "name": name, "type": "affiliate", "status": "active", "region": region}
            registry.enrol(db, SYSTEM, fields)
        known = {each["code"]: each["id"] for each in people.partners(db)}
        for name, (roles, partner) in PEOPLE.items():
            person = {"email": f"{name}@house.example", "name": name.title(), "roles": roles, "status": "active"}
            person_id = people.add(db, person | {"password_hash": passwords.seal(PASSWORD)})
            people.set_partners(db, person_id, [known[partner]] if partner else [])
        today = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
        load_frame(db, SYSTEM, "sales", sales(today), source="shop")
    close_house()


if __name__ == "__main__":
    fill()
