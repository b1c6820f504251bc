"""Usage: one API call or AI request, with its tokens, cost, latency and outcome."""

from __future__ import annotations

import polars as pl

from core.intake import cells
from core.intake.cells import Given
from core.intake.fields import AT, ORGANIZATION, PARTNER, SOURCE_ID, Field, Kind, Rows
from core.intake.options import Options


def decide(rows: Rows, options: Options, given: Given) -> None:
    """Cached tokens are part of the input and reasoning tokens part of the output; a cost is not negative."""
    for part, whole in (("cached_tokens", "input_tokens"), ("reasoning_tokens", "output_tokens")):
        if rows.has(part):
            total = pl.col(whole) if rows.has(whole) else pl.lit(0)
            rows.refuse(part, pl.col(part) > total, f"{{}} is more than the {whole.replace('_', ' ')} it is part of.")
    if rows.has("cost"):
        rows.refuse("cost", pl.col("reported_cost_nano") < 0, "{} is negative; a request costs nothing or more.")


USAGE = Kind(
    name="usage",
    title="Usage",
    table="usage",
    fields=(
        Field("at", cells.time, required=True, also=(*AT, "request_time")),
        Field("source_id", cells.text(200), also=(*SOURCE_ID, "request_id")),
        Field("provider", cells.text(100), required=True, also=("vendor",)),
        Field("model", cells.text(100), required=True, also=("model_name", "model_id")),
        Field("kind", cells.one_of("ai", "api"), default="ai", also=("usage_kind",)),
        Field("organization", cells.text(200), also=ORGANIZATION),
        Field("partner", cells.text(200), kept=False, also=PARTNER),
        Field("feature", cells.text(100), default="", also=("endpoint",)),
        Field("variant", cells.text(100), default="", also=("prompt_variant",)),
        Field("input_tokens", cells.whole(), default=0, also=("context_tokens", "prompt_tokens", "tokens_in")),
        Field("cached_tokens", cells.whole(), default=0, also=("cached_input_tokens",)),
        Field("output_tokens", cells.whole(), default=0, also=("generated_tokens", "completion_tokens", "tokens_out")),
        Field("reasoning_tokens", cells.whole(), default=0, also=("thinking_tokens",)),
        Field("latency_ms", cells.whole(0, 2**31 - 1), also=("latency", "duration_ms", "response_time_ms")),
        Field(
            "outcome",
            cells.one_of("ok", "error", "timeout", "refused", "throttled"),
            default="ok",
            also=("status", "result"),
        ),
        Field("quality", cells.decimal(5, 4, most=1), also=("rating", "score")),
        Field("converted", cells.truth, also=("conversion", "is_converted")),
        Field("currency", cells.currency, column="reported_currency", also=("cost_currency",)),
        Field("cost", cells.nano("reported_currency"), column="reported_cost_nano", also=("cost_usd", "total_cost")),
    ),
    decide=decide,
)
