//! Every scenario through decoder and dossier, without a store: verdicts, quarantine, and the derived values.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use domain::decode::decode;
use domain::derive::{LiveEntries, Payment};
use domain::dossier::Dossier;
use domain::message::Encoding;
use domain::money::format_minor;
use domain::scope::Scope;
use domain::time::format_time;
use serde_json::{Map, Value, json};

use crate::fixtures::{read, read_json, root};

/// What a history leaves behind.
#[derive(Default)]
struct Ledger {
    dossiers: BTreeMap<String, Dossier>,
    verdicts: BTreeMap<String, u64>,
    refused: BTreeSet<(String, Option<String>)>,
    contents: BTreeSet<Vec<u8>>,
}

impl Ledger {
    fn take(&mut self, line: &[u8]) {
        let verdict = match decode(line, Encoding::Structured) {
            Ok(message) => {
                let key = message.record.payment_key().to_owned();
                self.dossier(&key).apply(message, Tz::Asia__Seoul).as_str()
            }
            Err(refusal) => {
                if self.contents.insert(line.to_vec()) {
                    if let Some(key) = &refusal.payment_key {
                        self.dossier(key).refused += 1;
                    }
                    self.refused.insert((refusal.code.to_owned(), refusal.payment_key));
                }
                "quarantined"
            }
        };
        *self.verdicts.entry(verdict.to_owned()).or_default() += 1;
    }

    fn dossier(&mut self, key: &str) -> &mut Dossier {
        self.dossiers.entry(key.to_owned()).or_insert_with(|| Dossier::new(key))
    }

    /// Each code with its payment, once.
    fn quarantine(&self) -> BTreeSet<(String, Option<String>)> {
        let mut rows = self.refused.clone();
        for (key, dossier) in &self.dossiers {
            let mut row = |code: &str| rows.insert((code.to_owned(), Some(key.clone())));
            let conflicts =
                |held: &[domain::dossier::Held]| held.windows(2).any(|pair| pair[0].version == pair[1].version);
            if dossier.entries.values().any(|entry| conflicts(&entry.held)) {
                row("conflict");
            }
            for aside in LiveEntries::of(dossier).set_aside {
                if aside.merchant_differs {
                    row("merchant_mismatch");
                }
                if aside.currency_differs {
                    row("currency_mismatch");
                }
            }
        }
        rows
    }

    fn check(&self, expected: &Value, scope: &Scope, place: &str) {
        for expect in expected["payments"].as_array().into_iter().flatten() {
            let key = expect["payment_key"].as_str().unwrap_or_default();
            let seen = self
                .dossiers
                .get(key)
                .and_then(|dossier| Payment::derive(dossier, scope));
            let seen = summary(&seen.unwrap_or_else(|| panic!("{place}: {key} is not found")));
            for (name, value) in &seen {
                if let Some(expect) = expect.get(name) {
                    assert_eq!(value, expect, "{place}: {name} of {key}");
                }
            }
        }
        for key in expected["not_found"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            let found = self
                .dossiers
                .get(key)
                .is_some_and(|dossier| Payment::derive(dossier, scope).is_some());
            assert!(!found, "{place}: {key} is found");
        }
    }
}

/// The derived values of a payment as an answer prints them.
fn summary(payment: &Payment<'_>) -> Map<String, Value> {
    let money = |minor: Option<i128>| {
        minor
            .zip(payment.currency)
            .map(|(minor, currency)| format_minor(minor, currency))
    };
    let settlement = payment.settlement.map(|sums| {
        let print = |minor| money(Some(minor));
        json!({"gross": print(sums.gross), "fee": print(sums.fee), "vat": print(sums.vat), "payout": print(sums.payout),
            "cost": print(sums.cost), "net_profit": print(sums.net_profit())})
    });
    let flags: Vec<&str> = payment.timeless_flags.iter().map(|flag| flag.as_str()).collect();
    let summary = json!({
        "merchant_id": payment.merchant_id,
        "order_id": payment.record.map(|record| record.order_id.as_str()),
        "version": payment.record.map(|record| record.version),
        "method": payment.record.map(|record| record.method.as_str()),
        "status": payment.status,
        "currency": payment.currency.map(|currency| currency.code()),
        "canceled_amount": money(payment.canceled_amount),
        "balance_amount": money(payment.balance_amount),
        "occurred_at": format_time(payment.occurred_at),
        "event_day": payment.event_day,
        "sale_day": payment.event_day,
        "settlement_status": payment.settlement_status,
        "settlement": settlement,
        "flags": flags,
    });
    summary.as_object().cloned().unwrap_or_default()
}

fn histories() -> Vec<(PathBuf, PathBuf)> {
    let fixtures = root().join("fixtures");
    let folder = fixtures.join("scenarios");
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut folders: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    folders.sort();
    assert!(folders.len() >= 10, "{} scenarios", folders.len());
    let mut histories: Vec<(PathBuf, PathBuf)> = folders
        .iter()
        .map(|folder| (folder.join("messages.ndjson"), folder.join("expected.json")))
        .collect();
    histories.push((
        fixtures.join("worked-example.ndjson"),
        fixtures.join("worked-example.expected.json"),
    ));
    histories
}

fn lines(path: &Path) -> Vec<Vec<u8>> {
    read(path)
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}

fn check_answers(ledger: &Ledger, expected: &Value, place: &str) {
    ledger.check(expected, &Scope::All, place);
    for view in expected["views"].as_array().into_iter().flatten() {
        let merchant = view["merchant"].as_str().unwrap_or_default();
        let scope = Scope::Merchants(BTreeSet::from([merchant.to_owned()]));
        ledger.check(view, &scope, &format!("{place} for {merchant}"));
    }
    let rows = expected["quarantine"].as_array().into_iter().flatten();
    let text = |row: &Value, name: &str| row[name].as_str().map(str::to_owned);
    let rows: BTreeSet<_> = rows
        .map(|row| (text(row, "code").unwrap_or_default(), text(row, "payment_key")))
        .collect();
    assert_eq!(ledger.quarantine(), rows, "{place}: quarantine");
}

#[test]
fn every_scenario_ends_as_it_says() {
    for (messages, expected) in histories() {
        let place = expected.display().to_string();
        let expected = read_json(&expected);
        assert!(expected["rule"].is_string(), "{place} names its rule");
        let mut ledger = Ledger::default();
        lines(&messages).iter().for_each(|line| ledger.take(line));
        for (verdict, count) in expected["verdicts"].as_object().into_iter().flatten() {
            let counted = ledger.verdicts.get(verdict).copied().unwrap_or(0);
            assert_eq!(Some(counted), count.as_u64(), "{place}: {verdict}");
        }
        check_answers(&ledger, &expected, &place);
    }
}

#[test]
fn every_scenario_ends_the_same_backwards_and_twice() {
    for (messages, expected) in histories() {
        let place = format!("{} backwards and twice", expected.display());
        let mut ledger = Ledger::default();
        let lines = lines(&messages);
        lines.iter().rev().chain(&lines).for_each(|line| ledger.take(line));
        check_answers(&ledger, &read_json(&expected), &place);
    }
}
