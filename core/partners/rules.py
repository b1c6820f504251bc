"""What a partner may be called, may become and may be promised: decisions over plain values."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from core.errors import Conflict, Refusal
from core.money import MINOR_MAX, shown

TYPES = {
    "affiliate": "Affiliate",
    "api_integration": "API integration",
    "white_label": "White label",
    "franchise": "Franchise",
    "shopify": "Shopify",
    "zapier": "Zapier",
    "alexa": "Alexa",
    "google_home": "Google Home",
    "tiktok": "TikTok",
    "instagram": "Instagram",
}
"""The kinds of partner, and how each is written for people (data/tables.py repeats the keys as a constraint)."""

REGIONS = {"global": "Global", "na": "North America", "eu": "Europe", "apac": "Asia Pacific"}

STATUSES = {"pending": "Pending", "active": "Active", "suspended": "Suspended", "terminated": "Terminated"}

STEPS: Mapping[str, frozenset[str]] = {
    "pending": frozenset({"active", "terminated"}),
    "active": frozenset({"suspended", "terminated"}),
    "suspended": frozenset({"active", "terminated"}),
    "terminated": frozenset(),
}
"""From each status to those that may follow it; a trigger of Postgres repeats the table."""

TEXT_MAX = 120
REASON_MAX = 500
METADATA_MAX = 20_000  # characters of its JSON
SHARE_BPS_MAX = 10_000

_CODE = re.compile(r"(?=.{2,60}\Z)[a-z0-9]+(?:-[a-z0-9]+)*\Z")
_REFERRAL = re.compile(r"[a-z0-9][a-z0-9_-]{1,38}[a-z0-9]\Z")
_CAPABILITY = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,59}\Z")
# One @, no white space, a dot within the domain: plausible, not proven; only a letter that arrives proves an address.
_EMAIL = re.compile(r"[^\s@<>\"',;]{1,64}@[a-z0-9](?:[a-z0-9.-]{0,188}[a-z0-9])?\.[a-z][a-z0-9-]{0,61}[a-z0-9]\Z")
_HOST_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)\Z")
_HOUSE_HOSTS = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "test", "invalid", "arpa", "onion")


class BadPartner(Refusal):
    """A field of a partner, a program or a code that cannot be meant."""

    code = "bad_partner"
    status = 422


class ForbiddenStep(Conflict):
    """The partner's status does not lead there."""

    code = "forbidden_step"


def step(now: str, then: str) -> str:
    """`then`, when a partner who is `now` may become it."""
    if then not in STEPS[now]:
        if now == then:
            raise ForbiddenStep(f"This partner is {now} already; reload the page.")
        ways = ", ".join(sorted(STEPS[now]))
        hint = f"it can become {ways}" if ways else "that is final; enrol a new partner instead"
        raise ForbiddenStep(f"A {now} partner cannot become {then}: {hint}.")
    return then


def checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a partner as they may be stored; refuses the first that cannot be meant, saying what to write.

    Knows code, name, type, status, region, country, email, api_base, share_bps, capabilities and metadata.
    """
    unknown = sorted(set(fields) - set(_CHECKS))
    if unknown:
        raise BadPartner(f"A partner has no field {shown(unknown[0])}; the fields are {', '.join(_CHECKS)}.")
    return {name: _CHECKS[name](value) for name, value in fields.items()}


def code(value: Any) -> str:
    text = str(value or "").strip()
    if not _CODE.match(text):
        raise BadPartner(
            f"{shown(text)} cannot be a code; write 2 to 60 lower-case letters, digits and hyphens: acme-travel."
        )
    return text


def code_of(name: str) -> str:
    """The code that a name in a file stands for: “United Kingdom” is `united-kingdom`. Two spellings of one name that
    differ in case, accents or punctuation meet in one code; letters that are lost are told apart by a short hash.
    """
    plain = unicodedata.normalize("NFKD", name.strip().casefold())
    kept = "".join(c for c in plain if c.isascii())
    slug = re.sub(r"[^a-z0-9]+", "-", kept).strip("-")
    lost = any(c.isalnum() for c in plain if not c.isascii())
    if lost or len(slug) < 2 or len(slug) > 60:
        slug = f"{slug[:50].strip('-') or 'p'}-{hashlib.sha256(plain.encode()).hexdigest()[:8]}"
    return slug


def name(value: Any) -> str:
    text = line("a name", value, TEXT_MAX)
    if not text:
        raise BadPartner("A partner needs a name; write the one that people know it by.")
    return text


def line(what: str, value: Any, length_max: int = TEXT_MAX) -> str:
    """One line of text: trimmed, printable, at most `length_max` characters."""
    text = str(value or "").strip()
    if len(text) > length_max:
        raise BadPartner(f"{what.capitalize()} has at most {length_max} characters; this one has {len(text)}.")
    if not text.isprintable():
        raise BadPartner(f"{what.capitalize()} is one line of printable text; take out {shown(text)}.")
    return text


def reason(value: Any) -> str:
    text = line("a reason", value, REASON_MAX)
    if not text:
        raise BadPartner("Say why; the reason is kept in the audit trail.")
    return text


def email(value: Any) -> str | None:
    text = str(value or "").strip().lower()
    if not text:
        return None
    if len(text) > 254 or not _EMAIL.match(text) or ".." in text:
        raise BadPartner(f"{shown(text)} is not an e-mail address; write one such as anna@example.com.")
    return text


def country(value: Any) -> str | None:
    text = line("a country", value, 60)
    return (text.upper() if len(text) == 2 else text) or None


def share_bps(value: Any) -> int | None:
    """A share in basis points, 0 to 10,000; None leaves it to the program."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= SHARE_BPS_MAX:
        raise BadPartner(f"A share lies between 0 and 100 percent; {shown(str(value))} basis points does not.")
    return value


def api_base(value: Any) -> str | None:
    """The address at which the gateway calls the partner: https, a public host, no credentials, nothing to inject."""
    text = str(value or "").strip()
    if not text:
        return None
    refused = BadPartner(
        f"{shown(text)} cannot be called; write an https address of a public host, such as https://api.example.com/v1."
    )
    parts = _split(text)
    if parts is None or len(text) > 300 or parts.scheme != "https" or parts.query or parts.fragment:
        raise refused
    if "@" in parts.netloc or not is_public(parts.hostname or ""):
        raise refused
    return text.rstrip("/")


def landing_url(value: Any) -> str | None:
    """The page that a link leads to. Only an admin sets it, and `/r/{code}` never takes one from the visitor."""
    text = str(value or "").strip()
    if not text:
        return None
    parts = _split(text)
    if parts is None or len(text) > 2000 or parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadPartner(f"{shown(text)} is not a web address; write one such as https://shop.example.com/offer.")
    if "@" in parts.netloc:
        raise BadPartner("A landing page carries no user name or password; leave out what stands before the @.")
    return text


def is_public(host: str) -> bool:
    """Whether a host name or address may lie on the public internet, judged by its spelling alone."""
    host = host.lower().rstrip(".")
    try:
        address = ipaddress.ip_address(host)
        return address.is_global and not address.is_multicast
    except ValueError:
        pass
    labels = host.split(".")
    if len(labels) < 2 or not all(_HOST_LABEL.match(label) for label in labels):
        return False
    # 127.1, 0x7f.1 and 2130706433 are other spellings of addresses: a real domain ends in a label with a letter first
    return labels[-1] not in _HOUSE_HOSTS and labels[-1][0].isalpha()


def capabilities(value: Any) -> list[str]:
    words = sorted({str(word).strip().lower() for word in _words(value)} - {""})
    if len(words) > 50:
        raise BadPartner(f"A partner has at most 50 capabilities; {len(words)} were given.")
    for word in words:
        if not _CAPABILITY.match(word):
            raise BadPartner(f"{shown(word)} cannot be a capability; write a word such as orders.read.")
    return words


def metadata(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value or "{}")
        except (ValueError, RecursionError):
            raise BadPartner('Metadata is a JSON object such as {"contract": "C-17"}; this is not JSON.') from None
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BadPartner('Metadata is a JSON object such as {"contract": "C-17"}, with names and values.')
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise BadPartner("Metadata holds plain text, numbers, lists and objects only.") from None
    if len(text) > METADATA_MAX:
        raise BadPartner(f"Metadata has at most {METADATA_MAX:,} characters; this has {len(text):,}.")
    if "\\u0000" in text:
        raise BadPartner("Metadata cannot hold the character NUL; take it out.")
    return dict(value)


def referral_code(value: Any) -> str:
    """A referral code or coupon in its stored spelling, lower case: people type them in any case."""
    text = normal_code(value)
    if not is_referral_code(text):
        raise BadPartner(
            f"{shown(text)} cannot be a code; write 3 to 40 letters, digits, hyphens and underscores: spring-10."
        )
    return text


def is_referral_code(text: str) -> bool:
    return bool(_REFERRAL.match(text))


def normal_code(value: Any) -> str:
    return str(value or "").strip().lower()


def minimum_minor(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MINOR_MAX:
        raise BadPartner("A minimum is zero or more, and at most ten trillion.")
    return value


def whole(what: str, value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise BadPartner(f"{what} is a whole number from {least} to {most}; {shown(str(value))} is not.")
    return value


def chosen(what: str, known: Iterable[str]) -> Callable[[Any], str]:
    """A check that a value is one of `known`, whatever its case and its separators."""
    names = tuple(known)

    def check(value: Any) -> str:
        text = re.sub(r"[\s-]+", "_", str(value or "").strip().lower())
        if text not in names:
            raise BadPartner(f"{shown(str(value or ''))} is no {what}; choose one of {', '.join(names)}.")
        return text

    return check


def _words(value: Any) -> Iterable[Any]:
    if value is None:
        return ()
    return re.split(r"[,;\s]+", value) if isinstance(value, str) else value


def _split(text: str) -> Any:
    """The parts of an address; None where it has white space, control characters or a port that is none."""
    if not text.isprintable() or any(c.isspace() or c == "\\" for c in text):
        return None
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "code": code,
    "name": name,
    "type": chosen("partner type", TYPES),
    "status": chosen("status", STATUSES),
    "region": chosen("region", REGIONS),
    "country": country,
    "email": email,
    "api_base": api_base,
    "share_bps": share_bps,
    "capabilities": capabilities,
    "metadata": metadata,
}
