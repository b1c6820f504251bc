"""Sales: one row is one line of an order, after discount and before tax; refunds and disputes are negative lines."""

from __future__ import annotations

from typing import Any

import polars as pl

from core.intake import cells
from core.intake.cells import Given
from core.intake.fields import AT, CUSTOMER, ORGANIZATION, PARTNER, SOURCE_ID, Field, Kind, Rows
from core.intake.options import Options, kind_rule

KINDS = ("sale", "refund", "dispute", "dispute_won", "adjustment")


def decide(rows: Rows, options: Options, given: Given) -> None:
    """The amount, where it is quantity × price; the kind, where a rule tells it; and whether the sign agrees."""
    if not rows.has("amount"):
        found = cells.times(rows.cells["quantity"], rows.cells["price"], rows.values["currency"])
        rows.put("amount_minor", found.values)
        for mask, reason in found.refused:
            rows.refuse("price", mask, reason)
    rows.put("kind", kind_of_line(rows, options))
    refuse_wrong_signs(rows)


def kind_of_line(rows: Rows, options: Options) -> pl.Expr:
    """What the first rule that fits says, else the row's own kind, else a sale."""
    written = pl.col("kind") if "kind" in rows.values.columns else pl.lit(None, pl.String)
    chain: Any = pl.when(pl.lit(False)).then(pl.lit(""))
    for rule in map(kind_rule, options.kinds):
        chain = chain.when(_fits(rule.prefix, rows)).then(pl.lit(rule.kind))
    told: pl.Expr = chain.otherwise(written.fill_null("sale"))
    return told


def _fits(prefix: str | None, rows: Rows) -> pl.Expr:
    if prefix is not None:
        return pl.col("order_id").str.starts_with(prefix)
    if rows.has("quantity"):
        return pl.col("quantity").str.starts_with("-")
    return pl.col("amount_minor") < 0


def refuse_wrong_signs(rows: Rows) -> None:
    """What is taken back is negative, what is sold or won back is not; an adjustment may be either."""
    amount = "amount" if rows.has("amount") else "price"
    back = pl.col("kind").is_in(["refund", "dispute"]) & (pl.col("amount_minor") > 0)
    sold = pl.col("kind").is_in(["sale", "dispute_won"]) & (pl.col("amount_minor") < 0)
    rows.refuse(amount, back, "A refund or dispute takes money back: its amount is negative.")
    rows.refuse(amount, sold, "A sale is not negative; name its kind, or say which kind negative rows are.")


SALES = Kind(
    name="sales",
    title="Sales",
    table="sale",
    fields=(
        Field("order_id", cells.text(200), required=True, also=("order", "invoice", "invoice_no", "order_number")),
        Field("source_id", cells.text(200), also=(*SOURCE_ID, "charge_id", "line_id")),
        Field("line_no", cells.whole(1, 10**9), default=1, also=("line", "line_number", "position")),
        Field("at", cells.time, required=True, also=(*AT, "order_date", "invoice_date", "sold_at", "paid_at")),
        Field("currency", cells.currency, required=True, also=("currency_code", "ccy")),
        Field("quantity", cells.decimal(20, 6), also=("qty", "units", "count")),
        Field("price", cells.decimal(40, 17), kept=False, also=("unit_price", "price_per_unit", "item_price")),
        Field("amount", cells.money(), column="amount_minor", required=True, also=("total", "net_amount", "revenue")),
        Field("kind", cells.one_of(*KINDS), also=("type", "transaction_type")),
        Field("refunds", cells.text(200), column="refunds_source_id", also=("refunded_id", "refund_of", "original_id")),
        Field("customer", cells.text(200), also=CUSTOMER),
        Field("customer_name", cells.text(300), also=("buyer_name", "client_name")),
        Field("customer_email", cells.text(300), also=("email", "buyer_email")),
        Field("organization", cells.text(200), also=ORGANIZATION),
        Field("product", cells.text(300), default="", also=("stock_code", "sku", "item", "product_id", "product_name")),
        Field("category", cells.text(200), default="", also=("product_category", "product_type")),
        Field("plan", cells.text(200), default="", also=("tier",)),
        Field("region", cells.text(200), default=""),
        Field("country", cells.text(200), default="", also=("country_code",)),
        Field("channel", cells.text(200), default="", also=("sales_channel", "medium")),
        Field("partner", cells.text(200), kept=False, also=PARTNER),
        Field("referral_code", cells.text(200), kept=False, also=("ref", "referral")),
        Field("coupon", cells.text(200), kept=False, also=("coupon_code", "voucher", "promo_code", "discount_code")),
        Field("visitor", cells.text(200), kept=False, also=("visitor_id",)),
    ),
    decide=decide,
)
