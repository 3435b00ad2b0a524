//! Every field of the language against one payment that has everything, and against those that lack it.

mod absent;

use domain::derive::Payment;
use domain::dossier::Dossier;
use domain::scope::Scope;
use serde_json::json;

use super::fixtures::{cancellation, dossier, instant, payment, settlement};
use super::satisfies;

fn answer(dossier: &Dossier, scope: &Scope, text: &str) -> bool {
    let filter = query::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let payment = Payment::derive(dossier, scope).unwrap_or_else(|| panic!("the scope sees the payment"));
    satisfies(&filter, &payment, instant("2026-05-01T00:00:00Z"), 7)
}

fn check(dossier: &Dossier, yes: &[&str], no: &[&str]) {
    for text in yes {
        assert!(answer(dossier, &Scope::All, text), "{text} should hold");
        assert!(
            !answer(dossier, &Scope::All, &format!("NOT ({text})")),
            "NOT ({text}) should not hold"
        );
    }
    for text in no {
        assert!(!answer(dossier, &Scope::All, text), "{text} should not hold");
        assert!(
            answer(dossier, &Scope::All, &format!("NOT ({text})")),
            "NOT ({text}) should hold"
        );
    }
}

fn rich() -> Dossier {
    dossier(&[
        payment(json!({
            "order_name": "스타  커피\t원두 Ｃａｆé", "transaction_key": "TX-9001",
            "customer": {"name": "김철수", "email": "Kim@Example.com", "phone": "010-1234-5678", "customer_key": "ck-1"},
            "card": {"issuer": "SHINHAN", "acquirer": "BC", "last4": "4242", "approve_no": "0012 3456"},
            "virtual_account": {"bank": "우리", "account_number": "1002-123-456789", "depositor": "홍길동"},
            "easy_pay": {"provider": "TOSSPAY"}, "transfer": {"bank": "국민"}, "gift_certificate": {"issuer": "문화상품권"},
            "failure": {"code": "F1", "message": "한도 초과"}, "metadata": {"store": "Ｓ12", "gift wrap": "Yes"},
        })),
        cancellation(
            "C-1",
            json!({
                "reason": "고객 변심", "reason_code": "R01", "requested_by": {"channel": "CONSOLE"},
                "metadata": {"ticket": "T-77"},
            }),
        ),
        cancellation(
            "C-2",
            json!({"status": "PENDING", "canceled_at": null, "requested_at": "2026-04-30T15:00:00Z",
            "reason": "wrong size", "requested_by": {"channel": "API"}}),
        ),
        settlement(
            "S-1",
            json!({"status": "PAID", "paid_out_on": "2026-03-05", "payout_id": "PO-1"}),
        ),
        settlement(
            "S-2",
            json!({"of": "CANCELLATION", "cancellation_id": "C-9", "amount": "-10", "payout_amount": "-10",
            "sold_on": "2026-04-20", "metadata": {"store": "s99"}}),
        ),
    ])
}

#[test]
fn identifiers_are_equal_without_case_spaces_and_hyphens() {
    check(
        &rich(),
        &[
            "payment_key:PAY0001",
            "payment_key:pay-0*",
            "order_id:ord20260042",
            "order_id:ORD-2026*",
            "transaction_key:tx9001",
            "cancellation_id:c1",
            "cancellation_id:C-2",
            "cancellation_id:C-9",
            "settlement_id:s-1",
            "settlement_id:S2",
            "payout_id:po1",
            "approve_no:00123456",
            "account_number:1002123456789",
            "email:kim@example.com",
            "email:kim@*",
            "phone:01012345678",
            "phone:\"010 1234\"*",
        ],
        &[
            "payment_key:pay-000",
            "order_id:TX-9001",
            "transaction_key:ORD-2026*",
            "cancellation_id:S-1",
            "settlement_id:C-1",
            "payout_id:po",
            "payout_id:po-1-0*",
            "approve_no:0012",
            "email:kim",
            "phone:1234",
            "order_id:2026-0*",
        ],
    );
}

#[test]
fn texts_contain_and_keywords_equal() {
    check(
        &rich(),
        &[
            "order_name:\"스타 커피\"",
            "order_name:CAFÉ",
            "customer_name:철수",
            "depositor:길동",
            "reason:변심",
            "reason:\"WRONG  SIZE\"",
            "failure_message:초과",
            "last4:4242",
            "issuer:SHINHAN",
            "issuer:문화상품권",
            "provider:TOSSPAY",
            "bank:우리",
            "bank:국민",
            "reason_code:R01",
            "channel:CONSOLE",
            "channel:API",
            "merchant_id:m1",
            "method:CARD",
            "currency:USD",
            "metadata.store:s12",
            "metadata.store:S99",
            "metadata.\"gift wrap\":yes",
            "metadata.ticket:t-77",
        ],
        &[
            "order_name:커피스타",
            "order_name:김철수",
            "reason:한도",
            "last4:0042",
            "issuer:shinhan",
            "issuer:BC",
            "provider:TOSS",
            "bank:하나",
            "reason_code:r01",
            "channel:SYSTEM",
            "merchant_id:M1",
            "method:UNKNOWN",
            "currency:KRW",
            "metadata.store:s1",
            "metadata.Store:s12",
            "metadata.ticket:t77",
        ],
    );
}

#[test]
fn a_word_is_an_identifier_a_last4_or_part_of_a_text() {
    check(
        &rich(),
        &[
            "PAY-0001",
            "ord20260042",
            "tx-9001",
            "C-2",
            "c9",
            "s2",
            "PO1",
            "0012-3456",
            "1002123456789",
            "kim@example.com",
            "01012345678",
            "4242",
            "커피",
            "\"스타 커피\"",
            "café",
            "철수",
            "길동",
            "변심",
            "초과",
            "s99",
            "T-77",
            "ORD-2026*",
            "kim@e*",
        ],
        &[
            "2026",
            "4243",
            "SHINHAN",
            "TOSSPAY",
            "CONSOLE",
            "R01",
            "USD",
            "ck-1",
            "F1",
            "12345678",
            "스타커피",
            "example*",
            "\"스타 커피\"*",
        ],
    );
}

#[test]
fn amounts_compare_exactly_in_the_payments_own_currency() {
    check(
        &rich(),
        &[
            "amount:100.5",
            "amount:>=100.50",
            "amount:<=100.5",
            "amount:>100.4999",
            "amount:[100.5 TO 100.5]",
            "amount:[* TO *]",
            "balance_amount:90.50",
            "balance_amount:{90 TO 91}",
        ],
        &[
            "amount:100",
            "amount:>100.5",
            "amount:<100.50",
            "amount:{100.5 TO 200]",
            "amount:10050",
            "balance_amount:100.5",
        ],
    );
    let whole = dossier(&[payment(json!({"currency": "KRW", "amount": {"total": "10000"}}))]);
    check(
        &whole,
        &["amount:10000", "amount:>9999.999", "amount:<10000.001"],
        &["amount:100", "amount:100.00"],
    );
}

#[test]
fn days_and_times_of_one_entry_must_satisfy_both_ends() {
    check(
        &rich(),
        &[
            "sale_day:2026-03-02",
            "event_day:2026-03-02",
            "event_day:2026-04-20",
            "event_day:2026-05-01",
            "event_day:[2026-04-01 TO 2026-04-20]",
            "sold_on:2026-03-02",
            "sold_on:2026-04-20",
            "paid_out_on:2026-03-05",
            "paid_out_on:[* TO *]",
            "approved_at:2026-03-01T15:30:00Z",
            "approved_at:<2026-03-02T00:31:00+09:00",
            "canceled_at:2026-04-20T15:00:00+09:00",
            "canceled_at:[2026-04-20T00:00:00Z TO 2026-04-21T00:00:00Z}",
        ],
        &[
            "sale_day:2026-03-01",
            "sale_day:2026-04-20",
            "event_day:2026-03-01",
            "event_day:[2026-03-03 TO 2026-04-20}",
            "event_day:{2026-04-20 TO 2026-05-01}",
            "sold_on:{2026-03-02 TO 2026-04-20}",
            "paid_out_on:>2026-03-05",
            "approved_at:>2026-03-01T15:30:00Z",
            "canceled_at:>2026-04-20T06:00:00Z",
        ],
    );
}

#[test]
fn statuses_and_flags_are_derived() {
    check(
        &rich(),
        &["status:PARTIALLY_CANCELED", "settlement_status:PARTIALLY_PAID"],
        &[
            "status:DONE",
            "settlement_status:PAID",
            "flag:conflict",
            "flag:awaiting_payment",
            "flag:unsettled_overdue",
        ],
    );
    let overdue = dossier(&[payment(json!({}))]);
    check(
        &overdue,
        &["status:DONE", "settlement_status:NONE", "flag:unsettled_overdue"],
        &["flag:over_canceled"],
    );
}

#[test]
fn and_or_and_not_act_on_the_payment() {
    check(
        &rich(),
        &[
            // Brought by two different entries.
            "metadata.store:s12 payout_id:po1",
            "reason:변심 reason:size",
            "payout_id:zz OR order_name:커피",
            "-payout_id:zz",
            "(status:DONE OR status:PARTIALLY_CANCELED) -bank:하나",
        ],
        &[
            "-payout_id:po1",
            "metadata.store:s12 payout_id:zz",
            "커피 -철수",
            "-(커피 OR zzz)",
        ],
    );
}
