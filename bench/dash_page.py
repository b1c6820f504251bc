"""The Revenue page once more, in Plotly Dash: the same questions of the same warehouse, cards, charts and lines.

Run as a program: PORT, a folder for its warehouse, and the address of Postgres.
"""

from __future__ import annotations

import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from dash import Dash, Input, Output, dash_table, dcc, html
from werkzeug.serving import make_server

from core.periods import last_days
from data.metrics import Request
from data.warehouse import EVERYBODY, Warehouse

TODAY = date(2026, 11, 20)
PERIODS = {"30D": 30, "90D": 90, "12M": 365}
CARDS = ("net_revenue", "gross_revenue", "refunds", "orders")


def build(warehouse: Warehouse) -> Dash:
    app = Dash("millrace-bench", assets_ignore=".*")
    app.layout = html.Div(
        [
            html.H1("Revenue"),
            dcc.RadioItems(list(PERIODS), "90D", id="period", inline=True),
            html.Div(id="cards"),
            dcc.Graph(id="trend"),
            dcc.Graph(id="partners"),
            dcc.Graph(id="products"),
            dash_table.DataTable(id="lines", page_size=50),  # type: ignore[attr-defined]
        ]
    )

    @app.callback(
        Output("cards", "children"), Output("trend", "figure"), Output("partners", "figure"),
        Output("products", "figure"), Output("lines", "data"), Input("period", "value"),
    )  # fmt: skip
    def show(name: str) -> tuple[Any, ...]:
        period = last_days(PERIODS[name], TODAY)
        before = period.before()
        ask = {"since": period.since, "until": period.until, "currency": "USD"}
        was = {"since": before.since, "until": before.until, "currency": "USD"}
        cards = [html.Div(f"{m}: {total(warehouse, m, ask)} (before {total(warehouse, m, was)})") for m in CARDS]
        trend = [line(warehouse, "now", ask, timedelta()), line(warehouse, "before", was, period.since - before.since)]
        lines = rows(warehouse, Request("sale_lines", limit=50, since=period.since, until=period.until))
        return cards, {"data": trend}, bars(warehouse, "partner", ask), bars(warehouse, "product", ask), lines

    return app


def rows(warehouse: Warehouse, request: Request) -> list[dict[str, Any]]:
    return warehouse.ask(request, EVERYBODY).to_dicts()


def total(warehouse: Warehouse, metric: str, period: dict[str, Any]) -> int:
    return sum(row[metric] for row in rows(warehouse, Request(metric, **period)))


def line(warehouse: Warehouse, name: str, period: dict[str, Any], shift: timedelta) -> dict[str, Any]:
    found = sorted(rows(warehouse, Request("net_revenue", by=("day",), **period)), key=lambda row: row["day"])
    x, y = [row["day"] + shift for row in found], [row["net_revenue"] / 100 for row in found]
    return {"type": "scatter", "name": name, "x": x, "y": y}


def bars(warehouse: Warehouse, by: str, period: dict[str, Any]) -> dict[str, Any]:
    found = sorted(rows(warehouse, Request("net_revenue", by=(by,), **period)), key=lambda row: -row["net_revenue"])[
        :10
    ]
    x, y = [row["net_revenue"] / 100 for row in found], [row[by] or "none" for row in found]
    return {"data": [{"type": "bar", "orientation": "h", "x": x, "y": y}]}


def main() -> None:
    port, folder, url = sys.argv[1:]
    warehouse = Warehouse.open(Path(folder), url, house_currency="USD")
    warehouse.refresh()
    warehouse.start()
    make_server("127.0.0.1", int(port), build(warehouse).server, threaded=True).serve_forever()


if __name__ == "__main__":
    main()
