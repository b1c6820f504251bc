"""Programs: what is promised from a day on, and that what was promised stays."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from core.errors import Conflict, NotAllowed, NotFound
from core.money import NotMoney
from core.partners import programs, registry
from core.partners.programs import PastTerms, Terms
from core.partners.rules import BadPartner
from core.periods import FIRST_DAY, NotAPeriod
from core.viewer import Viewer
from data.postgres import transaction
from data.store import audit as trail


@pytest.fixture
def today(db: Connection) -> date:
    return db.execute(text("select (now() at time zone 'Europe/Berlin')::date")).scalar_one()


@pytest.fixture
def europe(db: Connection, admin: Viewer) -> dict[str, Any]:
    first = Terms(share_bps=1000, attribution_days=45)
    return dict(
        programs.open_program(
            db, admin, code="europe", name="Europe", currency="EUR", timezone="Europe/Berlin", terms=first
        )
    )


def stored(db: Connection, admin: Viewer) -> list[tuple[date, date | None, int, str]]:
    rows = programs.terms_of(db, admin, "europe")
    return [(row["since"], row["last_day"], row["share_bps"], row["state"]) for row in reversed(rows)]


def test_a_program_opens_with_terms_that_hold_from_the_beginning(
    db: Connection, admin: Viewer, europe: dict[str, Any]
) -> None:
    row = programs.programs(db, admin)[0]
    assert (row["code"], row["currency"], row["since"], row["attribution_days"], row["partners"]) == (
        "europe",
        "EUR",
        FIRST_DAY,
        45,
        0,
    )
    entry = trail.latest(db, limit=1)[0]
    assert (entry["act"], entry["subject"]) == ("program.opened", f"program:{europe['id']}")


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"code": "No Code"}, BadPartner),
        ({"name": ""}, BadPartner),
        ({"currency": "XXX"}, NotMoney),
        ({"currency": "usd"}, NotMoney),
        ({"timezone": "Mars/Base"}, NotAPeriod),
    ],
)
def test_a_program_that_cannot_be_meant_is_refused(
    db: Connection, admin: Viewer, fields: dict[str, str], refusal: type[Exception]
) -> None:
    good = {"code": "europe", "name": "Europe", "currency": "EUR"}
    with pytest.raises(refusal):
        programs.open_program(db, admin, **(good | fields))
    assert programs.programs(db, admin) == []


def test_a_programs_code_is_given_once(db: Connection, admin: Viewer, europe: dict[str, Any]) -> None:
    with pytest.raises(Conflict, match="already"):
        programs.open_program(db, admin, code="europe", name="Other", currency="USD")


@pytest.mark.parametrize(
    "fields",
    [
        {"hold_days": -1},
        {"hold_days": 367},
        {"minimum_minor": -1},
        {"payday": 0},
        {"payday": 29},
        {"approval_limit_minor": -1},
        {"attribution_days": 3651},
        {"share_bps": 10_001},
        {"share_bps": None},
        {"payday": 1.5},
        {"hold_days": True},
    ],
)
def test_terms_out_of_range_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(BadPartner):
        Terms(**fields)


def test_new_terms_end_the_former_ones_the_day_before(
    db: Connection, admin: Viewer, europe: dict[str, Any], today: date
) -> None:
    programs.set_terms(db, admin, "europe", Terms(share_bps=1500), since=today)
    assert stored(db, admin) == [
        (FIRST_DAY, today - timedelta(days=1), 1000, "past"),
        (today, None, 1500, "in force"),
    ]
    assert programs.programs(db, admin)[0]["share_bps"] == 1500
    entry = trail.latest(db, limit=1)[0]
    assert (entry["act"], entry["before"]["share_bps"], entry["after"]["share_bps"]) == (
        "program.terms_set",
        1000,
        1500,
    )


def test_terms_of_past_days_never_change(db: Connection, admin: Viewer, europe: dict[str, Any], today: date) -> None:
    with pytest.raises(PastTerms, match="past days"):
        programs.set_terms(db, admin, "europe", Terms(share_bps=1500), since=today - timedelta(days=1))
    assert stored(db, admin) == [(FIRST_DAY, None, 1000, "in force")]


def test_planned_terms_hold_from_their_day_whatever_is_set_before_it(
    db: Connection, admin: Viewer, europe: dict[str, Any], today: date
) -> None:
    soon, later = today + timedelta(days=10), today + timedelta(days=30)
    programs.set_terms(db, admin, "europe", Terms(share_bps=3000), since=later)
    programs.set_terms(db, admin, "europe", Terms(share_bps=2000), since=soon)
    assert stored(db, admin) == [
        (FIRST_DAY, soon - timedelta(days=1), 1000, "in force"),
        (soon, later - timedelta(days=1), 2000, "planned"),
        (later, None, 3000, "planned"),
    ]
    with pytest.raises(PastTerms, match="already"):
        programs.set_terms(db, admin, "europe", Terms(), since=soon)


def test_planned_terms_may_be_withdrawn_and_the_former_hold_on(
    db: Connection, admin: Viewer, europe: dict[str, Any], today: date
) -> None:
    soon, later = today + timedelta(days=10), today + timedelta(days=30)
    programs.set_terms(db, admin, "europe", Terms(share_bps=3000), since=later)
    programs.set_terms(db, admin, "europe", Terms(share_bps=2000), since=soon)
    programs.withdraw_terms(db, admin, "europe", since=soon)
    assert [row[:3] for row in stored(db, admin)] == [
        (FIRST_DAY, later - timedelta(days=1), 1000),
        (later, None, 3000),
    ]
    programs.withdraw_terms(db, admin, "europe", since=later)
    assert stored(db, admin) == [(FIRST_DAY, None, 1000, "in force")]
    with pytest.raises(PastTerms, match="begun"):
        programs.withdraw_terms(db, admin, "europe", since=FIRST_DAY)
    with pytest.raises(NotFound):
        programs.withdraw_terms(db, admin, "europe", since=later)


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("update program_terms set share_bps = 9000", "never change"),
        ("update program_terms set since = '2020-01-01'", "never change"),
        ("update program_terms set until = '2021-01-01'", "never change"),
        ("delete from program_terms", "never deleted"),
        (
            "insert into program_terms (program_id, since) select id, '2030-01-01' from program",
            "program_terms_no_overlap",
        ),
        (
            "insert into program_terms (program_id, since, until) select id, '1960-01-01', '1970-01-02' from program",
            "program_terms_no_overlap",
        ),
    ],
)
def test_postgres_itself_keeps_terms_as_they_were_and_apart(
    db: Connection, europe: dict[str, Any], statement: str, sentence: str
) -> None:
    with pytest.raises(IntegrityError, match=sentence), db.begin_nested():
        db.execute(text(statement))


def test_of_many_who_set_terms_of_one_day_one_succeeds(database: Any, admin: Viewer) -> None:
    with transaction() as db:
        programs.open_program(db, admin, code="europe", name="Europe", currency="EUR")
    outcomes: list[str] = []
    gate = threading.Barrier(6)
    day = date.today() + timedelta(days=5)  # noqa: DTZ011

    def set_terms(share_bps: int) -> None:
        gate.wait()
        try:
            with transaction() as own:
                programs.set_terms(own, admin, "europe", Terms(share_bps=share_bps), since=day)
            outcomes.append("done")
        except PastTerms:
            outcomes.append("conflict")

    threads = [threading.Thread(target=set_terms, args=(100 * n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["conflict"] * 5 + ["done"]


def test_a_program_is_renamed_and_closed_but_keeps_its_currency(
    db: Connection, admin: Viewer, europe: dict[str, Any]
) -> None:
    programs.change_program(db, admin, "europe", name="EU", status="closed")
    row = programs.programs(db, admin)[0]
    assert (row["name"], row["status"]) == ("EU", "closed")
    entry = trail.latest(db, limit=1)[0]
    assert entry["before"] == {"name": "Europe", "status": "active"}
    programs.change_program(db, admin, "europe", name="EU")
    assert trail.latest(db, limit=1)[0]["id"] == entry["id"], "nothing changed, nothing to tell"
    with pytest.raises(BadPartner, match="status of a program"):
        programs.change_program(db, admin, "europe", status="gone")


def test_a_closed_program_takes_no_new_partners_and_keeps_those_it_has(
    db: Connection, admin: Viewer, europe: dict[str, Any], enrol: Any
) -> None:
    old, new = enrol("old", program="europe"), enrol("new")
    programs.change_program(db, admin, "europe", status="closed")
    with pytest.raises(BadPartner, match="closed"):
        enrol("newer", program="europe")
    with pytest.raises(BadPartner, match="closed"):
        registry.change(db, admin, new.id, 1, {"program": "europe"})
    assert registry.change(db, admin, old.id, 1, {"program": "europe", "name": "Older"}).name == "Older"


def test_a_group_shares_a_minimum_in_a_currency(db: Connection, admin: Viewer) -> None:
    programs.make_group(db, admin, code="gold", name="Gold", minimum_minor=5000, currency="EUR")
    with pytest.raises(Conflict):
        programs.make_group(db, admin, code="gold", name="Gold again")
    with pytest.raises(BadPartner, match="currency"):
        programs.make_group(db, admin, code="silver", name="Silver", minimum_minor=5000)
    programs.change_group(db, admin, "gold", name="Gold partners")
    row = programs.groups(db, admin)[0]
    assert (row["name"], row["minimum_minor"], row["currency"]) == ("Gold partners", None, None)
    assert trail.latest(db, limit=1)[0]["before"] == {"name": "Gold", "minimum_minor": 5000, "currency": "EUR"}
    with pytest.raises(NotFound):
        programs.change_group(db, admin, "none", name="None")


def test_only_admins_make_promises(db: Connection, europe: dict[str, Any], today: date) -> None:
    analyst = Viewer(uuid4(), "Ana", "ana@example.com", frozenset({"analyst"}))
    for act in (
        lambda: programs.open_program(db, analyst, code="other", name="Other", currency="EUR"),
        lambda: programs.change_program(db, analyst, "europe", name="EU"),
        lambda: programs.set_terms(db, analyst, "europe", Terms(), since=today),
        lambda: programs.withdraw_terms(db, analyst, "europe", since=today),
        lambda: programs.make_group(db, analyst, code="gold", name="Gold"),
        lambda: programs.change_group(db, analyst, "gold", name="Gold"),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert len(programs.programs(db, analyst)) == 1, "what is promised may be read"
