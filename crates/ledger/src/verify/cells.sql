-- Cells whose added-up changes differ from the sums over the unified ledger's rows: both sides with opposite signs.
with by_rows as not materialized (
    /* BY ROWS */
), sides as (
    select /* DIMENSIONS */, /* MEASURES */ from /* CELLS */
    union all
    select /* DIMENSIONS */, /* NEGATED */ from by_rows
    union all by name
    select '(all merchants)' as merchant_id, * from /* CELLS */_of_all
    union all by name
    select * replace ('(all merchants)' as merchant_id) from (select /* DIMENSIONS */, /* NEGATED */ from by_rows)
)
select concat_ws('|', /* NAMED */)
from sides
group by /* DIMENSIONS */
having /* IS SOMETHING */
order by all limit 1000
