//! The ground truth counted again from the bytes: slow, plain, and sharing no code with the generator.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeZone, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::Kept;
use crate::contract::{Data, accept, currency_digits, instant, money, parts, text};

type EntryId = (String, &'static str, String);

/// Every content of one entry: version, digest, data, in the order of arrival.
#[derive(Default)]
struct History(Vec<(i64, [u8; 32], Data)>);

impl History {
    fn state(&self) -> &Data {
        let newest = self.0.iter().max_by_key(|(version, digest, _)| (*version, *digest));
        &newest.expect("an entry has a message").2
    }

    fn is_contested(&self) -> bool {
        let newest = self.0.iter().map(|(version, ..)| *version).max();
        self.0.iter().filter(|(version, ..)| Some(*version) == newest).count() > 1
    }
}

#[derive(Default)]
pub(crate) struct Recount {
    counts: BTreeMap<&'static str, u64>,
    payments: u64,
    set_aside: u64,
    orphans_left_out: u64,
    flags: BTreeMap<&'static str, u64>,
    /// Report, grouping, dimensions -> measure -> sum.
    rows: BTreeMap<(&'static str, &'static str, String), BTreeMap<&'static str, Decimal>>,
}

pub(crate) fn recount(messages: &[Kept], zone: Tz) -> Recount {
    let mut recount = Recount::default();
    for name in ["read", "applied", "duplicate", "stale", "conflict", "quarantined"] {
        recount.counts.insert(name, 0);
    }
    for name in [
        "awaiting_payment",
        "card_number_redacted",
        "conflict",
        "identity_changed",
        "over_canceled",
    ] {
        recount.flags.insert(name, 0);
    }
    let mut entries: BTreeMap<EntryId, History> = BTreeMap::new();
    for message in messages {
        *recount.counts.entry("read").or_default() += 1;
        let verdict = apply(&mut entries, &message.value);
        *recount.counts.entry(verdict).or_default() += 1;
    }
    let keys: BTreeSet<String> = entries.keys().map(|(key, ..)| key.clone()).collect();
    for key in keys {
        let from = (key.clone(), "", String::new());
        let own: Vec<_> = entries
            .range(from..)
            .take_while(|((other, ..), _)| *other == key)
            .collect();
        recount.add_payment(&own, zone);
    }
    recount
}

fn apply(entries: &mut BTreeMap<EntryId, History>, raw: &[u8]) -> &'static str {
    let Ok(accepted) = accept(raw) else {
        return "quarantined";
    };
    let key = text(&accepted.data, "payment_key").expect("checked").to_owned();
    let id = match accepted.kind {
        "payment" => key.clone(),
        kind => text(&accepted.data, &format!("{kind}_id")).expect("checked").to_owned(),
    };
    let canonical = serde_json_canonicalizer::to_vec(&accepted.data).expect("canonical");
    let digest: [u8; 32] = Sha256::digest(canonical).into();
    // 2.0 is 2.
    let version = accepted.data["version"].as_f64().expect("checked") as i64;
    let History(held) = entries.entry((key, accepted.kind, id)).or_default();
    let newest = held.iter().map(|(version, ..)| *version).max();
    let same: Vec<_> = held.iter().filter(|(other, ..)| *other == version).collect();
    let verdict = if same.iter().any(|(_, other, _)| *other == digest) {
        "duplicate"
    } else if !same.is_empty() {
        "conflict"
    } else if newest > Some(version) {
        "stale"
    } else {
        "applied"
    };
    if verdict != "duplicate" {
        held.push((version, digest, accepted.data));
    }
    verdict
}

impl Recount {
    fn add_payment(&mut self, entries: &[(&EntryId, &History)], zone: Tz) {
        let is_live = |data: &Data| data.get("deleted") != Some(&Value::Bool(true));
        let live: Vec<_> = entries
            .iter()
            .map(|((_, kind, _), history)| (*kind, history.state()))
            .filter(|(_, data)| is_live(data))
            .collect();
        let payment = live.iter().find(|(kind, _)| *kind == "payment").map(|(_, data)| *data);
        let mut canceled = Decimal::ZERO;
        for (kind, data) in &live {
            if *kind == "payment" {
                self.add_sale(data, zone);
                continue;
            }
            if payment.is_some_and(|payment| {
                payment["merchant_id"] != data["merchant_id"] || payment["currency"] != data["currency"]
            }) {
                self.set_aside += 1;
            } else if *kind == "settlement" {
                self.add_line(data, payment);
            } else if data["status"] == "DONE" {
                canceled += money(data["amount"].as_object().expect("checked"), "total", 3).expect("checked");
                self.add_cancellation(data, payment, zone);
            }
        }
        self.payments += u64::from(payment.is_some());
        if live.is_empty() {
            return;
        }
        let merchants = entries
            .iter()
            .filter(|((_, kind, _), _)| *kind == "payment")
            .flat_map(|(_, history)| &history.0);
        let merchants: BTreeSet<_> = merchants.map(|(.., data)| data["merchant_id"].to_string()).collect();
        let total =
            payment.map(|payment| money(payment["amount"].as_object().expect("checked"), "total", 3).expect("checked"));
        let flags = [
            ("awaiting_payment", payment.is_none()),
            (
                "card_number_redacted",
                payment.is_some_and(|payment| payment.get("metadata").is_some_and(|pairs| pairs.get("memo").is_some())),
            ),
            ("conflict", entries.iter().any(|(_, history)| history.is_contested())),
            ("identity_changed", merchants.len() > 1),
            ("over_canceled", total.is_some_and(|total| canceled > total)),
        ];
        for (name, is_set) in flags {
            *self.flags.entry(name).or_default() += u64::from(is_set);
        }
    }

    fn add_sale(&mut self, data: &Data, zone: Tz) {
        let total = money(data["amount"].as_object().expect("checked"), "total", 3).expect("checked");
        let sums: &[_] = match text(data, "status").expect("checked") {
            "AUTHORIZED" | "DONE" => &[("payment_count", Decimal::ONE), ("payment_amount", total)],
            "ABORTED" | "EXPIRED" => &[("failed_count", Decimal::ONE)],
            _ => return,
        };
        let day = sale_day(data, zone);
        for basis in ["event_day", "sale_day"] {
            self.add(
                "sales",
                basis,
                &day,
                data,
                text(data, "method").expect("checked"),
                None,
                sums,
            );
        }
    }

    fn add_cancellation(&mut self, data: &Data, payment: Option<&Data>, zone: Tz) {
        let total = money(data["amount"].as_object().expect("checked"), "total", 3).expect("checked");
        let sums = [("cancellation_count", Decimal::ONE), ("cancellation_amount", total)];
        let method = payment.map_or("UNKNOWN", |payment| text(payment, "method").expect("checked"));
        let day = local_day(instant(data, "canceled_at").expect("checked"), zone);
        self.add("sales", "event_day", &day, data, method, None, &sums);
        match payment {
            Some(payment) => self.add("sales", "sale_day", &sale_day(payment, zone), data, method, None, &sums),
            None => self.orphans_left_out += 1,
        }
    }

    fn add_line(&mut self, data: &Data, payment: Option<&Data>) {
        let amount = |name| money(data, name, 3).expect("checked");
        let digits = currency_digits(data).expect("checked");
        let (fee, cost) = (
            parts(data, "fees", digits).expect("checked"),
            parts(data, "costs", digits).expect("checked"),
        );
        let sums = [
            ("settlement_count", Decimal::ONE),
            ("gross", amount("amount")),
            ("fee", fee),
            ("vat", amount("vat")),
            ("payout", amount("payout_amount")),
            ("cost", cost),
        ];
        let method = payment.map_or("UNKNOWN", |payment| text(payment, "method").expect("checked"));
        let status = text(data, "status").expect("checked");
        for basis in ["sold_on", "paid_out_on"] {
            let day = text(data, basis).expect("checked").to_owned();
            self.add("settlements", basis, &day, data, method, Some(status), &sums);
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn add(
        &mut self,
        report: &'static str,
        basis: &str,
        day: &str,
        data: &Data,
        method: &str,
        status: Option<&str>,
        sums: &[(&'static str, Decimal)],
    ) {
        let (merchant, currency) = (&data["merchant_id"], &data["currency"]);
        let groupings = [
            ("totals", json!({"basis": basis, "currency": currency})),
            (
                "by_day_and_method",
                json!({"basis": basis, "currency": currency, "day": day, "method": method}),
            ),
            (
                "by_month_and_merchant",
                json!({"basis": basis, "currency": currency, "month": day[..7], "merchant_id": merchant}),
            ),
            (
                "by_merchant_and_method",
                json!({"basis": basis, "currency": currency, "merchant_id": merchant, "method": method}),
            ),
        ];
        for (grouping, mut dimensions) in groupings {
            if let Some(status) = status {
                dimensions["status"] = status.into();
            }
            let row = self.rows.entry((report, grouping, dimensions.to_string())).or_default();
            for (name, value) in sums {
                *row.entry(name).or_default() += value;
            }
        }
    }

    /// Compares with what the generator says, in full.
    pub(crate) fn assert_equals(&self, expect: &Value) {
        assert_eq!(json!(self.counts), expect["counts"]);
        assert_eq!(json!(self.flags), expect["flags"]);
        assert_eq!(json!(self.payments), expect["payments"]);
        assert_eq!(
            json!(self.payments + self.flags["awaiting_payment"]),
            expect["payments_found"]
        );
        assert_eq!(json!(self.set_aside), expect["set_aside"]);
        assert_eq!(json!(self.orphans_left_out), expect["orphans_left_out"]);
        let mut told = BTreeMap::new();
        for report in ["sales", "settlements"] {
            for grouping in [
                "totals",
                "by_day_and_method",
                "by_month_and_merchant",
                "by_merchant_and_method",
            ] {
                for row in expect[report][grouping].as_array().expect("rows") {
                    let (dimensions, measures) = split(row.as_object().expect("a row"));
                    assert!(
                        told.insert((report, grouping, dimensions), measures).is_none(),
                        "a row twice"
                    );
                }
            }
        }
        assert_eq!(told.len(), self.rows.len(), "number of rows");
        for (at, row) in &self.rows {
            let counted: BTreeMap<String, Decimal> = row.iter().map(|(name, sum)| ((*name).to_owned(), *sum)).collect();
            let counted: BTreeMap<_, _> = counted.into_iter().filter(|(_, sum)| !sum.is_zero()).collect();
            assert_eq!(told.get(at), Some(&counted), "{at:?}");
        }
    }
}

/// A row's dimensions as text, and its measures but for zeros and what is derived from others.
fn split(row: &Data) -> (String, BTreeMap<String, Decimal>) {
    let names = ["basis", "currency", "day", "month", "merchant_id", "method", "status"];
    let (dimensions, measures): (Vec<_>, Vec<_>) = row.iter().partition(|(name, _)| names.contains(&name.as_str()));
    let dimensions: Data = dimensions
        .into_iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let number = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), ToOwned::to_owned)
            .parse::<Decimal>()
            .expect("a number")
    };
    let measures: BTreeMap<_, _> = measures
        .into_iter()
        .map(|(name, value)| (name.clone(), number(value)))
        .collect();
    if let Some(net) = measures.get("net_amount") {
        assert_eq!(*net, measures["payment_amount"] - measures["cancellation_amount"]);
    }
    let kept = measures
        .into_iter()
        .filter(|(name, sum)| !["net_amount", "net_profit"].contains(&name.as_str()) && !sum.is_zero());
    (Value::from(dimensions).to_string(), kept.collect())
}

fn sale_day(payment: &Data, zone: Tz) -> String {
    local_day(
        instant(payment, "approved_at")
            .or_else(|_| instant(payment, "requested_at"))
            .expect("checked"),
        zone,
    )
}

fn local_day(at_ms: i64, zone: Tz) -> String {
    let at: DateTime<Utc> = Utc.timestamp_millis_opt(at_ms).single().expect("an instant");
    at.with_timezone(&zone).date_naive().to_string()
}
