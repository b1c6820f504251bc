"""Partners from a list: each is enrolled as on the Partners screen, by the same rules and with the same trail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl
from sqlalchemy import Connection

from core.intake import cells
from core.intake.cells import Given, Read, Reader
from core.intake.fields import Field, Kind
from core.partners import programs, registry, rules
from core.viewer import Viewer


def by_rule(name: str, prepared: Callable[[str], Any] = str) -> Reader:
    """A cell that the registry's own rule for the field accepts."""

    def read(cells_: pl.Series, _: pl.DataFrame, __: Given) -> Read:
        refused: dict[str, list[str]] = {}
        for text in cells_.drop_nulls().unique().to_list():
            try:
                rules.checked({name: prepared(text)})
            except rules.BadPartner as refusal:
                refused.setdefault(refusal.sentence, []).append(text)
        return Read(cells_, tuple((cells_.is_in(texts), sentence) for sentence, texts in refused.items()))

    return read


PARTNERS = Kind(
    name="partners",
    title="Partners",
    table="partner",
    fields=(
        Field("code", by_rule("code", rules.code_of), required=True, also=("id", "partner_code", "partner", "slug")),
        Field("name", by_rule("name"), required=True, also=("partner_name", "company")),
        Field("type", by_rule("type"), required=True, also=("partner_type", "kind")),
        Field("status", by_rule("status"), also=("state",)),
        Field("region", by_rule("region")),
        Field("country", by_rule("country"), also=("country_code",)),
        Field("group", cells.text(60), also=("partner_group", "group_code")),
        Field("program", cells.text(60), also=("program_code",)),
        Field("email", by_rule("email"), also=("email_address", "contact")),
        Field("api_base", by_rule("api_base"), also=("api_url", "base_url")),
        Field("share", cells.basis_points, column="share_bps", also=("share_percent", "commission")),
        Field("capabilities", by_rule("capabilities"), column="capability_words"),
    ),
    key=("code",),
)

FIELDS = ("name", "type", "status", "region", "country", "group", "program", "email", "api_base", "share_bps")


def refuse_unknown(db: Connection, viewer: Viewer, column: str, texts: Sequence[str]) -> list[str]:
    """Those of `texts` that are no group or no program."""
    known = programs.groups(db, viewer) if column == "group" else programs.programs(db, viewer)
    return sorted(set(texts) - {row["code"] for row in known})


def enrol_all(
    db: Connection, viewer: Viewer, staged: Sequence[Mapping[str, Any]]
) -> tuple[int, list[tuple[int, list[str]]]]:
    """Enrol the partners that are new; answers how many, and the lines that say something else of one that is known."""
    ids = registry.ids_of(db, [row["code"] for row in staged])
    written, differing = 0, []
    for row in staged:
        said = {name: row[name] for name in FIELDS if row.get(name) is not None}
        if row.get("capability_words"):
            said["capabilities"] = row["capability_words"]
        if row["code"] in ids:
            columns = differences(registry.one(db, viewer, ids[row["code"]]), said)
            differing += [(row["line"], columns)] if columns else []
            continue
        partner = registry.enrol(db, viewer, {"code": rules.code_of(row["code"]), **said})
        ids[row["code"]] = partner.id
        written += 1
    return written, differing


def differences(known: Mapping[str, Any], said: Mapping[str, Any]) -> list[str]:
    """The fields in which a list says something else than the registry; the status is the registry's own."""
    plain = {name: value for name, value in said.items() if name not in ("group", "program", "status")}
    checked = rules.checked(plain) | {name: said[name] for name in ("group", "program") if name in said}
    return [name for name, value in checked.items() if known[name] != value]
