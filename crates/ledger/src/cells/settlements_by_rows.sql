-- What each row of the unified ledger adds to the cells of settlement lines.
select merchant_id, sold_on, paid_out_on, currency, method, status,
       sign::bigint as settlement_count, sign * amount as gross, 0::bigint as gross_over, sign * fee as fee, sign * fee_over as fee_over,
       sign * vat as vat, 0::bigint as vat_over, sign * payout as payout, 0::bigint as payout_over, sign * cost as cost,
       sign * cost_over as cost_over
from entry_rows where kind = 2
