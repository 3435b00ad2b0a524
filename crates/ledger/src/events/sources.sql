-- Who published events of this id.
select distinct e.source_hash, s.source
from events e left join event_sources s on s.hash = e.source_hash
where /* CONDITION */
order by s.source
limit 20
