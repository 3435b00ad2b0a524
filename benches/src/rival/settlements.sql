-- A batch's settlement lines.
insert into settlements
select distinct on (payment_key, settlement_id) * from new_settlements order by payment_key, settlement_id, version desc
on conflict (payment_key, settlement_id) do update set
    version = excluded.version, status = excluded.status, payout = excluded.payout, sold_on = excluded.sold_on,
    ident = excluded.ident, of_cancellation = excluded.of_cancellation, payout_id = excluded.payout_id,
    document = excluded.document
where excluded.version > settlements.version
