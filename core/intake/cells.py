"""A cell of a file becomes a value: exactly, or with the reason why it cannot.

Everything here works on whole columns. A reader takes the trimmed text of a column (null where the cell is empty)
and answers the values beside the cells that it refuses; `{}` in a reason stands for the cell as it was.
`core.money` is the reference: what it makes of one text, these make of a million.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import polars as pl

from core.money import EXPONENTS, MINOR_MAX
from core.periods import FIRST_DAY

Dates = Literal["iso", "dmy", "mdy"]
Refused = tuple[pl.Series, str]
"""Which cells are refused (true), and why."""


@dataclass(frozen=True, slots=True)
class Given:
    """What is known before the first row is read."""

    now: datetime
    timezone: str = "UTC"
    dates: Dates = "iso"
    rounding: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    values: pl.Series
    refused: tuple[Refused, ...] = ()
    note: str = ""
    """What was done to the values that somebody may want to know."""


Reader = Callable[[pl.Series, pl.DataFrame, Given], Read]
"""A column of text, the columns of the row that were read before it, and what is given."""

NOT_A_NUMBER = "{} is not a plain number; write digits with a point, such as 1234.50."
NOT_WHOLE = "{} is not a whole number."
TOO_LARGE = "{} is larger than any amount that Millrace keeps (10 trillion); check the column."
TOO_MANY_DIGITS = "{} has more digits than can be kept exactly."
NOT_A_TIME = "{} is not a time; write 2026-03-31 14:05:00, or with its zone 2026-03-31T14:05:00+02:00."
NOT_A_DAY = "{} is not a day; write 2026-03-31."
TOO_EARLY = "{} lies before 1970; check the column."
TOO_LATE = "{} lies more than two days ahead; check the column."
CUT = "Times finer than a microsecond were cut off there."
NO_SUCH_TIME = "{} does not exist in that time zone: the clocks went forward."

# [0-9], not \d: \d also matches Arabic and other digits.
DECIMAL = r"^([+-]?)([0-9]{1,30})(?:\.([0-9]{1,30}))?$"
MANTISSA_MAX = 17  # digits; two such multiply within 128 bits, and a float prints no more
_POWERS = pl.Series("power", [10**n for n in range(39)], dtype=pl.Int128)


# ── text ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def trimmed(cells: pl.Series) -> pl.Series:
    """Text without the white space around it; an empty cell is null."""
    bare = cells.cast(pl.String).str.strip_chars(" \t\r\n")
    return _of(bare, pl.when(pl.col("c") != "").then(pl.col("c")))


def text(limit: int = 300) -> Reader:
    """Free text, kept as it is: what looks like a formula or markup is stored and shown as the text it is."""

    def read(cells: pl.Series, _: pl.DataFrame, __: Given) -> Read:
        return Read(cells, ((cells.str.len_chars() > limit, f"The text is longer than {limit} characters."),))

    return read


def one_of(*known: str) -> Reader:
    """One of a few words, in any case; blanks and hyphens count as underscores."""

    def read(cells: pl.Series, _: pl.DataFrame, __: Given) -> Read:
        words = cells.str.to_lowercase().str.replace_all("[ -]", "_")
        return Read(words, ((~words.is_in(list(known)), f"{{}} is none of {', '.join(known)}."),))

    return read


def currency(cells: pl.Series, _: pl.DataFrame, __: Given) -> Read:
    codes = cells.str.to_uppercase()
    return Read(codes, ((~codes.is_in(list(EXPONENTS)), "{} is not an ISO 4217 currency; write a code such as USD."),))


def truth(cells: pl.Series, _: pl.DataFrame, __: Given) -> Read:
    words = cells.str.to_lowercase()
    yes, no = words.is_in(["true", "yes", "1", "t", "y"]), words.is_in(["false", "no", "0", "f", "n"])
    return Read(yes, ((~(yes | no), "{} is neither yes nor no."),))


def words(cells: pl.Series, _: pl.DataFrame, __: Given) -> Read:
    """A list such as `api, reports`, as the text of a Postgres array."""
    bare = cells.str.replace_all(r"[^0-9A-Za-z_., ;|-]", "")
    listed = bare.str.replace_all(r"[,;| ]+", ",").str.strip_chars(",")
    return Read("{" + listed + "}", ((bare != cells, "{} is not a list of plain words."),))


# ── numbers ────────────────────────────────────────────────────────────────────────────────────────────────────────


def parts(cells: pl.Series) -> pl.DataFrame:
    """Sign, whole digits without leading zeros, and the digits after the point without trailing ones."""
    groups = cells.str.extract_groups(DECIMAL).struct.rename_fields(["sign", "whole", "part"]).struct.unnest()
    return groups.select(
        pl.when(pl.col("sign") == "-").then(pl.lit(-1)).otherwise(pl.lit(1)).cast(pl.Int64).alias("sign"),
        pl.col("whole").is_not_null().alias("is_number"),
        pl.col("whole").str.strip_chars_start("0"),
        pl.col("part").str.strip_chars_end("0").fill_null(""),
    )


def whole(low: int = 0, high: int = 10**15) -> Reader:
    """A whole number from `low` to `high`; 5.0 is one."""

    def read(cells: pl.Series, _: pl.DataFrame, __: Given) -> Read:
        found = parts(cells)
        not_whole = ~found["is_number"] | (found["part"] != "")
        long = found["whole"].str.len_bytes() > 18
        digits = _of(found["whole"], pl.when(pl.col("c").str.len_bytes() <= 18).then("0" + pl.col("c")))
        values = digits.cast(pl.Int64, strict=False) * found["sign"]
        beyond = long | (values < low).fill_null(False) | (values > high).fill_null(False)
        return Read(values, ((not_whole, NOT_WHOLE), (beyond, f"{{}} is not between {low:,} and {high:,}.")))

    return read


def decimal(digits: int, scale: int, *, positive: bool = False, most: int | None = None) -> Reader:
    """An exact decimal that fits `numeric(digits, scale)`, as plain text."""

    def read(cells: pl.Series, _: pl.DataFrame, __: Given) -> Read:
        found = parts(cells)
        values = found.select(_plain("sign", "whole", "part")).to_series()
        wide = (found["whole"].str.len_bytes() > digits - scale) | (found["part"].str.len_bytes() > scale)
        refused = [(~found["is_number"], NOT_A_NUMBER), (wide, TOO_MANY_DIGITS)]
        zero = (found["whole"] == "") & (found["part"] == "")
        if positive:
            refused.append((zero | (found["sign"] < 0), "{} is not above zero."))
        if most is not None:
            top = _of(found["whole"], pl.col("c").str.len_bytes() <= 9)
            units = _of(found["whole"], pl.when(pl.col("c").str.len_bytes() <= 9).then("0" + pl.col("c"))).cast(
                pl.Int64
            )
            over = ~top | (units > most).fill_null(False) | ((units == most) & (found["part"] != ""))
            refused.append((over | ((found["sign"] < 0) & ~zero), f"{{}} is not between 0 and {most}."))
        return Read(values, tuple(refused))

    return read


def exponents(codes: pl.Series) -> pl.Series:
    """Digits after the point of each currency."""
    return codes.replace_strict(list(EXPONENTS), list(EXPONENTS.values()), default=None, return_dtype=pl.Int64)


def money(in_currency: str = "currency") -> Reader:
    """Major units of the row's currency as integer minor units, exactly as `core.money.minor_of` has them."""

    def read(cells: pl.Series, row: pl.DataFrame, given: Given) -> Read:
        return minor(cells, exponents(row[in_currency]), rounding=given.rounding, limit=MINOR_MAX)

    return read


def nano(in_currency: str = "currency") -> Reader:
    """Major units as integer nano-units: what AI requests cost."""

    def read(cells: pl.Series, row: pl.DataFrame, given: Given) -> Read:
        nine = _of(row[in_currency], pl.when(pl.col("c").is_not_null()).then(pl.lit(9, pl.Int64)))
        return minor(cells, nine, rounding=given.rounding, limit=MINOR_MAX)

    return read


def basis_points(cells: pl.Series, _: pl.DataFrame, __: Given) -> Read:
    """A share in percent, from 0 to 100 with two digits after the point, as basis points."""
    found = minor(cells, pl.repeat(2, len(cells), dtype=pl.Int64, eager=True), rounding=False, limit=10_000)
    below = (found.values < 0).fill_null(False)
    bad = found.refused[0][0] | found.refused[2][0] | found.refused[3][0] | below
    return Read(found.values, ((bad, "{} is not a percentage from 0 to 100 with at most two digits after the point."),))


def minor(cells: pl.Series, digits: pl.Series, *, rounding: bool, limit: int) -> Read:
    """`digits` digits after the point as one integer; rounded once, half away from zero, where that was chosen."""
    found = parts(cells).with_columns(digits.alias("e"))
    kept = pl.col("whole") + (pl.col("part") + pl.lit("000000000")).str.slice(0, pl.col("e"))
    fits = kept.str.len_bytes() <= 18
    up = (pl.col("part").str.slice(pl.col("e"), 1) >= "5").cast(pl.Int64)
    answer = found.select(
        ((pl.when(fits).then("0" + kept).cast(pl.Int64) + up) * pl.col("sign")).alias("minor"),
        (pl.col("part").str.len_bytes() > pl.col("e")).alias("finer"),
        (~fits).alias("long"),
        pl.col("is_number"),
        pl.col("e").is_null().alias("unknown"),
    )
    beyond = answer["long"].fill_null(False) | (answer["minor"].abs() > limit).fill_null(False)
    finer = answer["finer"].fill_null(False) & (not rounding)
    return Read(
        answer["minor"],
        (
            (~answer["is_number"], NOT_A_NUMBER),
            (answer["unknown"], "The amount needs a currency."),
            (finer, "{} has more digits after the point than its currency; round it, or choose rounding."),
            (beyond, TOO_LARGE),
        ),
    )


def times(quantity: pl.Series, price: pl.Series, codes: pl.Series) -> Read:
    """quantity × price as minor units of the row's currency: exact, then rounded once per line, half away from zero."""
    q, p = parts(quantity), parts(price)
    both = pl.DataFrame(
        {
            "q": _mantissa(q),
            "p": _mantissa(p),
            "scale": (q["part"].str.len_bytes() + p["part"].str.len_bytes()).cast(pl.Int64),
            "sign": q["sign"] * p["sign"],
            "e": exponents(codes),
        }
    )
    down, up = pl.col("scale") - pl.col("e"), pl.col("e") - pl.col("scale")
    product = pl.col("q").cast(pl.Int128) * pl.col("p").cast(pl.Int128)
    multiplied = product * _power(pl.when(up > 0).then(up).otherwise(0))
    divisor = _power(pl.when((down > 0) & (down < 37)).then(down).otherwise(0))
    rounded = (2 * multiplied + divisor) // (2 * divisor)
    answer = both.select(rounded.alias("minor"), pl.col("sign"))
    beyond = (answer["minor"] > MINOR_MAX).fill_null(False)
    values = _of(answer["minor"], pl.when(pl.col("c") <= MINOR_MAX).then(pl.col("c"))).cast(pl.Int64) * answer["sign"]
    wide = q["is_number"] & p["is_number"] & (both["q"].is_null() | both["p"].is_null())
    return Read(values, ((wide, TOO_MANY_DIGITS), (beyond, "quantity × price " + TOO_LARGE[3:])))


def _mantissa(found: pl.DataFrame) -> pl.Series:
    """All digits as one integer; null where they are more than can be multiplied exactly."""
    digits = pl.col("whole") + pl.col("part")
    short = (digits.str.strip_chars_start("0").str.len_bytes() <= MANTISSA_MAX) & (pl.col("part").str.len_bytes() <= 17)
    return found.select(pl.when(short).then("0" + digits.str.strip_chars_start("0")).cast(pl.Int64)).to_series()


def _power(exponent: pl.Expr) -> pl.Expr:
    return pl.lit(_POWERS).gather(exponent)


def _plain(sign: str, whole: str, part: str) -> pl.Expr:
    body = pl.when(pl.col(whole) == "").then(pl.lit("0")).otherwise(pl.col(whole))
    point = pl.when(pl.col(part) == "").then(pl.lit("")).otherwise("." + pl.col(part))
    return pl.when(pl.col(sign) < 0).then(pl.lit("-")).otherwise(pl.lit("")) + body + point


# ── times and days ─────────────────────────────────────────────────────────────────────────────────────────────────

_TIME = (
    r"^([0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4})(?:[T ]+([0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?))?"
    r" ?(Z|z|UTC|[+-][0-9]{2}:?[0-9]{2})?$"
)
_DAYS: dict[str, str] = {
    "iso": r"^([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})$",
    "dmy": r"^([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})$",
    "mdy": r"^([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})$",
}
_ORDER: dict[str, tuple[int, int, int]] = {"iso": (0, 1, 2), "dmy": (2, 1, 0), "mdy": (2, 0, 1)}


def time(cells: pl.Series, _: pl.DataFrame, given: Given) -> Read:
    """An instant in UTC; a time without a zone is read in `given.timezone`. Beyond the microsecond it is cut off."""
    found = cells.str.extract_groups(_TIME).struct.rename_fields(["day", "clock", "zone"]).struct.unnest()
    days = _days(found["day"], given.dates)
    clock = _of(
        found["clock"],
        pl.when(pl.col("c").is_null())
        .then(pl.lit("00:00:00"))
        .when(pl.col("c").str.len_bytes() <= 5)
        .then(pl.col("c") + ":00")
        .otherwise(pl.col("c")),
    )
    naive = (days.dt.to_string("%Y-%m-%d ") + clock).str.to_datetime(
        "%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False
    )
    values, gap = _in_utc(naive, found["zone"], given.timezone)
    unread = naive.is_null()
    note = CUT if found["clock"].str.contains(r"[.][0-9]{7}").any() else ""
    return Read(values, ((unread, NOT_A_TIME), (gap & ~unread, NO_SUCH_TIME), *_bounds(values, given)), note)


def day(cells: pl.Series, _: pl.DataFrame, given: Given) -> Read:
    """A calendar day; the clock of a longer text is left aside."""
    found = cells.str.extract_groups(_TIME).struct.rename_fields(["day", "clock", "zone"]).struct.unnest()
    values = _days(found["day"], given.dates)
    early, late = values < FIRST_DAY, values > given.now.date() + timedelta(days=2)
    unread = values.is_null()
    return Read(values, ((unread, NOT_A_DAY), (early.fill_null(False), TOO_EARLY), (late.fill_null(False), TOO_LATE)))


def later_day(cells: pl.Series, row: pl.DataFrame, given: Given) -> Read:
    """A calendar day that may lie ahead, up to the year 2200: the end of what is paid, for one."""
    read = day(cells, row, given)
    far = (read.values.dt.year() > 2200).fill_null(False)
    return Read(read.values, (*read.refused[:2], (far, "{} lies too far ahead; check the column.")))


def month(cells: pl.Series, row: pl.DataFrame, given: Given) -> Read:
    """A month, written 2026-03 or as any of its days; kept as its first day."""
    read = later_day(_of(cells, pl.col("c").str.replace("^([0-9]{4}-[0-9]{1,2})$", "${1}-01")), row, given)
    return Read(read.values.dt.month_start(), read.refused)


def _days(cells: pl.Series, dates: Dates) -> pl.Series:
    numbers = cells.str.extract_groups(_DAYS[dates]).struct.rename_fields(["0", "1", "2"]).struct.unnest()
    year, month, day = (pl.col(str(n)).str.pad_start(2, "0") for n in _ORDER[dates])
    return numbers.select((year + "-" + month + "-" + day).str.to_date("%Y-%m-%d", strict=False)).to_series()


def _in_utc(naive: pl.Series, zone: pl.Series, timezone: str) -> tuple[pl.Series, pl.Series]:
    """The instants, and which of them fell into the hour that a zone skips."""
    local = naive.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")
    if zone.null_count() == len(zone):
        return local, local.is_null()
    offset = pl.DataFrame({"zone": zone}).select(
        pl.when(pl.col("zone").str.contains("^[+-]"))
        .then(
            (pl.col("zone").str.slice(1, 2).cast(pl.Int64, strict=False) * 60)
            + pl.col("zone").str.slice(-2).cast(pl.Int64, strict=False)
        )
        .otherwise(0)
        .alias("minutes"),
        pl.when(pl.col("zone").str.starts_with("-")).then(-1).otherwise(1).alias("sign"),
    )
    answer = (
        pl.DataFrame({"naive": naive, "local": local, "zone": zone})
        .with_columns(offset)
        .select(
            pl.when(pl.col("zone").is_null())
            .then(pl.col("local"))
            .otherwise(
                (pl.col("naive") - pl.duration(minutes=pl.col("minutes") * pl.col("sign"))).dt.replace_time_zone("UTC")
            )
        )
    )
    return answer.to_series(), zone.is_null() & local.is_null()


def _bounds(values: pl.Series, given: Given) -> Sequence[Refused]:
    early, late = values.dt.year() < FIRST_DAY.year, values > given.now + timedelta(days=2)
    return (early.fill_null(False), TOO_EARLY), (late.fill_null(False), TOO_LATE)


def _of(cells: pl.Series, expression: pl.Expr) -> pl.Series:
    """One column through one expression that calls it `c`."""
    return cells.to_frame("c").select(expression.alias("c")).to_series()
