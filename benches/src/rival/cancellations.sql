-- A batch's cancellations: they change their payment's balance, status and text, and the sums of their own day. Their
-- payments are there: the log is read in the order in which it was written.
with newest as (
    select distinct on (payment_key, cancellation_id) * from new_cancellations
    order by payment_key, cancellation_id, version desc
),
before as (
    select c.payment_key, c.cancellation_id, c.event_day, c.merchant_id, c.currency, c.status, c.amount
    from cancellations c join newest using (payment_key, cancellation_id)
),
written as (
    insert into cancellations
    select * from newest
    on conflict (payment_key, cancellation_id) do update set
        version = excluded.version, merchant_id = excluded.merchant_id, status = excluded.status,
        currency = excluded.currency, amount = excluded.amount, event_day = excluded.event_day, ident = excluded.ident,
        reason = excluded.reason, document = excluded.document
    where excluded.version > cancellations.version
    returning payment_key, cancellation_id, event_day, merchant_id, currency, status, amount, reason
),
changes as (
    select 1 as sign, payment_key, event_day, merchant_id, currency, amount from written where status = 'DONE'
    union all
    select -1, payment_key, before.event_day, before.merchant_id, before.currency, before.amount
    from before join written using (payment_key, cancellation_id) where before.status = 'DONE'
),
first_seen as (
    select payment_key, string_agg(E'\n' || reason, '') as reasons
    from written
    where not exists (select from before where (before.payment_key, before.cancellation_id) = (written.payment_key, written.cancellation_id))
    group by payment_key
),
of_payment as (
    select payment_key, coalesce(sum(changes.sign * changes.amount), 0) as canceled, coalesce(max(first_seen.reasons), '') as reasons
    from changes full join first_seen using (payment_key)
    group by payment_key
),
balanced as (
    update payments p set
        canceled = p.canceled + o.canceled,
        reasons = p.reasons || o.reasons,
        status = derived_status(p.recorded_status, p.total, p.canceled + o.canceled)
    from of_payment o
    where p.payment_key = o.payment_key
)
insert into sales
select
    c.event_day, c.merchant_id, p.method, c.currency, 0, 0, sum(c.sign), sum(c.sign * c.amount), 0
from changes c join payments p using (payment_key)
group by c.event_day, c.merchant_id, p.method, c.currency
on conflict (day, merchant_id, method, currency) do update set
    cancellation_count = sales.cancellation_count + excluded.cancellation_count,
    cancellation_amount = sales.cancellation_amount + excluded.cancellation_amount
