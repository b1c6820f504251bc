"""Back to where one was: the address that somebody asked for before they had to sign in."""

from __future__ import annotations

from http.cookies import SimpleCookie
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "millrace_there"
WAIT_S = 600
LENGTH_MAX = 1000
NOT_SCREENS = ("/auth/", "/idp/", "/oauth2callback", "/_stcore/")


class ReturnThere:
    """Streamlit's sign-in ends on the first page. This keeps the address it began at, filters included, in a cookie.

    The address comes from the browser's Referer on the way to the sign-in, and only ever leads to our own pages.
    """

    def __init__(self, app: ASGIApp, *, public_url: str) -> None:
        self.app = app
        self.public = urlsplit(public_url)
        self.path = self.public.path.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        leaf = scope.get("path", "").removeprefix(self.path)
        if scope["type"] != "http" or leaf not in ("/auth/login", "/oauth2callback"):
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        has_code = any(name == "code" for name, _ in parse_qsl(scope["query_string"].decode("latin-1")))

        async def with_return(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if leaf == "/auth/login":
                    self._remember(headers, self.screen(asked.get("referer", "")))
                elif has_code:
                    self._go_back(headers, self.screen(kept(asked.get("cookie", ""))))
            await send(message)

        await self.app(scope, receive, with_return)

    def screen(self, address: str) -> str:
        """The path and query of one of our own screens; nothing for any other address."""
        try:
            there = urlsplit(address)
        except ValueError:
            return ""
        is_ours = not there.netloc or (there.scheme, there.netloc) == (self.public.scheme, self.public.netloc)
        path = there.path
        is_screen = path.startswith(f"{self.path}/") and not address.startswith("//") and "\\" not in path
        if not (is_ours and is_screen) or path.removeprefix(self.path).startswith(NOT_SCREENS):
            return ""
        found = quote(path, safe="/%") + (f"?{quote(there.query, safe='=&%+,.-_~:')}" if there.query else "")
        return found if len(found) <= LENGTH_MAX else ""

    def _remember(self, headers: MutableHeaders, there: str) -> None:
        headers.append("set-cookie", self._cookie(quote(there, safe=""), WAIT_S if there else 0))

    def _go_back(self, headers: MutableHeaders, there: str) -> None:
        headers.append("set-cookie", self._cookie("", 0))
        if there and urlsplit(headers.get("location", "")).path.rstrip("/") == self.path:
            headers["location"] = there

    def _cookie(self, value: str, seconds: int) -> str:
        secure = "; Secure" if self.public.scheme == "https" else ""
        return f"{COOKIE}={value}; Path={self.path}/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def kept(header: str) -> str:
    """The address in our cookie."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(header)
    except Exception:  # a cookie of somebody else's that cannot be read
        return ""
    return unquote(jar[COOKIE].value) if COOKIE in jar else ""
