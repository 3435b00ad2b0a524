-- Puts changes of cells into a run, added up and sorted. Cells that have become zero go.
insert into /* CELLS */_packed by name
select /* RUN */ as run, *
from (
    select /* DIMENSIONS */, /* COLUMNS */
    from (select /* OF DAYS */, /* SUMS */ from /* ROWS */ group by all)
)
where /* IS SOMETHING */
order by /* DIMENSIONS */
