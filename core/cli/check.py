"""`millrace check`: the warehouse equals Postgres, to the unit, or the first differences by name."""

from __future__ import annotations

import argparse
import json

from core import insights, settings
from core.runtime import open_house
from core.viewer import SYSTEM


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("table", "json"), default="table")


def run(args: argparse.Namespace) -> int:
    open_house(settings.read())
    findings = insights.check(SYSTEM)
    if args.format == "json":
        rows = [{"what": f.what, "compared": f.compared, "breaks": list(f.breaks)} for f in findings]
        print(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        for finding in findings:
            print(f"{'ok   ' if finding.holds else 'BREAK'} {finding.what} ({finding.compared:,} compared)")
            for line in finding.breaks:
                print(f"      {line}")
    return 0 if all(finding.holds for finding in findings) else 1
