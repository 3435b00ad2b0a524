-- Cells whose added-up changes differ from the sums over the unified ledger's rows: both sides with opposite signs.
with sides as (
    select basis, day, merchant_id, currency, method, status, payment_count, payment_amount, cancellation_count,
           cancellation_amount, failed_count, settlement_count, gross, fee, vat, payout, cost
    from rollups
    union all
    select basis, day, merchant_id, currency, method, status, -payment_count, -payment_amount, -cancellation_count,
           -cancellation_amount, -failed_count, -settlement_count, -gross, -fee, -vat, -payout, -cost
    from /* ledger cells */
)
select concat_ws('|', basis, coalesce(day::varchar, ''), merchant_id, currency, method, coalesce(status, ''))
from sides
group by basis, day, merchant_id, currency, method, status
having sum(payment_count) <> 0 or sum(payment_amount) <> 0 or sum(cancellation_count) <> 0
    or sum(cancellation_amount) <> 0 or sum(failed_count) <> 0 or sum(settlement_count) <> 0 or sum(gross) <> 0
    or sum(fee) <> 0 or sum(vat) <> 0 or sum(payout) <> 0 or sum(cost) <> 0
order by all limit 1000
