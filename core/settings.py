"""Settings: read from the environment once, unchangeable after. Each is documented here and in docs/settings.md."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import Refusal
from core.money import exponent
from core.periods import zone

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class BadSetting(Refusal):
    """A setting that cannot be meant; the sentence names it."""

    code = "bad_setting"


@dataclass(frozen=True, slots=True)
class Oidc:
    """The company's own sign-in. Without it, Millrace signs people in itself."""

    issuer: str
    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True)
class Settings:
    home: Path
    """MILLRACE_HOME: the one folder of local state (default `.millrace/` beside the code)."""
    database_url: str | None
    """DATABASE_URL: any Postgres; without it Millrace starts its own under `home`."""
    address: str
    """MILLRACE_ADDRESS: the address to listen on (default 127.0.0.1)."""
    port: int
    """PORT: the port to listen on (default 8501)."""
    public_url: str
    """MILLRACE_URL: how browsers reach us (default http://127.0.0.1:PORT); OIDC redirects return here."""
    currency: str
    """MILLRACE_CURRENCY: the house currency that rates are locked to (default USD)."""
    timezone: str
    """MILLRACE_TIMEZONE: the house zone, for facts outside any program (default UTC)."""
    demo: bool
    """MILLRACE_DEMO: 1 loads the demo business on the first start (what `make run` sets)."""
    key: str | None
    """MILLRACE_KEY: the key that seals secrets in the database, 64 hex digits (default: made once in `home`)."""
    oidc: Oidc | None
    """MILLRACE_OIDC_ISSUER, MILLRACE_OIDC_CLIENT_ID, MILLRACE_OIDC_CLIENT_SECRET: sign-in through your provider."""
    proxies: str
    """MILLRACE_PROXIES: addresses of reverse proxies whose X-Forwarded-For is believed (default none)."""

    @property
    def is_loopback(self) -> bool:
        return self.address in LOOPBACK


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process; refuses what cannot be meant, naming the variable."""
    root = Path(__file__).resolve().parents[1]
    port = _port(environ.get("PORT", "8501"))
    settings = Settings(
        home=Path(environ.get("MILLRACE_HOME") or root / ".millrace").absolute(),
        database_url=environ.get("DATABASE_URL") or None,
        address=environ.get("MILLRACE_ADDRESS") or "127.0.0.1",
        port=port,
        public_url=(environ.get("MILLRACE_URL") or f"http://127.0.0.1:{port}").rstrip("/"),
        currency=environ.get("MILLRACE_CURRENCY") or "USD",
        timezone=environ.get("MILLRACE_TIMEZONE") or "UTC",
        demo=environ.get("MILLRACE_DEMO", "") == "1",
        key=environ.get("MILLRACE_KEY") or None,
        oidc=_oidc(environ),
        proxies=environ.get("MILLRACE_PROXIES", ""),
    )
    exponent(settings.currency)
    zone(settings.timezone)
    if settings.demo and not settings.is_loopback:
        raise BadSetting(
            "The demo has known passwords and listens on 127.0.0.1 only; unset MILLRACE_DEMO to serve others."
        )
    return settings


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise BadSetting("PORT must be a number from 1 to 65535.")
    return int(text)


def _oidc(environ: Mapping[str, str]) -> Oidc | None:
    names = ("MILLRACE_OIDC_ISSUER", "MILLRACE_OIDC_CLIENT_ID", "MILLRACE_OIDC_CLIENT_SECRET")
    given = [environ.get(name, "") for name in names]
    if not any(given):
        return None
    if not all(given):
        missing = [name for name, value in zip(names, given, strict=True) if not value]
        raise BadSetting(f"Sign-in through your provider also needs {' and '.join(missing)}.")
    return Oidc(*given)
