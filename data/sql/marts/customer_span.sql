-- one row per known customer: the first and the last business day with a sale line
select customer_id, min(business_day) as first_day, max(business_day) as last_day
from sale
where kind = 'sale' and customer_id is not null
group by customer_id
