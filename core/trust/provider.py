"""The OpenID provider for accounts of ours: what it accepts from Streamlit's sign-in, and the ID token that it gives.

OpenID Connect Core 1.0 with the authorization code flow, PKCE (RFC 7636), discovery and RP-initiated logout: one
client, ourselves; S256 and a client secret always; codes that serve once, within a minute.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote_plus
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from sqlalchemy import Connection

from core.errors import Refusal
from core.settings import Settings
from core.trust import vault
from core.trust.signin import CLIENT, callback_url, client_secret, inside_url
from core.trust.vault import Vault
from data.store import people as people_store
from data.store import sessions as store

ALGORITHM = "RS256"
CODE_LIFE = timedelta(seconds=60)
TICKET_LIFE = timedelta(minutes=5)
TOKEN_LIFE = timedelta(hours=12)
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
PROMPTS = frozenset({"login", "consent", "select_account"})


class BadClient(Refusal):
    """A sign-in that did not begin on our own pages; it is told so on the spot, and sent nowhere."""

    code = "bad_client"


class ProtocolError(Refusal):
    """A request that the protocol answers with one of its own error codes."""

    def __init__(self, error: str, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.code = error
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """What a sign-in asks for, checked."""

    redirect_uri: str
    state: str
    nonce: str
    code_challenge: str
    login_hint: str


def issuer(settings: Settings) -> str:
    return f"{settings.public_url}/idp"


def metadata(settings: Settings, *, is_inside: bool = False) -> dict[str, Any]:
    """The discovery document; the inside one names the addresses at which this process reaches itself."""
    back = f"{inside_url(settings)}/idp" if is_inside else issuer(settings)
    return {
        "issuer": issuer(settings),
        "authorization_endpoint": f"{issuer(settings)}/authorize",
        "token_endpoint": f"{back}/token",
        "jwks_uri": f"{back}/jwks",
        "end_session_endpoint": f"{issuer(settings)}/end_session",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "email", "profile"],
        "claims_supported": ["sub", "name", "email", "auth_time", "amr", "acr", "nonce", "sid"],
        "acr_values_supported": ["aal1", "aal2"],
        "prompt_values_supported": ["none", *sorted(PROMPTS)],
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "authorization_response_iss_parameter_supported": True,
    }


def signing_key(db: Connection, settings: Settings) -> RSAKey:
    """The key that signs ID tokens: made once, kept sealed, the same in every replica."""
    return RSAKey.import_key(json.loads(vault.house_secret(db, vault.of(settings), "signing_key", _new_key)))


def _new_key() -> bytes:
    key = RSAKey.generate_key(2048, {"use": "sig", "alg": ALGORITHM}, private=True)
    return json.dumps({**key.as_dict(private=True), "kid": key.thumbprint()}).encode()


def jwks(db: Connection, settings: Settings) -> dict[str, Any]:
    return {"keys": [signing_key(db, settings).as_dict(private=False)]}


# ── authorize ──────────────────────────────────────────────────────────────────────────────────────────────────────


def check_client(settings: Settings, asked: Mapping[str, str]) -> None:
    """Refuse a request of another client, or one that would send the browser elsewhere."""
    if asked.get("client_id") != CLIENT or asked.get("redirect_uri") != callback_url(settings):
        raise BadClient(f"This sign-in did not begin on this site. Go to {settings.public_url} and sign in there.")


def read_request(asked: Mapping[str, str]) -> Request:
    """The request, once its client is known to be ours; ProtocolError for what goes back to it as an error."""
    if asked.keys() & {"request", "request_uri"}:
        raise ProtocolError("request_not_supported", "Parameters come one by one, not as a request object.")
    if asked.get("response_type") != "code" or asked.get("response_mode", "query") != "query":
        raise ProtocolError("unsupported_response_type", "Only the authorization code flow is offered.")
    if "openid" not in asked.get("scope", "").split():
        raise ProtocolError("invalid_scope", "The scope must hold openid.")
    if asked.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(asked.get("code_challenge", "")):
        raise ProtocolError("invalid_request", "A code_challenge by S256 is required.")
    if not re.fullmatch(r"[0-9]{0,9}", asked.get("max_age", "")):
        raise ProtocolError("invalid_request", "max_age must be a number of seconds.")
    if any(len(asked.get(name, "")) > 1000 for name in ("state", "nonce")):
        raise ProtocolError("invalid_request", "state and nonce may have 1000 characters at most.")
    _check_prompt(asked.get("prompt", "").split())
    return Request(
        redirect_uri=asked["redirect_uri"],
        state=asked.get("state", ""),
        nonce=asked.get("nonce", ""),
        code_challenge=asked["code_challenge"],
        login_hint=asked.get("login_hint", "")[:254],
    )


def _check_prompt(words: list[str]) -> None:
    """Everybody is asked at every sign-in, so `login` and any `max_age` hold by themselves, and `none` never does."""
    if words == ["none"]:
        raise ProtocolError("login_required", "Nobody is signed in without being asked.")
    if not set(words) <= PROMPTS:
        raise ProtocolError("invalid_request", "This prompt is not known.")


# ── between password and second factor ─────────────────────────────────────────────────────────────────────────────


def ticket(ring: Vault, person_id: UUID, email: str, request: Request, at: datetime) -> str:
    """Proof that the password of this person was right a moment ago, for this very request."""
    words = [str(person_id), email, _print(request), int(at.timestamp())]
    return base64.urlsafe_b64encode(ring.seal(json.dumps(words).encode(), "signin.ticket")).decode()


def read_ticket(ring: Vault, text: str, request: Request, at: datetime) -> tuple[UUID, str]:
    """The person and the address of a ticket that still holds."""
    try:
        opened = json.loads(ring.open(base64.urlsafe_b64decode(text.encode()), "signin.ticket"))
        person_id, email, asked, since = opened
    except (ValueError, Refusal):
        person_id, email, asked, since = "", "", "", 0
    if asked != _print(request) or not 0 <= at.timestamp() - since <= TICKET_LIFE.total_seconds():
        raise ProtocolError("expired", "That took too long. Type your e-mail and password again.", 401)
    return UUID(person_id), email


def _print(request: Request) -> str:
    return hashlib.sha256(json.dumps(asdict(request)).encode()).hexdigest()


# ── codes and tokens ───────────────────────────────────────────────────────────────────────────────────────────────


def issue_code(db: Connection, person_id: UUID, request: Request, amr: tuple[str, ...], at: datetime) -> str:
    """The code that the browser takes back: stored hashed, good once within a minute."""
    code = secrets.token_urlsafe(32)
    asked = {**asdict(request), "auth_time": int(at.timestamp()), "amr": list(amr)}
    store.add_code(db, _hash(code), person_id, request=asked, expires_at=at + CODE_LIFE, at=at)
    return code


def check_secret(db: Connection, settings: Settings, authorization: str, form: Mapping[str, str]) -> None:
    """Refuse a token request that is not our own client's."""
    client, secret = form.get("client_id", ""), form.get("client_secret", "")
    if authorization:
        if secret:
            raise ProtocolError("invalid_request", "The client secret may come in one way only.")
        client, secret = _basic(authorization)
    right = hmac.compare_digest(secret.encode(), client_secret(db, settings).encode())
    if not (right and client == CLIENT):
        raise ProtocolError("invalid_client", "The client is not known, or its secret is not right.", 401)


def take_code(db: Connection, form: Mapping[str, str]) -> Mapping[str, Any]:
    """What the code stands for. Commit at once: a code that was shown is gone, right or wrong."""
    if form.get("grant_type") != "authorization_code":
        raise ProtocolError("unsupported_grant_type", "Only authorization codes are redeemed.")
    taken = store.take_code(db, _hash(form.get("code", "")))
    if taken is None:
        raise ProtocolError("invalid_grant", "The code is not known, or was used before.")
    return taken


def check_code(taken: Mapping[str, Any], form: Mapping[str, str], at: datetime) -> None:
    """Refuse a code that came too late, from elsewhere, or without the verifier that its challenge was made from."""
    asked, verifier = taken["request"], form.get("code_verifier", "")
    if at > taken["expires_at"]:
        raise ProtocolError("invalid_grant", "The code came too late; sign in again.")
    if form.get("redirect_uri") != asked["redirect_uri"]:
        raise ProtocolError("invalid_grant", "The code was given for another address.")
    proof = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if not (VERIFIER.fullmatch(verifier) and hmac.compare_digest(proof, asked["code_challenge"])):
        raise ProtocolError("invalid_grant", "The code_verifier does not fit the code_challenge.")


def tokens(db: Connection, settings: Settings, taken: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """The answer of the token endpoint for a code that was checked."""
    person = people_store.get(db, taken["person_id"])
    if person is None or person["status"] != "active":
        raise ProtocolError("invalid_grant", "This account is disabled; ask an admin to enable it under People.")
    key, asked = signing_key(db, settings), taken["request"]
    claims = {
        "iss": issuer(settings),
        "sub": str(person["id"]),
        "aud": CLIENT,
        "iat": int(at.timestamp()),
        "exp": int((at + TOKEN_LIFE).timestamp()),
        "auth_time": asked["auth_time"],
        "amr": asked["amr"],
        "acr": "aal2" if "mfa" in asked["amr"] else "aal1",
        "sid": secrets.token_hex(16),
        "email": person["email"],
        "name": person["name"],
    }
    if asked["nonce"]:
        claims["nonce"] = asked["nonce"]
    id_token = jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": "JWT"}, claims, key)
    access = {"access_token": secrets.token_urlsafe(32), "token_type": "Bearer", "expires_in": 60}
    return {**access, "id_token": id_token, "scope": "openid email profile"}


def read_hint(db: Connection, settings: Settings, hint: str) -> Mapping[str, Any] | None:
    """The claims of an ID token of ours, even one that has expired; None for anything else."""
    try:
        claims = jwt.decode(hint, signing_key(db, settings), algorithms=[ALGORITHM]).claims
    except (JoseError, ValueError, TypeError):
        return None
    return claims if claims.get("iss") == issuer(settings) and claims.get("aud") == CLIENT else None


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    try:
        client, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        client = secret = ""
    return (unquote_plus(client), unquote_plus(secret)) if scheme.lower() == "basic" else ("", "")


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
