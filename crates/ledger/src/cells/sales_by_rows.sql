-- What each row of the unified ledger adds to the cells of payments and cancellations.
select merchant_id, event_day, sale_day, currency, method,
       case when kind = 1 and status in ('AUTHORIZED', 'DONE') then sign else 0 end::bigint as payment_count,
       case when kind = 1 and status in ('AUTHORIZED', 'DONE') then sign * amount else 0 end as payment_amount,
       0::bigint as payment_amount_over,
       case when kind = 0 and status = 'DONE' then sign else 0 end::bigint as cancellation_count,
       case when kind = 0 and status = 'DONE' then -sign * amount else 0 end as cancellation_amount,
       0::bigint as cancellation_amount_over,
       case when kind = 1 and status in ('ABORTED', 'EXPIRED') then sign else 0 end::bigint as failed_count
from entry_rows where kind <> 2
