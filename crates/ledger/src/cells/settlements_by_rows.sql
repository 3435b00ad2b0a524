-- What each row of the unified ledger adds to the cells of settlement lines.
select merchant_id, sold_on, paid_out_on, currency, method, status,
       sign::bigint as settlement_count, sign * amount as gross, sign * fee as fee, sign * vat as vat,
       sign * payout as payout, sign * cost as cost
from entries where kind = 2
