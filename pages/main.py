"""The Streamlit script: sign in, the menu of the viewer's roles, and the page that they chose.

It stands in `pages/` and not beside `app.py` on purpose: a `pages/` folder beside the script makes the first session of
a process run a page without this file, and so without a sign-in (docs/decisions/0010).
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.viewer import Viewer
from pages.parts import notices, session

HERE = Path(__file__).parent
ART = HERE / "art"

MENU: dict[str, list[tuple[str, str, str, str]]] = {
    "": [
        ("overview", "executive/overview.py", "Overview", ":material/space_dashboard:"),
        ("revenue", "executive/revenue.py", "Revenue", ":material/trending_up:"),
    ],
    "Partner": [
        ("earnings", "partner/earnings.py", "Earnings", ":material/savings:"),
    ],
    "Administration": [
        ("partners", "admin/partners.py", "Partners", ":material/handshake:"),
        ("import", "admin/imports.py", "Import", ":material/upload_file:"),
        ("people", "admin/people.py", "People", ":material/group:"),
        ("system", "admin/system.py", "System", ":material/monitor_heart:"),
    ],
}
"""Section → screen, file, title and icon. Who sees which stands in core/viewer.py."""


def pages_of(viewer: Viewer) -> dict[str, list[st.Page]]:
    """The menu: only what the viewer's roles open; anything else has no address for them."""
    found: dict[str, list[st.Page]] = {}
    for section, lines in MENU.items():
        for screen, file, title, icon in lines:
            if viewer.opens(screen):
                page = st.Page(HERE / file, title=title, icon=icon, url_path=screen)
                found.setdefault(section, []).append(page)
    return found


st.set_page_config(page_title="Millrace", page_icon=str(ART / "icon.svg"), layout="wide", initial_sidebar_state="auto")
is_dark = st.context.theme.type == "dark"
st.logo(str(ART / f"wordmark-{'dark' if is_dark else 'light'}.svg"), size="large", icon_image=str(ART / "icon.svg"))

if is_dark:  # the theme's primary colour on its own tint is too dim to read there
    st.html("<style>button[data-selected=true] p {color: #9BE0EE}</style>")

viewer = session.viewer()
menu = pages_of(viewer)
if not menu:
    notices.empty("Your account has no role yet. Ask an admin to give it one under People.", ":material/lock:")
    session.account_menu(viewer)
    st.stop()
first = next(iter(menu.values()))[0]


def home() -> None:
    """The bare address leads to the first page of the menu, so that each screen has one address."""
    st.switch_page(first, query_params=st.query_params.to_dict())


front = st.Page(home, title="Millrace", default=True, visibility="hidden")
page = st.navigation({"": [front, *menu.pop("", [])], **menu}, position="sidebar")
with st.sidebar:
    session.account_menu(viewer)
    notices.freshness()
notices.toasts()
page.run()
