//! The `data` of the messages about one payment.

use super::material::{self as pool, Draw};
use serde_json::{Map, Value, json};

/// A message before it is spelled.
#[derive(Clone)]
pub(super) struct Content {
    /// `payment`, `cancellation` or `settlement`.
    pub(super) kind: &'static str,
    pub(super) data: Value,
}

/// What the messages about one payment agree on, mostly.
struct Home {
    key: String,
    merchant: String,
    currency: (&'static str, u32),
    /// Whether a payment entry is ever sent.
    arrives: bool,
}

/// `count` messages about one payment. All are accepted; refused ones come from elsewhere.
pub(super) fn about_one_payment(draw: &mut Draw, key: &str, count: usize) -> Vec<Content> {
    let home = Home {
        key: key.to_owned(),
        merchant: draw.text(&pool::MERCHANTS),
        currency: *draw.one(&pool::CURRENCIES),
        arrives: draw.chance(85),
    };
    let mut sent: Vec<Content> = Vec::new();
    for _ in 0..count {
        let next = match sent.len() {
            0 => fresh(draw, &home),
            _ => match draw.between(0, 9) {
                // The same fact again; the envelope and the spelling will differ.
                0 => draw.one(&sent).clone(),
                1 | 2 => {
                    let conflicting = draw.one(&sent).clone();
                    altered(draw, conflicting)
                }
                3 => {
                    let revived = draw.one(&sent).clone();
                    revived_or_buried(draw, revived)
                }
                _ => fresh(draw, &home),
            },
        };
        sent.push(next);
    }
    sent
}

fn fresh(draw: &mut Draw, home: &Home) -> Content {
    let merchant = if draw.chance(12) {
        draw.text(&pool::MERCHANTS)
    } else {
        home.merchant.clone()
    };
    let currency = if draw.chance(10) {
        *draw.one(&pool::CURRENCIES)
    } else {
        home.currency
    };
    let (kind, mut data) = match draw.between(0, 9) {
        0..=3 if home.arrives => ("payment", payment(draw, currency.1)),
        0..=6 => ("cancellation", cancellation(draw, currency.1)),
        _ => ("settlement", settlement(draw, currency.1)),
    };
    put(&mut data, "payment_key", json!(home.key));
    put(&mut data, "merchant_id", json!(merchant));
    put(&mut data, "currency", json!(currency.0));
    put(&mut data, "version", json!(draw.between(1, 4)));
    if draw.chance(12) {
        put(&mut data, "deleted", json!(true));
    } else if draw.chance(5) {
        put(&mut data, "deleted", json!(false));
    }
    if draw.chance(30) {
        let metadata = metadata(draw);
        put(&mut data, "metadata", metadata);
    }
    if draw.chance(15) {
        put(&mut data, "unknown", json!({"note": [1.5, true, null, "ｘ"], "n": 3}));
    }
    Content {
        kind,
        data: Value::Object(data),
    }
}

/// Another content of the same entry and version.
fn altered(draw: &mut Draw, mut content: Content) -> Content {
    match draw.between(0, 4) {
        0 => content.data["merchant_id"] = json!(draw.text(&pool::MERCHANTS)),
        1 => {
            content.data["metadata"] =
                Value::Object(Map::from_iter([("batch".to_owned(), json!(draw.text(&["b7", "b8"])))]))
        }
        2 => content.data["deleted"] = json!(draw.chance(50)),
        3 => content.data["unknown"] = json!(draw.between(0, 3)),
        _ => content.data["metadata"] = metadata(draw),
    }
    content
}

/// A later version that deletes the entry or brings it back.
fn revived_or_buried(draw: &mut Draw, mut content: Content) -> Content {
    let version = content.data["version"].as_u64().unwrap_or(1);
    content.data["version"] = json!(version + draw.between(1, 3) as u64);
    content.data["deleted"] = json!(draw.chance(50));
    content
}

fn put(data: &mut Map<String, Value>, name: &str, value: Value) {
    data.insert(name.to_owned(), value);
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn metadata(draw: &mut Draw) -> Value {
    let mut pairs = Map::new();
    put(&mut pairs, "store", json!(draw.text(&["s7", "s12", "Ｓ12", "강남점"])));
    if draw.chance(50) {
        let memo = if draw.chance(30) {
            draw.text(&pool::CARD_TEXTS)
        } else {
            draw.text(&pool::ORDER_NAMES)
        };
        put(&mut pairs, "memo", json!(memo));
    }
    Value::Object(pairs)
}

fn time(draw: &mut Draw) -> Value {
    let at = pool::instant(draw);
    json!(pool::spelled_instant(draw, at))
}

fn payment(draw: &mut Draw, digits: u32) -> Map<String, Value> {
    let statuses = [
        "DONE",
        "DONE",
        "DONE",
        "DONE",
        "AUTHORIZED",
        "READY",
        "IN_PROGRESS",
        "WAITING_FOR_DEPOSIT",
        "ABORTED",
        "EXPIRED",
    ];
    let status = draw.text(&statuses);
    let total = pool::minor(draw);
    let mut amount = Map::new();
    put(&mut amount, "total", json!(pool::spelled_money(draw, total, digits)));
    for member in ["supplied", "vat", "tax_free", "discount"] {
        if draw.chance(15) {
            let minor = pool::minor(draw);
            put(&mut amount, member, json!(pool::spelled_money(draw, minor, digits)));
        }
    }
    let mut data = object(json!({
        "order_id": draw.text(&["ORD-2026-0001", "ord 20260001", "ORD-2026-0002", "X 1"]),
        "status": status,
        "method": draw.text(&pool::METHODS),
        "amount": amount,
        "requested_at": time(draw),
    }));
    if ["DONE", "AUTHORIZED"].contains(&status.as_str()) || draw.chance(10) {
        put(&mut data, "approved_at", time(draw));
    }
    payment_options(draw, &mut data);
    data
}

fn payment_options(draw: &mut Draw, data: &mut Map<String, Value>) {
    if draw.chance(60) {
        let name = if draw.chance(15) {
            draw.text(&pool::CARD_TEXTS)
        } else {
            draw.text(&pool::ORDER_NAMES)
        };
        put(data, "order_name", json!(name));
    }
    if draw.chance(40) {
        let all = json!({
            "name": draw.text(&pool::NAMES), "email": draw.text(&["kim@example.com", "A.B-c@Example.COM"]),
            "phone": draw.text(&["010-1234-5678", "01012345678", "+1 212 555 0100"]), "customer_key": "ck-1", "unknown": "u",
        });
        put(data, "customer", some_of(draw, all));
    }
    if draw.chance(40) {
        let all = json!({
            "issuer": draw.text(&["현대", "SHINHAN"]), "acquirer": "BC",
            "number_masked": draw.text(&["411111******4242", "****-****-****-0005", "4242 **** **** ****", "4111111111111111"]),
            "last4": draw.text(&["4242", "0005"]), "approve_no": draw.text(&["00123456", "0012-3456"]),
            "installment_months": draw.between(0, 12), "type": "CREDIT", "acquire_status": "READY", "unknown": 1,
        });
        put(data, "card", some_of(draw, all));
    }
    if draw.chance(20) {
        let all = json!({
            "bank": draw.text(&["우리", "MUFG"]), "account_number": draw.text(&["1002-123-456789", "1002123456789"]),
            "depositor": draw.text(&pool::NAMES), "due_at": time(draw),
        });
        put(data, "virtual_account", some_of(draw, all));
    }
    for (group, value) in [
        ("easy_pay", json!({"provider": draw.text(&["kakaopay", "TOSSPAY"])})),
        ("transfer", json!({"bank": draw.text(&["우리", "국민"])})),
        (
            "mobile_phone",
            json!({"carrier": "SKT", "phone_masked": "010-****-5678"}),
        ),
        ("gift_certificate", json!({"issuer": "문화상품권"})),
        (
            "failure",
            json!({"code": "F1", "message": draw.text(&["한도 초과", "insufficient funds"])}),
        ),
        ("transaction_key", json!(draw.text(&["TX-9001", "tx9001", "TX-9002"]))),
        ("receipt_url", json!("https://example.com/r/4111111111111111")),
    ] {
        if draw.chance(12) {
            put(data, group, value);
        } else if draw.chance(5) {
            put(data, group, Value::Null);
        }
    }
}

/// The object without some of its members, or with null in their place.
fn some_of(draw: &mut Draw, all: Value) -> Value {
    let mut kept = Map::new();
    for (name, value) in object(all) {
        match draw.between(0, 9) {
            0..=6 => put(&mut kept, &name, value),
            7 => put(&mut kept, &name, Value::Null),
            _ => {}
        }
    }
    Value::Object(kept)
}

fn cancellation(draw: &mut Draw, digits: u32) -> Map<String, Value> {
    let status = draw.text(&["DONE", "DONE", "DONE", "PENDING", "FAILED"]);
    let total = pool::minor(draw).max(1);
    let mut data = object(json!({
        "cancellation_id": draw.text(&["C1", "C2", "c-1"]),
        "status": status,
        "amount": {"total": pool::spelled_money(draw, total, digits)},
    }));
    if draw.chance(15) {
        data["amount"]["tax_free"] = json!(pool::spelled_money(draw, 1, digits));
    }
    if status != "DONE" || draw.chance(50) {
        put(&mut data, "requested_at", time(draw));
    }
    if status == "DONE" || draw.chance(15) {
        put(&mut data, "canceled_at", time(draw));
    }
    if draw.chance(50) {
        let reason = if draw.chance(10) {
            draw.text(&pool::CARD_TEXTS)
        } else {
            draw.text(&pool::REASONS)
        };
        put(&mut data, "reason", json!(reason));
        put(&mut data, "reason_code", json!(draw.text(&pool::REASON_CODES)));
    }
    if draw.chance(40) {
        let mut by = object(json!({"channel": draw.text(&pool::CHANNELS)}));
        if draw.chance(30) {
            put(&mut by, "actor", json!("operator 7"));
        }
        put(&mut data, "requested_by", Value::Object(by));
    }
    data
}

fn settlement(draw: &mut Draw, digits: u32) -> Map<String, Value> {
    let sign = if draw.chance(65) { 1 } else { -1 };
    let amount = sign * pool::minor(draw);
    let fees: Vec<i64> = (0..draw.between(0, 2))
        .map(|part| amount / (37 + part as i64))
        .collect();
    let fee: i64 = fees.iter().sum();
    let vat = fee / 10;
    let mut charge = |kind: &str, minor| {
        let amount = pool::spelled_money(draw, minor, digits);
        json!({"type": kind, "amount": amount})
    };
    let fee_list: Vec<Value> = fees.iter().map(|minor| charge("BASE", *minor)).collect();
    let costs = [charge("ISSUER", fee / 2), charge("NETWORK", fee / 7)];
    let mut data = object(json!({
        "settlement_id": draw.text(&["S1", "S2", "S3", "s-1"]),
        "of": if sign > 0 { "PAYMENT" } else { "CANCELLATION" },
        "status": draw.text(&["SCHEDULED", "PAID", "PAID", "HELD"]),
        "amount": pool::spelled_money(draw, amount, digits),
        "fees": fee_list,
        "vat": pool::spelled_money(draw, vat, digits),
        "payout_amount": pool::spelled_money(draw, amount - fee - vat, digits),
        "sold_on": pool::day(draw).to_string(),
    }));
    if sign < 0 {
        put(&mut data, "cancellation_id", json!(draw.text(&["C1", "C2"])));
    }
    if draw.chance(50) {
        put(&mut data, "costs", json!(costs));
    }
    if draw.chance(70) {
        put(&mut data, "paid_out_on", json!(pool::day(draw).to_string()));
    }
    if draw.chance(60) {
        put(&mut data, "payout_id", json!(draw.text(&pool::PAYOUTS)));
    }
    if draw.chance(25) {
        put(&mut data, "contract", json!({"id": "K-1", "fee_rate": "0.027"}));
    }
    data
}
