-- Of heads the newest stays; of positions those that the view takes something from.
begin;
delete from heads where batch_no < (select max(batch_no) from heads);
with used as (
    select source_id, unnest([
        arg_max(batch_no, next),
        max(batch_no) filter (cluster_id is not null),
        max(batch_no) filter (last_position is not null),
        max(batch_no) filter (last_checksum is not null)
    ]) as batch_no
    from reached group by source_id
)
delete from reached where not exists (
    select 1 from used where used.source_id = reached.source_id and used.batch_no = reached.batch_no
);
commit;
