//! What operators do to quarantine, against the reference model: rows that are closed flag nobody, however often their
//! messages come again, and nothing else changes.

use api::keys::Role;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::histories::History;

use crate::compare::differences;
use crate::expected::{Expected, oracle_of, questions};
use crate::feeding::{Way, fed};
use crate::product::Product;

/// Random questions beside those that are asked of every history.
const QUESTIONS: usize = 10;

/// Most of the contents, whatever the order they came in.
fn is_chosen(sha256: &str) -> bool {
    sha256.as_bytes().first().is_some_and(|digit| digit % 4 != 0)
}

fn sha256(raw: &[u8]) -> String {
    Sha256::digest(raw).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn open_rows(product: &mut Product, key: &str) -> Vec<Value> {
    let answer = product.get(key, "/v1/quarantine?open=true&limit=100");
    answer.body["data"].as_array().expect("rows").clone()
}

fn is_message(row: &Value) -> bool {
    !row["bytes"].is_null()
}

/// Closes the chosen rows, one by one, and tries to replay all others, which stay refused. Returns how many were closed.
fn operate(product: &mut Product) -> usize {
    let key = product.key(Role::Operator, &[]);
    let mut closed = 0;
    for row in open_rows(product, &key) {
        let (n, digest) = (&row["n"], row["sha256"].as_str().expect("a digest"));
        if is_message(&row) && is_chosen(digest) {
            let answer = product.act(&key, &format!("/v1/quarantine/{n}/close"), &json!({"reason": "chosen"}));
            assert_eq!(
                (answer.status.as_u16(), &answer.body["open"]),
                (200, &json!(false)),
                "{row}"
            );
            closed += 1;
        }
    }
    let left = open_rows(product, &key).iter().filter(|row| is_message(row)).count();
    let replayed = product.act(&key, "/v1/quarantine/replay", &json!({}));
    let (matched, counts) = (&replayed.body["matched"], &replayed.body["counts"]);
    let impossible = replayed.body["not_replayable"].as_u64().unwrap_or_default();
    let refused = counts["quarantined"].as_u64().unwrap_or_default();
    assert_eq!(
        (matched, refused + impossible),
        (&json!(left), left as u64),
        "{}",
        replayed.body
    );
    closed
}

#[test]
fn closed_rows_change_what_the_reference_model_changes() {
    let first = std::env::var("LEDGERLENS_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(1);
    let mut closed = 0;
    for seed in first..first + 8 {
        let history = History::random(seed);
        let asked = questions(&history, QUESTIONS);
        let mut oracle = oracle_of(&history.messages);
        oracle.close_refused(|raw| is_chosen(&sha256(raw)));
        let expected = Expected::of_oracle(oracle, &asked);
        let mut product = fed(&history.shuffled(1), seed, Way::Rough);
        closed += operate(&mut product);
        let mut found = differences(&mut product, &expected);
        // Rows that are derived are made again, and every message comes a second time.
        product.restart(|product| product.remove("rows"));
        product.deliver_again(&history.messages);
        found.extend(differences(&mut product, &expected));
        found.extend(product.verify());
        assert!(found.is_empty(), "history {seed}:\n{}", found.join("\n"));
    }
    assert!(closed > 2, "only {closed} rows were closed");
}
