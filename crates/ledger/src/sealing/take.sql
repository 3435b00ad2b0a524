-- Moves rows on: pairs that take each other out go, the others lie by a span of time and merchant.
begin;
insert into /* TO */
from (
    select sum(sign)::tinyint as sign, * exclude (sign)
    from /* FROM */ where /* CONDITION */
    group by all
    having sum(sign) <> 0
)
order by date_trunc('/* SPAN */', /* DAY */) nulls first, merchant_id nulls first, /* DAY */, seq;
delete from /* FROM */ where /* CONDITION */;
commit;
