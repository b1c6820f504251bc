"""`millrace metrics`: what can be asked, of what, by what."""

from __future__ import annotations

import argparse
import json

from core import insights
from core.viewer import SYSTEM


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("table", "json"), default="table")


def run(args: argparse.Namespace) -> int:
    listed = insights.metrics(SYSTEM)
    if args.format == "json":
        print(json.dumps([describe(metric) for metric in listed], ensure_ascii=False, indent=1))
        return 0
    for metric in listed:
        print(f"{metric.name}  ({metric.unit}; {', '.join(sorted(metric.roles))})")
        print(f"    {metric.definition}")
        print(f"    by {', '.join(metric.dimensions)}")
    return 0


def describe(metric: insights.Metric) -> dict[str, object]:
    return {
        "name": metric.name,
        "title": metric.title,
        "unit": metric.unit,
        "answer": metric.answer,
        "roles": sorted(metric.roles),
        "definition": metric.definition,
        "grain": metric.grain,
        "dimensions": list(metric.dimensions),
        "parameters": dict(metric.parameters),
    }
