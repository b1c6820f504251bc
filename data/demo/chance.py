"""Chance that remembers: a draw depends only on the seed, what is drawn and for whom, never on what was drawn before.

So a day of the demo comes out the same whether the business is drawn up to that day or up to a year later, and
more orders on a day leave the first ones as they were. (Counter-based randomness; the mixing is splitmix64's.)
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Keys = Array | int

_STEP = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class Chance:
    """Draws for whole columns at once. `what` names the question, `keys` say for whom: a day, an order, a line."""

    seed: int

    def uniform(self, what: str, *keys: Keys) -> Array:
        """Even draws in [0, 1), one for each combination of keys."""
        return np.asarray((self._bits(what, keys) >> np.uint64(11)).astype(np.float64) * 2.0**-53)

    def below(self, limit: Keys, what: str, *keys: Keys) -> Array:
        """Whole numbers from 0 up to, and without, `limit`."""
        return np.asarray((self.uniform(what, *keys) * limit).astype(np.int64))

    def normal(self, what: str, *keys: Keys) -> Array:
        """Draws from the standard normal distribution (Box and Muller)."""
        radius = np.sqrt(-2.0 * np.log1p(-self.uniform(f"{what}/radius", *keys)))
        return np.asarray(radius * np.cos(2.0 * np.pi * self.uniform(f"{what}/angle", *keys)))

    def waiting(self, mean: Array | float, what: str, *keys: Keys) -> Array:
        """Exponential waiting times with the given mean."""
        return np.asarray(-np.log1p(-self.uniform(what, *keys)) * mean)

    def count(self, mean: Array, what: str, *keys: Keys) -> Array:
        """How many on a day, about Poisson: the mean, give or take its root."""
        wobble = np.sqrt(mean) * self.normal(what, *keys)
        return np.asarray(np.maximum(np.rint(mean + wobble), 0).astype(np.int64))

    def pick(self, weights: Sequence[float] | Array, what: str, *keys: Keys) -> Array:
        """Positions in `weights`, each drawn as often as its weight says."""
        bounds = np.cumsum(np.asarray(weights, dtype=np.float64))
        drawn = self.uniform(what, *keys) * bounds[-1]
        return np.asarray(np.minimum(np.searchsorted(bounds, drawn, side="right"), len(bounds) - 1))

    def _bits(self, what: str, keys: Sequence[Keys]) -> Array:
        with np.errstate(over="ignore"):
            state = _mixed(np.asarray([(self.seed << 32) ^ zlib.crc32(what.encode())], dtype=np.uint64))
            for key in keys:
                state = _mixed(state ^ (np.asarray(key, dtype=np.int64).astype(np.uint64) * np.uint64(_STEP)))
            return state


def _mixed(bits: Array) -> Array:
    bits = bits + np.uint64(_STEP)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(bits ^ (bits >> np.uint64(31)))


def numbered(days: Array, counts: Array) -> tuple[Array, Array]:
    """Each day repeated as often as its count says, and the number of each repetition within its day."""
    repeated = np.repeat(days, counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    return repeated, np.arange(len(repeated)) - first
