-- one row: the first and the last business day
-- title: Days with sales
-- unit: rows
-- from: revenue
-- roles: executive admin analyst partner
-- answer: last_day
-- definition: The first and the last business day with a sale line.
select min(business_day) as first_day, max(business_day) as last_day
from revenue
