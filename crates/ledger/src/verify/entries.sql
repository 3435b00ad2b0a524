-- Each payment's rows as text, with how often they are in.
select seq, concat_ws('|', payment_key, kind, entry_id, merchant_id, currency, method, status, coalesce(event_day::varchar, ''),
                      coalesce(sale_day::varchar, ''), coalesce(sold_on::varchar, ''), coalesce(paid_out_on::varchar, ''),
                      coalesce(payout_id, ''), amount, fee, vat, payout, cost, times)
from (
    select seq, payment_key, kind, entry_id, merchant_id, currency, method, status, event_day, sale_day, sold_on, paid_out_on,
           payout_id, amount, fee, vat, payout, cost, sum(sign)::bigint as times
    from entries where seq >= /* FROM */ and seq < /* TO */
    group by all having sum(sign) <> 0
)
