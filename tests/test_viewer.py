"""Who opens which screen, and whose rows a viewer covers."""

from __future__ import annotations

from uuid import uuid4

import pytest

from core.errors import NotAllowed
from core.viewer import ROLES, SCREENS, SYSTEM, Role, Viewer, require, require_screen

TABLE: dict[str, set[Role]] = {
    "overview": {"executive", "admin", "analyst"},
    "revenue": {"executive", "admin", "analyst"},
    "earnings": {"partner"},
    "partners": {"admin"},
    "import": {"admin"},
    "people": {"admin"},
    "system": {"admin"},
}
"""The product's own table, for the screens that stand."""


def somebody(*roles: Role, partners: frozenset[int] = frozenset()) -> Viewer:
    return Viewer(uuid4(), "Ana", "ana@example.com", frozenset(roles), partners)


def test_the_screens_open_for_the_roles_of_the_product_s_table() -> None:
    assert {screen: set(roles) for screen, roles in SCREENS.items()} == TABLE


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_its_screens_and_no_other(role: Role) -> None:
    viewer = somebody(role)
    for screen, roles in TABLE.items():
        assert viewer.opens(screen) == (role in roles)
        if role in roles:
            require_screen(viewer, screen)
        else:
            with pytest.raises(NotAllowed, match="ask an admin"):
                require_screen(viewer, screen)


def test_several_roles_open_the_union_of_their_screens() -> None:
    viewer = somebody("partner", "executive")
    assert {screen for screen in SCREENS if viewer.opens(screen)} == {"earnings", "overview", "revenue"}


def test_nobody_opens_anything_without_a_role_or_what_does_not_stand() -> None:
    assert not any(somebody().opens(screen) for screen in SCREENS)
    assert not SYSTEM.opens("payouts of next year")


def test_a_partner_covers_own_rows_and_the_house_s_roles_cover_all() -> None:
    assert not somebody("partner").sees_all_partners
    assert all(somebody(role).sees_all_partners for role in ("admin", "analyst", "executive"))
    assert somebody("partner", "executive").sees_all_partners


def test_customers_are_shown_to_admins_and_masked_for_everybody_else() -> None:
    assert [role for role in ROLES if somebody(role).sees_customers] == ["admin"]


def test_with_a_partner_s_eyes_one_sees_own_rows_whatever_else_one_may_see() -> None:
    viewer = somebody("partner", "admin", partners=frozenset({7})).as_partner()
    assert (viewer.roles, viewer.partner_ids) == ({"partner"}, {7})
    assert not viewer.sees_all_partners
    assert not viewer.sees_customers
    with pytest.raises(NotAllowed):
        somebody("admin").as_partner()


def test_a_refusal_names_the_role_and_who_can_give_it() -> None:
    require(somebody("admin", "partner"), "admin", "analyst")
    with pytest.raises(NotAllowed, match="role admin or analyst; ask an admin to add it under People") as refused:
        require(somebody("partner"), "admin", "analyst")
    assert refused.value.status == 403


def test_the_product_itself_is_nobody_s_partner() -> None:
    assert SYSTEM.sees_all_partners
    assert not SYSTEM.opens("earnings")
