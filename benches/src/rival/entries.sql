-- The same columns as the table of sums, from the entries themselves.
(
    select event_day as day, merchant_id, method, currency,
        (recorded_status in ('AUTHORIZED', 'DONE'))::int as payment_count,
        case when recorded_status in ('AUTHORIZED', 'DONE') then total else 0 end as payment_amount,
        0 as cancellation_count, 0 as cancellation_amount,
        (recorded_status in ('ABORTED', 'EXPIRED'))::int as failed_count
    from payments
    union all
    select c.event_day, c.merchant_id, '', c.currency, 0, 0, 1, c.amount, 0
    from cancellations c where c.status = 'DONE'
) as entries
