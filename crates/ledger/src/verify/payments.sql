-- Each payment's list row as text, with how often it is in.
select seq, concat_ws('|', coalesce(merchant_id, ''), coalesce(currency, ''), coalesce(digits::varchar, ''), method, status,
                      settlement_status, coalesce(total::varchar, ''), coalesce(balance::varchar, ''),
                      epoch_us(occurred_at), coalesce(sale_day::varchar, ''), coalesce(epoch_us(approved_at)::varchar, ''),
                      flags, times)
from (
    select seq, merchant_id, currency, digits, method, status, settlement_status, total, balance, occurred_at, sale_day,
           approved_at, flags, sum(sign)::bigint as times
    from payments where seq >= /* FROM */ and seq < /* TO */
    group by all having sum(sign) <> 0
)
