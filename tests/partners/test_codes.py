"""Codes: one owner each, a limit that holds however many come at once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from core.errors import Conflict, NotAllowed, NotFound
from core.partners import codes, registry
from core.partners.codes import CodeEnded
from core.partners.rules import BadPartner, ForbiddenStep
from core.viewer import Viewer
from data.postgres import transaction

SHOP = "https://shop.example.com/"
SOON = datetime.now(UTC) + timedelta(days=7)


def test_a_code_is_issued_in_lower_case_and_the_trail_says_so(db: Connection, admin: Viewer, enrol: Any) -> None:
    partner = enrol()
    row = codes.issue(db, admin, partner.id, code=" Summer-10 ", landing_url=SHOP, campaign="Summer")
    assert (row["code"], row["kind"], row["use_limit"], row["uses"]) == ("summer-10", "link", None, 0)
    entry = registry.history(db, admin, partner.id)[0]
    assert (entry["act"], entry["after"]["code"]) == ("referral_code.issued", "summer-10")


@pytest.mark.parametrize("again", ["summer", "SUMMER", " Summer"])
def test_a_code_belongs_to_one_partner_whatever_its_case(db: Connection, admin: Viewer, enrol: Any, again: str) -> None:
    codes.issue(db, admin, enrol("acme").id, code="summer", kind="coupon")
    with pytest.raises(Conflict, match="taken"):
        codes.issue(db, admin, enrol("bolt").id, code=again, kind="coupon")


def test_postgres_takes_no_code_in_upper_case(db: Connection, enrol: Any) -> None:
    new = text("insert into referral_code (code, partner_id) values ('SUMMER', :id)")
    with pytest.raises(IntegrityError, match="code_lower"), db.begin_nested():
        db.execute(new, {"id": enrol().id})


def test_a_code_that_we_make_up_can_be_read_aloud(db: Connection, admin: Viewer, enrol: Any) -> None:
    partner = enrol()
    made = {codes.issue(db, admin, partner.id, kind="coupon")["code"] for _ in range(50)}
    assert len(made) == 50
    assert {len(code) for code in made} == {codes.MADE_LENGTH}
    assert not set("".join(made)) & set("01oil")


def test_a_made_up_code_that_is_taken_is_made_up_again(
    db: Connection, admin: Viewer, enrol: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = iter("22222222" + "22222222" + "33333333")
    monkeypatch.setattr(codes.secrets, "choice", lambda _: next(letters))
    partner = enrol()
    assert [codes.issue(db, admin, partner.id, kind="coupon")["code"] for _ in range(2)] == ["22222222", "33333333"]


@pytest.mark.parametrize(("kind", "limit"), [("link", None), ("coupon", None), ("referral", 10)])
def test_a_referral_reward_serves_ten_times_and_others_without_limit(
    db: Connection, admin: Viewer, enrol: Any, kind: str, limit: int | None
) -> None:
    assert codes.issue(db, admin, enrol().id, kind=kind, landing_url=SHOP)["use_limit"] == limit


@pytest.mark.parametrize(
    "fields",
    [
        {"code": "a b"},
        {"kind": "magnet"},
        {"landing_url": "javascript:alert(1)"},
        {"landing_url": None},
        {"use_limit": 0},
        {"use_limit": True},
        {"expires_at": datetime(2020, 1, 1, tzinfo=UTC)},
        {"expires_at": SOON.replace(tzinfo=None)},
        {"campaign": "x" * 61},
    ],
)
def test_a_code_that_cannot_be_meant_is_refused(
    db: Connection, admin: Viewer, enrol: Any, fields: dict[str, Any]
) -> None:
    with pytest.raises(BadPartner):
        codes.issue(db, admin, enrol().id, **({"code": "summer", "landing_url": SHOP} | fields))
    assert codes.codes(db, admin) == []


def test_a_terminated_partner_gets_no_code(db: Connection, admin: Viewer, enrol: Any) -> None:
    with pytest.raises(ForbiddenStep, match="terminated"):
        codes.issue(db, admin, enrol(status="terminated").id, kind="coupon")
    with pytest.raises(NotFound):
        codes.issue(db, admin, 10**12, kind="coupon")


def test_a_retired_code_serves_no_more_and_stays_its_partners(db: Connection, admin: Viewer, enrol: Any) -> None:
    partner = enrol()
    codes.issue(db, admin, partner.id, code="summer", kind="coupon")
    codes.retire(db, admin, "SUMMER")
    with pytest.raises(CodeEnded, match="retired"):
        codes.use(db, "summer")
    with pytest.raises(CodeEnded, match="already"):
        codes.retire(db, admin, "summer")
    assert codes.partners_of(db, ["Summer ", "other", "nu\x00ll"]) == {"summer": partner.id}
    assert registry.history(db, admin, partner.id)[0]["act"] == "referral_code.retired"


def test_a_use_is_counted_until_the_limit(db: Connection, admin: Viewer, enrol: Any) -> None:
    codes.issue(db, admin, enrol().id, code="summer", kind="coupon", use_limit=3)
    assert codes.use(db, "SUMMER")["uses"] == 1
    with pytest.raises(CodeEnded, match="fewer uses left"):
        codes.use(db, "summer", times=3)
    assert codes.use(db, "summer", times=2)["uses"] == 3
    with pytest.raises(CodeEnded, match="as often as it may"):
        codes.use(db, "summer")


def test_an_expired_code_is_not_used(db: Connection, admin: Viewer, enrol: Any) -> None:
    codes.issue(db, admin, enrol().id, code="summer", kind="coupon", expires_at=SOON)
    assert codes.use(db, "summer", at=SOON - timedelta(seconds=1))["uses"] == 1
    with pytest.raises(CodeEnded, match="expired"):
        codes.use(db, "summer", at=SOON)


@pytest.mark.parametrize("code", ["nothing", "", "nu\x00ll", "x" * 100])
def test_a_code_that_nobody_was_given_is_not_found(db: Connection, admin: Viewer, code: str) -> None:
    with pytest.raises(NotFound):
        codes.use(db, code)
    with pytest.raises(NotFound):
        codes.retire(db, admin, code)


def test_the_limit_holds_however_many_use_the_code_at_once(database: Any, admin: Viewer) -> None:
    with transaction() as db:
        partner = registry.enrol(db, admin, {"code": "acme", "name": "Acme", "type": "affiliate"})
        codes.issue(db, admin, partner.id, code="friends", kind="referral", landing_url=SHOP)
    outcomes: list[str] = []
    gate = threading.Barrier(16)

    def use_often() -> None:
        gate.wait()
        for _ in range(3):
            try:
                with transaction() as own:
                    codes.use(own, "friends")
                outcomes.append("used")
            except CodeEnded:
                outcomes.append("refused")

    threads = [threading.Thread(target=use_often) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (outcomes.count("used"), outcomes.count("refused")) == (10, 38)
    with transaction() as db:
        assert codes.codes(db, admin)[0]["uses"] == 10


def test_a_partner_sees_only_its_own_codes(db: Connection, admin: Viewer, enrol: Any) -> None:
    mine, other = enrol("mine"), enrol("other")
    codes.issue(db, admin, mine.id, code="my-code", kind="coupon")
    codes.issue(db, admin, other.id, code="other-code", kind="coupon")
    me = Viewer(uuid4(), "Me", "me@example.com", frozenset({"partner"}), frozenset({mine.id}))
    assert [row["code"] for row in codes.codes(db, me)] == ["my-code"]
    assert [row["code"] for row in codes.codes(db, me, partner_id=mine.id)] == ["my-code"]
    assert codes.codes(db, me, partner_id=other.id) == []
    assert len(codes.codes(db, admin)) == 2
    assert [row["code"] for row in codes.codes(db, admin, partner_id=other.id)] == ["other-code"]


def test_only_admins_issue_and_retire(db: Connection, admin: Viewer, enrol: Any) -> None:
    partner = enrol()
    me = Viewer(uuid4(), "Me", "me@example.com", frozenset({"partner"}), frozenset({partner.id}))
    codes.issue(db, admin, partner.id, code="summer", kind="coupon")
    with pytest.raises(NotAllowed):
        codes.issue(db, me, partner.id, kind="coupon")
    with pytest.raises(NotAllowed):
        codes.retire(db, me, "summer")
