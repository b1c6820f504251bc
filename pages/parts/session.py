"""Who is looking: the sign-in screen, the viewer behind a sign-in, their account menu, and the end of a session."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from core import viewer as viewers
from core.errors import NotAllowed
from core.runtime import house, transaction
from core.trust import people, sessions, signin
from core.trust.sessions import SignedOut
from core.viewer import SCREENS, Viewer
from pages.parts import notices
from pages.parts.format import plain as plain

HEARTBEAT_S = 4
"""How often an open tab asks whether its session still stands: an end reaches every tab within five seconds."""


def viewer(*, is_activity: bool = True) -> Viewer:
    """The signed-in person, as they stand in the database now; stops the script with the sign-in screen otherwise."""
    if not st.user.get("is_logged_in"):
        welcome()
        st.stop()
    try:
        return _arrive(is_activity=is_activity)
    except SignedOut as refusal:
        welcome(refusal.sentence)
        st.stop()


def require_screen(screen: str) -> Viewer:
    """The viewer, if their roles open this screen; each page begins with it, whatever the menu shows."""
    who = viewer()
    try:
        viewers.require_screen(who, screen)
    except NotAllowed as refusal:
        st.warning(refusal.sentence, icon=":material/lock:")
        st.stop()
    return who


def account_menu(who: Viewer) -> None:
    """In the sidebar: who is signed in, their roles, second factor and other sessions, and the way out."""
    with st.popover(plain(who.name), icon=":material/account_circle:", width="stretch", key="account"):
        st.text(who.email)
        st.markdown(" ".join(f":blue-badge[{role.title()}]" for role in sorted(who.roles)) or ":gray[No role yet]")
        if st.button("Security", icon=":material/shield:", width="stretch", key="account_security"):
            _security(who)
        if st.button("Sign out", icon=":material/logout:", width="stretch", key="sign_out"):
            sign_out(who)
    _heartbeat(who)


def sign_out(who: Viewer) -> None:
    """End the session in the database first; then the browser's cookie goes, and the provider is told."""
    with transaction() as db:
        sessions.sign_out(db, who)
    st.logout()
    st.stop()


def welcome(sentence: str = "") -> None:
    """The screen for whoever is not signed in; `sentence` says why they no longer are."""
    settings = house().settings
    _no_menu()
    st.space("xlarge")
    with st.container(horizontal_alignment="center", key="welcome"), st.container(border=True, width=420, key="card"):
        st.title("Welcome to Millrace", anchor=False)
        st.markdown(":gray[What came in through your partners, who earned what, and why.]")
        if sentence:
            st.info(sentence, icon=":material/info:")
        if not _is_our_address(settings.public_url):
            st.markdown("Sign-in works at the address that this installation is known by.")
            st.link_button(f"Go to {settings.public_url}", settings.public_url, type="primary", width="stretch")
        elif st.button("Sign in", type="primary", width="stretch", key="sign_in"):
            st.login(signin.provider(settings))
        if settings.demo:
            _demo_sign_ins()
        elif _is_nobody_here():
            st.caption("Nobody has an account yet. The terminal that runs Millrace shows a link for the first admin.")


def _no_menu() -> None:
    """Every screen has its address still, so that a link to it survives the sign-in; none is listed."""
    others = [st.Page(welcome, title="Sign in", url_path=name) for name in SCREENS]
    st.navigation([st.Page(welcome, title="Sign in", default=True), *others], position="hidden")


def _demo_sign_ins() -> None:
    rows = people.demo_sign_ins()
    lines = "\n".join(f"| {who.roles[0].title()} | `{who.email}` |" for who in rows)
    st.caption(f"The demo's people, each with the password `{rows[0].password}`:")
    st.markdown(f"| See it as | E-mail |\n|---|---|\n{lines}")


def _is_nobody_here() -> bool:
    with transaction() as db:
        return not people.has_people(db)


def _is_our_address(public_url: str) -> bool:
    """Whether the browser is where the sign-in returns to; unknown counts as yes."""
    here = urlsplit(st.context.url or public_url)
    there = urlsplit(public_url)
    return (here.scheme, here.netloc) == (there.scheme, there.netloc)


def _arrive(*, is_activity: bool) -> Viewer:
    agent, address = st.context.headers.get("user-agent") or "", st.context.ip_address
    origin = address if isinstance(address, str) else "127.0.0.1"  # Streamlit names no address for this machine
    with transaction() as db:
        return sessions.arrive(db, st.user.to_dict(), agent=agent, origin=origin, is_activity=is_activity)


@st.fragment(run_every=HEARTBEAT_S)
def _heartbeat(who: Viewer) -> None:
    """Look whether the session and the rights of this tab still stand; if not, draw the whole app anew."""
    try:
        now = _arrive(is_activity=False)
    except SignedOut:
        st.rerun()
    if (now.roles, now.partner_ids) != (who.roles, who.partner_ids):
        st.rerun()


@st.dialog("Security", icon=":material/shield:")
def _security(who: Viewer) -> None:
    if house().settings.oidc is None:
        _own_account(who)
    else:
        st.caption("Your company signs you in: password and second factor are kept there.")
    st.markdown("**Where you are signed in**")
    with transaction() as db:
        mine = sessions.mine(db, who)
    others = [row for row in mine if row["id"] != who.session_id]
    st.markdown(
        f"Here, and in {len(others)} other {'place' if len(others) == 1 else 'places'}." if others else "Only here."
    )
    for row in others:
        st.caption(f"{plain(device(row['agent']))} · {row['origin']} · last used {row['seen_at']:%Y-%m-%d %H:%M} UTC")
    if others and st.button("Sign out everywhere else", icon=":material/logout:", key="end_others"):
        with transaction() as db:
            ended = sessions.end_others(db, who)
        notices.later(f"{ended} other {'session' if ended == 1 else 'sessions'} ended.")
        st.rerun()


def _own_account(who: Viewer) -> None:
    said = "with a second factor." if "mfa" in who.factors else "with a password alone: add a second factor."
    st.markdown(f"You signed in {said}")
    with st.container(horizontal=True):
        if st.button("Second factor", icon=":material/qr_code_2:", key="own_factor"):
            with transaction() as db:
                st.session_state["own_link"] = people.second_factor_link(db, who, house().settings)
        if st.button("Password", icon=":material/password:", key="own_password"):
            with transaction() as db:
                st.session_state["own_link"] = people.password_link(db, who, house().settings)
    if link := st.session_state.pop("own_link", ""):
        st.link_button("Go on, within 15 minutes", link, type="primary", icon=":material/open_in_new:")


def device(agent: str) -> str:
    """The browser and system of a session, in words a person knows."""
    browsers = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    systems = (("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"))
    more = (("Mac OS", "macOS"), ("Linux", "Linux"))
    browser = next((name for sign, name in browsers if sign in agent), "A browser")
    system = next((name for sign, name in (*systems, *more) if sign in agent), "")
    return f"{browser} on {system}" if system else browser
