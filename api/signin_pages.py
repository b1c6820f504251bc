"""The pages on which people sign in and set up their account: plain HTML without any script, in the look of the app."""

from __future__ import annotations

import base64
import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path

import segno
import streamlit

THEME = tomllib.loads((Path(__file__).parents[1] / ".streamlit" / "config.toml").read_text())["theme"]
"""The look of the app, which these pages share."""
FONT = next((Path(streamlit.__file__).parent / "static/static/media").glob("SourceSansVF-Upright*.woff2"), Path("none"))
"""The app's font, which Streamlit serves."""

STYLE = """
@font-face { font-family: "Source Sans"; src: url("PATH/static/media/FONT") format("woff2"); font-weight: 200 900; }
:root { color-scheme: light dark; LIGHT; --shadow: rgb(12 27 34 / 7%); }
@media (prefers-color-scheme: dark) { :root { DARK; --shadow: rgb(0 0 0 / 40%); } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; align-items: center;
  justify-content: center; padding: 24px 16px; background: var(--page); color: var(--text);
  font: 400 16px/1.5 "Source Sans", system-ui, sans-serif; }
main { width: 100%; max-width: 420px; background: var(--card); border: 1px solid var(--line); border-radius: 14px;
  padding: 32px; box-shadow: 0 1px 2px var(--shadow), 0 12px 32px var(--shadow); }
.mark { display: flex; align-items: center; gap: 10px; margin: 0 0 24px; font-weight: 650; font-size: 17px;
  letter-spacing: -0.01em; }
.mark svg { width: 28px; height: 28px; }
h1 { margin: 0 0 6px; font-size: 22px; line-height: 1.25; font-weight: 650; letter-spacing: -0.015em; }
h2 { margin: 28px 0 4px; font-size: 16px; font-weight: 600; }
p { margin: 0 0 16px; color: var(--muted); overflow-wrap: anywhere; }
label { display: block; margin: 16px 0 6px; font-weight: 550; font-size: 14px; }
input { width: 100%; padding: 10px 12px; font: inherit; color: var(--text); background: var(--field);
  border: 1px solid color-mix(in srgb, var(--border) 60%, var(--card)); border-radius: 8px; }
input:focus-visible, button:focus-visible, a:focus-visible { outline: 2px solid var(--primary); outline-offset: 2px; }
input.code { letter-spacing: 0.3em; font-variant-numeric: tabular-nums; }
.hint { margin: 6px 0 0; font-size: 13px; }
button, .button { display: block; width: 100%; margin-top: 24px; padding: 11px 16px; font: inherit; font-weight: 600;
  color: #FFFFFF; background: var(--primary); border: 0; border-radius: 8px; cursor: pointer; text-align: center;
  text-decoration: none; }
button:hover, .button:hover { filter: brightness(1.08); }
.alert { margin: 16px 0 0; padding: 10px 12px; color: var(--red); background: var(--soft); border-radius: 8px;
  border-left: 3px solid var(--red); font-size: 14px; }
.note { margin: 24px 0 0; padding-top: 16px; border-top: 1px solid var(--line); font-size: 13px; }
.qr { display: block; margin: 12px auto; padding: 8px; width: 196px; background: #FFFFFF; border-radius: 8px; }
.qr svg { display: block; width: 100%; height: auto; }
code { font: 13px/1.6 ui-monospace, SFMono-Regular, Menlo, monospace; color: var(--text); overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; font-size: 13px; }
td, th { padding: 4px 0; text-align: left; font-weight: 400; color: var(--muted); overflow-wrap: anywhere; }
@media (max-width: 480px) { main { padding: 24px 20px; } }
"""

MARK = (
    (Path(__file__).parents[1] / "pages" / "art" / "icon.svg")
    .read_text()
    .replace("<svg ", '<svg aria-hidden="true" ', 1)
)
"""The sign of the app, drawn into the page."""


def style(path: str) -> str:
    """The style sheet, with the colours of the app's two themes."""
    words = {"PATH": path, "FONT": FONT.name, "LIGHT": colours("light"), "DARK": colours("dark")}
    return re.sub("PATH|FONT|LIGHT|DARK", lambda found: words[found[0]], STYLE)


def colours(mode: str) -> str:
    theme = THEME[mode]
    chosen = {
        "primary": theme["primaryColor"],
        "page": theme["sidebar"]["backgroundColor"],
        "card": theme["backgroundColor"],
        "field": theme["backgroundColor"],
        "text": theme["textColor"],
        "muted": theme["grayTextColor"],
        "line": theme["borderColor"],
        "border": theme["grayColor"],
        "link": theme["linkColor"],
        "red": theme["redTextColor"],
        "soft": theme["secondaryBackgroundColor"],
    }
    return "; ".join(f"--{name}: {colour}" for name, colour in chosen.items())


def headers(path: str, origin: str) -> dict[str, str]:
    """No script, no frame, no copy kept: nothing but this page's own style, form and font."""
    own = base64.b64encode(hashlib.sha256(style(path).encode()).digest()).decode()
    rules = (
        "default-src 'none'",
        f"style-src 'sha256-{own}'",
        "font-src 'self'",
        "img-src 'self' data:",
        f"form-action 'self' {origin}",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
    return {
        "content-security-policy": "; ".join(rules),
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }


def page(path: str, title: str, *parts: str) -> str:
    """One page in our look; `parts` are HTML, made by the functions below."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(title)} · Millrace</title><style>{style(path)}</style></head><body>"
        f'<main><div class="mark">{MARK}Millrace</div><h1>{escape(title)}</h1>{"".join(parts)}</main></body></html>'
    )


def text(sentence: str) -> str:
    return f"<p>{escape(sentence)}</p>" if sentence else ""


def note(sentence: str) -> str:
    return f'<p class="note">{escape(sentence)}</p>'


def alert(sentence: str) -> str:
    return f'<div class="alert" role="alert">{escape(sentence)}</div>' if sentence else ""


def onward(label: str, address: str) -> str:
    return f'<a class="button" href="{escape(address)}">{escape(label)}</a>'


def form(button: str, hidden: Mapping[str, str], *fields: str) -> str:
    """A form that posts to the address it was shown at, its query included."""
    kept = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in hidden.items()
    )
    return f'<form method="post">{kept}{"".join(fields)}<button type="submit">{escape(button)}</button></form>'


def field(
    name: str,
    label: str,
    *,
    kind: str = "text",
    complete: str,
    value: str = "",
    hint: str = "",
    is_first: bool = False,
    is_needed: bool = True,
    length_max: int = 254,
) -> str:
    about = f'<p class="hint" id="{name}-hint">{escape(hint)}</p>' if hint else ""
    given = {
        "id": name,
        "name": name,
        "type": kind,
        "value": value,
        "autocomplete": complete,
        "maxlength": str(length_max),
        **({"aria-describedby": f"{name}-hint"} if hint else {}),
    }
    words = " ".join(f'{key}="{escape(text)}"' for key, text in given.items())
    words += " required" if is_needed else ""
    words += " autofocus" if is_first else ""
    return f'<label for="{name}">{escape(label)}</label><input {words}>{about}'


def code_field(label: str, *, hint: str = "", is_first: bool = False, is_needed: bool = True) -> str:
    about = f'<p class="hint" id="code-hint">{escape(hint)}</p>' if hint else ""
    words = ' aria-describedby="code-hint"' if hint else ""
    words += " required" if is_needed else ""
    words += " autofocus" if is_first else ""
    return (
        f'<label for="code">{escape(label)}</label><input id="code" name="code" class="code" inputmode="numeric"'
        f' autocomplete="one-time-code" pattern="[0-9 ]{{6,7}}" maxlength="7"{words}>{about}'
    )


def second_factor(address: str, secret: str) -> str:
    """The QR code for an authenticator app, and the same as text for those who type it."""
    drawn = segno.make(address, error="m", micro=False).svg_inline(border=1, omitsize=True, dark="#0B1220")
    spaced = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return (
        f'<div class="qr" role="img" aria-label="QR code for your authenticator app; the key below says the same">'
        f"{drawn}</div><p class='hint'>Or type this key into the app: <code>{escape(spaced)}</code></p>"
    )


def sign_ins(rows: Iterable[tuple[str, str]]) -> str:
    """The demo's accounts, as a table."""
    lines = "".join(
        f"<tr><td><code>{escape(email)}</code></td><td><code>{escape(word)}</code></td></tr>" for email, word in rows
    )
    return f'<div class="note"><table><caption hidden>Demo sign-ins</caption><tbody>{lines}</tbody></table></div>'
