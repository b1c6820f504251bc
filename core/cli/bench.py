"""`millrace bench`: how fast, ours and a reference side by side, in a scratch Postgres of its own."""

from __future__ import annotations

import argparse
import importlib
from typing import Any

from core.errors import Refusal

BENCHES: dict[str, tuple[str, dict[str, Any]]] = {
    "ask": ("bench.ask", {"size": 10_000_000}),
    "ask-50m": ("bench.ask", {"size": 50_000_000}),
    "feed": ("bench.feed", {"size": 5_000_000}),
    "feed-50m": ("bench.feed", {"size": 50_000_000, "small": 1_000_000}),
    "import": ("bench.imports", {}),
    "page": ("bench.page", {}),
}
"""Name → its module, whose `run(…)` gives the sizes and the measures."""
UNASKED = ("import", "feed", "page", "ask")


class NoBench(Refusal):
    """There is no such measurement here."""

    code = "no_bench"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", choices=list(BENCHES), metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--rows", type=int, help="so many sales instead (ask and feed)")
    parser.add_argument("--format", choices=("table", "json"), default="table")


def run(args: argparse.Namespace) -> int:
    try:
        report = importlib.import_module("bench.report")
    except ImportError:
        raise NoBench("Measuring needs a checkout of Millrace; use `make bench` there.") from None
    for name in [args.name] if args.name else UNASKED:
        module, words = BENCHES[name]
        if args.rows and "size" in words:
            words = {**words, "size": args.rows}
        sizes, measures = importlib.import_module(module).run(**words)
        report.write(name, sizes, measures, args.format)
    return 0
