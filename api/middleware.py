"""What every answer carries: headers that keep the browser from running or framing what is not ours."""

from __future__ import annotations

from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Streamlit's page has one inline script; plotly.js and the data grid need blob: workers and inline styles.
CONTENT = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' ws: wss:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'self'",
    )
)


class SecurityHeaders:
    """Adds the headers to each HTTP answer that has none of its own, and `Secure` to cookies behind https."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self.app = app
        self.secure = secure
        self.headers = {
            b"content-security-policy": CONTENT.encode(),
            b"x-content-type-options": b"nosniff",
            b"referrer-policy": b"same-origin",
            b"x-frame-options": b"DENY",
            b"permissions-policy": b"geolocation=(), microphone=(), camera=()",
        }
        if secure:
            self.headers[b"strict-transport-security"] = b"max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._headers(message.get("headers", []))
            await send(message)

        await self.app(scope, receive, with_headers)

    def _headers(self, given: Any) -> list[tuple[bytes, bytes]]:
        headers = [(name, self._cookie(value) if name.lower() == b"set-cookie" else value) for name, value in given]
        present = {name.lower() for name, _ in headers}
        return headers + [(name, value) for name, value in self.headers.items() if name not in present]

    def _cookie(self, value: bytes) -> bytes:
        is_secure = b"secure" in [part.strip() for part in value.lower().split(b";")[1:]]
        return value + b"; Secure" if self.secure and not is_secure else value
