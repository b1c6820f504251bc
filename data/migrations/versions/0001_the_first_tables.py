"""The first tables."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from data.tables import Xid8

revision: str = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


FED = (
    "program partner_group partner referral_code click organization customer sale subscription_change event usage"
    " spend rate experiment assignment exposure goal annotation"
).split()

FUNCTIONS = (
    """
    create function renew_xid() returns trigger language plpgsql as $$
    begin
        new.xid := pg_current_xact_id();
        return new;
    end $$
    """,
    """
    create function leave_tombstone() returns trigger language plpgsql as $$
    begin
        insert into tombstone (table_name, row_id) values (tg_table_name, old.id);
        return null;
    end $$
    """,
    """
    create function refuse_change() returns trigger language plpgsql as $$
    begin
        raise exception '% is append-only', tg_table_name using errcode = '42501';
    end $$
    """,
    """
    create function keep_partner_steps() returns trigger language plpgsql as $$
    begin
        if new.code <> old.code then
            raise exception 'a partner keeps its code' using errcode = '23514';
        end if;
        if new.status <> old.status and (old.status, new.status) not in (
            ('pending', 'active'), ('pending', 'terminated'), ('active', 'suspended'), ('active', 'terminated'),
            ('suspended', 'active'), ('suspended', 'terminated')
        ) then
            raise exception 'a % partner never becomes %', old.status, new.status using errcode = '23514';
        end if;
        return new;
    end $$
    """,
    """
    create function keep_terms() returns trigger language plpgsql as $$
    declare
        today date := (select (now() at time zone timezone)::date from program where id = old.program_id);
    begin
        if tg_op = 'DELETE' then
            if old.since <= today then
                raise exception 'terms that have begun are never deleted' using errcode = '23514';
            end if;
            return old;
        end if;
        if (to_jsonb(new) - 'until') <> (to_jsonb(old) - 'until') or old.until <= today or new.until < today then
            raise exception 'terms never change; only their last day may be set' using errcode = '23514';
        end if;
        return new;
    end $$
    """,
)


def upgrade() -> None:
    op.create_table(
        "annotation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("retired", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("annotation_pkey")),
    )
    op.create_index("annotation_xid_ix", "annotation", ["xid"], unique=False)
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("origin", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_pkey")),
    )
    op.create_index("audit_at_ix", "audit", ["at"], unique=False)
    op.create_index("audit_subject_ix", "audit", ["subject"], unique=False)
    op.create_table(
        "experiment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("variants", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("metric", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.CheckConstraint("status in ('draft', 'running', 'ended')", name=op.f("experiment_status_known")),
        sa.CheckConstraint("unit in ('user', 'account', 'partner')", name=op.f("experiment_unit_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("experiment_pkey")),
        sa.UniqueConstraint("code", name=op.f("experiment_code_key")),
    )
    op.create_index("experiment_xid_ix", "experiment", ["xid"], unique=False)
    op.create_table(
        "goal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("target", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.CheckConstraint("extract(day from month) = 1", name=op.f("goal_month_is_first")),
        sa.PrimaryKeyConstraint("id", name=op.f("goal_pkey")),
        sa.UniqueConstraint(
            "metric",
            "month",
            "currency",
            name=op.f("goal_metric_month_currency_key"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index("goal_xid_ix", "goal", ["xid"], unique=False)
    op.create_table(
        "house_secret",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("house_secret_pkey")),
    )
    op.create_table(
        "import_file",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        sa.Column("rows_read", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rows_written", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rows_repeated", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rows_refused", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('waiting', 'running', 'done', 'refused', 'failed')", name=op.f("import_file_state_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("import_file_pkey")),
    )
    op.create_table(
        "import_mapping",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("kind", "source", name=op.f("import_mapping_pkey")),
    )
    op.create_table(
        "job_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="1", nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("again_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('running', 'done', 'failed')", name=op.f("job_run_state_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("job_run_pkey")),
        sa.UniqueConstraint("name", "business_day", name=op.f("job_run_name_business_day_key")),
    )
    op.create_table(
        "partner_group",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("minimum_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("partner_group_pkey")),
        sa.UniqueConstraint("code", name=op.f("partner_group_code_key")),
    )
    op.create_index("partner_group_xid_ix", "partner_group", ["xid"], unique=False)
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("status", sa.Text(), server_default="invited", nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("totp_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("totp_step", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("roles <@ array['partner','admin','analyst','executive']", name=op.f("person_roles_known")),
        sa.CheckConstraint("status in ('invited', 'active', 'disabled')", name=op.f("person_status_known")),
        sa.CheckConstraint("email = lower(email)", name=op.f("person_email_lower")),
        sa.PrimaryKeyConstraint("id", name=op.f("person_pkey")),
        sa.UniqueConstraint("email", name=op.f("person_email_key")),
    )
    op.create_table(
        "program",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.CheckConstraint("status in ('active', 'closed')", name=op.f("program_status_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("program_pkey")),
        sa.UniqueConstraint("code", name=op.f("program_code_key")),
    )
    op.create_index("program_xid_ix", "program", ["xid"], unique=False)
    op.create_table(
        "tombstone",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("tombstone_pkey")),
    )
    op.create_index("tombstone_xid_ix", "tombstone", ["xid"], unique=False)
    op.create_table(
        "assignment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("experiment_id", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name=op.f("assignment_experiment_id_fkey")),
        sa.ForeignKeyConstraint(["import_id"], ["import_file.id"], name=op.f("assignment_import_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("assignment_pkey")),
        sa.UniqueConstraint("experiment_id", "unit", name=op.f("assignment_experiment_id_unit_key")),
        sa.UniqueConstraint("source", "source_id", name=op.f("assignment_source_source_id_key")),
    )
    op.create_index("assignment_xid_ix", "assignment", ["xid"], unique=False)
    op.create_table(
        "exposure",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("experiment_id", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name=op.f("exposure_experiment_id_fkey")),
        sa.ForeignKeyConstraint(["import_id"], ["import_file.id"], name=op.f("exposure_import_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("exposure_pkey")),
        sa.UniqueConstraint("source", "source_id", name=op.f("exposure_source_source_id_key")),
    )
    op.create_index("exposure_xid_ix", "exposure", ["xid"], unique=False)
    op.create_table(
        "identity",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("identity_person_id_fkey")),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("identity_pkey")),
    )
    op.create_table(
        "partner",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("region", sa.Text(), server_default="global", nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("group_id", sa.BigInteger(), nullable=True),
        sa.Column("program_id", sa.BigInteger(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("api_base", sa.Text(), nullable=True),
        sa.Column("share_bps", sa.Integer(), nullable=True),
        sa.Column("capabilities", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.CheckConstraint("region in ('global', 'na', 'eu', 'apac')", name=op.f("partner_region_known")),
        sa.CheckConstraint(
            "status in ('pending', 'active', 'suspended', 'terminated')", name=op.f("partner_status_known")
        ),
        sa.CheckConstraint(
            "type in ('affiliate', 'api_integration', 'white_label', 'franchise', 'shopify', 'zapier', 'alexa', 'google_home', 'tiktok', 'instagram')",
            name=op.f("partner_type_known"),
        ),
        sa.CheckConstraint("share_bps between 0 and 10000", name=op.f("partner_share_range")),
        sa.ForeignKeyConstraint(["group_id"], ["partner_group.id"], name=op.f("partner_group_id_fkey")),
        sa.ForeignKeyConstraint(["program_id"], ["program.id"], name=op.f("partner_program_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("partner_pkey")),
        sa.UniqueConstraint("code", name=op.f("partner_code_key")),
    )
    op.create_index("partner_xid_ix", "partner", ["xid"], unique=False)
    op.create_table(
        "program_terms",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("program_id", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("hold_days", sa.Integer(), server_default="30", nullable=False),
        sa.Column("minimum_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("payday", sa.SmallInteger(), server_default="15", nullable=False),
        sa.Column("approval_limit_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("attribution_days", sa.Integer(), server_default="30", nullable=False),
        sa.Column("share_bps", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("approval_limit_minor >= 0", name=op.f("program_terms_limit_positive")),
        sa.CheckConstraint("attribution_days between 0 and 3650", name=op.f("program_terms_attribution_days_range")),
        sa.CheckConstraint("hold_days between 0 and 366", name=op.f("program_terms_hold_days_range")),
        sa.CheckConstraint("minimum_minor >= 0", name=op.f("program_terms_minimum_positive")),
        sa.CheckConstraint("payday between 1 and 28", name=op.f("program_terms_payday_range")),
        sa.CheckConstraint("share_bps between 0 and 10000", name=op.f("program_terms_share_range")),
        sa.CheckConstraint("until is null or until > since", name=op.f("program_terms_days_in_order")),
        sa.ForeignKeyConstraint(["program_id"], ["program.id"], name=op.f("program_terms_program_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("program_terms_pkey")),
    )
    op.create_table(
        "rate",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("from_currency", sa.Text(), nullable=False),
        sa.Column("to_currency", sa.Text(), nullable=False),
        sa.Column("rate", sa.Numeric(precision=24, scale=12), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.CheckConstraint("from_currency <> to_currency", name=op.f("rate_rate_of_two")),
        sa.CheckConstraint("rate > 0", name=op.f("rate_rate_positive")),
        sa.ForeignKeyConstraint(["import_id"], ["import_file.id"], name=op.f("rate_import_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("rate_pkey")),
        sa.UniqueConstraint("from_currency", "to_currency", "day", name=op.f("rate_from_currency_to_currency_day_key")),
    )
    op.create_index("rate_xid_ix", "rate", ["xid"], unique=False)
    op.create_table(
        "session",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("token_key", sa.Text(), nullable=False),
        sa.Column("amr", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("auth_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.Column("origin", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("session_person_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("session_pkey")),
        sa.UniqueConstraint("token_key", name=op.f("session_token_key_key")),
    )
    op.create_index(op.f("session_person_id_ix"), "session", ["person_id"], unique=False)
    op.create_table(
        "setup_token",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(person_id is null) = (purpose = 'first_admin')", name=op.f("setup_token_person_known")),
        sa.CheckConstraint(
            "purpose in ('first_admin', 'password', 'second_factor')", name=op.f("setup_token_purpose_known")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("setup_token_person_id_fkey")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("setup_token_pkey")),
    )
    op.create_table(
        "signin_attempt",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("signin_attempt_pkey")),
    )
    op.create_table(
        "signin_code",
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("request", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("signin_code_person_id_fkey")),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("signin_code_pkey")),
    )
    op.create_table(
        "organization",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), server_default="", nullable=False),
        sa.Column("region", sa.Text(), server_default="global", nullable=False),
        sa.Column("partner_id", sa.BigInteger(), nullable=True),
        sa.Column("import_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.CheckConstraint("region in ('global', 'na', 'eu', 'apac')", name=op.f("organization_region_known")),
        sa.ForeignKeyConstraint(["import_id"], ["import_file.id"], name=op.f("organization_import_id_fkey")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("organization_partner_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("organization_pkey")),
        sa.UniqueConstraint("source", "source_id", name=op.f("organization_source_source_id_key")),
    )
    op.create_index("organization_xid_ix", "organization", ["xid"], unique=False)
    op.create_table(
        "person_partner",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("person_partner_partner_id_fkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("person_partner_person_id_fkey")),
        sa.PrimaryKeyConstraint("person_id", "partner_id", name=op.f("person_partner_pkey")),
    )
    op.create_table(
        "referral_code",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("partner_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="link", nullable=False),
        sa.Column("landing_url", sa.Text(), nullable=True),
        sa.Column("campaign", sa.Text(), server_default="", nullable=False),
        sa.Column("use_limit", sa.Integer(), nullable=True),
        sa.Column("uses", sa.Integer(), server_default="0", nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.CheckConstraint("kind in ('link', 'coupon', 'referral')", name=op.f("referral_code_kind_known")),
        sa.CheckConstraint("code = lower(code)", name=op.f("referral_code_code_lower")),
        sa.CheckConstraint("status in ('active', 'retired')", name=op.f("referral_code_status_known")),
        sa.CheckConstraint(
            "uses >= 0 and (use_limit is null or uses <= use_limit)", name=op.f("referral_code_uses_within_limit")
        ),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("referral_code_partner_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("referral_code_pkey")),
        sa.UniqueConstraint("code", name=op.f("referral_code_code_key")),
    )
    op.create_index("referral_code_xid_ix", "referral_code", ["xid"], unique=False)
    op.create_table(
        "spend",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), server_default="", nullable=False),
        sa.Column("region", sa.Text(), server_default="", nullable=False),
        sa.Column("partner_id", sa.BigInteger(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("house_minor", sa.BigInteger(), nullable=True),
        sa.Column("rate_id", sa.BigInteger(), nullable=True),
        sa.Column("import_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.CheckConstraint("abs(amount_minor) <= 1000000000000000", name=op.f("spend_amount_range")),
        sa.ForeignKeyConstraint(["import_id"], ["import_file.id"], name=op.f("spend_import_id_fkey")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("spend_partner_id_fkey")),
        sa.ForeignKeyConstraint(["rate_id"], ["rate.id"], name=op.f("spend_rate_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("spend_pkey")),
        sa.UniqueConstraint("source", "source_id", name=op.f("spend_source_source_id_key")),
    )
    op.create_index("spend_xid_ix", "spend", ["xid"], unique=False)
    op.create_table(
        "click",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("referral_code_id", sa.BigInteger(), nullable=False),
        sa.Column("partner_id", sa.BigInteger(), nullable=False),
        sa.Column("visitor", sa.Text(), nullable=False),
        sa.Column("landing_url", sa.Text(), server_default="", nullable=False),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["import_file.id"], name=op.f("click_import_id_fkey")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("click_partner_id_fkey")),
        sa.ForeignKeyConstraint(["referral_code_id"], ["referral_code.id"], name=op.f("click_referral_code_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("click_pkey")),
        sa.UniqueConstraint("source", "source_id", name=op.f("click_source_source_id_key")),
    )
    op.create_index("click_visitor_at_ix", "click", ["visitor", "at"], unique=False)
    op.create_index("click_xid_ix", "click", ["xid"], unique=False)
    op.create_table(
        "customer",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), server_default="", nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=True),
        sa.Column("partner_id", sa.BigInteger(), nullable=True),
        sa.Column("import_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["import_file.id"], name=op.f("customer_import_id_fkey")),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("customer_organization_id_fkey")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("customer_partner_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("customer_pkey")),
        sa.UniqueConstraint("source", "source_id", name=op.f("customer_source_source_id_key")),
    )
    op.create_index("customer_xid_ix", "customer", ["xid"], unique=False)
    op.create_table(
        "usage",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="ai", nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=True),
        sa.Column("partner_id", sa.BigInteger(), nullable=True),
        sa.Column("feature", sa.Text(), server_default="", nullable=False),
        sa.Column("variant", sa.Text(), server_default="", nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cached_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reasoning_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("latency_ms", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.Text(), server_default="ok", nullable=False),
        sa.Column("quality", sa.Numeric(precision=5, scale=4), nullable=True),
        sa.Column("converted", sa.Boolean(), nullable=True),
        sa.Column("reported_cost_nano", sa.BigInteger(), nullable=True),
        sa.Column("reported_currency", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.CheckConstraint("kind in ('ai', 'api')", name=op.f("usage_kind_known")),
        sa.CheckConstraint(
            "outcome in ('ok', 'error', 'timeout', 'refused', 'throttled')", name=op.f("usage_outcome_known")
        ),
        sa.CheckConstraint(
            "least(input_tokens, cached_tokens, output_tokens, reasoning_tokens) >= 0 and coalesce(latency_ms, 0) >= 0",
            name=op.f("usage_counts_positive"),
        ),
        sa.CheckConstraint("quality between 0 and 1", name=op.f("usage_quality_range")),
        sa.ForeignKeyConstraint(["import_id"], ["import_file.id"], name=op.f("usage_import_id_fkey")),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("usage_organization_id_fkey")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("usage_partner_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("usage_pkey")),
        sa.UniqueConstraint("source", "source_id", name=op.f("usage_source_source_id_key")),
    )
    op.create_index("usage_xid_ix", "usage", ["xid"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("unit_user", sa.Text(), nullable=True),
        sa.Column("unit_account", sa.Text(), nullable=True),
        sa.Column("partner_id", sa.BigInteger(), nullable=True),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("session", sa.Text(), nullable=True),
        sa.Column("properties", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("ordinal", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.CheckConstraint(
            "unit_user is not null or unit_account is not null or partner_id is not null", name=op.f("event_has_unit")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("event_customer_id_fkey")),
        sa.ForeignKeyConstraint(["import_id"], ["import_file.id"], name=op.f("event_import_id_fkey")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("event_partner_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("event_pkey")),
        sa.UniqueConstraint("source", "source_id", name=op.f("event_source_source_id_key")),
    )
    op.create_index("event_xid_ix", "event", ["xid"], unique=False)
    op.create_table(
        "sale",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("line_no", sa.Integer(), server_default="1", nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("house_minor", sa.BigInteger(), nullable=True),
        sa.Column("rate_id", sa.BigInteger(), nullable=True),
        sa.Column("refunds", sa.BigInteger(), nullable=True),
        sa.Column("refunds_source_id", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("organization_id", sa.BigInteger(), nullable=True),
        sa.Column("partner_id", sa.BigInteger(), nullable=True),
        sa.Column("attribution", sa.Text(), server_default="none", nullable=False),
        sa.Column("attribution_note", sa.Text(), server_default="", nullable=False),
        sa.Column("product", sa.Text(), server_default="", nullable=False),
        sa.Column("category", sa.Text(), server_default="", nullable=False),
        sa.Column("plan", sa.Text(), server_default="", nullable=False),
        sa.Column("region", sa.Text(), server_default="", nullable=False),
        sa.Column("country", sa.Text(), server_default="", nullable=False),
        sa.Column("channel", sa.Text(), server_default="", nullable=False),
        sa.Column("quantity", sa.Numeric(precision=20, scale=6), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.CheckConstraint(
            "attribution in ('explicit', 'referral_code', 'coupon', 'click', 'none')",
            name=op.f("sale_attribution_known"),
        ),
        sa.CheckConstraint(
            "kind in ('sale', 'refund', 'dispute', 'dispute_won', 'adjustment')", name=op.f("sale_kind_known")
        ),
        sa.CheckConstraint(
            "kind not in ('refund', 'dispute') or amount_minor <= 0", name=op.f("sale_taken_back_is_negative")
        ),
        sa.CheckConstraint(
            "kind not in ('sale', 'dispute_won') or amount_minor >= 0", name=op.f("sale_sold_is_positive")
        ),
        sa.CheckConstraint("partner_id is not null or attribution = 'none'", name=op.f("sale_attribution_has_partner")),
        sa.CheckConstraint("abs(amount_minor) <= 1000000000000000", name=op.f("sale_amount_range")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("sale_customer_id_fkey")),
        sa.ForeignKeyConstraint(["import_id"], ["import_file.id"], name=op.f("sale_import_id_fkey")),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("sale_organization_id_fkey")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("sale_partner_id_fkey")),
        sa.ForeignKeyConstraint(["rate_id"], ["rate.id"], name=op.f("sale_rate_id_fkey")),
        sa.ForeignKeyConstraint(["refunds"], ["sale.id"], name=op.f("sale_refunds_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("sale_pkey")),
        sa.UniqueConstraint("source", "source_id", name=op.f("sale_source_source_id_key")),
    )
    op.create_index("sale_order_ix", "sale", ["source", "order_id"], unique=False)
    op.create_index(
        "sale_refunds_ix", "sale", ["refunds"], unique=False, postgresql_where=sa.text("refunds is not null")
    )
    op.create_index(
        "sale_unpriced_ix",
        "sale",
        ["currency", "business_day"],
        unique=False,
        postgresql_where=sa.text("house_minor is null"),
    )
    op.create_index(
        "sale_waiting_ix",
        "sale",
        ["source", "refunds_source_id"],
        unique=False,
        postgresql_where=sa.text("refunds is null and refunds_source_id is not null"),
    )
    op.create_index("sale_xid_ix", "sale", ["xid"], unique=False)
    op.create_table(
        "subscription_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("subscription", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("organization_id", sa.BigInteger(), nullable=True),
        sa.Column("partner_id", sa.BigInteger(), nullable=True),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("discount_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("interval", sa.Text(), nullable=False),
        sa.Column("interval_count", sa.Integer(), server_default="1", nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("paid_until", sa.Date(), nullable=True),
        sa.Column("import_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.CheckConstraint(
            "interval in ('day', 'week', 'month', 'year')", name=op.f("subscription_change_interval_known")
        ),
        sa.CheckConstraint(
            "status in ('trialing', 'active', 'past_due', 'paused', 'cancelled', 'ended')",
            name=op.f("subscription_change_status_known"),
        ),
        sa.CheckConstraint(
            "amount_minor >= 0 and discount_minor between 0 and amount_minor",
            name=op.f("subscription_change_amount_range"),
        ),
        sa.CheckConstraint("interval_count between 1 and 120", name=op.f("subscription_change_interval_range")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("subscription_change_customer_id_fkey")),
        sa.ForeignKeyConstraint(["import_id"], ["import_file.id"], name=op.f("subscription_change_import_id_fkey")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("subscription_change_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("subscription_change_partner_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("subscription_change_pkey")),
        sa.UniqueConstraint("source", "source_id", name=op.f("subscription_change_source_source_id_key")),
    )
    op.create_index(
        "subscription_change_subscription_ix", "subscription_change", ["source", "subscription", "at"], unique=False
    )
    op.create_index("subscription_change_xid_ix", "subscription_change", ["xid"], unique=False)
    op.execute("create extension if not exists btree_gist")
    op.execute(
        "alter table program_terms add constraint program_terms_no_overlap"
        " exclude using gist (program_id with =, daterange(since, until) with &&)"
    )
    for function in FUNCTIONS:
        op.execute(function)
    for table in FED:
        op.execute(
            f"create trigger renew_xid before update on {table} for each row execute function renew_xid();"
            f"create trigger leave_tombstone after delete on {table} for each row execute function leave_tombstone();"
            f"create trigger no_truncate before truncate on {table} execute function refuse_change()"
        )
    op.execute(
        "create trigger append_only before update or delete on audit for each row execute function refuse_change()"
    )
    op.execute("create trigger no_truncate before truncate on audit execute function refuse_change()")
    op.execute("create trigger steps before update on partner for each row execute function keep_partner_steps()")
    op.execute(
        "create trigger terms before update or delete on program_terms for each row execute function keep_terms()"
    )


def downgrade() -> None:
    op.drop_index("subscription_change_xid_ix", table_name="subscription_change")
    op.drop_index("subscription_change_subscription_ix", table_name="subscription_change")
    op.drop_table("subscription_change")
    op.drop_index("sale_xid_ix", table_name="sale")
    op.drop_index(
        "sale_waiting_ix",
        table_name="sale",
        postgresql_where=sa.text("refunds is null and refunds_source_id is not null"),
    )
    op.drop_index("sale_unpriced_ix", table_name="sale", postgresql_where=sa.text("house_minor is null"))
    op.drop_index("sale_refunds_ix", table_name="sale", postgresql_where=sa.text("refunds is not null"))
    op.drop_index("sale_order_ix", table_name="sale")
    op.drop_table("sale")
    op.drop_index("event_xid_ix", table_name="event")
    op.drop_table("event")
    op.drop_index("usage_xid_ix", table_name="usage")
    op.drop_table("usage")
    op.drop_index("customer_xid_ix", table_name="customer")
    op.drop_table("customer")
    op.drop_index("click_xid_ix", table_name="click")
    op.drop_index("click_visitor_at_ix", table_name="click")
    op.drop_table("click")
    op.drop_index("spend_xid_ix", table_name="spend")
    op.drop_table("spend")
    op.drop_index("referral_code_xid_ix", table_name="referral_code")
    op.drop_table("referral_code")
    op.drop_table("person_partner")
    op.drop_index("organization_xid_ix", table_name="organization")
    op.drop_table("organization")
    op.drop_table("signin_code")
    op.drop_table("signin_attempt")
    op.drop_table("setup_token")
    op.drop_index(op.f("session_person_id_ix"), table_name="session")
    op.drop_table("session")
    op.drop_index("rate_xid_ix", table_name="rate")
    op.drop_table("rate")
    op.drop_table("program_terms")
    op.drop_index("partner_xid_ix", table_name="partner")
    op.drop_table("partner")
    op.drop_table("identity")
    op.drop_index("exposure_xid_ix", table_name="exposure")
    op.drop_table("exposure")
    op.drop_index("assignment_xid_ix", table_name="assignment")
    op.drop_table("assignment")
    op.drop_index("tombstone_xid_ix", table_name="tombstone")
    op.drop_table("tombstone")
    op.drop_index("program_xid_ix", table_name="program")
    op.drop_table("program")
    op.drop_table("person")
    op.drop_index("partner_group_xid_ix", table_name="partner_group")
    op.drop_table("partner_group")
    op.drop_table("job_run")
    op.drop_table("import_mapping")
    op.drop_table("import_file")
    op.drop_table("house_secret")
    op.drop_index("goal_xid_ix", table_name="goal")
    op.drop_table("goal")
    op.drop_index("experiment_xid_ix", table_name="experiment")
    op.drop_table("experiment")
    op.drop_index("audit_subject_ix", table_name="audit")
    op.drop_index("audit_at_ix", table_name="audit")
    op.drop_table("audit")
    op.drop_index("annotation_xid_ix", table_name="annotation")
    op.drop_table("annotation")
    for function in ("renew_xid", "leave_tombstone", "refuse_change", "keep_partner_steps", "keep_terms"):
        op.execute(f"drop function {function}()")
