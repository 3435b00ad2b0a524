-- Moves changes of cells into a run, added up and sorted. Cells that have become zero go.
begin;
insert into /* CELLS */_packed
select /* RUN */, /* DIMENSIONS */, /* SUMS */
from /* CELLS */_/* TABLE */ where /* CONDITION */
group by /* DIMENSIONS */
having /* IS SOMETHING */
order by /* DIMENSIONS */;
delete from /* CELLS */_/* TABLE */ where /* CONDITION */;
commit;
