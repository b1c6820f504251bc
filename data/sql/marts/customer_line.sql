-- one row per line that sold something to a known customer with their first day ever
select
    sale.business_day,
    sale.customer_id,
    customer_span.first_day,
    sale.partner_id,
    sale.region,
    sale.country,
    sale.channel,
    sale.source,
    sale.attribution,
    sale.product,
    sale.category,
    sale.plan,
    sale.kind,
    sale.currency
from sale
inner join customer_span on customer_span.customer_id = sale.customer_id
where sale.kind = 'sale'
