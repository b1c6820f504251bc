"""`millrace import KIND FILE`: take in a file of facts, all of it or nothing, and say what became of each row."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core import settings
from core.errors import Refusal
from core.intake.kinds import KINDS
from core.intake.load import Progress, import_file
from core.intake.options import Options, kind_rule
from core.intake.report import BadCell, Report
from core.periods import zone
from core.runtime import house, open_house
from core.viewer import SYSTEM
from data.postgres import transaction

TOLD_MAX = 20
BAR_WIDTH = 30
TOLD_EVERY_S = 2.0


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("facts", metavar="KIND", choices=list(KINDS), help=", ".join(KINDS))
    parser.add_argument("file", metavar="FILE", type=Path, help="a .csv, .csv.gz or .parquet file")
    parser.add_argument(
        "--source", default="file", metavar="NAME", help="where it comes from; ids are unique within it"
    )
    parser.add_argument(
        "--map", nargs="+", action=Pairs, default={}, type=pair, metavar="OURS=THEIRS", help="our field = its column"
    )
    parser.add_argument(
        "--set", nargs="+", action=Pairs, default={}, type=pair, metavar="OURS=VALUE", help="one value for all rows"
    )
    parser.add_argument(
        "--kind",
        nargs="+",
        action="extend",
        default=[],
        type=rule,
        metavar="RULE=KIND",
        help="which sales are refunds: 'C*=refund' (order ids beginning with C), negative=adjustment",
    )
    parser.add_argument(
        "--timezone", default="UTC", type=zone_name, metavar="ZONE", help="zone of times that name none (UTC)"
    )
    parser.add_argument("--dates", choices=("iso", "dmy", "mdy"), default="iso", help="how days are written (iso)")
    parser.add_argument("--round", action="store_true", help="round amounts finer than their currency")
    parser.add_argument("--create-partners", action="store_true", help="enrol unknown partners, as pending")
    parser.add_argument("--skip-bad", action="store_true", help="write the good rows although others are refused")
    parser.add_argument("--dry-run", action="store_true", help="report what would happen, and write nothing")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(args: argparse.Namespace) -> int:
    options = Options(
        mapping=args.map,
        constants=args.set,
        kinds=tuple(args.kind),
        rounding=args.round,
        timezone=args.timezone,
        dates=args.dates,
        create_partners=args.create_partners,
        skip_bad=args.skip_bad,
        dry_run=args.dry_run,
    )
    open_house(settings.read())
    with transaction() as db:
        report = import_file(
            db,
            SYSTEM,
            args.facts,
            args.file,
            source=args.source,
            options=options,
            refused_to=refused_file(args.file),
            progress=bar(args.file.name),
        )
    if args.format == "json":
        sys.stdout.write(json.dumps([report.to_row()], ensure_ascii=False, indent=1) + "\n")
    else:
        tell(report)
    if report.state == "refused":
        sys.stderr.write(f"millrace: {report.message}\n")
        return 1
    return 0


def pair(word: str) -> tuple[str, str]:
    ours, equals, theirs = word.partition("=")
    if not equals or not ours.strip() or not theirs.strip():
        raise argparse.ArgumentTypeError(f"write it as name=value, such as partner=Country, not {word!r}")
    return ours.strip(), theirs.strip()


class Pairs(argparse.Action):
    """Words of the form name=value as one mapping, each name once."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option_string: Any = None
    ) -> None:
        chosen = dict(getattr(namespace, self.dest))
        for name, value in values:
            if chosen.setdefault(name, value) != value:
                parser.error(f"{option_string} names {name} twice; choose one")
        setattr(namespace, self.dest, chosen)


def zone_name(word: str) -> str:
    try:
        zone(word)
    except Refusal as refusal:
        raise argparse.ArgumentTypeError(refusal.sentence) from None
    return word


def rule(word: str) -> str:
    try:
        kind_rule(word)
    except Refusal as refusal:
        raise argparse.ArgumentTypeError(refusal.sentence) from None
    return word


def refused_file(file: Path) -> Path:
    """Beside the file; where that cannot be written, in the house."""
    name = f"{file.name}.refused.csv"
    if os.access(file.parent, os.W_OK):
        return file.with_name(name)
    folder = house().settings.home / "refused"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def tell(report: Report) -> None:
    """What was read as what, what became of it, and the first of what is wrong."""
    if report.columns:
        read = ", ".join(f"{ours} ← {theirs}" for ours, theirs in sorted(report.columns.items()))
        sys.stdout.write(f"Columns: {read}\n")
    _list("Refused", report.bad, report.rows_refused)
    _list("Taken in before with another value", report.contradictions, report.rows_contradicting)
    for note in report.notes:
        sys.stdout.write(f"{note}\n")
    if report.refused_file:
        sys.stdout.write(f"Refused rows, with line, column and reason: {report.refused_file}\n")
    for count, what in (
        (report.partners_created, "partners created"),
        (report.customers_created, "customers created"),
        (report.rows_priced, "earlier rows got their amount in the house currency"),
    ):
        if count:
            sys.stdout.write(f"{count:,} {what}\n")
    if report.state != "refused":
        dry = "Dry run, nothing written: " if report.state == "tried" else ""
        sys.stdout.write(f"{dry}{report.message}\n")


def _list(title: str, cells: tuple[BadCell, ...], rows: int) -> None:
    if not cells:
        return
    sys.stdout.write(f"{title}: {rows:,} {'row' if rows == 1 else 'rows'}\n")
    for cell in cells[:TOLD_MAX]:
        sys.stdout.write(f"  {cell}\n")
    if len(cells) > TOLD_MAX:
        sys.stdout.write("  … and more\n")


def bar(name: str, clock: Callable[[], float] = time.monotonic) -> Progress:
    """A bar on standard error that is drawn over itself; a line now and then where nobody watches."""
    last = [clock(), -1.0]

    def show(step: str, rows: int, share: float) -> None:
        if sys.stderr.isatty():
            full = round(min(share, 1.0) * BAR_WIDTH)
            done = f"{'█' * full}{'·' * (BAR_WIDTH - full)}"
            ending = "\n" if step == "written" else ""
            sys.stderr.write(f"\r\x1b[K  {name}  [{done}] {rows:,} rows, {step}{ending}")
        elif clock() - last[0] >= TOLD_EVERY_S:
            sys.stderr.write(f"  {name}: {rows:,} rows, {step} {min(share, 1.0):.0%}\n")
            last[0] = clock()
        sys.stderr.flush()

    return show
