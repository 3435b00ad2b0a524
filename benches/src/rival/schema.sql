-- What a good engineer would write for the same questions: one row an entry, kept at its greatest version; B-trees on
-- every identifier in its normal form; a trigram index on the text; a table of sums kept in the same transaction.
-- It holds less than the ledger: no versions, no digests, no quarantine, sums on one of four bases.
create extension pg_trgm;

create function derived_status(recorded text, total numeric, canceled numeric) returns text
language sql immutable parallel safe
return case
    when recorded not in ('AUTHORIZED', 'DONE') or canceled <= 0 then recorded
    when canceled >= total then 'CANCELED'
    else 'PARTIALLY_CANCELED'
end;

create table payments (
    payment_key     text primary key,
    version         bigint not null,
    merchant_id     text not null,
    recorded_status text not null,
    method          text not null,
    currency        text not null,
    total           numeric not null,
    occurred_at     timestamptz not null,
    event_day       date not null,
    order_id        text not null,
    transaction_key text,
    approve_no      text,
    account_number  text,
    email           text,
    phone           text,
    own_text        text not null,
    document        jsonb not null,
    canceled        numeric not null default 0,
    reasons         text not null default '',
    status          text not null,
    search_text     text generated always as (own_text || reasons) stored
) with (fillfactor = 80);

create table cancellations (
    payment_key     text not null,
    cancellation_id text not null,
    version         bigint not null,
    merchant_id     text not null,
    status          text not null,
    currency        text not null,
    amount          numeric not null,
    event_day       date not null,
    ident           text not null,
    reason          text not null,
    document        jsonb not null,
    primary key (payment_key, cancellation_id)
);

create table settlements (
    payment_key     text not null,
    settlement_id   text not null,
    version         bigint not null,
    status          text not null,
    payout          numeric not null,
    sold_on         date not null,
    ident           text not null,
    of_cancellation text,
    payout_id       text,
    document        jsonb not null,
    primary key (payment_key, settlement_id)
) with (fillfactor = 80);

create table sales (
    day                 date not null,
    merchant_id         text not null,
    method              text not null,
    currency            text not null,
    payment_count       bigint not null,
    payment_amount      numeric not null,
    cancellation_count  bigint not null,
    cancellation_amount numeric not null,
    failed_count        bigint not null,
    primary key (day, merchant_id, method, currency)
) with (fillfactor = 60);

create index on payments (order_id);
create index on payments (transaction_key) where transaction_key is not null;
create index on payments (approve_no) where approve_no is not null;
create index on payments (account_number) where account_number is not null;
create index on payments (email) where email is not null;
create index on payments (phone) where phone is not null;
create index on payments (occurred_at desc, payment_key);
create index on payments (merchant_id, status, occurred_at desc);
create index on payments (event_day);
create index on payments using gin (search_text gin_trgm_ops);
create index on cancellations (ident);
create index on cancellations (event_day);
create index on settlements (ident);
create index on settlements (of_cancellation) where of_cancellation is not null;
create index on settlements (payout_id) where payout_id is not null;
create index on sales (merchant_id, day);

create temporary table new_payments (
    payment_key text, version bigint, merchant_id text, recorded_status text, method text, currency text, total numeric,
    occurred_at timestamptz, event_day date, order_id text, transaction_key text, approve_no text, account_number text,
    email text, phone text, own_text text, document jsonb
) on commit delete rows;
create temporary table new_cancellations (
    payment_key text, cancellation_id text, version bigint, merchant_id text, status text, currency text, amount numeric,
    event_day date, ident text, reason text, document jsonb
) on commit delete rows;
create temporary table new_settlements (
    payment_key text, settlement_id text, version bigint, status text, payout numeric, sold_on date, ident text,
    of_cancellation text, payout_id text, document jsonb
) on commit delete rows;
