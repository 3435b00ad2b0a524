-- What each live row of the unified ledger adds on one basis. The comments in capitals stand for the basis' code, its day
-- and which rows it counts.
select /* BASIS */ as basis, /* DAY */ as day, merchant_id, currency, method,
       case when kind = 2 then status end as status,
       case when kind = 1 and status in ('AUTHORIZED', 'DONE') then sign else 0 end::bigint as payment_count,
       case when kind = 1 and status in ('AUTHORIZED', 'DONE') then sign * amount else 0 end as payment_amount,
       case when kind = 0 and status = 'DONE' then sign else 0 end::bigint as cancellation_count,
       case when kind = 0 and status = 'DONE' then -sign * amount else 0 end as cancellation_amount,
       case when kind = 1 and status in ('ABORTED', 'EXPIRED') then sign else 0 end::bigint as failed_count,
       case when kind = 2 then sign else 0 end::bigint as settlement_count,
       case when kind = 2 then sign * amount else 0 end as gross,
       case when kind = 2 then sign * fee else 0 end as fee,
       case when kind = 2 then sign * vat else 0 end as vat,
       case when kind = 2 then sign * payout else 0 end as payout,
       case when kind = 2 then sign * cost else 0 end as cost
from entries where /* COUNTED */
