//! Drilling down: each row of a report is the sum of the entries that it points to.

use testkit::histories::History;
use testkit::oracle::{Basis, Group, Reader, ReportParams};

use crate::chance::Chance;
use crate::compare::key_of;
use crate::drilled::drill_report;
use crate::feeding::{Way, fed};

/// Histories looked at; `LEDGERLENS_DRILLED` says otherwise.
const HISTORIES: u64 = 200;

const BASES: [Basis; 4] = [Basis::EventDay, Basis::SaleDay, Basis::SoldOn, Basis::PaidOutOn];
const GROUPS: [Group; 4] = [Group::Day, Group::Month, Group::Method, Group::Merchant];

#[test]
fn every_row_of_a_report_is_the_sum_of_its_entries() {
    let histories = std::env::var("LEDGERLENS_DRILLED")
        .ok()
        .and_then(|set| set.parse().ok());
    let mut rows = Vec::new();
    for seed in 1..=histories.unwrap_or(HISTORIES) {
        let history = History::random(seed);
        let mut product = fed(&history.messages, seed, Way::Plain);
        let mut chance = Chance::new(seed);
        for reader in [Reader::finance(), Reader::merchant(["m1", "m_utc"])] {
            let key = key_of(&mut product, &reader);
            for basis in BASES {
                let sales = matches!(basis, Basis::EventDay | Basis::SaleDay);
                // Sixteen histories see every grouping with every basis.
                for grouping in [seed % 16, (seed * 7 + 5) % 16] {
                    let parameters = params(basis, grouping, &mut chance).parameters();
                    let found = drill_report(&product, &key, &parameters, sales);
                    rows.extend(
                        found
                            .into_iter()
                            .map(|difference| format!("history {seed}: {difference}")),
                    );
                }
            }
        }
        assert!(rows.is_empty(), "{}", rows.join("\n"));
    }
}

fn params(basis: Basis, grouping: u64, chance: &mut Chance) -> ReportParams {
    let chosen = GROUPS.into_iter().enumerate();
    let group_by = chosen
        .filter(|(place, _)| grouping & (1 << place) != 0)
        .map(|(_, group)| group)
        .collect();
    let day = |year: i32, month, day| chrono::NaiveDate::from_ymd_opt(year, month, day);
    let mut params = ReportParams {
        from: day(2020, 1, 1),
        to: day(2035, 1, 1),
        group_by,
        ..ReportParams::on(basis)
    };
    let some = |values: [&str; 2]| values.map(str::to_owned).to_vec();
    if chance.percent(30) {
        // In the middle of months.
        params.from = day(2024, 2, 11);
        params.to = day(2026, 3, 17);
    }
    if chance.percent(20) {
        params.merchant_id = some(["m1", "m_ny"]);
    }
    if chance.percent(20) {
        params.method = some(["CARD", "UNKNOWN"]);
    }
    if chance.percent(20) {
        params.currency = some(["KRW", "BHD"]);
    }
    if chance.percent(20) && matches!(basis, Basis::SoldOn | Basis::PaidOutOn) {
        params.status = some(["PAID", "HELD"]);
    }
    params
}
