-- Entries of some payments that quarantine lists as set aside.
select 1::tinyint as sign, seq, kind, entry_id, code
from quarantine
where seq >= /* FROM */ and seq < /* TO */ and code in ('merchant_mismatch', 'currency_mismatch')
