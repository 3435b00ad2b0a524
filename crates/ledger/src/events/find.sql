-- The messages of one event, the newest first.
select e.source_hash, s.source, p.name, e.position, e.verdict, e.seq, e.content, epoch_us(e.applied_at)
from events e
left join sources p on p.source_id = e.source_id
left join event_sources s on s.hash = e.source_hash
where /* CONDITION */
order by e.batch_no desc, e.rowid desc
limit /* LIMIT */
