-- Cells whose added-up changes differ from the sums over the unified ledger's rows: both sides with opposite signs.
with sides as (
    select /* DIMENSIONS */, /* MEASURES */ from /* CELLS */ where /* CONDITION */
    union all
    select /* DIMENSIONS */, /* NEGATED */ from (/* BY ROWS */) where /* CONDITION */
)
select concat_ws('|', /* NAMED */)
from sides
group by /* DIMENSIONS */
having /* IS SOMETHING */
order by all limit 1000
