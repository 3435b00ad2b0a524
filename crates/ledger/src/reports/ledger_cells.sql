(
    -- Each live row of the unified ledger on each basis it counts by, with what it adds.
    with bases(basis) as (values (0), (1), (2), (3), (4)),
    placed as (
        select basis, e.*,
               case basis when 0 then event_day when 1 then sale_day when 2 then sold_on when 3 then paid_out_on end as day
        from entries e, bases
        where case basis
            when 0 then kind <> 2
            when 1 then kind <> 2 and sale_day is not null
            when 2 then kind = 2
            when 3 then kind = 2 and paid_out_on is not null
            when 4 then kind = 0 and sale_day is null
        end
    )
    select basis, day, merchant_id, currency, method,
           case when kind = 2 then status end as status,
           case when kind = 1 and status in ('AUTHORIZED', 'DONE') then sign else 0 end::bigint as payment_count,
           case when kind = 1 and status in ('AUTHORIZED', 'DONE') then sign * amount::hugeint else 0 end as payment_amount,
           case when kind = 0 and status = 'DONE' then sign else 0 end::bigint as cancellation_count,
           case when kind = 0 and status = 'DONE' then -sign * amount::hugeint else 0 end as cancellation_amount,
           case when kind = 1 and status in ('ABORTED', 'EXPIRED') then sign else 0 end::bigint as failed_count,
           case when kind = 2 then sign else 0 end::bigint as settlement_count,
           case when kind = 2 then sign * amount::hugeint else 0 end as gross,
           case when kind = 2 then sign * fee else 0 end as fee,
           case when kind = 2 then sign * vat::hugeint else 0 end as vat,
           case when kind = 2 then sign * payout::hugeint else 0 end as payout,
           case when kind = 2 then sign * cost else 0 end as cost
    from placed
) cells
