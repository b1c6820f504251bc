"""Partner-driven share: net revenue with a partner over all net revenue."""

from __future__ import annotations

from typing import Any


def test_it_is_net_with_a_partner_over_net(given: Any, ask: Any) -> None:
    given.sale("2026-01-01", 6_000, partner="acme")
    given.sale("2026-01-01", -2_000, partner="acme", kind="refund")
    given.sale("2026-01-01", 12_000)
    assert ask("partner_driven_share") == [{"currency": "USD", "partner_driven_share": 0.25}]
    assert ask("partner_driven_share", "channel")[0]["partner_driven_share"] == 0.25


def test_of_nothing_there_is_no_share(given: Any, ask: Any) -> None:
    given.sale("2026-01-01", 2_000, partner="acme")
    given.sale("2026-01-01", -2_000, partner="acme", kind="refund")
    assert ask("partner_driven_share") == [{"currency": "USD", "partner_driven_share": None}]
