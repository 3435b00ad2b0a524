-- A batch's payments: the greatest version of each wins, and the sums change by what was written.
with newest as (
    select distinct on (payment_key) * from new_payments order by payment_key, version desc
),
-- As it stands before this statement.
before as (
    select p.payment_key, p.event_day, p.merchant_id, p.method, p.currency, p.recorded_status, p.total
    from payments p join newest using (payment_key)
),
written as (
    insert into payments
    select newest.*, 0, '', newest.recorded_status from newest
    on conflict (payment_key) do update set
        version = excluded.version, merchant_id = excluded.merchant_id, recorded_status = excluded.recorded_status,
        method = excluded.method, currency = excluded.currency, total = excluded.total, occurred_at = excluded.occurred_at,
        event_day = excluded.event_day, order_id = excluded.order_id, transaction_key = excluded.transaction_key,
        approve_no = excluded.approve_no, account_number = excluded.account_number, email = excluded.email,
        phone = excluded.phone, own_text = excluded.own_text, document = excluded.document,
        status = derived_status(excluded.recorded_status, excluded.total, payments.canceled)
    where excluded.version > payments.version
    returning payment_key, event_day, merchant_id, method, currency, recorded_status, total
),
changes as (
    select 1 as sign, * from written
    union all
    select -1, before.* from before join written using (payment_key)
)
insert into sales
select
    event_day, merchant_id, method, currency,
    coalesce(sum(sign) filter (where recorded_status in ('AUTHORIZED', 'DONE')), 0),
    coalesce(sum(sign * total) filter (where recorded_status in ('AUTHORIZED', 'DONE')), 0),
    0, 0,
    coalesce(sum(sign) filter (where recorded_status in ('ABORTED', 'EXPIRED')), 0)
from changes
group by event_day, merchant_id, method, currency
having count(*) filter (where recorded_status in ('AUTHORIZED', 'DONE', 'ABORTED', 'EXPIRED')) > 0
on conflict (day, merchant_id, method, currency) do update set
    payment_count = sales.payment_count + excluded.payment_count,
    payment_amount = sales.payment_amount + excluded.payment_amount,
    failed_count = sales.failed_count + excluded.failed_count
