-- Moves changes of cells into a run, added up and sorted. Cells that have become zero go.
begin;
insert into /* CELLS */_packed by name
select /* RUN */ as run, *
from (
    select /* DIMENSIONS */, /* COLUMNS */
    from (
        select /* DIMENSIONS */, /* SUMS */
        from /* CELLS */_/* TABLE */ where /* CONDITION */
        group by /* DIMENSIONS */
    )
)
where /* IS SOMETHING */
order by /* DIMENSIONS */;
delete from /* CELLS */_/* TABLE */ where /* CONDITION */;
commit;
