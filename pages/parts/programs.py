"""Programs and groups: what holds today, what held and what is planned, and new terms from a day on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import available_timezones

import polars as pl
import streamlit as st

from core.money import EXPONENTS, exact, major_text, minor_of
from core.partners import programs
from core.partners.programs import Terms
from core.periods import business_day, now, zone
from core.runtime import house, transaction
from core.viewer import Viewer
from pages.parts import format as fmt
from pages.parts import notices, tables
from pages.parts.session import plain

Row = Mapping[str, Any]
CURRENCIES = sorted(EXPONENTS)


def screen(viewer: Viewer) -> None:
    with transaction() as db:
        rows, groups = programs.programs(db, viewer), programs.groups(db, viewer)
    its_programs(viewer, rows)
    its_groups(viewer, groups)


def its_programs(viewer: Viewer, rows: Sequence[Row]) -> None:
    body, _ = tables.card("Programs", "the terms that hold today", key="programs")
    with body:
        if rows:
            listed(viewer, rows)
        else:
            notices.empty("No program yet. Partners earn under one: press **New program**.")
        # below the tables, not above: a table's floating toolbar covers what stands right over it
        if st.button("New program", icon=":material/add:", key="new_program"):
            open_program(viewer)


def listed(viewer: Viewer, rows: Sequence[Row]) -> None:
    """The programs, and all terms of the one that is chosen."""
    names = pl.DataFrame(
        {
            "Program": [row["name"] for row in rows],
            "Code": [row["code"] for row in rows],
            "Status": [row["status"].capitalize() for row in rows],
            "Zone": [row["timezone"] for row in rows],
            "Partners": [row["partners"] for row in rows],
        }
    )
    st.dataframe(
        pl.concat([names, promised(rows, [row["currency"] for row in rows])], how="horizontal"),
        hide_index=True,
        key="programs_table",
        alt="Programs with the terms that hold today",
    )
    by_code = {row["code"]: row for row in rows}
    code = st.selectbox(
        "Terms of",
        list(by_code),
        key="program",
        bind="query-params",
        width=320,
        format_func=lambda code: str(by_code[code]["name"]),
    )
    if code:
        its_terms(viewer, by_code[code])


def its_terms(viewer: Viewer, program: Row) -> None:
    """All terms of one program, the newest first; what has begun never changes."""
    with transaction() as db:
        rows = programs.terms_of(db, viewer, program["code"])
    days = pl.DataFrame(
        {
            "Terms": [row["state"].capitalize() for row in rows],
            "From": ["the beginning" if row["since"].year <= 1970 else fmt.day(row["since"]) for row in rows],
            "To": [fmt.day(row["last_day"]) if row["last_day"] else "until changed" for row in rows],
        }
    )
    st.dataframe(
        pl.concat([days, promised(rows, [program["currency"]] * len(rows))], how="horizontal"),
        hide_index=True,
        key=f"terms_{program['code']}_{len(rows)}",
        alt=f"Terms of {program['name']}",
    )
    with st.container(horizontal=True, key="terms_acts"):
        if st.button("New terms", icon=":material/event:", key="new_terms"):
            set_terms(viewer, program)
        is_open = program["status"] == "active"
        if st.button("Close program" if is_open else "Open again", key="program_status", icon=":material/lock:"):
            with notices.refusals():
                with transaction() as db:
                    programs.change_program(db, viewer, program["code"], status="closed" if is_open else "active")
                notices.later(
                    f"{program['name']} is {'closed; it takes no new partners' if is_open else 'open again'}."
                )
                st.rerun()
        planned = [row["since"] for row in rows if row["state"] == "planned"]
        if planned and st.button("Withdraw planned terms", icon=":material/undo:", key="withdraw_terms"):
            with notices.refusals():
                with transaction() as db:
                    programs.withdraw_terms(db, viewer, program["code"], since=planned[0])
                notices.later(f"The terms planned from {fmt.day(planned[0])} are withdrawn.")
                st.rerun()


def promised(rows: Sequence[Row], currencies: Sequence[str]) -> pl.DataFrame:
    """Terms as columns for readers, each amount in its program's currency."""
    known = [row if row["since"] else None for row in rows]

    def column(text: Any) -> list[str]:
        return [fmt.NONE if row is None else text(row, money) for row, money in zip(known, currencies, strict=True)]

    return pl.DataFrame(
        {
            "Share": column(lambda row, _: fmt.percent(row["share_bps"] / 10_000, 2)),
            "Hold": column(lambda row, _: f"{row['hold_days']} days"),
            "Minimum": column(lambda row, money: fmt.money(row["minimum_minor"], money)),
            "Payday": column(lambda row, _: f"day {row['payday']}"),
            "One approver up to": column(lambda row, money: fmt.money(row["approval_limit_minor"], money)),
            "Click counts for": column(lambda row, _: f"{row['attribution_days']} days"),
        }
    )


@st.dialog("New program", icon=":material/add:", width="medium")
def open_program(viewer: Viewer) -> None:
    with st.form("program_form", border=False):
        with st.grid(2, gap="small", min_column_width=200):
            name = st.text_input("Name", key="program_name", max_chars=120)
            code = st.text_input("Code", key="program_code", max_chars=60, placeholder="europe")
            home = house().settings.currency
            money = st.selectbox("Currency", CURRENCIES, CURRENCIES.index(home), key="program_currency")
            zones = sorted(available_timezones())
            zone = st.selectbox("Time zone", zones, zones.index("UTC"), key="program_zone")
        st.caption("Currency and time zone stay as they are chosen; the terms may change from a day on.")
        given = filled(Terms(), "USD", "program")
        if not st.form_submit_button("Open", type="primary", key="program_do"):
            return
    with notices.refusals():
        terms = terms_of(given, str(money))
        with transaction() as db:
            programs.open_program(
                db, viewer, code=code, name=name, currency=str(money), timezone=str(zone), terms=terms
            )
        notices.later(f"The program {plain(name)} is open.")
        st.rerun()


@st.dialog("New terms", icon=":material/event:", width="medium")
def set_terms(viewer: Viewer, program: Row) -> None:
    with st.form("terms_form", border=False):
        since = st.date_input("From", business_day(now(), zone(program["timezone"])), key="terms_since")
        st.caption("The former terms end the day before. Terms that have begun never change.")
        held = Terms(**{name: program[name] for name in Terms.__slots__}) if program["since"] else Terms()
        given = filled(held, program["currency"], "terms")
        if not st.form_submit_button("Set", type="primary", key="terms_do"):
            return
    with notices.refusals():
        terms = terms_of(given, program["currency"])
        with transaction() as db:
            programs.set_terms(db, viewer, program["code"], terms, since=since)
        notices.later(f"New terms of {plain(program['name'])} hold from {fmt.day(since)}.")
        st.rerun()


def filled(terms: Terms, currency: str, key: str) -> dict[str, Any]:
    with st.grid(3, gap="small", min_column_width=160):
        return {
            "share": st.number_input("Share in percent", 0.0, 100.0, terms.share_bps / 100, 0.5, key=f"{key}_share"),
            "hold_days": st.number_input("Hold in days", 0, 366, terms.hold_days, key=f"{key}_hold"),
            "attribution_days": st.number_input(
                "A click counts for (days)", 0, 3650, terms.attribution_days, key=f"{key}_window"
            ),
            "minimum": st.text_input("Minimum payout", major_text(terms.minimum_minor, currency), key=f"{key}_minimum"),
            "limit": st.text_input(
                "One approver up to", major_text(terms.approval_limit_minor, currency), key=f"{key}_limit"
            ),
            "payday": st.number_input("Payday of the month", 1, 28, terms.payday, key=f"{key}_payday"),
        }


def terms_of(given: Mapping[str, Any], currency: str) -> Terms:
    """The terms as the form holds them; amounts in the program's currency, exact."""
    return Terms(
        share_bps=round(given["share"] * 100),
        hold_days=given["hold_days"],
        attribution_days=given["attribution_days"],
        minimum_minor=minor_of(exact(given["minimum"]), currency),
        approval_limit_minor=minor_of(exact(given["limit"]), currency),
        payday=given["payday"],
    )


def its_groups(viewer: Viewer, rows: Sequence[Row]) -> None:
    body, _ = tables.card("Groups", "partners that share a minimum", key="groups")
    with body:
        if not rows:
            st.caption("No groups yet. A group gives some partners a minimum payout of their own.")
        frame = {
            "Group": [row["name"] for row in rows],
            "Code": [row["code"] for row in rows],
            "Minimum": [
                "the program's" if row["minimum_minor"] is None else fmt.money(row["minimum_minor"], row["currency"])
                for row in rows
            ],
            "Partners": [row["partners"] for row in rows],
        }
        if rows:
            st.dataframe(
                pl.DataFrame(frame), hide_index=True, key="groups_table", alt="Groups and their minimum payouts"
            )
        if st.button("New group", icon=":material/add:", key="new_group"):
            make_group(viewer)


@st.dialog("New group", icon=":material/add:")
def make_group(viewer: Viewer) -> None:
    with st.form("group_form", border=False):
        name = st.text_input("Name", key="group_name", max_chars=120)
        code = st.text_input("Code", key="group_code", max_chars=60, placeholder="gold")
        minimum = st.text_input("Minimum payout", key="group_minimum", placeholder="the program's")
        home = house().settings.currency
        money = str(st.selectbox("Currency", CURRENCIES, CURRENCIES.index(home), key="group_currency"))
        if not st.form_submit_button("Make", type="primary", key="group_do"):
            return
    with notices.refusals():
        minor = minor_of(exact(minimum), money) if minimum.strip() else None
        with transaction() as db:
            programs.make_group(
                db, viewer, code=code, name=name, minimum_minor=minor, currency=money if minor is not None else None
            )
        notices.later(f"The group {plain(name)} stands.")
        st.rerun()
