-- Every version and content of one payment with where it came from.
select v.kind, v.sent, v.verdict, p.name, v.position, epoch_us(v.applied_at), v.zone, v.block, v.start, v.length
from versions v
join sources p on p.source_id = v.source_id
where v.seq = ?
