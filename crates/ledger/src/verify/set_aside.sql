-- Entries that quarantine lists as set aside, with how often.
select seq, concat_ws('|', case kind when 0 then 'cancellation' when 1 then 'payment' else 'settlement' end, entry_id, code,
                      count(*))
from quarantine
where seq >= /* FROM */ and seq < /* TO */ and code in ('merchant_mismatch', 'currency_mismatch')
group by seq, kind, entry_id, code
