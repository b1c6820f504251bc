"""The provider over HTTP: a whole sign-in as Streamlit's client does it, and what is tried against it."""

from __future__ import annotations

import asyncio
import base64
import functools
import hashlib
import html
import json
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit
from uuid import UUID

import pyotp
import pytest
from httpx import ASGITransport, BaseTransport, Client, Request, Response
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey
from sqlalchemy import select, update
from starlette.applications import Starlette

from api import signin as doors
from core import settings as all_settings
from core.settings import Settings
from core.trust import passwords, people, provider, sessions, signin, vault
from core.viewer import Viewer
from data import tables
from data.postgres import transaction
from data.store import people as store

HERE = "http://127.0.0.1:8555"
EMAIL, PASSWORD, WRONG = "ana@example.com", "four words of mine", "four words of yours"


class InProcess(BaseTransport):
    """The application itself, without a network between."""

    def __init__(self, application: Starlette) -> None:
        self.inside = ASGITransport(application)

    def handle_request(self, request: Request) -> Response:
        async def answer() -> Response:
            given = await self.inside.handle_async_request(request)
            return Response(given.status_code, headers=given.headers, content=await given.aread())

        return asyncio.run(answer())


@dataclass
class Browser:
    """A person at a browser, and beside them the client that Streamlit is: it holds the secret and the verifier."""

    http: Client
    secret: str
    verifier: str = ""
    nonce: str = ""

    def query(self, **changed: str | None) -> dict[str, str]:
        self.verifier, self.nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(8)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        asked: dict[str, str | None] = {
            "response_type": "code",
            "client_id": "millrace",
            "redirect_uri": f"{HERE}/oauth2callback",
            "scope": "openid email profile",
            "state": "st-1",
            "nonce": self.nonce,
            "prompt": "login",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **changed,
        }
        return {name: word for name, word in asked.items() if word is not None}

    def open(self, **changed: str | None) -> Response:
        self.page = self.http.get("/idp/authorize", params=self.query(**changed))
        return self.page

    def send(self, **typed: str) -> Response:
        """Fill in the form of the page that is open, and send it where the page says."""
        kept = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', self.page.text))
        kept = {name: html.unescape(value) for name, value in kept.items()}
        self.page = self.http.post(self.page.url, data={**kept, **typed})
        return self.page

    def sign_in(self, email: str = EMAIL, password: str = PASSWORD) -> Response:
        self.open()
        return self.send(email=email, password=password)

    def code(self) -> str:
        return said(self.sign_in())["code"]

    def redeem(self, code: str, **changed: str) -> Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": f"{HERE}/oauth2callback"}
        form |= {"code_verifier": self.verifier, "client_id": "millrace", "client_secret": self.secret, **changed}
        return self.http.post("/idp/token", data=form)

    def claims(self, answer: Response) -> dict[str, Any]:
        keys = KeySet.import_key_set(self.http.get("/idp/jwks").json())
        return dict(jwt.decode(answer.json()["id_token"], keys, algorithms=["RS256"]).claims)


def said(answer: Response) -> dict[str, str]:
    """What a redirect tells the client."""
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(f"{HERE}/oauth2callback?")
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return all_settings.read({"MILLRACE_HOME": str(tmp_path), "PORT": "8555"})


signing_key = functools.cache(provider._new_key)


@pytest.fixture
def browse(database: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Browser]]:
    monkeypatch.setattr(provider, "_new_key", signing_key)  # made once for all tests: it takes a while
    opened: list[Client] = []

    def new(chosen: Settings = settings) -> Browser:
        http = Client(transport=InProcess(Starlette(routes=doors.routes(chosen))), base_url=HERE)
        opened.append(http)
        with transaction() as db:
            return Browser(http, signin.client_secret(db, chosen))

    yield new
    for http in opened:
        http.close()


@pytest.fixture
def browser(browse: Callable[..., Browser]) -> Browser:
    return browse()


@pytest.fixture
def ana(browser: Browser) -> UUID:
    with transaction() as db:
        kept = passwords.seal(PASSWORD)
        return store.add(
            db, {"email": EMAIL, "name": "Ana Able", "roles": ["admin"], "status": "active", "password_hash": kept}
        )


@pytest.fixture
def secret(ana: UUID, settings: Settings) -> str:
    """Ana's second factor."""
    made = passwords.new_secret()
    with transaction() as db:
        sealed = vault.of(settings).seal(made.encode(), signin.totp_purpose(ana))
        store.change(db, ana, {"totp_sealed": sealed})
    return made


# ── the whole way ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_password_becomes_a_code_a_token_and_a_viewer(browser: Browser, ana: UUID) -> None:
    told = said(browser.sign_in())
    assert (told["state"], told["iss"]) == ("st-1", f"{HERE}/idp")
    answer = browser.redeem(told["code"])
    assert answer.headers["cache-control"] == "no-store"
    claims = browser.claims(answer)
    assert claims["iss"] == f"{HERE}/idp"
    assert claims["aud"] == "millrace"
    assert claims["sub"] == str(ana)
    assert claims["nonce"] == browser.nonce
    assert (claims["amr"], claims["acr"]) == (["pwd"], "aal1")
    assert claims["auth_time"] <= claims["iat"] < claims["exp"]
    with transaction() as db:
        viewer = sessions.arrive(db, {**claims, "provider": "local"})
    assert (viewer.person_id, viewer.roles, viewer.factors) == (ana, {"admin"}, {"pwd"})


def test_a_second_factor_is_asked_for_and_told_to_the_client(browser: Browser, secret: str) -> None:
    page = browser.sign_in()
    assert page.status_code == 200
    assert 'autocomplete="one-time-code"' in page.text
    told = said(browser.send(code=pyotp.TOTP(secret).now()))
    claims = browser.claims(browser.redeem(told["code"]))
    assert (claims["amr"], claims["acr"]) == (["pwd", "otp", "mfa"], "aal2")


def test_the_client_secret_may_come_as_basic_authentication(browser: Browser, ana: UUID) -> None:
    code = browser.code()
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": f"{HERE}/oauth2callback"}
    form["code_verifier"] = browser.verifier
    assert browser.http.post("/idp/token", data=form, auth=("millrace", browser.secret)).status_code == 200


def test_discovery_names_where_everything_is(browser: Browser) -> None:
    told = browser.http.get("/idp/.well-known/openid-configuration").json()
    assert told["issuer"] == f"{HERE}/idp"
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["id_token_signing_alg_values_supported"] == ["RS256"]
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint"):
        path = urlsplit(told[name]).path
        assert browser.http.get(path).status_code != 404, name
    key = browser.http.get("/idp/jwks").json()["keys"][0]
    assert key["kty"] == "RSA"
    assert not key.keys() & {"d", "p", "q"}


def test_two_replicas_sign_with_one_key(browse: Callable[..., Browser]) -> None:
    assert browse().http.get("/idp/jwks").json() == browse().http.get("/idp/jwks").json()


@pytest.mark.parametrize("prompt", [None, "login", "select_account", "login consent"])
def test_everybody_is_asked_whatever_the_prompt_and_the_age(browser: Browser, ana: UUID, prompt: str | None) -> None:
    said(browser.sign_in())
    page = browser.open(prompt=prompt, max_age="0")
    assert page.status_code == 200
    assert 'autocomplete="current-password"' in page.text


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"prompt": "none"}, "login_required"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "surprise"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "١٢"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "unsupported_response_type"),
        ({"scope": "email"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"nonce": "n" * 1001}, "invalid_request"),
    ],
)
def test_a_request_against_the_protocol_goes_back_as_an_error(
    browser: Browser, changed: dict[str, str | None], error: str
) -> None:
    told = said(browser.open(**changed))
    assert (told["error"], told["state"]) == (error, "st-1")


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "another"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": "https://evil.example.net/oauth2callback"},
        {"redirect_uri": f"{HERE}/oauth2callback/"},
        {"redirect_uri": f"{HERE}/oauth2callback?next=https://evil.example.net"},
        {"redirect_uri": f"{HERE}@evil.example.net/oauth2callback"},
        {"redirect_uri": "http://localhost:8555/oauth2callback"},
    ],
)
def test_a_sign_in_for_somebody_else_is_sent_nowhere(browser: Browser, changed: dict[str, str | None]) -> None:
    page = browser.open(**changed)
    assert page.status_code == 400
    assert "location" not in page.headers
    assert "did not begin on this site" in page.text


# ── codes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def refused(answer: Response, error: str, status: int = 400) -> None:
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert "id_token" not in answer.text


def test_a_code_serves_once(browser: Browser, ana: UUID) -> None:
    code = browser.code()
    assert browser.redeem(code).status_code == 200
    refused(browser.redeem(code), "invalid_grant")


def test_a_code_with_the_wrong_verifier_is_gone(browser: Browser, ana: UUID) -> None:
    code = browser.code()
    refused(browser.redeem(code, code_verifier=secrets.token_urlsafe(48)), "invalid_grant")
    refused(browser.redeem(code), "invalid_grant")


@pytest.mark.parametrize("verifier", ["", "short", "ä" * 43, "a" * 129])
def test_a_verifier_of_another_form_is_refused(browser: Browser, ana: UUID, verifier: str) -> None:
    refused(browser.redeem(browser.code(), code_verifier=verifier), "invalid_grant")


def test_a_code_is_refused_at_another_address(browser: Browser, ana: UUID) -> None:
    refused(browser.redeem(browser.code(), redirect_uri="https://evil.example.net/"), "invalid_grant")


def test_a_code_that_comes_too_late_is_refused(browser: Browser, ana: UUID) -> None:
    code = browser.code()
    with transaction() as db:
        db.execute(update(tables.signin_code).values(expires_at=tables.signin_code.c.expires_at - timedelta(minutes=2)))
    refused(browser.redeem(code), "invalid_grant")


def test_the_wrong_client_secret_is_refused_and_leaves_the_code(browser: Browser, ana: UUID) -> None:
    code = browser.code()
    answer = browser.redeem(code, client_secret="guess")
    refused(answer, "invalid_client", 401)
    assert answer.headers["www-authenticate"].startswith("Basic")
    refused(browser.redeem(code, client_secret=""), "invalid_client", 401)
    refused(browser.redeem(code, client_id="another"), "invalid_client", 401)
    assert browser.redeem(code).status_code == 200


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic bWlsbHJhY2U6Z3Vlc3M=", "Bearer x", "Basic //79/A=="])
def test_an_authorization_header_that_is_not_ours_is_refused(browser: Browser, ana: UUID, header: str) -> None:
    form = {"grant_type": "authorization_code", "code": browser.code(), "code_verifier": browser.verifier}
    answer = browser.http.post("/idp/token", data=form, headers={"authorization": header})
    refused(answer, "invalid_client", 401)


def test_other_grants_are_not_offered(browser: Browser, ana: UUID) -> None:
    refused(browser.redeem("x", grant_type="password"), "unsupported_grant_type")
    refused(browser.redeem(""), "invalid_grant")


def test_codes_lie_in_the_database_as_hashes(browser: Browser, ana: UUID) -> None:
    code = browser.code()
    with transaction() as db:
        assert code not in str(db.execute(select(tables.signin_code)).all())


def test_a_person_disabled_between_code_and_token_gets_none(browser: Browser, ana: UUID) -> None:
    code = browser.code()
    with transaction() as db:
        store.change(db, ana, {"status": "disabled"})
    refused(browser.redeem(code), "invalid_grant")


# ── guessing ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_sixth_guess_waits_even_with_the_right_password(browser: Browser, ana: UUID) -> None:
    for _ in range(5):
        assert browser.sign_in(password=WRONG).status_code == 401
    locked = browser.sign_in()
    assert locked.status_code == 429
    assert "Try again in 15 minutes" in locked.text


def test_nobody_learns_from_the_answers_who_has_an_account(browser: Browser, ana: UUID) -> None:
    seen: dict[str, list[tuple[int, str]]] = {}
    for email in (EMAIL, "nobody@example.com"):
        answers = [browser.sign_in(email, WRONG) for _ in range(6)]
        words = [re.findall(r'role="alert">([^<]*)<', answer.text)[0] for answer in answers]
        seen[email] = [(answer.status_code, word) for answer, word in zip(answers, words, strict=True)]
    assert seen[EMAIL] == seen["nobody@example.com"]


def test_wrong_second_factors_lock_too_and_the_password_does_not_unlock(browser: Browser, secret: str) -> None:
    for _ in range(5):
        browser.sign_in()
        assert browser.send(code="000000").status_code == 401
    assert browser.sign_in().status_code == 429


def test_a_code_of_the_second_factor_is_not_used_again(browser: Browser, secret: str) -> None:
    code = pyotp.TOTP(secret).now()
    browser.sign_in()
    said(browser.send(code=code))
    browser.sign_in()
    again = browser.send(code=code)
    assert again.status_code == 401
    assert "used before" in again.text


def test_the_step_after_the_password_cannot_be_forged_or_moved(browser: Browser, secret: str) -> None:
    browser.sign_in()
    ticket = re.findall(r'name="ticket" value="([^"]+)"', browser.page.text)[0]
    browser.open()  # another request: another nonce and another challenge
    assert browser.send(ticket=ticket, code=pyotp.TOTP(secret).now()).status_code == 401
    browser.open()
    for forged in ("", "x", base64.urlsafe_b64encode(b"\x01" * 60).decode(), "é"):
        assert browser.send(ticket=forged, code=pyotp.TOTP(secret).now()).status_code == 401


def test_who_signed_in_starts_with_a_clean_count(browser: Browser, ana: UUID) -> None:
    for _ in range(3):
        for _ in range(4):
            browser.sign_in(password=WRONG)
        said(browser.sign_in())


# ── forms from elsewhere, and what nobody types ────────────────────────────────────────────────────────────────────


def test_a_form_from_another_site_signs_nobody_in(browser: Browser, browse: Callable[..., Browser], ana: UUID) -> None:
    typed = {"email": EMAIL, "password": PASSWORD}
    url = browser.open().url
    browser.http.cookies.clear()
    assert browser.http.post(url, data=typed).status_code == 403
    other = browse()
    theirs = re.findall(r'name="form" value="([^"]+)"', other.open().text)[0]
    browser.open()
    assert browser.http.post(url, data={**typed, "form": theirs}).status_code == 403
    kept = re.findall(r'name="form" value="([^"]+)"', browser.page.text)[0]
    crossed = browser.http.post(url, data={**typed, "form": kept}, headers={"sec-fetch-site": "cross-site"})
    assert crossed.status_code == 403


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("path", ["authorize", "token", "end_session"])
def test_what_nobody_types_gets_a_sentence(browser: Browser, path: str) -> None:
    url = browser.open().url if path == "authorize" else f"/idp/{path}"
    for body, kind, status in (
        (b"email=%ff%fe", FORM, 400),
        (b"email=\xff", FORM, 400),
        (b"email=a%00b", FORM, 400),
        (b"email=a&email=b", FORM, 400),
        (b"a=b&" * 100, FORM, 400),
        (b"email=" + b"a" * 20_000, FORM, 413),
        (b"{}", "application/json", 415),
        (b"", "", 415),
    ):
        answer = browser.http.post(url, content=body, headers={"content-type": kind})
        assert answer.status_code == status, body[:20]
        assert "Traceback" not in answer.text


def test_an_unreadable_link_gets_a_sentence(browser: Browser) -> None:
    for query in ("token=%ff", "token=a&token=b", "token=" + "a" * 20_000, "token=%00", ""):
        answer = browser.http.get(f"/idp/setup?{query}")
        assert answer.status_code in {400, 410, 414}, query[:20]
        assert "Traceback" not in answer.text


@pytest.mark.parametrize("email", ['"><script>alert(1)</script>', "a" * 300, "ａｎａ＠example.com", "' or 1=1 --"])
def test_what_was_typed_comes_back_as_text(browser: Browser, ana: UUID, email: str) -> None:
    page = browser.sign_in(email, "x" * 5000)
    assert page.status_code == 401
    assert "<script" not in page.text
    hinted = browser.open(login_hint=email)
    assert "<script" not in hinted.text


def test_the_pages_allow_no_script_no_frame_and_no_copy(browser: Browser) -> None:
    page = browser.open()
    rules = page.headers["content-security-policy"]
    assert "default-src 'none'" in rules
    assert "script" not in rules
    assert "unsafe" not in rules
    own = re.findall(r"<style>(.*)</style>", page.text, re.S)[0]
    assert base64.b64encode(hashlib.sha256(own.encode()).digest()).decode() in rules
    assert "frame-ancestors 'none'" in rules
    assert page.headers["cache-control"] == "no-store"
    assert "<script" not in page.text
    assert " style=" not in page.text
    cookie = page.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_the_cookie_of_the_form_is_secure_behind_https(browse: Callable[..., Browser], settings: Settings) -> None:
    there = replace(settings, public_url="https://revenue.example.com")
    asked = browse().query(redirect_uri="https://revenue.example.com/oauth2callback")
    page = browse(there).http.get("/idp/authorize", params=asked)
    assert page.status_code == 200
    assert "secure" in page.headers["set-cookie"].lower()


def test_every_field_has_a_label_and_says_what_it_is_for(browser: Browser) -> None:
    page = browser.open().text
    for name in re.findall(r'<input id="(\w+)"', page):
        assert f'<label for="{name}">' in page
    assert 'autocomplete="username"' in page
    assert 'autocomplete="current-password"' in page
    assert '<html lang="en">' in page


# ── signing out ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_signing_out_at_the_provider_ends_the_session(browser: Browser, ana: UUID) -> None:
    answer = browser.redeem(browser.code()).json()
    claims = browser.claims(browser.redeem(browser.code()))
    hint = answer["id_token"]
    keys = KeySet.import_key_set(browser.http.get("/idp/jwks").json())
    mine = {**jwt.decode(hint, keys, algorithms=["RS256"]).claims, "provider": "local"}
    with transaction() as db:
        sessions.arrive(db, mine)
        sessions.arrive(db, {**claims, "provider": "local"})
    there = {"id_token_hint": hint, "post_logout_redirect_uri": f"{HERE}/oauth2callback", "state": "bye"}
    out = browser.http.get("/idp/end_session", params=there)
    assert (out.status_code, out.headers["location"]) == (303, f"{HERE}/")
    with transaction() as db, pytest.raises(sessions.SessionEnded):
        sessions.arrive(db, mine)
    with transaction() as db:
        sessions.arrive(db, {**claims, "provider": "local"})


def test_signing_out_leads_nowhere_else(browser: Browser) -> None:
    for there in ("https://evil.example.net/", "//evil.example.net", f"{HERE}.evil.example.net/", "javascript:1"):
        out = browser.http.get("/idp/end_session", params={"post_logout_redirect_uri": there})
        assert out.headers["location"] == f"{HERE}/"


def forged(claims: dict[str, Any], header: dict[str, str], key: bytes = b"") -> str:
    def part(words: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(words).encode()).rstrip(b"=").decode()

    signature = base64.urlsafe_b64encode(key).rstrip(b"=").decode()
    return f"{part(header)}.{part(claims)}.{signature}"


def test_a_forged_token_ends_nobodys_session(browser: Browser, ana: UUID, settings: Settings) -> None:
    claims = browser.claims(browser.redeem(browser.code()))
    public = json.dumps(browser.http.get("/idp/jwks").json()["keys"][0]).encode()
    swapped = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(public), algorithms=["HS256"])
    tries = [forged(claims, {"alg": "none"}), forged(claims, {"alg": "RS256"}, b"x" * 256), swapped, "x.y.z", "", "."]
    with transaction() as db:
        sessions.arrive(db, {**claims, "provider": "local"})
    for hint in tries:
        browser.http.get("/idp/end_session", params={"id_token_hint": hint})
    with transaction() as db:
        sessions.arrive(db, {**claims, "provider": "local"})


# ── one-time links ─────────────────────────────────────────────────────────────────────────────────────────────────


def link_page(browser: Browser, link: str | None) -> Response:
    browser.page = browser.http.get(str(link).removeprefix(HERE))
    return browser.page


@pytest.fixture
def invitation(browser: Browser, ana: UUID, settings: Settings) -> people.Invitation:
    boss = Viewer(ana, "Ana Able", EMAIL, frozenset({"admin"}))
    with transaction() as db:
        return people.invite(db, boss, settings, email="new@example.com", name="<b>New</b>", roles=["analyst"])


def test_an_invited_person_chooses_a_password_and_signs_in(browser: Browser, invitation: people.Invitation) -> None:
    page = link_page(browser, invitation.link)
    assert page.text.count('autocomplete="new-password"') == 2
    assert "<svg" in page.text
    short = browser.send(password="short", repeated="short", code="")
    assert (short.status_code, "at least 12" in short.text) == (422, True)
    differ = browser.send(password=PASSWORD, repeated=WRONG, code="")
    assert "differ" in differ.text
    done = browser.send(password=PASSWORD, repeated=PASSWORD, code="")
    assert "ready" in done.text
    said(browser.sign_in("NEW@example.com "))
    assert link_page(browser, invitation.link).status_code == 410


def test_a_second_factor_set_up_with_the_password_is_asked_for(browser: Browser, invitation: people.Invitation) -> None:
    page = link_page(browser, invitation.link)
    shown = re.findall(r"<code>([A-Z2-7 ]+)</code>", page.text)[0].replace(" ", "")
    wrong = browser.send(password=PASSWORD, repeated=PASSWORD, code="000000")
    assert wrong.status_code == 401
    browser.send(password=PASSWORD, repeated=PASSWORD, code=pyotp.TOTP(shown).now())
    browser.sign_in("new@example.com")
    said(browser.send(code=pyotp.TOTP(shown).at(0, counter_offset=int(pyotp.TOTP(shown).timecode(sessions.now())) + 1)))


def test_changing_a_password_asks_for_the_present_one_and_ends_the_sessions(
    browser: Browser, ana: UUID, settings: Settings
) -> None:
    claims = {**browser.claims(browser.redeem(browser.code())), "provider": "local"}
    with transaction() as db:
        viewer = sessions.arrive(db, claims)
        link = people.password_link(db, viewer, settings)
    link_page(browser, link)
    assert (
        browser.send(current=WRONG, password="another three words", repeated="another three words").status_code == 401
    )
    browser.send(current=PASSWORD, password="another three words", repeated="another three words")
    with transaction() as db, pytest.raises(sessions.SessionEnded):
        sessions.arrive(db, claims)
    assert browser.sign_in().status_code == 401
    said(browser.sign_in(password="another three words"))


def test_a_second_factor_asks_for_the_password_and_counts_wrong_ones(
    browser: Browser, ana: UUID, settings: Settings
) -> None:
    with transaction() as db:
        link = people.second_factor_link(db, Viewer(ana, "Ana", EMAIL, frozenset({"admin"})), settings)
    page = link_page(browser, link)
    shown = re.findall(r"<code>([A-Z2-7 ]+)</code>", page.text)[0].replace(" ", "")
    assert browser.send(current=PASSWORD, code="").status_code == 401
    assert browser.send(current=WRONG, code=pyotp.TOTP(shown).now()).status_code == 401
    done = browser.send(current=PASSWORD, code=pyotp.TOTP(shown).now())
    assert "set up" in done.text
    assert 'autocomplete="one-time-code"' in browser.sign_in().text


def test_the_first_admin_makes_their_own_account(browser: Browser, settings: Settings) -> None:
    with transaction() as db:
        link = people.ensure_first_admin(db, settings)
    link_page(browser, link)
    bad = browser.send(email="nobody", name="Fay First", password=PASSWORD, repeated=PASSWORD, code="")
    assert (bad.status_code, "not an e-mail" in bad.text, 'value="Fay First"' in bad.text) == (422, True, True)
    browser.send(email="fay@example.com", name="Fay First", password=PASSWORD, repeated=PASSWORD, code="")
    said(browser.sign_in("fay@example.com"))
    assert link_page(browser, link).status_code == 410


def test_where_the_company_signs_people_in_no_password_is_taken(
    browse: Callable[..., Browser], settings: Settings
) -> None:
    company = replace(settings, oidc=all_settings.Oidc("https://id.example.com", "millrace", "quiet"))
    browser = browse(company)
    assert browser.open().status_code == 404
    assert browser.redeem("x").status_code == 404
    with transaction() as db:
        link = people.ensure_first_admin(db, company)
    page = link_page(browser, link)
    assert 'type="password"' not in page.text
    assert "ready" in browser.send(email="fay@example.com", name="Fay First").text


def test_the_access_log_shows_no_one_time_link(browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    line = '%s - "%s %s HTTP/%s" %d'
    with caplog.at_level("INFO", "uvicorn.access"):
        doors.log.info(line, "127.0.0.1:1", "GET", "/idp/setup?token=secret", "1.1", 200)
        doors.log.info(line, "127.0.0.1:1", "GET", "/revenue?period=90D", "1.1", 200)
    assert "secret" not in caplog.text
    assert "/idp/setup" in caplog.text
    assert "/revenue?period=90D" in caplog.text


def test_the_query_of_a_link_is_not_handed_to_other_sites(browser: Browser, invitation: people.Invitation) -> None:
    page = link_page(browser, invitation.link)
    assert page.headers["referrer-policy"] == "no-referrer"
    assert parse_qs(urlsplit(str(page.url)).query)["token"]
    assert "https://" not in re.sub(r"<svg.*?</svg>", "", page.text, flags=re.S)
