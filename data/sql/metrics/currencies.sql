-- one row per currency, most sale lines first
-- title: Currencies
-- unit: rows
-- from: revenue
-- roles: executive admin analyst partner
-- answer: lines
-- definition: The currencies of the sale lines, and how many of the lines have a rate to the house currency.
select
    currency,
    cast(sum(lines) as bigint) as lines,
    cast(coalesce(sum(lines) filter (where has_rate), 0) as bigint) as rated_lines
from revenue
group by currency
order by cast(sum(lines) as bigint) desc, currency
