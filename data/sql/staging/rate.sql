-- one row per day and pair of currencies
select t.id, t.day, t.from_currency, t.to_currency, cast(t.rate as double precision) as rate, t.source
from rate as t
