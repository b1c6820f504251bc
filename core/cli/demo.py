"""`millrace demo`: load the demo business into an empty house, with a bar that says how far it is."""

from __future__ import annotations

import argparse
import sys
from datetime import date

from core import demo, settings
from core.demo import Progress
from core.errors import Refusal
from core.runtime import open_house

BAR_WIDTH = 30


class BadDemo(Refusal):
    """A day or a size that the demo cannot have."""

    code = "bad_demo"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--today", metavar="DAY", help="the last day of the demo, such as 2026-03-31 (today)")
    parser.add_argument("--scale", metavar="PART", default="1", help="how much of it, such as 0.02 (1: all)")


def run(args: argparse.Namespace) -> int:
    today, scale = day(args.today), part(args.scale)
    open_house(settings.read())
    new = demo.load(today=today, scale=scale, progress=bar("Loading the demo business"))
    sys.stdout.write("The demo business is loaded.\n" if new else "The demo business was loaded before.\n")
    return 0


def day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadDemo("--today is a day such as 2026-03-31.") from None


def part(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not 0.005 <= scale <= 2.0:
        raise BadDemo("--scale is a number from 0.005 to 2; 1 is all of the demo.")
    return scale


def bar(title: str) -> Progress:
    """A bar on standard error that is drawn over itself; a line for each kind where nobody watches."""
    told: list[str] = []

    def show(done: int, total: int, what: str) -> None:
        share = done / max(total, 1)
        if sys.stderr.isatty():
            full = round(share * BAR_WIDTH)
            ending = "\n" if what == "done" else ""
            sys.stderr.write(
                f"\r\x1b[K  {title}  [{'█' * full}{'·' * (BAR_WIDTH - full)}] {share:4.0%}  {what}{ending}"
            )
        elif told[-1:] != [what]:
            sys.stderr.write(f"  {title}: {share:4.0%} {what}\n")
        told.append(what)
        sys.stderr.flush()

    return show
