-- Rows of quarantine as lists show them, without what was kept of the message.
select n, code, pointer, detail, payment_key, kind, entry_id, version, sha256, raw_bytes, seen,
       epoch_us(first_at), epoch_us(last_at), p.name, q.last_position, open, epoch_us(closed_at), closed_how, closed_reason,
       q.seq
from quarantine q left join sources p on p.source_id = q.last_source
