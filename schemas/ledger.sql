-- The ledger's tables. Money is in minor units of the row's currency; times are UTC; business days were computed when
-- the message was applied. No table has a key or an index: every batch only appends, so that a change to a payment of
-- three years ago costs what a change to a fresh one costs.

-- What this store is. One row a key: format, store_id, hash_seed.
create table meta (key varchar not null, value varchar not null);

-- The one row that every batch replaces: how far the ledger is, and counts over the store's whole life.
create table head (
    batch_no    bigint not null,    -- the last batch applied; 0 before the first
    applied_at  timestamp,
    appended_at timestamp,          -- broker time of the newest message applied, where a broker said one
    next_seq    bigint not null,
    next_n      bigint not null,    -- the next quarantine row
    applied     bigint not null,
    duplicate   bigint not null,
    stale       bigint not null,
    conflict    bigint not null,
    quarantined bigint not null,
    nulls       bigint not null     -- messages without a value, which have no verdict
);

-- Partitions of the input and the next position to read of each, with the last message applied: it is compared with
-- the log before a partition is read on, so that another log under the same name is noticed.
create table positions (
    source_id     integer not null,
    name          varchar not null,
    next          bigint not null,   -- -1: forgotten at an operator's request; read from the beginning of its log
    cluster_id    varchar,           -- of the Kafka cluster that the last message came from
    last_position bigint,
    last_checksum varchar            -- XXH3-128 of its timestamp, key and value, 32 hex digits
);

-- Every payment key ever seen: seq is given once, in order of first sight; hash is of the key.
create table keys (seq bigint not null, hash bigint not null);

-- Every version and content of every entry, with where it came from: the truth that all else is recomputed from.
create table versions (
    batch_no   bigint not null,
    seq        bigint not null,
    kind       tinyint not null,    -- 0 cancellation, 1 payment, 2 settlement
    entry_id   varchar not null,
    version    bigint not null,
    digest     blob not null,       -- SHA-256 of canonical data as sent
    verdict    tinyint not null,    -- 0 applied, 2 stale, 3 conflict
    source_id  integer not null,
    position   bigint not null,
    applied_at timestamp not null,
    zone       varchar not null,    -- of the merchant it names, when it was applied
    redacted   boolean not null,
    block      bigint not null,     -- where its canonical data after redaction lies: the block of bodies,
    start      integer not null,    -- the first byte in it,
    length     integer not null     -- and how many
);

-- What versions say, packed together: n counts without a gap, packed is up to 64 KiB of canonical data one after the
-- other, its length in 4 bytes (little endian), then zstd with the dictionary dossier/dictionary.json.
create table bodies (n bigint not null, packed blob not null);

-- Messages whose version and content were held already: what a timeline counts as repeats.
create table repeats (
    batch_no  bigint not null,
    seq       bigint not null,
    kind      tinyint not null,
    entry_id  varchar not null,
    version   bigint not null,
    hash      bigint not null,      -- the first eight bytes of the digest
    source_id integer not null,
    position  bigint not null
);

-- The unified ledger row by row, in two tables: rows about long before their batch lie apart, so that the others lie in the order of
-- their days and a question about some days reads little else. sign +1 puts a row in, -1 takes the same row out again; what a reader sees is the sum.
create table entries_near (
    sign        tinyint not null,
    seq         bigint not null,
    payment_key varchar not null,   -- what lists of entries are sorted and paged by
    kind        tinyint not null,
    entry_id    varchar not null,
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
    fee         hugeint not null,
    vat         bigint not null,
    payout      bigint not null,
    cost        hugeint not null
);
create table entries_late as from entries_near;
create view entries as from entries_near union all from entries_late;

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
    balance           hugeint,
    occurred_at       timestamp not null,
    sale_day          date,
    approved_at       timestamp,
    flags             smallint not null  -- bit i: the i-th flag in alphabetical order
);
create table payments_late as from payments_near;
create view payments as from payments_near union all from payments_late;

-- Pre-added sums, as signed changes per batch and cell; answers add them up, compaction folds them.
create table rollups_near (
    basis               tinyint not null,  -- 0 event_day, 1 sale_day, 2 sold_on, 3 paid_out_on, 4 orphaned
    day                 date,
    merchant_id         varchar not null,
    currency            varchar not null,
    method              varchar not null,
    status              varchar,           -- of settlement lines
    payment_count       bigint not null,
    payment_amount      hugeint not null,
    cancellation_count  bigint not null,
    cancellation_amount hugeint not null,
    failed_count        bigint not null,
    settlement_count    bigint not null,
    gross               hugeint not null,
    fee                 hugeint not null,
    vat                 hugeint not null,
    payout              hugeint not null,
    cost                hugeint not null
);
create table rollups_late as from rollups_near;
create view rollups as from rollups_near union all from rollups_late;

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
