-- Versions and contents with where they came from; the payments are named behind.
select v.kind, v.sent, v.verdict, p.name, v.position, epoch_us(v.applied_at), v.zone, v.block, v.line, v.seq
from versions v
join sources p on p.source_id = v.source_id
