-- one row per API call or AI request
select
    t.id, t.source, t.source_id, t.organization_id, t.partner_id,
    t.kind, t.provider, t.model, t.feature, t.variant,
    t.input_tokens, t.cached_tokens, t.output_tokens, t.reasoning_tokens, t.latency_ms, t.outcome,
    cast(t.quality as double precision) as quality, t.converted, t.reported_cost_nano, t.reported_currency,
    t.at, t.business_day
from usage as t
