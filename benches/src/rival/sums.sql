-- Rows of a sales report; the caller puts its groups and its conditions in.
select
    {groups}, currency, sum(payment_count)::bigint, sum(payment_amount)::text, sum(cancellation_count)::bigint,
    sum(cancellation_amount)::text, sum(failed_count)::bigint
from {source}
where day >= $1 and day < $2 {condition}
group by {groups}, currency
having sum(payment_count) <> 0 or sum(cancellation_count) <> 0 or sum(failed_count) <> 0
