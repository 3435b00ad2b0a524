-- Cells whose added-up changes differ from the sums over what they are made of: both sides with opposite signs.
with sides as (
    select /* OF DAYS */, /* WHOLE */ from /* CELLS */ where /* CONDITION */
    union all
    select /* OF DAYS */, /* NEGATED */ from /* COMPARED */ where /* CONDITION */
)
select concat_ws('|', /* NAMED */)
from sides
group by /* DIMENSIONS */
having /* IS SOMETHING */
order by all limit 1000
