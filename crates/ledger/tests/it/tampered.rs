//! That verification can fail: each derived table is changed behind the ledger's back.

use std::path::Path;

use duckdb::Connection;
use generator::Plan;
use ledger::Options;
use ledger::verify::{Difference, verify};

use crate::feed::{batch, messages, open, open_with};

/// A table's change, and what the first difference is then about.
const CHANGES: [(&str, &str, &str); 8] = [
    ("insert into entries_near from entry_rows limit 1", "entries", ""),
    (
        "insert into entries_near select * replace (-sign as sign) from entry_rows limit 1",
        "entries",
        "",
    ),
    ("insert into payments_near from payment_rows limit 1", "payments", ""),
    (
        "insert into payments_near
         select p.* replace (case when s > 0 then xor(flags, 1::smallint) else flags end as flags, s as sign)
         from (from payment_rows limit 1) p, (values (-1::tinyint), (1::tinyint)) signs(s)",
        "payments",
        "",
    ),
    (
        "delete from quarantine where code in ('merchant_mismatch', 'currency_mismatch')",
        "quarantine",
        "",
    ),
    (
        "insert into sales_cells_new select 1, * replace (1 as payment_amount) from sales_cells limit 1",
        "rollups",
        "sales_cells ",
    ),
    (
        "insert into sales_cells_by_month_packed from sales_cells_by_month_packed limit 1",
        "rollups",
        "sales_cells_by_month ",
    ),
    (
        "insert into settlement_cells_of_all_new select 1, * from settlement_cells_of_all limit 1",
        "rollups",
        "settlement_cells_of_all ",
    ),
];

/// A ledger whose log is folded and whose cells are added up after each batch.
fn filled(dir: &Path) {
    let plan = Plan {
        payments: 100,
        merchants: 5,
        days: 30,
        oversize: false,
        ..Plan::default()
    };
    let options = Options {
        wal_bytes: 1,
        rollup_rows: 10,
        ..Options::default()
    };
    let all = messages(plan.hostile());
    let mut opened = open_with(dir, &options).expect("the ledger opens");
    for (part, from) in all.chunks(150).zip((0..).step_by(150)) {
        opened.writer.apply(batch(part, from), &mut |_, _| {}).expect("applied");
    }
}

fn differences(dir: &Path) -> Vec<Difference> {
    let opened = open(dir).expect("the ledger opens");
    verify(&opened.reader, &|_, _, _| None).expect("verified").differences
}

#[test]
fn each_changed_table_is_named() {
    for (change, store, about) in CHANGES {
        let dir = tempfile::tempdir().expect("a directory");
        filled(dir.path());
        assert_eq!(differences(dir.path()), []);
        let rows = Connection::open(dir.path().join("ledger/ledger.duckdb"))
            .and_then(|ledger| ledger.execute(change, []))
            .expect(change);
        assert!(rows > 0, "nothing was changed by {change}");
        let found = differences(dir.path());
        let first = found.first().unwrap_or_else(|| panic!("not noticed: {change}"));
        assert!(
            first.store == store && first.about.starts_with(about),
            "{change}: {first:?}"
        );
    }
}
