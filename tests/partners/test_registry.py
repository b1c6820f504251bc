"""The registry: every act, every refusal, what stays in the trail, and who sees what."""

from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from core.errors import Conflict, NotAllowed, NotFound
from core.partners import codes, programs, registry
from core.partners.registry import StaleForm
from core.partners.rules import STATUSES, STEPS, BadPartner, ForbiddenStep
from core.trust import audit
from core.viewer import Role, Viewer
from data.postgres import transaction


def viewer(*roles: Role, partners: tuple[int, ...] = ()) -> Viewer:
    return Viewer(uuid4(), "Vera", "vera@example.com", frozenset(roles), frozenset(partners))


def acts(db: Connection, admin: Viewer, partner_id: int) -> list[str]:
    return [row["act"] for row in registry.history(db, admin, partner_id)]


def test_a_new_partner_is_pending_and_its_enrolment_is_in_the_trail(db: Connection, admin: Viewer, enrol: Any) -> None:
    partner = enrol("acme", email="Anna@Example.com", share_bps=1250, country="gb", capabilities=["orders.read"])
    assert (partner.status, partner.version, partner.email, partner.country) == ("pending", 1, "anna@example.com", "GB")
    entry = registry.history(db, admin, partner.id)[0]
    assert (entry["act"], entry["actor"], entry["before"]) == ("partner.enrolled", "admin@example.com", None)
    assert entry["after"]["share_bps"] == 1250


def test_a_code_is_given_once(db: Connection, admin: Viewer, enrol: Any) -> None:
    enrol("acme")
    with pytest.raises(Conflict, match="“acme” already"):
        enrol("acme")


@pytest.mark.parametrize(
    "fields",
    [
        {"code": "No Code"},
        {"name": ""},
        {"type": "friend"},
        {"region": "moon"},
        {"status": "famous"},
        {"email": "nobody"},
        {"api_base": "http://127.0.0.1"},
        {"share_bps": 10_001},
        {"program": "none-such"},
        {"group": "none-such"},
        {"balance": 3},
    ],
)
def test_a_field_that_cannot_be_meant_is_refused_and_nothing_is_stored(
    db: Connection, admin: Viewer, fields: dict[str, Any]
) -> None:
    good = {"code": "acme", "name": "Acme", "type": "affiliate"}
    with pytest.raises(BadPartner):
        registry.enrol(db, admin, good | fields)
    assert registry.find(db, admin) == []


def test_what_is_needed_is_asked_for(db: Connection, admin: Viewer) -> None:
    for missing in ("code", "name", "type"):
        fields = {"code": "acme", "name": "Acme", "type": "affiliate"}
        del fields[missing]
        with pytest.raises(BadPartner):
            registry.enrol(db, admin, fields)


def test_a_change_says_what_it_was_before_and_after(db: Connection, admin: Viewer, enrol: Any) -> None:
    partner = enrol("acme", share_bps=1000)
    changed = registry.change(db, admin, partner.id, 1, {"share_bps": 1500, "name": "Acme"})
    assert (changed.share_bps, changed.version) == (1500, 2)
    entry = registry.history(db, admin, partner.id)[0]
    assert (entry["act"], entry["before"], entry["after"]) == (
        "partner.changed",
        {"share_bps": 1000},
        {"share_bps": 1500},
    )


def test_a_change_that_changes_nothing_leaves_no_trace(db: Connection, admin: Viewer, enrol: Any) -> None:
    partner = enrol("acme")
    assert registry.change(db, admin, partner.id, 1, {"name": "Acme"}).version == 1
    assert acts(db, admin, partner.id) == ["partner.enrolled"]


@pytest.mark.parametrize("field", ["code", "status"])
def test_code_and_status_do_not_change_with_the_other_fields(
    db: Connection, admin: Viewer, enrol: Any, field: str
) -> None:
    partner = enrol("acme")
    with pytest.raises(BadPartner, match=field):
        registry.change(db, admin, partner.id, 1, {field: "active"})


def test_program_and_group_are_named_by_their_codes_and_may_be_taken_away(
    db: Connection, admin: Viewer, enrol: Any
) -> None:
    programs.open_program(db, admin, code="europe", name="Europe", currency="EUR", timezone="Europe/Berlin")
    programs.make_group(db, admin, code="gold", name="Gold")
    partner = enrol("acme", program="europe", group="gold")
    row = registry.one(db, admin, partner.id)
    assert (row["program"], row["group"], row["currency"], row["program_share_bps"]) == ("europe", "gold", "EUR", 0)
    registry.change(db, admin, partner.id, 1, {"program": None, "group": ""})
    assert registry.one(db, admin, partner.id)["program"] is None


def test_each_act_takes_its_step_and_stands_in_the_trail(db: Connection, admin: Viewer, enrol: Any) -> None:
    partner = enrol("acme")
    registry.approve(db, admin, partner.id, 1)
    registry.suspend(db, admin, partner.id, 2, "Invoices do not match.")
    registry.reinstate(db, admin, partner.id, 3)
    ended = registry.terminate(db, admin, partner.id, 4, "Contract ended.")
    assert (ended.status, ended.version) == ("terminated", 5)
    assert acts(db, admin, partner.id) == [
        "partner.terminated",
        "partner.reinstated",
        "partner.suspended",
        "partner.approved",
        "partner.enrolled",
    ]
    suspended = registry.history(db, admin, partner.id)[2]
    assert suspended["after"] == {"status": "suspended", "reason": "Invoices do not match."}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("act", ["approve", "suspend", "reinstate", "terminate"])
def test_an_act_that_the_status_does_not_allow_is_refused(
    db: Connection, admin: Viewer, enrol: Any, status: str, act: str
) -> None:
    allowed = {
        "approve": {"pending"},
        "suspend": {"active"},
        "reinstate": {"suspended"},
        "terminate": {"pending", "active", "suspended"},
    }
    partner = enrol("acme", status=status)
    why = ("Because.",) if act in ("suspend", "terminate") else ()
    if status in allowed[act]:
        getattr(registry, act)(db, admin, partner.id, 1, *why)
        return
    with pytest.raises(ForbiddenStep):
        getattr(registry, act)(db, admin, partner.id, 1, *why)
    assert registry.one(db, admin, partner.id)["status"] == status
    assert acts(db, admin, partner.id) == ["partner.enrolled"]


@pytest.mark.parametrize("then", STATUSES)
@pytest.mark.parametrize("now", STATUSES)
def test_postgres_allows_the_same_steps_and_no_other(
    db: Connection, admin: Viewer, enrol: Any, now: str, then: str
) -> None:
    partner = enrol("acme", status=now)
    step = text("update partner set status = :then where id = :id")
    if then == now or then in STEPS[now]:
        db.execute(step, {"then": then, "id": partner.id})
        return
    with pytest.raises(IntegrityError, match="never becomes"), db.begin_nested():
        db.execute(step, {"then": then, "id": partner.id})


def test_postgres_keeps_a_partners_code(db: Connection, admin: Viewer, enrol: Any) -> None:
    partner = enrol("acme")
    with pytest.raises(IntegrityError, match="keeps its code"), db.begin_nested():
        db.execute(text("update partner set code = 'other' where id = :id"), {"id": partner.id})


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "two\nlines"])
def test_suspending_and_terminating_ask_for_a_reason(db: Connection, admin: Viewer, enrol: Any, reason: str) -> None:
    partner = enrol("acme", status="active")
    for act in (registry.suspend, registry.terminate):
        with pytest.raises(BadPartner, match=r"reason|why"):
            act(db, admin, partner.id, 1, reason)


def test_a_form_that_is_out_of_date_is_refused(db: Connection, admin: Viewer, enrol: Any) -> None:
    partner = enrol("acme")
    registry.change(db, admin, partner.id, 1, {"name": "Acme Travel"})
    for stale in (1, 3):
        with pytest.raises(StaleForm, match="Acme Travel in the meantime"):
            registry.change(db, admin, partner.id, stale, {"name": "Other"})
    with pytest.raises(StaleForm):
        registry.approve(db, admin, partner.id, 1)


def test_of_many_who_approve_at_once_one_succeeds(database: Any, admin: Viewer) -> None:
    with transaction() as db:
        partner = registry.enrol(db, admin, {"code": "acme", "name": "Acme", "type": "affiliate"})
    outcomes: list[str] = []
    gate = threading.Barrier(8)

    def approve() -> None:
        gate.wait()
        try:
            with transaction() as own:
                registry.approve(own, admin, partner.id, 1)
            outcomes.append("done")
        except Conflict:
            outcomes.append("conflict")

    run_together(approve, 8)
    assert sorted(outcomes) == ["conflict"] * 7 + ["done"]
    with transaction() as db:
        assert registry.one(db, admin, partner.id)["version"] == 2
        assert acts(db, admin, partner.id) == ["partner.approved", "partner.enrolled"]


def test_terminating_retires_every_code_of_the_partner(db: Connection, admin: Viewer, enrol: Any) -> None:
    partner, other = enrol("acme", status="active"), enrol("other", status="active")
    codes.issue(db, admin, partner.id, code="acme-10", kind="coupon")
    codes.issue(db, admin, other.id, code="other-10", kind="coupon")
    registry.terminate(db, admin, partner.id, 1, "Contract ended.")
    assert {row["code"]: row["status"] for row in codes.codes(db, admin)} == {
        "acme-10": "retired",
        "other-10": "active",
    }
    assert acts(db, admin, partner.id)[0] == "referral_code.retired"


def test_names_that_a_file_brings_are_enrolled_once_and_wait(db: Connection, admin: Viewer, enrol: Any) -> None:
    eire = enrol("eire", status="active")
    ids = registry.enrol_unknown(db, admin, ["EIRE", "United Kingdom", "united kingdom"])
    assert ids["EIRE"] == eire.id
    assert ids["United Kingdom"] == ids["united kingdom"]
    new = registry.one(db, admin, ids["United Kingdom"])
    assert (new["status"], new["type"], new["code"]) == ("pending", "affiliate", "united-kingdom")
    assert acts(db, admin, new["id"]) == ["partner.enrolled"]
    assert registry.enrol_unknown(db, admin, ["EIRE", "United Kingdom"]) == {
        "EIRE": eire.id,
        "United Kingdom": new["id"],
    }
    assert acts(db, admin, new["id"]) == ["partner.enrolled"]
    assert registry.ids_of(db, ["Eire", "Nobody"]) == {"Eire": eire.id}


def test_two_files_that_bring_the_same_new_partner_enrol_it_once(database: Any, admin: Viewer) -> None:
    found: list[dict[str, int]] = []
    gate = threading.Barrier(4)

    def bring() -> None:
        gate.wait()
        with transaction() as own:
            ids = registry.enrol_unknown(own, admin, ["Kenya", "Peru"])
        found.append(ids)

    run_together(bring, 4)
    assert found == [found[0]] * 4


def test_search_and_filters_narrow_the_list(db: Connection, admin: Viewer, enrol: Any) -> None:
    acme = enrol("acme", name="Acme Travel", email="anna@travel.example", status="active", region="eu")
    enrol("bolt", name="Bolt", type="shopify")
    codes.issue(db, admin, acme.id, code="summer-10", kind="coupon")

    def found(**filters: Any) -> list[str]:
        return [row["code"] for row in registry.find(db, admin, **filters)]

    assert found() == ["acme", "bolt"]
    assert found(search="TRAVEL") == found(search="anna@") == found(search="mmer-1") == ["acme"]
    assert found(search="100%") == found(search="_") == found(search="nu\x00ll") == []
    assert found(status=["active"]) == found(region=["eu"]) == ["acme"]
    assert found(type=["shopify"]) == found(status=["pending"]) == ["bolt"]
    assert registry.find(db, admin, search="acme")[0]["codes"] == 1
    assert registry.counts(db, admin) == {"pending": 1, "active": 1, "suspended": 0, "terminated": 0}


def test_a_partner_sees_only_its_own_rows(db: Connection, admin: Viewer, enrol: Any) -> None:
    mine, other = enrol("mine", email="me@example.com"), enrol("other")
    me = viewer("partner", partners=(mine.id,))
    assert [row["code"] for row in registry.find(db, me)] == ["mine"]
    assert registry.find(db, me, search="other") == []
    assert registry.one(db, me, mine.id)["email"] == "me@example.com"
    assert registry.counts(db, me)["pending"] == 1
    with pytest.raises(NotFound):
        registry.one(db, me, other.id)
    assert registry.find(db, viewer("partner")) == []


def test_contact_data_is_for_admins_and_the_partner_itself(db: Connection, admin: Viewer, enrol: Any) -> None:
    partner = enrol("acme", email="anna@example.com", api_base="https://api.example.com", metadata={"iban": "x"})
    for role in ("analyst", "executive"):
        row = registry.one(db, viewer(role), partner.id)  # type: ignore[arg-type]
        assert (row["email"], row["api_base"], row["metadata"]) == (None, None, {})
        assert registry.find(db, viewer(role), search="anna@") == []  # type: ignore[arg-type]
    assert registry.one(db, admin, partner.id)["metadata"] == {"iban": "x"}


@pytest.mark.parametrize("role", ["partner", "analyst", "executive"])
def test_only_admins_act_on_partners(db: Connection, admin: Viewer, enrol: Any, role: Role) -> None:
    partner = enrol("acme")
    who = viewer(role, partners=(partner.id,))
    for act in (
        lambda: registry.enrol(db, who, {"code": "new", "name": "New", "type": "affiliate"}),
        lambda: registry.enrol_unknown(db, who, ["New"]),
        lambda: registry.change(db, who, partner.id, 1, {"share_bps": 10_000}),
        lambda: registry.approve(db, who, partner.id, 1),
        lambda: registry.suspend(db, who, partner.id, 1, "Because."),
        lambda: registry.reinstate(db, who, partner.id, 1),
        lambda: registry.terminate(db, who, partner.id, 1, "Because."),
        lambda: registry.history(db, who, partner.id),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert registry.one(db, admin, partner.id)["version"] == 1


def test_somebody_without_a_role_sees_nothing(db: Connection) -> None:
    with pytest.raises(NotAllowed):
        registry.find(db, viewer())


def test_a_partner_that_is_not_there_is_not_found(db: Connection, admin: Viewer) -> None:
    for act in (registry.one, lambda db, who, number: registry.approve(db, who, number, 1)):
        with pytest.raises(NotFound):
            act(db, admin, 10**12)


def test_the_trail_of_one_partner_is_not_that_of_another(db: Connection, admin: Viewer, enrol: Any) -> None:
    partner = enrol("acme")
    audit.record(db, admin, "partner.changed", f"partner:{partner.id}0")
    assert acts(db, admin, partner.id) == ["partner.enrolled"]


def run_together(work: Any, count: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
