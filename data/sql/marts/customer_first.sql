-- one row per known customer: the business day of its first sale line ever
select customer_id, min(business_day) as first_day
from sale
where kind = 'sale' and customer_id is not null
group by customer_id
