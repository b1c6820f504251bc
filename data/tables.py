"""Every Postgres table, on one page, grouped as core is.

Money is `…_minor bigint` beside its `currency`; AI costs are `…_nano bigint`; times are timestamptz in UTC;
states are text with a named CHECK. `fed()` marks a table that the warehouse copies: its `xid` says which
transaction wrote the row last (docs/decisions/0003), and its rows are never deleted without a tombstone.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_ix",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)


class Xid8(UserDefinedType[str]):
    """Postgres' 64-bit transaction id: it never wraps, and snapshots can be asked about it."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


ischema_names["xid8"] = Xid8  # Alembic finds it when it compares


def one_of(column: str, *values: str) -> CheckConstraint:
    """Text instead of an enum: a migration can see and change it."""
    return CheckConstraint(f"{column} in ({', '.join(repr(v) for v in values)})", name=f"{column}_known")


def number() -> Column[int]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def currency(name: str = "currency", *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def moment(name: str, *, nullable: bool = False, now: bool = False) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=func.now() if now else None)


def ref(name: str, target: str, *, nullable: bool = True, **options: Any) -> Column[Any]:
    return Column(name, ForeignKey(target), nullable=nullable, **options)


FED: list[Table] = []
"""The tables that the warehouse copies, in the order in which it copies them."""


def fed(name: str, *columns: Any) -> Table:
    """A table with `xid`, the transaction that last wrote the row; a trigger renews it on update."""
    xid: Column[str] = Column("xid", Xid8, nullable=False, server_default=text("pg_current_xact_id()"))
    table = Table(name, metadata, *columns, xid, Index(f"{name}_xid_ix", "xid"))
    FED.append(table)
    return table


def fact(name: str, *columns: Any) -> Table:
    """A fed table of facts: each has its source and the source's own id, and that pair is unique."""
    return fed(
        name,
        number(),
        Column("source", Text, nullable=False),
        Column("source_id", Text, nullable=False),
        *columns,
        ref("import_id", "import_file.id"),
        moment("created_at", now=True),
        UniqueConstraint("source", "source_id"),
    )


# ── trust: people, sessions, secrets, the audit trail ──────────────────────────────────────────────────────────────

ROLES_KNOWN = "roles <@ array['partner','admin','analyst','executive']"

person = Table(
    "person",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    Column("email", Text, nullable=False, unique=True),  # lower case; how local accounts sign in
    Column("name", Text, nullable=False),
    Column("roles", ARRAY(Text), nullable=False, server_default="{}"),
    Column("status", Text, nullable=False, server_default="invited"),
    Column("password_hash", Text),  # Argon2id
    Column("totp_sealed", LargeBinary),  # sealed by the vault; null until a second factor is set up
    Column("totp_step", BigInteger),  # the last 30-second step that was used, so that a code serves once
    moment("created_at", now=True),
    CheckConstraint("email = lower(email)", name="email_lower"),
    CheckConstraint(ROLES_KNOWN, name="roles_known"),
    one_of("status", "invited", "active", "disabled"),
)

person_partner = Table(
    "person_partner",
    metadata,
    ref("person_id", "person.id", nullable=False, primary_key=True),
    ref("partner_id", "partner.id", nullable=False, primary_key=True),
)

identity = Table(  # a person at an OpenID provider; e-mail is never what binds them
    "identity",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    ref("person_id", "person.id", nullable=False),
    moment("created_at", now=True),
)

session = Table(
    "session",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    ref("person_id", "person.id", nullable=False, index=True),
    Column("token_key", Text, nullable=False, unique=True),  # SHA-256 of issuer | subject | sid | iat of the ID token
    Column("amr", ARRAY(Text), nullable=False, server_default="{}"),
    moment("auth_time"),
    moment("created_at", now=True),
    moment("seen_at", now=True),
    moment("revoked_at", nullable=True),
    Column("agent", Text, nullable=False, server_default=""),
    Column("origin", Text, nullable=False, server_default=""),
)

setup_token = Table(  # one-time links: the first admin, a password, a second factor
    "setup_token",
    metadata,
    Column("token_hash", Text, primary_key=True),
    ref("person_id", "person.id"),  # null: the first admin, who is nobody yet
    Column("purpose", Text, nullable=False),
    moment("expires_at"),
    moment("used_at", nullable=True),
    one_of("purpose", "first_admin", "password", "second_factor"),
    CheckConstraint("(person_id is null) = (purpose = 'first_admin')", name="person_known"),
)

signin_attempt = Table(  # attempts to sign in that did not succeed: per address typed, known or not, and per origin
    "signin_attempt",
    metadata,
    Column("key", Text, primary_key=True),  # email:SHA-256 of the address, or origin:network address
    Column("count", Integer, nullable=False, server_default="0"),
    moment("last_at", now=True),
    moment("locked_until", nullable=True),
)

signin_code = Table(  # OpenID authorization codes, in the database so that any replica can redeem them
    "signin_code",
    metadata,
    Column("code_hash", Text, primary_key=True),
    ref("person_id", "person.id", nullable=False),
    Column("request", JSONB, nullable=False),  # nonce, code_challenge, redirect_uri, auth_time, amr
    moment("expires_at"),
)

house_secret = Table(  # signing key, cookie secret: sealed by the vault, shared by replicas
    "house_secret",
    metadata,
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    moment("created_at", now=True),
)

audit = Table(  # append-only: a trigger refuses UPDATE, DELETE and TRUNCATE
    "audit",
    metadata,
    number(),
    moment("at", now=True),
    Column("person_id", Uuid),  # null: the product itself
    Column("actor", Text, nullable=False),
    Column("act", Text, nullable=False),  # noun.verb, such as partner.suspended
    Column("subject", Text, nullable=False),  # what it was done to, such as partner:17
    Column("before", JSONB),
    Column("after", JSONB),
    Column("origin", Text, nullable=False, server_default=""),
    Index("audit_subject_ix", "subject"),
    Index("audit_at_ix", "at"),
)

# ── jobs ───────────────────────────────────────────────────────────────────────────────────────────────────────────

job_run = Table(  # one row per job and business date, written with the work: exactly once
    "job_run",
    metadata,
    number(),
    Column("name", Text, nullable=False),
    Column("business_day", Date, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="1"),
    Column("detail", JSONB, nullable=False, server_default="{}"),  # what it did, or the sentence of its failure
    moment("started_at", now=True),
    moment("finished_at", nullable=True),
    moment("again_at", nullable=True),  # when a failed one is tried again; null: no more
    UniqueConstraint("name", "business_day"),
    one_of("state", "running", "done", "failed"),
)

# ── partners ───────────────────────────────────────────────────────────────────────────────────────────────────────

PARTNER_TYPES = (
    "affiliate",
    "api_integration",
    "white_label",
    "franchise",
    "shopify",
    "zapier",
    "alexa",
    "google_home",
    "tiktok",
    "instagram",
)

program = fed(
    "program",
    number(),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    currency(),
    Column("timezone", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="active"),
    moment("created_at", now=True),
    one_of("status", "active", "closed"),
)

program_terms = Table(  # dated; two rows of one program never overlap (an exclusion constraint, in the migration)
    "program_terms",
    metadata,
    number(),
    ref("program_id", "program.id", nullable=False),
    Column("since", Date, nullable=False),
    Column("until", Date),  # the first day they no longer hold; null: until changed
    Column("hold_days", Integer, nullable=False, server_default="30"),
    Column("minimum_minor", BigInteger, nullable=False, server_default="0"),
    Column("payday", SmallInteger, nullable=False, server_default="15"),
    Column("approval_limit_minor", BigInteger, nullable=False, server_default="0"),
    Column("attribution_days", Integer, nullable=False, server_default="30"),
    Column("share_bps", Integer, nullable=False, server_default="0"),
    CheckConstraint("hold_days between 0 and 366", name="hold_days_range"),
    CheckConstraint("minimum_minor >= 0", name="minimum_positive"),
    CheckConstraint("payday between 1 and 28", name="payday_range"),
    CheckConstraint("approval_limit_minor >= 0", name="limit_positive"),
    CheckConstraint("attribution_days between 0 and 3650", name="attribution_days_range"),
    CheckConstraint("share_bps between 0 and 10000", name="share_range"),
    CheckConstraint("until is null or until > since", name="days_in_order"),
)

partner_group = fed(
    "partner_group",
    number(),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("minimum_minor", BigInteger),  # null: the program's
    currency(nullable=True),
    moment("created_at", now=True),
)

partner = fed(
    "partner",
    number(),
    Column("code", Text, nullable=False, unique=True),  # how files name the partner
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="pending"),
    Column("region", Text, nullable=False, server_default="global"),
    Column("country", Text),
    ref("group_id", "partner_group.id"),
    ref("program_id", "program.id"),
    Column("email", Text),
    Column("api_base", Text),
    Column("share_bps", Integer),  # null: the program's
    Column("capabilities", ARRAY(Text), nullable=False, server_default="{}"),
    Column("metadata", JSONB, nullable=False, server_default="{}"),
    Column("version", Integer, nullable=False, server_default="1"),  # each change adds one; a form names the one it saw
    moment("created_at", now=True),
    one_of("type", *PARTNER_TYPES),
    one_of("status", "pending", "active", "suspended", "terminated"),
    one_of("region", "global", "na", "eu", "apac"),
    CheckConstraint("share_bps between 0 and 10000", name="share_range"),
)

referral_code = fed(
    "referral_code",
    number(),
    Column("code", Text, nullable=False, unique=True),
    ref("partner_id", "partner.id", nullable=False),
    Column("kind", Text, nullable=False, server_default="link"),
    Column("landing_url", Text),
    Column("campaign", Text, nullable=False, server_default=""),
    Column("use_limit", Integer),  # null: no limit
    Column("uses", Integer, nullable=False, server_default="0"),
    Column("status", Text, nullable=False, server_default="active"),
    moment("expires_at", nullable=True),
    moment("created_at", now=True),
    one_of("kind", "link", "coupon", "referral"),
    one_of("status", "active", "retired"),
    CheckConstraint("code = lower(code)", name="code_lower"),  # people type codes in any case
    CheckConstraint("uses >= 0 and (use_limit is null or uses <= use_limit)", name="uses_within_limit"),
)

click = fact(
    "click",
    ref("referral_code_id", "referral_code.id", nullable=False),
    ref("partner_id", "partner.id", nullable=False),
    Column("visitor", Text, nullable=False),  # random id of the browser, from our cookie
    Column("landing_url", Text, nullable=False, server_default=""),
    Column("agent", Text, nullable=False, server_default=""),
    moment("at"),
    Column("business_day", Date, nullable=False),
    Index("click_visitor_at_ix", "visitor", "at"),
)

# ── who buys ───────────────────────────────────────────────────────────────────────────────────────────────────────

organization = fact(
    "organization",
    Column("name", Text, nullable=False),
    Column("plan", Text, nullable=False, server_default=""),
    Column("region", Text, nullable=False, server_default="global"),
    ref("partner_id", "partner.id"),
    one_of("region", "global", "na", "eu", "apac"),
)

customer = fact(
    "customer",
    Column("name", Text),  # personal data: masked for everybody but admins, never copied to the warehouse
    Column("email", Text),
    Column("country", Text, nullable=False, server_default=""),
    ref("organization_id", "organization.id"),
    ref("partner_id", "partner.id"),
)

# ── facts ──────────────────────────────────────────────────────────────────────────────────────────────────────────

import_file = Table(
    "import_file",
    metadata,
    number(),
    Column("kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("options", JSONB, nullable=False, server_default="{}"),  # mapping, derived columns, timezone, switches
    Column("state", Text, nullable=False, server_default="running"),
    Column("rows_read", BigInteger, nullable=False, server_default="0"),
    Column("rows_written", BigInteger, nullable=False, server_default="0"),
    Column("rows_repeated", BigInteger, nullable=False, server_default="0"),
    Column("rows_refused", BigInteger, nullable=False, server_default="0"),
    Column("person_id", Uuid),
    Column("message", Text, nullable=False, server_default=""),
    moment("started_at", now=True),
    moment("finished_at", nullable=True),
    one_of("state", "waiting", "running", "done", "refused", "failed"),
)

import_mapping = Table(  # what was chosen last time for files of this source
    "import_mapping",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("options", JSONB, nullable=False),
    moment("saved_at", now=True),
)

SALE_KINDS = ("sale", "refund", "dispute", "dispute_won", "adjustment")
ATTRIBUTIONS = ("explicit", "referral_code", "coupon", "click", "none")

sale = fact(  # one row is one line of an order, after discount and before tax
    "sale",
    Column("order_id", Text, nullable=False),
    Column("line_no", Integer, nullable=False, server_default="1"),
    Column("kind", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    currency(),
    Column("house_minor", BigInteger),  # in the house currency at the locked rate; null until a rate is known
    ref("rate_id", "rate.id"),  # the rate it was locked at; null also where the currency is the house's own
    ref("refunds", "sale.id"),  # the sale that this row takes back; may be unknown
    Column("refunds_source_id", Text),  # the source's own id of that sale, which may arrive later
    ref("customer_id", "customer.id"),
    ref("organization_id", "organization.id"),
    ref("partner_id", "partner.id"),
    Column("attribution", Text, nullable=False, server_default="none"),
    Column("attribution_note", Text, nullable=False, server_default=""),  # the code, the click or the coupon
    Column("product", Text, nullable=False, server_default=""),
    Column("category", Text, nullable=False, server_default=""),
    Column("plan", Text, nullable=False, server_default=""),
    Column("region", Text, nullable=False, server_default=""),
    Column("country", Text, nullable=False, server_default=""),
    Column("channel", Text, nullable=False, server_default=""),
    Column("quantity", Numeric(20, 6)),
    moment("at"),
    Column("business_day", Date, nullable=False),  # in the program's zone, stored once
    one_of("kind", *SALE_KINDS),
    one_of("attribution", *ATTRIBUTIONS),
    CheckConstraint("kind not in ('refund', 'dispute') or amount_minor <= 0", name="taken_back_is_negative"),
    CheckConstraint("kind not in ('sale', 'dispute_won') or amount_minor >= 0", name="sold_is_positive"),
    CheckConstraint("partner_id is not null or attribution = 'none'", name="attribution_has_partner"),
    CheckConstraint("abs(amount_minor) <= 1000000000000000", name="amount_range"),
    Index("sale_order_ix", "source", "order_id"),
    Index("sale_unpriced_ix", "currency", "business_day", postgresql_where=text("house_minor is null")),
    Index("sale_refunds_ix", "refunds", postgresql_where=text("refunds is not null")),
    Index(
        "sale_waiting_ix",
        "source",
        "refunds_source_id",
        postgresql_where=text("refunds is null and refunds_source_id is not null"),
    ),
)

subscription_change = fact(  # one row is one change; the state of a subscription is its latest row
    "subscription_change",
    Column("subscription", Text, nullable=False),
    ref("customer_id", "customer.id"),
    ref("organization_id", "organization.id"),
    ref("partner_id", "partner.id"),
    Column("plan", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),  # per interval, before discount and tax
    Column("discount_minor", BigInteger, nullable=False, server_default="0"),
    currency(),
    Column("interval", Text, nullable=False),
    Column("interval_count", Integer, nullable=False, server_default="1"),
    Column("status", Text, nullable=False),
    moment("at"),
    Column("business_day", Date, nullable=False),
    Column("paid_until", Date),
    one_of("interval", "day", "week", "month", "year"),
    one_of("status", "trialing", "active", "past_due", "paused", "cancelled", "ended"),
    CheckConstraint("amount_minor >= 0 and discount_minor between 0 and amount_minor", name="amount_range"),
    CheckConstraint("interval_count between 1 and 120", name="interval_range"),
    Index("subscription_change_subscription_ix", "source", "subscription", "at"),
)

event = fact(
    "event",
    Column("event", Text, nullable=False),
    Column("unit_user", Text),
    Column("unit_account", Text),
    ref("partner_id", "partner.id"),
    ref("customer_id", "customer.id"),
    Column("session", Text),
    Column("properties", JSONB, nullable=False, server_default="{}"),
    Column("ordinal", BigInteger, nullable=False, server_default="0"),  # order within the file, for ties in time
    moment("at"),
    Column("business_day", Date, nullable=False),
    CheckConstraint("unit_user is not null or unit_account is not null or partner_id is not null", name="has_unit"),
)

usage = fact(  # one row is one API call or AI request
    "usage",
    Column("kind", Text, nullable=False, server_default="ai"),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    ref("organization_id", "organization.id"),
    ref("partner_id", "partner.id"),
    Column("feature", Text, nullable=False, server_default=""),
    Column("variant", Text, nullable=False, server_default=""),
    Column("input_tokens", BigInteger, nullable=False, server_default="0"),
    Column("cached_tokens", BigInteger, nullable=False, server_default="0"),  # of the input, read from a cache
    Column("output_tokens", BigInteger, nullable=False, server_default="0"),
    Column("reasoning_tokens", BigInteger, nullable=False, server_default="0"),  # of the output
    Column("latency_ms", Integer),
    Column("outcome", Text, nullable=False, server_default="ok"),
    Column("quality", Numeric(5, 4)),  # 0 to 1, from feedback; null: none
    Column("converted", Boolean),  # null: unknown
    Column("reported_cost_nano", BigInteger),  # what the provider said; null: nothing
    currency("reported_currency", nullable=True),
    moment("at"),
    Column("business_day", Date, nullable=False),
    one_of("kind", "ai", "api"),
    one_of("outcome", "ok", "error", "timeout", "refused", "throttled"),
    CheckConstraint(
        "least(input_tokens, cached_tokens, output_tokens, reasoning_tokens) >= 0 and coalesce(latency_ms, 0) >= 0",
        name="counts_positive",
    ),
    CheckConstraint("quality between 0 and 1", name="quality_range"),
)

spend = fact(  # acquisition cost of a day and channel
    "spend",
    Column("business_day", Date, nullable=False),
    Column("channel", Text, nullable=False),
    Column("campaign", Text, nullable=False, server_default=""),
    Column("region", Text, nullable=False, server_default=""),
    ref("partner_id", "partner.id"),
    Column("amount_minor", BigInteger, nullable=False),
    currency(),
    Column("house_minor", BigInteger),
    ref("rate_id", "rate.id"),
    CheckConstraint("abs(amount_minor) <= 1000000000000000", name="amount_range"),
)

rate = fed(  # units of `to_currency` for one of `from_currency`; dated, never changed: rows are locked to it
    "rate",
    number(),
    Column("day", Date, nullable=False),
    currency("from_currency"),
    currency("to_currency"),
    Column("rate", Numeric(24, 12), nullable=False),
    Column("source", Text, nullable=False),
    ref("import_id", "import_file.id"),
    moment("created_at", now=True),
    UniqueConstraint("from_currency", "to_currency", "day"),
    CheckConstraint("rate > 0", name="rate_positive"),
    CheckConstraint("from_currency <> to_currency", name="rate_of_two"),
)

# ── growth ─────────────────────────────────────────────────────────────────────────────────────────────────────────

experiment = fed(
    "experiment",
    number(),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("variants", JSONB, nullable=False),  # variant → weight, the configured split
    Column("metric", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False, server_default="draft"),
    moment("started_at", nullable=True),
    moment("ended_at", nullable=True),
    one_of("unit", "user", "account", "partner"),
    one_of("status", "draft", "running", "ended"),
)

assignment = fact(
    "assignment",
    ref("experiment_id", "experiment.id", nullable=False),
    Column("unit", Text, nullable=False),
    Column("variant", Text, nullable=False),
    moment("at"),
    UniqueConstraint("experiment_id", "unit"),
)

exposure = fact(
    "exposure",
    ref("experiment_id", "experiment.id", nullable=False),
    Column("unit", Text, nullable=False),
    Column("variant", Text, nullable=False),
    moment("at"),
)

goal = fed(
    "goal",
    number(),
    Column("metric", Text, nullable=False),
    Column("month", Date, nullable=False),
    Column("target", BigInteger, nullable=False),  # in the metric's unit: minor units, a count, basis points
    currency(nullable=True),
    moment("created_at", now=True),
    UniqueConstraint("metric", "month", "currency", postgresql_nulls_not_distinct=True),
    CheckConstraint("extract(day from month) = 1", name="month_is_first"),
)

annotation = fed(
    "annotation",
    number(),
    Column("business_day", Date, nullable=False),
    Column("label", Text, nullable=False),
    Column("person_id", Uuid),
    Column("retired", Boolean, nullable=False, server_default=text("false")),
    moment("created_at", now=True),
)

# ── feed ───────────────────────────────────────────────────────────────────────────────────────────────────────────

tombstone = fed(  # the only way a fed row may go: written in the transaction that deletes it
    "tombstone",
    number(),
    Column("table_name", Text, nullable=False),
    Column("row_id", BigInteger, nullable=False),
    moment("at", now=True),
)
