"""The `millrace` command: one file a command, listed here. Exit codes: 0 done, 1 refused, 2 wrong usage."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from sqlalchemy.exc import OperationalError

from core.errors import Refusal

COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("core.cli.serve", "serve the app on PORT"),
    "ask": ("core.cli.ask", "ask a metric"),
    "metrics": ("core.cli.metrics", "list the metrics"),
    "check": ("core.cli.check", "prove that the warehouse equals Postgres, to the unit"),
    "import": ("core.cli.imports", "import a file of facts"),
    "demo": ("core.cli.demo", "load the demo business"),
    "jobs": ("core.cli.jobs", "list or run the jobs"),
    "bench": ("core.cli.bench", "measure, beside a reference in the same run"),
}
"""Command → its module, which has `arguments(parser)` and `run(args) -> int`, and its one line of help."""


def main(argv: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="millrace", description=__doc__.splitlines()[0] if __doc__ else None)
    chosen = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, line) in COMMANDS.items():
        command = chosen.add_parser(name, help=line, description=line)
        if words[:1] == [name]:  # heavy libraries are imported for the chosen command only
            importlib.import_module(module).arguments(command)
    args = parser.parse_args(words)
    try:
        return int(importlib.import_module(COMMANDS[args.command][0]).run(args))
    except Refusal as refusal:
        print(f"millrace: {refusal.sentence}", file=sys.stderr)
        return 1
    except OperationalError as error:
        reason = str(error.orig).splitlines()[0][:160] if error.orig else "no reason given"
        print(
            f"millrace: Postgres went away ({reason}); what was not finished is not stored. Try again.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("millrace: stopped", file=sys.stderr)
        return 1
