-- Moves rows into the sealed table of their kind: pairs that take each other out go, the others lie by month and merchant.
begin;
insert into /* SEALED */
from (
    select sum(sign)::tinyint as sign, * exclude (sign)
    from /* FROM */ where rowid < /* END */
    group by all
    having sum(sign) <> 0
)
order by date_trunc('month', /* DAY */) nulls first, merchant_id nulls first, /* DAY */, seq;
delete from /* FROM */ where rowid < /* END */;
commit;
