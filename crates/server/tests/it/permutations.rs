//! Every order of a small history, exhaustively: at the fold, and through the stores.
//!
//! `LEDGERLENS_SMALL_HISTORIES` says how many histories, `LEDGERLENS_SEED` where to begin.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::decode::decode;
use domain::dossier::Dossier;
use domain::message::Encoding;
use domain::rollup::{Cell, Measures, contribution, ledger_rows};
use testkit::histories::{Asked, History, Question, all_permutations};
use testkit::oracle::{Basis, Reader, ReportParams};

use crate::chance::Chance;
use crate::compare::{difference, key_of};
use crate::expected::oracle_of;
use crate::feeding::zones;
use crate::product::{Product, Sent, index_limits};
use crate::program::number;

/// What a payment adds to the cells.
type Cells = BTreeMap<Cell, Measures>;

fn small_histories(default: u64) -> impl Iterator<Item = History> {
    let first = number("LEDGERLENS_SEED", 1);
    let count = number("LEDGERLENS_SMALL_HISTORIES", default);
    (first..first + count).map(History::small)
}

#[test]
fn every_permutation_folds_to_the_same_dossiers_and_cells() {
    for history in small_histories(60) {
        let mut orders = all_permutations(&history).into_iter();
        let first = folded(&orders.next().unwrap_or_default());
        for (number, order) in orders.enumerate() {
            assert_eq!(folded(&order), first, "history {}, order {}", history.seed, number + 1);
        }
    }
}

/// The dossiers after these messages, and the cells as they were kept up message by message.
fn folded(messages: &[Vec<u8>]) -> (BTreeMap<String, Dossier>, Cells) {
    let zones = zones();
    let mut dossiers: BTreeMap<String, Dossier> = BTreeMap::new();
    let mut cells = Cells::new();
    for message in messages {
        let Ok(message) = decode(message, Encoding::Structured) else {
            continue;
        };
        let key = message.record.payment_key().to_owned();
        let zone = zones.of(message.record.merchant_id());
        let dossier = dossiers.entry(key.clone()).or_insert_with(|| Dossier::new(key));
        add(&mut cells, dossier, -1);
        dossier.apply(message, zone);
        add(&mut cells, dossier, 1);
    }
    cells.retain(|_, measures| !measures.is_zero());
    (dossiers, cells)
}

fn add(cells: &mut Cells, dossier: &Dossier, sign: i8) {
    for row in ledger_rows(dossier) {
        if let Some((cell, measures)) = contribution(&row) {
            cells.entry(cell).or_default().add(&measures, sign);
        }
    }
}

/// All orders of a history live in one directory, each under payment keys of its own.
#[test]
fn every_permutation_gives_the_answers_of_the_reference_model() {
    for history in small_histories(2) {
        let copies: Vec<History> = (0..all_permutations(&history).len())
            .map(|number| history.renamed(&format!("-{number}")))
            .collect();
        let ordered = copies
            .iter()
            .enumerate()
            .flat_map(|(number, copy)| all_permutations(copy).swap_remove(number));
        let messages: Vec<Vec<u8>> = ordered.collect();
        let found = found(&history, &copies, &messages);
        assert!(found.is_empty(), "history {}:\n{}", history.seed, found.join("\n"));
    }
}

fn found(history: &History, copies: &[History], messages: &[Vec<u8>]) -> Vec<String> {
    let mut product = fed(messages, history.seed);
    let whole = oracle_of(messages);
    let mut out = Vec::new();
    let readers = [
        Reader::finance(),
        Reader::merchant(["m1"]),
        Reader::merchant(["m_ny", "m2"]),
    ];
    for reader in readers {
        let key = key_of(&mut product, &reader);
        for copy in copies {
            // The model is slow: a copy is asked of the model that knows this copy alone.
            let alone = oracle_of(&copy.messages);
            for payment_key in &copy.payment_keys {
                let asked = Asked {
                    reader: reader.clone(),
                    question: Question::Payment(payment_key.clone()),
                };
                out.extend(difference(
                    &product,
                    &key,
                    &asked,
                    &asked.answered_by(&alone),
                    0,
                    &alone,
                ));
            }
        }
    }
    // The model adds up slowly, so the sums are asked for once, of everything.
    let reader = Reader::finance();
    let key = key_of(&mut product, &reader);
    for question in reports() {
        let asked = Asked {
            reader: reader.clone(),
            question,
        };
        out.extend(difference(
            &product,
            &key,
            &asked,
            &asked.answered_by(&whole),
            0,
            &whole,
        ));
    }
    out.extend(product.verify());
    out
}

fn reports() -> [Question; 4] {
    let all_days = |basis| ReportParams {
        from: NaiveDate::from_ymd_opt(2020, 1, 1),
        to: NaiveDate::from_ymd_opt(2035, 1, 1),
        ..ReportParams::on(basis)
    };
    [
        Question::Sales(all_days(Basis::EventDay)),
        Question::Sales(all_days(Basis::SaleDay)),
        Question::Settlements(all_days(Basis::SoldOn)),
        Question::Settlements(all_days(Basis::PaidOutOn)),
    ]
}

/// In batches whose bounds fall anywhere, so that permutations begin in one batch and end in another.
fn fed(messages: &[Vec<u8>], seed: u64) -> Product {
    let mut chance = Chance::new(seed);
    let mut product = Product::new(zones(), index_limits(std::time::Duration::from_millis(3)));
    let partition = std::sync::Arc::new(domain::position::PartitionId::File { sha256: "0".repeat(64) });
    let distinct: BTreeSet<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    assert!(!distinct.is_empty(), "a history has messages");
    let mut position = 0;
    let mut rest = messages;
    while !rest.is_empty() {
        let (batch, later) = rest.split_at(chance.between(1, 37).min(rest.len()));
        let sent = batch.iter().map(|message| {
            position += 1;
            Sent {
                partition: partition.clone(),
                position,
                value: Some((message.clone(), Vec::new())),
            }
        });
        product.apply(sent.collect());
        rest = later;
    }
    product
}
