"""The kinds of facts that Millrace takes in, by the name that commands and screens use."""

from __future__ import annotations

from core.intake.clicks import CLICKS
from core.intake.customers import CUSTOMERS
from core.intake.events import EVENTS
from core.intake.experiments import ASSIGNMENTS, EXPERIMENTS, EXPOSURES
from core.intake.fields import Kind
from core.intake.goals import GOALS
from core.intake.organizations import ORGANIZATIONS
from core.intake.partners import PARTNERS
from core.intake.rates import RATES
from core.intake.sales import SALES
from core.intake.spend import SPEND
from core.intake.subscriptions import SUBSCRIPTIONS
from core.intake.usage import USAGE

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        SALES,
        SUBSCRIPTIONS,
        CUSTOMERS,
        ORGANIZATIONS,
        EVENTS,
        USAGE,
        SPEND,
        PARTNERS,
        RATES,
        GOALS,
        CLICKS,
        EXPERIMENTS,
        ASSIGNMENTS,
        EXPOSURES,
    )
}
