//! What is not there: absent values, payments that have not arrived, entries that do not count.

use std::collections::BTreeSet;

use domain::scope::Scope;
use query::catalogue;
use serde_json::json;

use super::{answer, check};
use crate::recheck::fixtures::{cancellation, dossier, payment, settlement};

#[test]
fn a_leaf_on_an_absent_value_is_false() {
    let bare = dossier(&[payment(json!({}))]);
    let present: BTreeSet<&str> = [
        "merchant_id",
        "status",
        "settlement_status",
        "method",
        "currency",
        "amount",
        "balance_amount",
        "sale_day",
        "approved_at",
        "event_day",
        "payment_key",
        "order_id",
    ]
    .into();
    for field in catalogue() {
        if present.contains(field.name) || field.name == "flag" {
            continue;
        }
        for example in field.examples.iter().filter(|example| !example.starts_with('-')) {
            check(&bare, &[], &[example]);
        }
    }
    check(
        &bare,
        &["-paid_out_on:[* TO *]"],
        &["paid_out_on:[* TO *]", "canceled_at:<=9999-01-01T00:00:00Z"],
    );
}

#[test]
fn an_orphan_is_found_by_what_its_entries_say() {
    let orphan = dossier(&[
        cancellation("C1", json!({"merchant_id": "m1", "reason": "변심"})),
        settlement("S1", json!({"merchant_id": "m2", "payout_id": "po1"})),
    ]);
    check(
        &orphan,
        &[
            "status:UNKNOWN",
            "method:UNKNOWN",
            "flag:awaiting_payment",
            "currency:USD",
            "payment_key:pay0001",
            "c1",
            "변심",
            "payout_id:po1",
            "event_day:2026-04-20",
            "sold_on:2026-03-02",
        ],
        &[
            "merchant_id:m1",
            "amount:[* TO *]",
            "balance_amount:[* TO *]",
            "sale_day:[* TO *]",
            "approved_at:[* TO *]",
        ],
    );
    let sees_m1 = Scope::Merchants(["m1".to_owned()].into());
    assert!(answer(
        &orphan,
        &sees_m1,
        "merchant_id:m1 reason:변심 -payout_id:po1 settlement_status:NONE"
    ));
}

#[test]
fn deleted_entries_and_those_set_aside_are_not_searched() {
    let some = dossier(&[
        payment(json!({})),
        cancellation("C1", json!({"deleted": true, "reason": "변심"})),
        settlement(
            "S1",
            json!({"merchant_id": "m2", "payout_id": "po1", "metadata": {"store": "s7"}}),
        ),
        settlement(
            "S2",
            json!({"currency": "KRW", "amount": "100", "payout_amount": "100", "payout_id": "po2"}),
        ),
    ]);
    check(
        &some,
        &["flag:quarantined"],
        &[
            "변심",
            "c1",
            "po1",
            "payout_id:po2",
            "metadata.store:s7",
            "sold_on:[* TO *]",
        ],
    );
}
