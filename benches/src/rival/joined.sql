-- The payments of a page, each with its cancellations and settlement lines.
select
    p.payment_key, p.status, p.canceled::text,
    (select coalesce(sum(s.payout), 0)::text from settlements s where s.payment_key = p.payment_key),
    p.document::text,
    (select jsonb_agg(c.document order by c.cancellation_id)::text from cancellations c where c.payment_key = p.payment_key),
    (select jsonb_agg(s.document order by s.settlement_id)::text from settlements s where s.payment_key = p.payment_key)
from payments p
