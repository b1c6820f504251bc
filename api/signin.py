"""The doors of our own OpenID provider: sign in, redeem the code, sign out, set up an account on a one-time link."""

from __future__ import annotations

import hmac
import logging
import re
import secrets
import warnings
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from anyio import to_thread
from authlib.deprecate import AuthlibDeprecationWarning
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from api import signin_pages as pages
from core.errors import Refusal
from core.periods import now
from core.runtime import house, transaction
from core.settings import Settings
from core.trust import passwords, people, provider, sessions, signin, vault
from core.trust.people import Link
from core.trust.provider import ProtocolError
from core.trust.vault import Vault

log = logging.getLogger("uvicorn.access")

COOKIE = "millrace_form"
BODY_MAX = 16 * 1024
FIELDS_MAX = 40


class Unreadable(Refusal):
    """What was sent is not a form that a person filled in here."""

    code = "unreadable"

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


class StaleForm(Refusal):
    """The form was not shown to this browser, or too long ago."""

    code = "stale_form"
    status = 403


def routes(settings: Settings | None = None) -> list[BaseRoute]:
    """The provider under `/idp`. Where the company signs people in, only the first admin's link is answered."""
    desk = Desk(settings or house().settings)
    if unquoted not in log.filters:
        log.addFilter(unquoted)
        warnings.simplefilter("ignore", AuthlibDeprecationWarning)  # about its HTTP library, at the first sign-in
    doors = [Route("/setup", desk.setup, methods=["GET", "POST"])]
    if desk.settings.oidc is None:
        doors += [
            Route("/.well-known/openid-configuration", desk.discovery, methods=["GET"]),
            Route("/inside/openid-configuration", desk.inside, methods=["GET"]),
            Route("/jwks", desk.jwks, methods=["GET"]),
            Route("/authorize", desk.authorize, methods=["GET", "POST"]),
            Route("/token", desk.token, methods=["POST"]),
            Route("/end_session", desk.end_session, methods=["GET", "POST"]),
        ]
    return [Mount(f"{desk.path}/idp", routes=doors)]


Handler = Callable[["Desk", Request], Awaitable[Response]]


def shown(handler: Handler) -> Handler:
    """A refusal becomes a page with its sentence."""

    @wraps(handler)
    async def answer(desk: Desk, request: Request) -> Response:
        try:
            return await handler(desk, request)
        except Refusal as refusal:
            home = pages.onward("Go to Millrace", f"{desk.settings.public_url}/")
            return desk.page("That did not work", pages.text(refusal.sentence), home, status=refusal.status)

    return answer


@dataclass(frozen=True)
class Desk:
    """The provider of one installation."""

    settings: Settings

    @property
    def path(self) -> str:
        return urlsplit(self.settings.public_url).path.rstrip("/")

    @property
    def ring(self) -> Vault:
        return vault.of(self.settings)

    # ── what Streamlit reads ───────────────────────────────────────────────────────────────────────────────────────

    async def discovery(self, _: Request) -> Response:
        return JSONResponse(provider.metadata(self.settings))

    async def inside(self, _: Request) -> Response:
        return JSONResponse(provider.metadata(self.settings, is_inside=True))

    async def jwks(self, _: Request) -> Response:
        return JSONResponse(await to_thread.run_sync(self._jwks))

    def _jwks(self) -> dict[str, Any]:
        with transaction() as db:
            return provider.jwks(db, self.settings)

    async def token(self, request: Request) -> Response:
        """Redeem a code; every refusal in the words of the protocol."""
        try:
            form = await read_form(request)
            answer = await to_thread.run_sync(self._redeem, request.headers.get("authorization", ""), form)
        except Refusal as refusal:
            code = refusal.code if isinstance(refusal, ProtocolError) else "invalid_request"
            body = {"error": code, "error_description": refusal.sentence}
            ask = {"www-authenticate": 'Basic realm="millrace"'} if refusal.status == 401 else {}
            return JSONResponse(body, refusal.status, headers={"cache-control": "no-store", **ask})
        return JSONResponse(answer, headers={"cache-control": "no-store", "pragma": "no-cache"})

    def _redeem(self, authorization: str, form: Mapping[str, str]) -> dict[str, Any]:
        with transaction() as db:
            provider.check_secret(db, self.settings, authorization, form)
            taken = provider.take_code(db, form)
        provider.check_code(taken, form, now())
        with transaction() as db:
            return provider.tokens(db, self.settings, taken, now())

    # ── sign in ────────────────────────────────────────────────────────────────────────────────────────────────────

    @shown
    async def authorize(self, request: Request) -> Response:
        asked = fields(request.scope["query_string"])
        provider.check_client(self.settings, asked)
        try:
            wanted = provider.read_request(asked)
        except ProtocolError as error:
            said = {"error": error.code, "error_description": error.sentence, "state": asked.get("state", "")}
            return self._back(asked["redirect_uri"], said)
        if request.method != "POST":
            return self._sign_in_page(request, wanted.login_hint)
        form = await read_form(request)
        try:
            self._check_form(request, form)
            act = self._second_step if "ticket" in form else self._first_step
            return await to_thread.run_sync(act, request, wanted, form)
        except signin.SignInFailed as refusal:
            if "ticket" in form:
                return self._code_page(request, form["ticket"], refusal)
            return self._sign_in_page(request, form.get("email", ""), refusal)
        except (ProtocolError, StaleForm, signin.TooManyAttempts) as refusal:
            return self._sign_in_page(request, form.get("email", ""), refusal)

    def _first_step(self, request: Request, wanted: provider.Request, form: Mapping[str, str]) -> Response:
        """E-mail and password; then home, or on to the second factor."""
        email, origin = form.get("email", "").strip().lower()[:254], origin_of(request)
        known = self._prove(email, form.get("password", ""), origin)
        if known.has_second_factor and known.person_id:
            with transaction() as db:
                signin.give_back(db, email, origin, now())
            return self._code_page(request, provider.ticket(self.ring, known.person_id, email, wanted, now()))
        return self._let_in(known.person_id, email, origin, wanted, ("pwd",))

    def _second_step(self, request: Request, wanted: provider.Request, form: Mapping[str, str]) -> Response:
        """The six digits of the second factor, after a password that was right."""
        person_id, email = provider.read_ticket(self.ring, form["ticket"], wanted, now())
        origin = origin_of(request)
        self._count(email, origin)
        with transaction() as db:
            signin.check_second_factor(db, self.ring, person_id, form.get("code", ""), now())
        return self._let_in(person_id, email, origin, wanted, ("pwd", "otp", "mfa"))

    def _let_in(
        self, person_id: Any, email: str, origin: str, wanted: provider.Request, amr: tuple[str, ...]
    ) -> Response:
        with transaction() as db:
            signin.forget_attempts(db, email, origin, now())
            code = provider.issue_code(db, person_id, wanted, amr, now())
        return self._back(wanted.redirect_uri, {"code": code, "state": wanted.state})

    def _prove(self, email: str, password: str, origin: str) -> signin.Account:
        """The account whose password this is; every attempt is counted before it is looked at."""
        self._count(email, origin)
        with transaction() as db:
            known = signin.account(db, self.settings, email)
        signin.check_password(known, password)
        with transaction() as db:
            signin.renew_hash(db, known, password)
        return known

    def _count(self, email: str, origin: str) -> None:
        with transaction() as db:
            opens_at = signin.count_attempt(db, email, origin, now())
        signin.refuse_until(opens_at, now())

    def _back(self, redirect_uri: str, said: Mapping[str, str]) -> Response:
        kept = {name: word for name, word in said.items() if word}
        query = urlencode({**kept, "iss": provider.issuer(self.settings)})
        return RedirectResponse(f"{redirect_uri}?{query}", 303, headers={"cache-control": "no-store"})

    def _sign_in_page(self, request: Request, email: str, refusal: Refusal | None = None) -> Response:
        is_known = bool(email)
        fields_ = (
            pages.field("email", "E-mail", kind="email", complete="username", value=email[:254], is_first=not is_known),
            pages.field(
                "password",
                "Password",
                kind="password",
                complete="current-password",
                is_first=is_known,
                length_max=passwords.LENGTH_MAX,
            ),
        )
        below = pages.note("No password yet, or lost it? An admin can give you a new link.")
        if self.settings.demo:
            below = pages.sign_ins((who.email, who.password) for who in people.demo_sign_ins())
        return self._form_page(request, "Sign in", "Sign in", {}, *fields_, refusal=refusal, below=below)

    def _code_page(self, request: Request, ticket: str, refusal: Refusal | None = None) -> Response:
        field = pages.code_field("Six digits from your authenticator app", is_first=True)
        return self._form_page(request, "Second factor", "Go on", {"ticket": ticket}, field, refusal=refusal)

    # ── sign out ───────────────────────────────────────────────────────────────────────────────────────────────────

    @shown
    async def end_session(self, request: Request) -> Response:
        asked = await read_form(request) if request.method == "POST" else fields(request.scope["query_string"])
        await to_thread.run_sync(self._end, asked.get("id_token_hint", ""))
        # Home, wherever the request would lead: the one client there is wants nothing else.
        return RedirectResponse(f"{self.settings.public_url}/", 303, headers={"cache-control": "no-store"})

    def _end(self, hint: str) -> None:
        with transaction() as db:
            claims = provider.read_hint(db, self.settings, hint) if hint else None
            if claims is not None:
                sessions.end_token(db, claims)

    # ── one-time links ─────────────────────────────────────────────────────────────────────────────────────────────

    @shown
    async def setup(self, request: Request) -> Response:
        token = fields(request.scope["query_string"]).get("token", "")
        link = await to_thread.run_sync(self._open, token)
        if request.method != "POST":
            return self._setup_page(request, link, {})
        form = await read_form(request)
        try:
            self._check_form(request, form)
            await to_thread.run_sync(self._set_up, request, link, form)
        except people.LinkOver:
            raise
        except Refusal as refusal:
            return self._setup_page(request, link, form, refusal)
        done = "Your account is ready." if link.purpose != "second_factor" else "Your second factor is set up."
        home = pages.onward("Sign in", f"{self.settings.public_url}/")
        return self.page("Done", pages.text(f"{done} Sign in to go on."), home)

    def _open(self, token: str) -> Link:
        with transaction() as db:
            return people.open_link(db, token)

    def _set_up(self, request: Request, link: Link, form: Mapping[str, str]) -> None:
        origin, password, code = origin_of(request), form.get("password", ""), form.get("code", "")
        if link.asks_current and link.person:
            self._prove(link.person["email"], form.get("current", ""), origin)
        if link.purpose != "second_factor" and password != form.get("repeated", ""):
            raise passwords.WeakPassword("The two passwords differ; type the same one twice.")
        with transaction() as db:
            if link.purpose == "first_admin":
                who = {"email": form.get("email", ""), "name": form.get("name", "")}
                people.become_first_admin(db, self.ring, self.settings, link, **who, password=password, code=code)
            elif link.purpose == "second_factor":
                people.choose_second_factor(db, self.ring, link, code=code, origin=origin)
            else:
                people.choose_password(db, self.ring, link, password=password, code=code, origin=origin)
            if link.person:
                signin.forget_attempts(db, link.person["email"], origin, now())

    def _setup_page(
        self, request: Request, link: Link, typed: Mapping[str, str], refusal: Refusal | None = None
    ) -> Response:
        title, why, button = {
            "first_admin": ("Welcome to Millrace", "You are the first here: this makes you the admin.", "Begin"),
            "password": ("Choose your password", "", "Save"),
            "second_factor": ("Second factor", "", "Save"),
        }[link.purpose]
        if link.person:
            why = f"For {link.person['email']}."
        parts = [*self._who_fields(link, typed), *self._password_fields(link), *self._factor_fields(link, typed)]
        return self._form_page(request, title, button, {}, *parts, refusal=refusal, why=why)

    def _who_fields(self, link: Link, typed: Mapping[str, str]) -> list[str]:
        if link.purpose != "first_admin":
            hidden = link.person["email"] if link.person else ""
            name = escape(hidden)
            return [f'<input type="hidden" name="username" autocomplete="username" value="{name}">']
        hint = "" if self.settings.oidc is None else "The address that your company's sign-in knows you by."
        return [
            pages.field(
                "name", "Your name", complete="name", value=typed.get("name", ""), is_first=True, length_max=120
            ),
            pages.field("email", "E-mail", kind="email", complete="username", value=typed.get("email", ""), hint=hint),
        ]

    def _password_fields(self, link: Link) -> list[str]:
        word = {"kind": "password", "length_max": passwords.LENGTH_MAX}
        made: list[str] = []
        if link.asks_current:
            made.append(pages.field("current", "Your password now", complete="current-password", is_first=True, **word))  # type: ignore[arg-type]
        if link.purpose == "second_factor" or self.settings.oidc is not None:
            return made
        hint = f"At least {passwords.LENGTH_MIN} characters; three or four random words do well."
        made.append(pages.field("password", "New password", complete="new-password", hint=hint, **word))  # type: ignore[arg-type]
        made.append(pages.field("repeated", "The same again", complete="new-password", **word))  # type: ignore[arg-type]
        return made

    def _factor_fields(self, link: Link, typed: Mapping[str, str]) -> list[str]:
        if self.settings.oidc is not None or not link.offers_second_factor:
            return []
        secret = people.proposed_secret(self.ring, link)
        email = link.person["email"] if link.person else typed.get("email", "")[:254] or "first admin"
        drawn = pages.second_factor(passwords.enrolment(secret, email), secret)
        if link.purpose == "second_factor":
            return [pages.text("Scan this with an authenticator app."), drawn, pages.code_field("Six digits it shows")]
        heading = "<h2>Second factor, if you like</h2>"
        why = pages.text("Scan this with an authenticator app: signing in then also asks for its six digits.")
        return [heading, why, drawn, pages.code_field("Six digits it shows; empty for none", is_needed=False)]

    # ── pages and forms ────────────────────────────────────────────────────────────────────────────────────────────

    def page(self, title: str, *parts: str, status: int = 200) -> Response:
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(self.settings.public_url))
        return HTMLResponse(pages.page(self.path, title, *parts), status, headers=pages.headers(self.path, origin))

    def _form_page(
        self,
        request: Request,
        title: str,
        button: str,
        hidden: Mapping[str, str],
        *parts: str,
        refusal: Refusal | None = None,
        why: str = "",
        below: str = "",
    ) -> Response:
        browser = request.cookies.get(COOKIE, "")
        if not re.fullmatch(r"[A-Za-z0-9_-]{43}", browser):
            browser = secrets.token_urlsafe(32)
        kept = {**hidden, "form": self._form_word(browser)}
        said = pages.alert(refusal.sentence if refusal else "")
        answer = self.page(
            title,
            pages.text(why),
            said,
            pages.form(button, kept, *parts),
            below,
            status=refusal.status if refusal else 200,
        )
        is_secure = self.settings.public_url.startswith("https:")
        answer.set_cookie(COOKIE, browser, path=f"{self.path}/idp", httponly=True, samesite="lax", secure=is_secure)
        return answer

    def _check_form(self, request: Request, form: Mapping[str, str]) -> None:
        """Refuse a form that this browser was not shown by us: nobody is signed in from another site."""
        browser = request.cookies.get(COOKIE, "")
        is_ours = hmac.compare_digest(form.get("form", "").encode(), self._form_word(browser).encode())
        if not (browser and is_ours and request.headers.get("sec-fetch-site", "same-origin") == "same-origin"):
            raise StaleForm("This page was open for too long, or the browser keeps no cookies. Please type it again.")

    def _form_word(self, browser: str) -> str:
        return hmac.digest(self.ring.derive("sign-in form"), browser.encode(), "sha256").hex()


def unquoted(record: logging.LogRecord) -> bool:
    """Leave queries of the sign-in out of the server's access log: they hold one-time links and codes."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            word.partition("?")[0] if isinstance(word, str) and ("/idp/" in word or "/oauth2callback" in word) else word
            for word in record.args
        )
    return True


def origin_of(request: Request) -> str:
    return request.client.host if request.client else ""


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form that a person sent, or a sentence about what is wrong with it."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise Unreadable("Send this as a form.", 415)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX:
            raise Unreadable("That is too long; nothing here needs more than a few words.", 413)
    return fields(bytes(body))


def fields(raw: bytes) -> dict[str, str]:
    """Names and values of a query or a form: each once, in UTF-8, without control characters."""
    if len(raw) > BODY_MAX:
        raise Unreadable("That is too long; nothing here needs more than a few words.", 414)
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError:
        raise Unreadable("These characters cannot be read; type them again.") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable("A field came twice; go back and load the page again.")
    if any(ord(letter) < 32 or ord(letter) == 127 for _, value in pairs for letter in value):
        raise Unreadable("A field holds characters that cannot be typed; type it again.")
    return found
