//! Lists, searches, reports and masking.

use super::super::{Basis, By, End, Filters, Group, RefQuery, ReportParams};
use super::*;

fn rich() -> Vec<Vec<u8>> {
    vec![
        payment(json!({
            "order_name": "아메리카노  2잔", "transaction_key": "TX-9001", "metadata": {"store": "Ｓ12"},
            "customer": {"name": "김철수", "email": "kim@example.com", "phone": "010-1234-5678", "customer_key": "ck"},
            "card": {"issuer": "현대", "number_masked": "411111******4242", "approve_no": "0012 34", "unknown": 1},
            "virtual_account": {"bank": "우리", "account_number": "1002-123-456789", "depositor": "이영", "due_at": "2026-03-02T00:00:00+09:00"},
        })),
        cancellation(json!({"reason": "STRASSE gesperrt", "reason_code": "R1"})),
        settlement(json!({"payout_id": "po-1", "metadata": {"batch": "b7"}})),
        settlement(json!({"settlement_id": "S2", "payout_id": "po-2", "paid_out_on": "2026-03-09"})),
        payment(json!({"payment_key": "Q", "order_id": "ORD-2", "currency": "USD", "amount": {"total": "10.5"}})),
        cancellation(json!({"payment_key": "R", "cancellation_id": "C9", "canceled_at": "2026-03-01T10:00:00+09:00"})),
    ]
}

fn list(filters: &Filters) -> String {
    fed(&rich()).list(&Reader::finance(), filters).concat()
}

fn search(q: RefQuery) -> String {
    list(&Filters {
        q: Some(q),
        ..Filters::default()
    })
}

fn word(text: &str) -> RefQuery {
    RefQuery::Word(text.into())
}

fn field(name: &str, value: &str) -> RefQuery {
    RefQuery::Compare {
        field: name.into(),
        by: By::Value,
        value: value.into(),
    }
}

fn not(part: RefQuery) -> RefQuery {
    RefQuery::Not(Box::new(part))
}

#[test]
fn a_list_is_newest_first_then_by_key() {
    let later = payment(json!({"payment_key": "A", "approved_at": "2026-03-01T10:00:00.000001+09:00"}));
    let oracle = fed(&[rich(), vec![later]].concat());
    assert_eq!(
        oracle.list(&Reader::finance(), &Filters::default()),
        ["A", "P", "Q", "R"]
    );
    assert!(oracle.list(&Reader::merchant(["m2"]), &Filters::default()).is_empty());
}

#[test]
fn typed_filters() {
    let equal = |pairs: &[(&str, &str)]| {
        let equal = pairs
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        list(&Filters {
            equal,
            ..Filters::default()
        })
    };
    assert_eq!(equal(&[("status", "UNKNOWN")]), "R");
    assert_eq!(equal(&[("status", "UNKNOWN"), ("status", "DONE")]), "QR");
    assert_eq!(equal(&[("method", "CARD"), ("currency", "KRW")]), "P");
    assert_eq!(equal(&[("order_id", "ord1")]), "P");
    assert_eq!(equal(&[("flag", "awaiting_payment")]), "R");
    assert_eq!(equal(&[("merchant_id", "m9")]), "");
    let bounds = |bounds: &[(&str, By, &str)]| {
        let bounds = bounds
            .iter()
            .map(|(name, by, value)| ((*name).into(), *by, (*value).into()))
            .collect();
        list(&Filters {
            bounds,
            ..Filters::default()
        })
    };
    assert_eq!(bounds(&[("amount", By::Gte, "10.50")]), "PQ");
    assert_eq!(bounds(&[("amount", By::Lt, "10.51")]), "Q");
    assert_eq!(bounds(&[("balance_amount", By::Lte, "70000")]), "PQ");
    // P is paid out on the 3rd and the 9th: no single line lies between.
    assert_eq!(
        bounds(&[
            ("paid_out_on", By::Gt, "2026-03-03"),
            ("paid_out_on", By::Lt, "2026-03-09")
        ]),
        ""
    );
    assert_eq!(
        bounds(&[
            ("paid_out_on", By::Gte, "2026-03-03"),
            ("paid_out_on", By::Lt, "2026-03-09")
        ]),
        "P"
    );
    assert_eq!(bounds(&[("event_day", By::Gte, "2026-04-20")]), "P");
    assert_eq!(bounds(&[("sale_day", By::Gte, "2026-04-20")]), "");
    assert_eq!(bounds(&[("canceled_at", By::Lte, "2026-03-01T01:00:00Z")]), "R");
}

#[test]
fn words_are_identifiers_last_digits_or_part_of_a_text() {
    for text in [
        "아메리",
        "리카노 2",
        "ord-1",
        "ORD1",
        "tx9001",
        "0012 34",
        "001234",
        "1002123456789",
        "KIM@example.com",
        "01012345678",
        "김철",
        "이영",
        "straße",
        "s12",
        "4242",
        "C1",
        "S2",
        "PO1",
        "b7",
        "ａｍｅ",
    ] {
        let expected = if text == "ａｍｅ" { "" } else { "P" };
        assert_eq!(search(word(text)), expected, "{text}");
    }
    for text in [
        "1234",
        "12345678",
        "현대",
        "R1",
        "ck",
        "카노 잔",
        "store",
        "DONE",
        "4111",
    ] {
        assert_eq!(search(word(text)), "", "{text}");
    }
    assert_eq!(search(not(word("아메리"))), "QR");
}

#[test]
fn fields_compare_each_in_its_way() {
    assert_eq!(search(field("issuer", "현대")), "P");
    assert_eq!(search(field("issuer", "현")), "");
    assert_eq!(search(field("order_name", "카노 2")), "P");
    assert_eq!(search(field("metadata.store", "s12")), "P");
    assert_eq!(search(field("metadata.store", "s1")), "");
    assert_eq!(search(field("last4", "4242")), "P");
    assert_eq!(search(field("channel", "CONSOLE")), "PR");
    assert_eq!(search(field("event_day", "2026-03-01")), "PQR");
    assert_eq!(search(field("sale_day", "2026-03-01")), "PQ");
    assert_eq!(search(not(field("sale_day", "2026-03-01"))), "R");
    assert_eq!(
        search(RefQuery::Prefix {
            field: "transaction_key".into(),
            prefix: "tx90".into()
        }),
        "P"
    );
    assert_eq!(
        search(RefQuery::Compare {
            field: "amount".into(),
            by: By::Gt,
            value: "10.5".into()
        }),
        "P"
    );
}

#[test]
fn not_means_no_live_entry_has_it() {
    assert_eq!(search(not(field("payout_id", "po-1"))), "QR");
    assert_eq!(
        search(RefQuery::And(vec![
            field("payout_id", "po-1"),
            field("payout_id", "po-2")
        ])),
        "P"
    );
    assert_eq!(
        search(RefQuery::And(vec![
            field("payout_id", "po-1"),
            not(field("payout_id", "po-2"))
        ])),
        ""
    );
    assert_eq!(
        search(RefQuery::Or(vec![field("currency", "USD"), field("payout_id", "po-2")])),
        "PQ"
    );
}

#[test]
fn queries_are_printed_in_the_search_language() {
    let end = |value: &str, inclusive| {
        Some(End {
            value: value.into(),
            inclusive,
        })
    };
    let range = RefQuery::Range {
        field: "event_day".into(),
        low: end("2026-11-01", true),
        high: end("2026-11-20", false),
    };
    let query = RefQuery::And(vec![
        field("status", "DONE"),
        RefQuery::Compare {
            field: "amount".into(),
            by: By::Gte,
            value: "10000".into(),
        },
        word("스타 커피"),
        not(field("flag", "awaiting_payment")),
        range,
        RefQuery::Prefix {
            field: "order_id".into(),
            prefix: "ORD-2026".into(),
        },
        RefQuery::Or(vec![word("OR"), not(word("a-b"))]),
        RefQuery::Range {
            field: "amount".into(),
            low: None,
            high: end("-5", true),
        },
    ]);
    let text = "(status:DONE amount:>=10000 \"스타 커피\" -flag:awaiting_payment event_day:[2026-11-01 TO 2026-11-20} \
                order_id:ORD-2026* (\"OR\" OR -a-b) amount:[* TO -5])";
    assert_eq!(query.to_string(), text);
}

#[test]
fn personal_data_is_masked_and_the_providers_figures_hidden() {
    let oracle = fed(&rich());
    let personal = |name: &str, email: &str, phone: &str, depositor: &str, account: &str| {
        [
            ("/customer/name", json!(name)),
            ("/customer/email", json!(email)),
            ("/customer/phone", json!(phone)),
            ("/virtual_account/depositor", json!(depositor)),
            ("/virtual_account/account_number", json!(account)),
            (
                "/card",
                json!({"issuer": "현대", "number_masked": "411111******4242", "approve_no": "0012 34", "last4": "4242"}),
            ),
            ("/virtual_account/due_at", json!("2026-03-01T15:00:00.000000Z")),
        ]
    };
    let finance = oracle.payment("P", &Reader::finance()).unwrap_or_default();
    check(
        &finance,
        &personal("김*수", "k**@example.com", "*********5678", "이*", "***********6789"),
    );
    let operator = oracle.payment("P", &Reader::unmasking_operator()).unwrap_or_default();
    check(
        &operator,
        &personal("김철수", "kim@example.com", "010-1234-5678", "이영", "1002-123-456789"),
    );
    let merchant = oracle.payment("P", &Reader::merchant(["m1"])).unwrap_or_default();
    for pointer in [
        "/settlement/cost",
        "/settlement/net_profit",
        "/settlements/0/cost",
        "/settlements/0/costs",
    ] {
        assert!(finance.pointer(pointer).is_some(), "{pointer}");
        assert_eq!(merchant.pointer(pointer), None);
    }
}

#[test]
fn reports_group_filter_and_keep_currencies_apart() {
    let oracle = fed(&rich());
    let params = ReportParams {
        group_by: vec![Group::Month, Group::Method],
        ..ReportParams::on(Basis::EventDay)
    };
    let answer = oracle.sales(&Reader::finance(), &params);
    let keys: Vec<_> = answer["data"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| {
            ["month", "method", "currency", "net_amount"]
                .map(|name| row[name].as_str().unwrap_or_default().to_owned())
                .join(" ")
        })
        .collect();
    assert_eq!(
        keys,
        [
            "2026-03 CARD KRW 100000",
            "2026-03 CARD USD 10.50",
            "2026-03 UNKNOWN KRW -30000",
            "2026-04 CARD KRW -30000"
        ]
    );
    check(
        &answer,
        &[
            ("/totals/0/net_amount", json!("40000")),
            ("/totals/1/currency", json!("USD")),
        ],
    );
    let usd_by_sale_day = ReportParams {
        currency: vec!["USD".into()],
        ..ReportParams::on(Basis::SaleDay)
    };
    check(
        &oracle.sales(&Reader::finance(), &usd_by_sale_day),
        &[("/orphans_left_out", json!(0)), ("/data/1", json!(null))][..1],
    );
    let others = oracle.sales(&Reader::merchant(["m2"]), &ReportParams::on(Basis::SaleDay));
    assert_eq!(others, json!({"data": [], "totals": [], "orphans_left_out": 0}));
}

#[test]
fn only_finished_sales_and_cancellations_are_counted() {
    let waiting = |id: &str, status: &str| {
        cancellation(json!({
            "cancellation_id": id, "status": status, "canceled_at": null, "requested_at": "2026-03-01T12:00:00+09:00",
        }))
    };
    let open = [waiting("C1", "PENDING"), waiting("C2", "FAILED")];
    check(
        &fed(&open).sales(&Reader::finance(), &ReportParams::on(Basis::SaleDay)),
        &[("/orphans_left_out", json!(0))],
    );
    let status = |key: &str, status: &str| payment(json!({"payment_key": key, "status": status}));
    let sales = [
        status("P", "READY"),
        status("Q", "AUTHORIZED"),
        status("R", "EXPIRED"),
        status("T", "ABORTED"),
    ];
    let oracle = fed(&[&open[..], &sales].concat());
    let row = json!({
        "currency": "KRW", "payment_count": 1, "payment_amount": "100000", "cancellation_count": 0,
        "cancellation_amount": "0", "net_amount": "100000", "failed_count": 2,
    });
    for basis in [Basis::EventDay, Basis::SaleDay] {
        let answer = oracle.sales(&Reader::finance(), &ReportParams::on(basis));
        check(&answer, &[("/data", json!([row]))]);
    }
    let answer = oracle.payment("P", &Reader::finance()).unwrap_or_default();
    check(
        &answer,
        &[
            ("/canceled_amount", json!("0")),
            ("/cancellations/1/status", json!("FAILED")),
        ],
    );
    // Neither sold, nor failed, nor canceled: no row.
    let nothing = fed(&[status("P", "READY")]).sales(&Reader::finance(), &ReportParams::on(Basis::EventDay));
    assert_eq!(nothing, json!({"data": [], "totals": [], "orphans_left_out": 0}));
}
