-- The ledger's tables. Money is in minor units of the row's currency; times are UTC; business days were computed when
-- the message was applied. No table has a key or an index: every batch only appends, so that a change to a payment of
-- three years ago costs what a change to a fresh one costs.

-- What this store is. One row a key: format, store_id, hash_seed.
create table meta (key varchar not null, value varchar not null);

-- How far the ledger is, and counts over the store's whole life. Each batch appends a row and the newest counts (the view head);
-- older ones are removed from time to time. Were it one row that is updated, no batch could go on while the log is folded.
create table heads (
    batch_no    bigint not null,    -- the last batch applied; 0 before the first
    applied_at  timestamp,
    appended_at timestamp,          -- broker time of the newest message applied, where a broker said one
    next_seq    bigint not null,
    next_n      bigint not null,    -- the next quarantine row
    bodies_end  bigint not null,    -- bytes of the file bodies that the batches so far have written
    applied     bigint not null,
    duplicate   bigint not null,
    stale       bigint not null,
    conflict    bigint not null,
    quarantined bigint not null,
    nulls       bigint not null     -- messages without a value, which have no verdict
);

create view head as from heads where batch_no = (select max(batch_no) from heads);

-- Partitions of the input. One without a row in reached was forgotten at an operator's request: it is read from the beginning of its log.
create table sources (source_id integer not null, name varchar not null);

-- The next position to read of each partition, with the last message applied: it is compared with the log before a
-- partition is read on, so that another log under the same name is noticed. Appended to by each batch, as heads is; what the newest
-- row that knows it says counts (the view positions).
create table reached (
    batch_no      bigint not null,
    source_id     integer not null,
    next          bigint not null,
    cluster_id    varchar,           -- of the Kafka cluster that the last message came from
    last_position bigint,
    last_checksum varchar            -- XXH3-128 of its timestamp, key and value, 32 hex digits
);
create view positions as
    select source_id, name, max(next) as next, max_by(cluster_id, batch_no) as cluster_id,
           max_by(last_position, batch_no) as last_position, max_by(last_checksum, batch_no) as last_checksum
    from sources left join reached using (source_id)
    group by source_id, name;

-- Three tables are only appended to: batches append to ..._new, and the oldest rows move on to ..._packed as they are, many at once,
-- because each folding of the log leaves a block of 256 KiB half empty in every table that it adds to. The views are both together.

-- Every payment key ever seen: seq is given once, in order of first sight; hash is 40 bits of the key's XXH3-64, seeded by meta.
create table keys_new (seq bigint not null, hash bigint not null);
create table keys_packed as from keys_new;
create view keys as from keys_new union all from keys_packed;

-- Every version and content of every entry, with where it came from: the truth that all else is recomputed from.
create table versions_new (
    batch_no   bigint not null,
    seq        bigint not null,
    kind       tinyint not null,    -- 0 cancellation, 1 payment, 2 settlement
    verdict    tinyint not null,    -- 0 applied, 2 stale, 3 conflict
    source_id  integer not null,
    position   bigint not null,
    applied_at timestamp not null,
    zone       varchar not null,    -- of the merchant it names, when it was applied
    sent       blob,                -- SHA-256 of canonical data as sent, where a card number was redacted in it
    block      bigint not null,     -- where its canonical data after redaction lies: the first byte of a block in the file bodies,
    line       integer not null     -- and its line in the block before packing, from 0 on; entry id and version are read there
);
create table versions_packed as from versions_new;
create view versions as from versions_new union all from versions_packed;

-- The file bodies lies beside this database: blocks one after the other, each up to 256 KiB of canonical data, one a line, packed together.
-- In all bodies of a payment but the first in the file one byte 01 stands for the payment's key and its quotation marks.
-- Before each block stand its length and the lower half of its XXH3-64, in 4 bytes each; in it the length before packing in 4 bytes,
-- then zstd with the dictionary dossier/dictionary.zst. All numbers are little endian.

-- Messages whose version and content were held already: what a timeline counts as repeats.
create table repeats_new (
    batch_no  bigint not null,
    seq       bigint not null,
    kind      tinyint not null,
    entry_id  varchar not null,
    version   bigint not null,
    hash      bigint not null,      -- the first eight bytes of the digest
    source_id integer not null,
    position  bigint not null
);
create table repeats_packed as from repeats_new;
create view repeats as from repeats_new union all from repeats_packed;

-- The unified ledger row by row, first in two tables: rows about long before their batch lie apart, so that the others lie in the order of
-- their days and a question about some days reads little else. sign +1 puts a row in, -1 takes the same row out again; what a reader sees is the sum.
create table entries_near (
    sign        tinyint not null,
    seq         bigint not null,
    payment_key varchar not null,   -- what lists of entries are sorted and paged by
    kind        tinyint not null,
    entry_id    varchar,            -- absent where it is the payment key, as a payment's is
    merchant_id varchar not null,
    currency    varchar not null,
    digits      tinyint not null,   -- fraction digits of the currency
    method      varchar not null,   -- the payment's; UNKNOWN while it has not arrived
    status      varchar not null,   -- the entry's own
    event_day   date,
    sale_day    date,
    sold_on     date,
    paid_out_on date,
    payout_id   varchar,
    amount      bigint not null,    -- a cancellation's is negative
    fee         bigint not null,    -- a sum is ..._over times 2^62 and the column without it, both of its sign: columns of 128 bits take
    fee_over    bigint not null,    -- 300 ns a value to read, and nearly all of what is beyond is zero
    vat         bigint not null,
    payout      bigint not null,
    cost        bigint not null,
    cost_over   bigint not null
);
create table entries_late as from entries_near;
-- The oldest rows of both, moved here now and then: sorted by month, merchant and day, without what takes each other out.
create table entries_sealed as from entries_near;
-- And some runs of those together, merchants by merchants.
create table entries_packed as from entries_near;
create view entry_rows as
    from entries_near union all from entries_late union all from entries_sealed union all from entries_packed;
create view entries as
    select * exclude (fee_over, cost_over) replace (
        coalesce(entry_id, payment_key) as entry_id,
        fee + fee_over::hugeint * 4611686018427387904 as fee,
        cost + cost_over::hugeint * 4611686018427387904 as cost)
    from entry_rows;

-- What lists of payments filter and sort by, signed like entries: one row a payment that has something live.
create table payments_near (
    sign              tinyint not null,
    seq               bigint not null,
    merchant_id       varchar,
    currency          varchar,
    digits            tinyint,      -- fraction digits of the currency
    method            varchar not null,
    status            varchar not null,
    settlement_status varchar not null,
    total             bigint,
    balance           bigint,       -- in two columns, as fees are
    balance_over      bigint,
    occurred_at       timestamp not null,
    sale_day          date,
    approved_at       timestamp,
    flags             smallint not null  -- bit i: the i-th flag in alphabetical order; bit 14: readers of different merchants see it differently
);
create table payments_late as from payments_near;
create table payments_sealed as from payments_near;
create table payments_packed as from payments_near;
create view payment_rows as
    from payments_near union all from payments_late union all from payments_sealed union all from payments_packed;
create view payments as
    select * exclude (balance_over) replace (balance + balance_over::hugeint * 4611686018427387904 as balance) from payment_rows;

-- Pre-added sums, the rollup cells: signed changes per batch and cell as they came (new), and what compaction has made of
-- them: runs, each sorted, of sums of earlier changes (packed). A cell is the sum of all its rows in both (the view). Each
-- holds both its days, so that a report by either reads the same cells. Sums lie in two columns, as fees do.
create table sales_cells_new (
    batch_no                 bigint not null,
    merchant_id              varchar not null,
    event_day                date not null,
    sale_day                 date,              -- absent while the payment has not arrived
    currency                 varchar not null,
    method                   varchar not null,
    payment_count            bigint not null,
    cancellation_count       bigint not null,
    failed_count             bigint not null,
    payment_amount           bigint not null,
    payment_amount_over      bigint not null,
    cancellation_amount      bigint not null,
    cancellation_amount_over bigint not null
);
create table settlement_cells_new (
    batch_no            bigint not null,
    merchant_id         varchar not null,
    sold_on             date not null,
    paid_out_on         date,
    currency            varchar not null,
    method              varchar not null,
    status              varchar not null,
    settlement_count    bigint not null,
    gross               bigint not null,
    gross_over          bigint not null,
    fee                 bigint not null,
    fee_over            bigint not null,
    vat                 bigint not null,
    vat_over            bigint not null,
    payout              bigint not null,
    payout_over         bigint not null,
    cost                bigint not null,
    cost_over           bigint not null
);
create table sales_cells_packed as select 0::bigint as run, * exclude batch_no from sales_cells_new;
create table settlement_cells_packed as select 0::bigint as run, * exclude batch_no from settlement_cells_new;
create view sales_cells as
    select * exclude batch_no from sales_cells_new union all select * exclude run from sales_cells_packed;
create view settlement_cells as
    select * exclude batch_no from settlement_cells_new union all select * exclude run from settlement_cells_packed;

-- The same by month, for reports that name no day: the first day of a month stands for all of it. Made of changes as they become
-- a run; those that have not are counted by day.
create table sales_cells_by_month_packed as from sales_cells_packed;
create table settlement_cells_by_month_packed as from settlement_cells_packed;
create view sales_cells_by_month as
    select * exclude batch_no from sales_cells_new union all select * exclude run from sales_cells_by_month_packed;
create view settlement_cells_by_month as
    select * exclude batch_no from settlement_cells_new union all select * exclude run from settlement_cells_by_month_packed;

-- The same by day without merchants, for questions about all of them.
create table sales_cells_of_all_new as select * exclude merchant_id from sales_cells_new;
create table settlement_cells_of_all_new as select * exclude merchant_id from settlement_cells_new;
create table sales_cells_of_all_packed as select * exclude merchant_id from sales_cells_packed;
create table settlement_cells_of_all_packed as select * exclude merchant_id from settlement_cells_packed;
create view sales_cells_of_all as
    select * exclude batch_no from sales_cells_of_all_new union all select * exclude run from sales_cells_of_all_packed;
create view settlement_cells_of_all as
    select * exclude batch_no from settlement_cells_of_all_new union all select * exclude run from settlement_cells_of_all_packed;

-- Messages that could not be applied and contents that contradict another, kept with the reason.
create table quarantine (
    n             bigint not null,
    code          varchar not null,
    pointer       varchar not null,
    detail        varchar not null,
    payment_key   varchar,
    seq           bigint,
    kind          tinyint,          -- of conflicts and entries set aside
    entry_id      varchar,
    version       bigint,
    sha256        blob not null,    -- of the message as sent; of conflicts and entries set aside: of the canonical data
    hash          bigint not null,  -- the first eight bytes of sha256
    raw           blob,             -- redacted; absent for conflicts and entries set aside, whose content is a version
    raw_bytes     bigint not null,  -- length as sent
    binary_mode   boolean not null,
    seen          bigint not null,
    first_at      timestamp not null,
    last_at       timestamp not null,
    first_source  integer not null,
    first_position bigint not null,
    last_source   integer not null,
    last_position bigint not null,
    open          boolean not null,
    attributes    blob,             -- of a refused message in binary mode: the headers of its event, redacted
    raw_redacted  boolean not null, -- raw is not what was sent
    data_digest   blob,             -- SHA-256 of canonical data as sent, where data could be read: what a replay goes by
    data_redacted boolean not null, -- a card number was in data
    closed_at     timestamp,
    closed_how    varchar,          -- replayed, closed
    closed_reason varchar           -- the operator's
);

-- What became of the newest messages, by the id of their event; the oldest batches leave beyond the configured maximum.
create table events (
    batch_no    bigint not null,
    id_hash     bigint not null,
    source_hash bigint not null,
    source_id   integer not null,   -- of the partition
    position    bigint not null,
    verdict     tinyint not null,   -- 0 applied, 1 duplicate, 2 stale, 3 conflict, 4 quarantined
    seq         bigint,             -- of the payment, where the message names one
    content     bigint not null,    -- the first eight bytes of the content's digest; of a refused message of its SHA-256
    applied_at  timestamp not null
);

-- The publishing services behind source_hash.
create table event_sources (hash bigint not null, source varchar not null);

-- Of events that have left: up to which batch, and a Bloom filter of their ids.
create table events_gone (batch_no bigint not null, ids blob not null);
