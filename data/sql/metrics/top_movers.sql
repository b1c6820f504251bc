-- one row per group and currency: this period, the one before, and the change
-- title: Top movers
-- unit: money
-- from: revenue
-- roles: executive admin analyst partner
-- answer: change
-- compares: yes
-- definition: Net revenue of the period less that of the comparable period before, largest change first.
with both_periods as (
    select
        group_1, group_2, group_3, currency,
        cast(coalesce(sum(net_minor) filter (where is_current), 0) as bigint) as net_revenue,
        cast(coalesce(sum(net_minor) filter (where not is_current), 0) as bigint) as before
    from revenue
    group by group_1, group_2, group_3, currency
)
select group_1, group_2, group_3, currency, net_revenue, before, net_revenue - before as change
from both_periods
order by abs(net_revenue - before) desc, group_1
