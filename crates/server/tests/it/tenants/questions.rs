//! What a merchant key may ask: every endpoint with every parameter, from the contract itself.
//!
//! [`values`] is the table: what each parameter is asked with, of the merchant's own, of another's, and of nobody's. A new
//! parameter of `openapi.yaml` is a failure until it has a line there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use api::{Access, ROUTES};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::world::{World, merchant_id};
use crate::compare::encoded;

#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) method: &'static str,
    /// Without its cursor.
    pub(crate) address: String,
    pub(crate) body: Option<Value>,
    pub(crate) headers: Vec<(String, String)>,
    /// The route and its parameter that it is about.
    pub(crate) about: (String, String),
}

impl Question {
    pub(crate) fn request(&self, key: &str, cursor: Option<&str>) -> Request<Body> {
        let mut address = self.address.clone();
        let mut body = self.body.clone();
        match (&mut body, cursor) {
            (Some(body), Some(cursor)) => body["cursor"] = cursor.into(),
            (None, Some(cursor)) => {
                address += if address.contains('?') { "&" } else { "?" };
                address += &format!("cursor={}", encoded(cursor));
            }
            (_, None) => {}
        }
        let mut request = Request::builder().method(self.method).uri(address);
        request = request.header("authorization", format!("Bearer {key}"));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        match body {
            Some(body) => request
                .header("content-type", "application/json")
                .body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        }
        .expect("a request")
    }
}

static CONTRACT: LazyLock<Value> = LazyLock::new(|| {
    serde_norway::from_str(include_str!("../../../../../openapi.yaml")).expect("openapi.yaml is YAML")
});

fn followed(value: &Value) -> &Value {
    let reference = value["$ref"].as_str().map(|reference| &reference[1..]);
    reference.map_or(value, |pointer| CONTRACT.pointer(pointer).unwrap_or(value))
}

/// Method, path and parameters.
type Asked = (&'static str, &'static str, Vec<(String, String)>);

/// Each route that a merchant key may ask, with the parameters that the contract gives it: where it stands, its name.
fn asked() -> Vec<Asked> {
    let open_to_merchants = ROUTES.iter().filter(|route| route.access == Access::Payments);
    let with_parameters = open_to_merchants.map(|route| {
        let operation = &CONTRACT["paths"][route.path][route.method.to_lowercase()];
        let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
        let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let mut parameters: Vec<(String, String)> = parameters
            .iter()
            .map(followed)
            .map(|parameter| (text(parameter, "in"), text(parameter, "name")))
            .collect();
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        let members = followed(body)["properties"].as_object();
        let members = members.into_iter().flat_map(|members| members.keys());
        parameters.extend(members.map(|name| ("body".to_owned(), name.clone())));
        (route.method, route.path, parameters)
    });
    with_parameters.collect()
}

/// What is found in a merchant's messages, by JSON pointer into `data`.
pub(crate) struct Facts {
    pub(crate) merchant: String,
    pub(crate) found: BTreeMap<&'static str, Vec<String>>,
}

pub(crate) const POINTERS: [&str; 19] = [
    "/payment_key",
    "/order_id",
    "/cancellation_id",
    "/settlement_id",
    "/payout_id",
    "/transaction_key",
    "/card/approve_no",
    "/card/last4",
    "/customer/email",
    "/customer/phone",
    "/customer/name",
    "/virtual_account/account_number",
    "/order_name",
    "/reason",
    "/amount/total",
    "/approved_at",
    "/canceled_at",
    "/sold_on",
    "/paid_out_on",
];

impl Facts {
    pub(crate) fn of(world: &World, merchant: usize) -> Self {
        let mut found: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
        for data in world.data_of(merchant) {
            for pointer in POINTERS {
                let text = data.pointer(pointer).and_then(Value::as_str);
                found.entry(pointer).or_default().extend(text.map(str::to_owned));
            }
        }
        Facts {
            merchant: merchant_id(merchant),
            found: found
                .into_iter()
                .map(|(at, values)| (at, values.into_iter().collect()))
                .collect(),
        }
    }

    /// The middle one, or a text that nobody has.
    pub(crate) fn one(&self, pointer: &str) -> String {
        let values = self.found.get(pointer).map_or(&[][..], Vec::as_slice);
        values.get(values.len() / 2).map_or("nobody's".to_owned(), Clone::clone)
    }
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

/// What a parameter is asked with.
fn values(path: &str, name: &str, own: &Facts, other: &Facts) -> Vec<String> {
    let both = |pointer| vec![own.one(pointer), other.one(pointer)];
    let day = |pointer| own.one(pointer).chars().take(10).collect::<String>();
    let is_entries = path == "/v1/entries";
    match name.split('[').next().unwrap_or_default() {
        "payment_key" => [both("/payment_key"), texts(&["nobody's"])].concat(),
        "payout_id" => [both("/payout_id"), texts(&["nobody's", "po20260420"])].concat(),
        "order_id" => [both("/order_id"), texts(&["nobody's"])].concat(),
        "merchant_id" => vec![own.merchant.clone(), other.merchant.clone(), "nobody".to_owned()],
        "status" if is_entries => texts(&["DONE", "PAID", "SCHEDULED"]),
        "status" if path.starts_with("/v1/reports") => texts(&["PAID", "HELD"]),
        "status" => texts(&["DONE", "PARTIALLY_CANCELED", "UNKNOWN"]),
        "settlement_status" => texts(&["NONE", "PAID", "PARTIALLY_PAID"]),
        "method" => texts(&["CARD", "UNKNOWN", "Z"]),
        "currency" => texts(&["KRW", "USD"]),
        "flag" => texts(&["awaiting_payment", "quarantined", "conflict", "unsettled_overdue"]),
        "kind" => texts(&["payment", "cancellation", "settlement"]),
        "amount" | "balance_amount" => both("/amount/total"),
        "event_day" | "sale_day" => vec![day("/approved_at")],
        "sold_on" | "paid_out_on" => vec![own.one("/sold_on"), other.one("/paid_out_on")],
        "approved_at" | "canceled_at" => vec![own.one("/approved_at"), other.one("/canceled_at")],
        "q" if path.ends_with("/suggest") => typed(own, other),
        "q" => searches(own, other),
        "limit" => texts(&["1", "7", "100", "0"]),
        "cursor" => texts(&["", "AAAA"]),
        "order" => texts(&["asc", "desc"]),
        "total" | "explain" => texts(&["true", "false"]),
        "basis" if path.ends_with("/sales") => texts(&["event_day", "sale_day"]),
        "basis" => texts(&["sold_on", "paid_out_on"]),
        "from" => texts(&["2026-04-01", "2020-01-01"]),
        "to" => texts(&["2026-04-15", "2030-01-01"]),
        "group_by" => texts(&["day", "month", "method", "merchant", "day,method,merchant"]),
        "source" => texts(&["ledger", "rollup"]),
        "format" => texts(&["json", "ndjson", "csv", "xlsx", "parquet"]),
        "manifest" => texts(&["none"]),
        "bom" => texts(&["true"]),
        "unmask" => texts(&["a reason"]),
        "wait_for" => texts(&["payments/0@0", "payments/0@999999999", "event:cross-1", "nothing/0@0"]),
        // A key of another store is not known there; what a token of this one gives is asked by the mutator.
        "Ledger-Min-As-Of" => texts(&["no token", ""]),
        "Prefer" => texts(&["wait=1", "wait=x", "respond-async"]),
        "If-None-Match" => texts(&["*", "W/\"0\""]),
        "Accept" => texts(&["application/json", "*/*"]),
        _ => Vec::new(),
    }
}

fn searches(own: &Facts, other: &Facts) -> Vec<String> {
    let mut out = Vec::new();
    for facts in [own, other] {
        let plain = [
            "/payment_key",
            "/order_id",
            "/settlement_id",
            "/payout_id",
            "/customer/email",
            "/customer/phone",
        ];
        out.extend(plain.map(|pointer| format!("\"{}\"", facts.one(pointer))));
        out.extend([
            format!("merchant_id:{}", facts.merchant),
            format!("-merchant_id:{}", facts.merchant),
            format!("merchant_id:{} OR status:DONE", facts.merchant),
            format!("order_name:\"{}\"", facts.one("/order_name")),
            format!("reason:\"{}\"", facts.one("/reason")),
            format!("NOT cancellation_id:\"{}\"", facts.one("/cancellation_id")),
            format!("last4:{} OR payout_id:\"{}\"", last4(facts), facts.one("/payout_id")),
        ]);
    }
    out.extend(texts(&[
        "mk",
        "pay2026*",
        "flag:awaiting_payment",
        "status:UNKNOWN",
        "amount:>0",
        "a",
    ]));
    out
}

fn last4(facts: &Facts) -> String {
    let found = facts.one("/card/last4");
    if found.len() == 4 { found } else { "0000".to_owned() }
}

fn typed(own: &Facts, other: &Facts) -> Vec<String> {
    let mut out = texts(&[
        "",
        "st",
        "status:",
        "method:",
        "merchant_id:",
        "merchant_id:shop",
        "issuer:",
        "bank:",
    ]);
    out.extend([own, other].map(|facts| format!("merchant_id:{}", facts.merchant)));
    out
}

/// What an address needs to be answered at all.
fn needed(path: &str, name: &str) -> Vec<(String, String)> {
    let basis = match path {
        "/v1/reports/sales" => "event_day",
        "/v1/reports/settlements" => "sold_on",
        _ => return Vec::new(),
    };
    [("basis", basis), ("from", "2026-01-01"), ("to", "2027-01-01")]
        .into_iter()
        .filter(|(needed, _)| *needed != name)
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Every question for one merchant. `other` is somebody whose values are tried, too.
///
/// # Panics
/// A parameter of the contract is asked with nothing.
pub(crate) fn questions(own: &Facts, other: &Facts) -> Vec<Question> {
    let mut out = Vec::new();
    for (method, path, parameters) in asked() {
        if method == "GET" && !path.contains('{') {
            out.push(question(method, path, own, "", "", "query"));
        }
        let has_formats = parameters.iter().any(|(_, name)| name == "format");
        for (place, name) in parameters {
            if (path, name.as_str()) == ("/v1/lookup", "ids") {
                let ids = POINTERS.iter().flat_map(|at| [own.one(at), other.one(at)]);
                let mut asked = question(method, path, own, &name, "", "body");
                asked.body = Some(json!({"ids": ids.collect::<Vec<_>>()}));
                out.push(asked);
                continue;
            }
            let values = values(path, &name, own, other);
            assert!(!values.is_empty(), "{method} {path}: no values for {name}");
            for value in values {
                let asked = question(method, path, own, &name, &value, &place);
                if place == "query" && has_formats && CROSSED.contains(&name.as_str()) {
                    out.extend(in_formats(&asked));
                }
                out.push(asked);
            }
        }
    }
    out
}

/// Filters that are asked with in every format, too.
const CROSSED: [&str; 8] = [
    "merchant_id",
    "payout_id",
    "flag",
    "q",
    "kind",
    "basis",
    "group_by",
    "source",
];

fn in_formats(asked: &Question) -> impl Iterator<Item = Question> {
    ["ndjson", "csv", "xlsx&manifest=none", "parquet&manifest=none"]
        .into_iter()
        .map(|format| Question {
            address: format!("{}&format={format}", asked.address),
            ..asked.clone()
        })
}

fn question(method: &'static str, path: &str, own: &Facts, name: &str, value: &str, place: &str) -> Question {
    let fill = |template: &str, part: &str, pointer: &str| {
        let value = if name == part {
            value.to_owned()
        } else {
            own.one(pointer)
        };
        template.replace(&format!("{{{part}}}"), &encoded(&value))
    };
    let mut address = fill(path, "payment_key", "/payment_key");
    address = fill(&address, "payout_id", "/payout_id");
    let mut pairs = needed(path, name);
    let beside = match (name, value) {
        // Their manifest stands in packed bytes, where its position cannot be left out of the comparison.
        ("format", "xlsx" | "parquet") => Some(("manifest", "none")),
        ("bom", _) => Some(("format", "csv")),
        ("manifest", _) => Some(("format", "ndjson")),
        _ => None,
    };
    pairs.extend(beside.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let mut headers = Vec::new();
    let mut body = (method == "POST").then(|| json!({}));
    if path == "/v1/lookup" {
        body = Some(json!({"ids": [own.one("/order_id")]}));
    }
    match place {
        "header" => headers.push((name.to_owned(), value.to_owned())),
        "query" if !name.is_empty() => pairs.push((name.to_owned(), value.to_owned())),
        "body" => {
            if let Some(body) = &mut body {
                body[name] = value.into();
            }
        }
        _ => {}
    }
    if !pairs.is_empty() {
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        address = format!("{address}?{}", pairs.join("&"));
    }
    Question {
        method,
        address,
        body,
        headers,
        about: (format!("{method} {path}"), name.to_owned()),
    }
}
