-- one row per business day, partner, currency and whether its rate is known, of orders whose sale lines share all four;
-- and one per cell and order, named in split_order, of orders whose lines do not
with bought as (
    select
        source,
        order_id,
        min(business_day) as business_day,
        min(partner_id) as partner_id,
        min(currency) as currency,
        min(case when has_rate then 1 else 0 end) as is_priced,
        sum(amount_minor) as gross_minor,
        sum(house_minor) as house_gross_minor,
        case
            when
                min(business_day) = max(business_day)
                and min(currency) = max(currency)
                and min(case when has_rate then 1 else 0 end) = max(case when has_rate then 1 else 0 end)
                and (count(partner_id) = 0 or count(partner_id) = count(*) and min(partner_id) = max(partner_id))
                then 1
            else 0
        end as is_whole
    from sale
    where kind = 'sale'
    group by source, order_id
),

whole as (
    select
        business_day,
        partner_id,
        currency,
        is_priced = 1 as has_rate,
        cast(null as varchar) as split_order,
        count(*) as whole_orders,
        0 as split_lines,
        cast(sum(gross_minor) as bigint) as gross_minor,
        cast(coalesce(sum(house_gross_minor), 0) as bigint) as house_gross_minor
    from bought
    where is_whole = 1
    group by business_day, partner_id, currency, is_priced
),

split as (
    select
        sale.business_day,
        sale.partner_id,
        sale.currency,
        sale.has_rate,
        concat(length(sale.source), ' ', sale.source, ' ', sale.order_id) as split_order,
        0 as whole_orders,
        count(*) as split_lines,
        cast(sum(sale.amount_minor) as bigint) as gross_minor,
        cast(coalesce(sum(sale.house_minor), 0) as bigint) as house_gross_minor
    from sale
    inner join bought on bought.source = sale.source and bought.order_id = sale.order_id
    where sale.kind = 'sale' and bought.is_whole = 0
    group by sale.business_day, sale.partner_id, sale.currency, sale.has_rate, sale.source, sale.order_id
)

select business_day, partner_id, currency, has_rate, split_order, whole_orders, split_lines, gross_minor, house_gross_minor
from whole
union all
select business_day, partner_id, currency, has_rate, split_order, whole_orders, split_lines, gross_minor, house_gross_minor
from split
