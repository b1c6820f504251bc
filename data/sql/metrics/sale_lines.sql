-- one row per sale line: the rows that add up to a number
-- title: Sale lines
-- unit: rows
-- from: sales
-- roles: executive admin analyst partner
-- answer: amount_minor
-- definition: Every sale line of the period and filters, newest first; its amounts add up to net revenue.
select
    id, order_id, line_no, customer_id, kind, amount_minor, currency, partner_id, product, category, region, country,
    channel, source, attribution, sales.at, business_day
from sales
order by business_day desc, id desc
