-- What each row of the unified ledger adds to the cells of settlement lines. Amounts are cut as sums are: the least one there is has no
-- opposite of 64 bits.
select merchant_id, sold_on, paid_out_on, currency, method, status, sign::bigint as settlement_count,
       sign * (amount % 4611686018427387904) as gross, sign * (amount // 4611686018427387904) as gross_over,
       sign * fee as fee, sign * fee_over as fee_over,
       sign * (vat % 4611686018427387904) as vat, sign * (vat // 4611686018427387904) as vat_over,
       sign * (payout % 4611686018427387904) as payout, sign * (payout // 4611686018427387904) as payout_over,
       sign * cost as cost, sign * cost_over as cost_over
from entry_rows where kind = 2
