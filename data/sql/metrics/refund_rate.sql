-- one row per group and currency
-- title: Refund rate
-- unit: ratio
-- from: revenue
-- roles: executive admin analyst partner
-- good: down
-- definition: Refunds and disputes of the period, over its gross revenue; none where nothing was sold.
select
    group_1, group_2, group_3, currency,
    cast(-sum(refunds_minor) as double precision) / nullif(cast(sum(gross_minor) as double precision), 0) as refund_rate
from revenue
group by group_1, group_2, group_3, currency
