-- Refused messages as they were kept, with all that a replay needs.
select q.n, q.open, q.seq, q.payment_key, q.raw, q.raw_bytes, q.binary_mode, q.attributes, q.raw_redacted,
       q.data_digest, q.data_redacted, p.name, q.first_position, q.code
from quarantine q left join sources p on p.source_id = q.first_source
where q.n = ?
