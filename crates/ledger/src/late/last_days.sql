-- The days of the last rows that were put in, as days since 1970-01-01. Only the oldest rows are ever deleted, so row ids are counted through.
select coalesce(event_day, sold_on) - date '1970-01-01'
from entries_near
where rowid >= (select max(rowid) from entries_near) - ? and sign = 1 and coalesce(event_day, sold_on) is not null
