-- Moves rows on as they are.
begin;
insert into /* TO */ from /* FROM */ where /* CONDITION */;
delete from /* FROM */ where /* CONDITION */;
commit;
