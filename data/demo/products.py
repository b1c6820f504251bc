"""What the shop sells: an AI photo service by subscription, credits for it, and things to hold and hang."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.demo.chance import Array
from data.demo.stories import LAUNCHED_PRODUCT, REFUNDED_PRODUCT
from data.demo.world import CURRENCIES


@dataclass(frozen=True, slots=True)
class Product:
    """`cents` is the price in US cents; `screen`, `counter` and `machine` say how often it is sold in each place."""

    name: str
    category: str
    cents: int
    screen: float
    counter: float
    machine: float
    refund_rate: float = 0.035
    most_at_once: int = 1


PRODUCTS: tuple[Product, ...] = (
    Product("Tag Pack 500", "credits", 900, 15, 0, 34, 0.015, 3),
    Product("Tag Pack 2500", "credits", 3500, 7, 0, 26, 0.015, 2),
    Product("Background Pack", "credits", 1900, 10, 0, 22, 0.02, 2),
    Product("Enhance Pack", "credits", 2400, 8, 0, 18, 0.02, 2),
    Product("Photo Print Set", "prints", 1490, 14, 26, 0, 0.03, 4),
    Product("Canvas 40×60", "prints", 4900, 8, 14, 0, 0.045, 2),
    Product("Photo Book", "prints", 3450, 9, 12, 0, 0.04, 2),
    Product("Wall Calendar", "prints", 1990, 5, 8, 0, 0.03, 5),
    Product(REFUNDED_PRODUCT, "gear", 5900, 6, 16, 0, 0.06),
    Product("Pocket Tripod", "gear", 2490, 6, 14, 0, 0.055),
    Product("Colour Card", "gear", 1750, 3, 7, 0, 0.04),
    Product("Dusk Presets", "presets", 2900, 6, 0, 0, 0.05),
    Product("Meadow Presets", "presets", 2900, 5, 0, 0, 0.05),
    Product("Cinema Looks", "presets", 3900, 3, 0, 0, 0.05),
    Product("Product Photo Course", "training", 8900, 2.2, 0, 0, 0.08),
    Product("Live Workshop", "training", 14900, 0.9, 3, 0, 0.06),
    Product(LAUNCHED_PRODUCT, "portraits", 3900, 9, 2, 0, 0.04),
)
NAMES = tuple(product.name for product in PRODUCTS)
CATEGORIES = tuple(product.category for product in PRODUCTS)
LAUNCHED = NAMES.index(LAUNCHED_PRODUCT)
REFUNDED = NAMES.index(REFUNDED_PRODUCT)
CALENDAR = NAMES.index("Wall Calendar")
BEFORE_LAUNCH = NAMES.index("Dusk Presets")
"""What people bought instead while the launched product did not exist."""
SMALLEST = NAMES.index("Tag Pack 500")

PLANS = ("starter", "pro", "business", "enterprise")
PLAN_CENTS = np.array([499, 999, 2999, 9999])
"""A month of each plan, in US cents; a year costs ten months."""
PLAN_PRODUCTS = tuple(f"Lanternfish {plan.title()}" for plan in PLANS)
EXTRA_UNITS = "Tags over plan"
EXTRA_UNIT_CENTS = 10

_STEP = np.array([10, 10, 10, 25])
_PER_CENT = np.array([1.0, 0.94, 1.5, 3.08])
"""Minor units for one US cent, about: the shop sets its own prices in each currency."""


def price(cents: Array, currency: Array) -> Array:
    """The list price in minor units of each currency, ending as prices there end."""
    step = _STEP[currency]
    rounded = np.maximum(np.rint(cents * _PER_CENT[currency] / step), 1).astype(np.int64) * step
    return np.where(currency == CURRENCIES.index("USD"), cents, rounded)


def weights(place: str) -> Array:
    """How often each product is sold on a screen, at a counter or by a machine."""
    return np.array([getattr(product, place) for product in PRODUCTS])


def after_discount(minor: Array, percent: Array) -> Array:
    """The amount less a percentage of it, rounded half away from zero."""
    return np.asarray((2 * minor * (100 - percent) + 100) // 200)
