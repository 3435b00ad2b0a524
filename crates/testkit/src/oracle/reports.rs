//! The two reports, added up entry by entry.

use super::instant::Zones;
use super::message::Message;
use super::money;
use super::state::{self, View};
use chrono::NaiveDate;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The day a report counts an entry under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The day of the entry's own instant (sales).
    EventDay,
    /// The day of the payment's own instant (sales).
    SaleDay,
    /// The basis date of a settlement line.
    SoldOn,
    /// The payout date of a settlement line.
    PaidOutOn,
}

impl Basis {
    /// The name in the request.
    pub fn name(self) -> &'static str {
        match self {
            Self::EventDay => "event_day",
            Self::SaleDay => "sale_day",
            Self::SoldOn => "sold_on",
            Self::PaidOutOn => "paid_out_on",
        }
    }
}

/// What a report is grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// `day`.
    Day,
    /// `month`, printed `2026-03`.
    Month,
    /// `method`.
    Method,
    /// `merchant`, printed as `merchant_id`.
    Merchant,
}

impl Group {
    /// The name in the request.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Method => "method",
            Self::Merchant => "merchant",
        }
    }

    fn member(self) -> &'static str {
        if self == Self::Merchant {
            "merchant_id"
        } else {
            self.name()
        }
    }
}

/// The parameters of a report; an empty filter lets everything pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportParams {
    /// Which day counts.
    pub basis: Basis,
    /// The first day.
    pub from: Option<NaiveDate>,
    /// The day after the last.
    pub to: Option<NaiveDate>,
    /// In the order asked for, which is the order of the rows.
    pub group_by: Vec<Group>,
    /// Alternatives.
    pub merchant_id: Vec<String>,
    /// Alternatives; `UNKNOWN` is the method of orphans.
    pub method: Vec<String>,
    /// Alternatives.
    pub currency: Vec<String>,
    /// Alternatives, of settlement lines only.
    pub status: Vec<String>,
}

impl ReportParams {
    /// Everything on one basis, as one row per currency.
    pub fn on(basis: Basis) -> Self {
        Self {
            basis,
            from: None,
            to: None,
            group_by: Vec::new(),
            merchant_id: Vec::new(),
            method: Vec::new(),
            currency: Vec::new(),
            status: Vec::new(),
        }
    }

    /// The request's parameters, not yet percent-encoded.
    pub fn parameters(&self) -> Vec<(String, String)> {
        let mut out = vec![("basis".to_owned(), self.basis.name().to_owned())];
        out.extend(self.from.map(|day| ("from".to_owned(), day.to_string())));
        out.extend(self.to.map(|day| ("to".to_owned(), day.to_string())));
        if !self.group_by.is_empty() {
            let names: Vec<_> = self.group_by.iter().map(|group| group.name()).collect();
            out.push(("group_by".to_owned(), names.join(",")));
        }
        for (name, values) in [
            ("merchant_id", &self.merchant_id),
            ("method", &self.method),
            ("currency", &self.currency),
            ("status", &self.status),
        ] {
            out.extend(values.iter().map(|value| (name.to_owned(), value.clone())));
        }
        out
    }

    fn selects(&self, part: &Part<'_>) -> bool {
        let allows = |values: &[String], value: &str| values.is_empty() || values.iter().any(|v| v == value);
        allows(&self.merchant_id, part.merchant)
            && allows(&self.method, part.method)
            && allows(&self.currency, part.currency)
            && allows(&self.status, part.line_status)
            && part
                .day
                .is_some_and(|day| self.from.is_none_or(|from| day >= from) && self.to.is_none_or(|to| day < to))
    }
}

/// What one entry adds, in which cell.
struct Part<'a> {
    merchant: &'a str,
    method: &'a str,
    currency: &'a str,
    day: Option<NaiveDate>,
    line_status: &'a str,
    counts: BTreeMap<&'static str, u64>,
    amounts: BTreeMap<&'static str, i128>,
}

/// `/v1/reports/sales`, from everything the reader sees.
pub(crate) fn sales(views: &[View<'_>], params: &ReportParams, zones: &Zones) -> Value {
    let parts: Vec<Part<'_>> = views
        .iter()
        .flat_map(|view| sales_parts(view, params.basis, zones))
        .collect();
    let left_out = match params.basis {
        Basis::SaleDay => views.iter().map(|view| orphaned_cancellations(view, params)).sum(),
        _ => 0,
    };
    let counts = ["payment_count", "cancellation_count", "failed_count"];
    let amounts = ["payment_amount", "cancellation_amount", "net_amount"];
    report(&parts, params, &counts, &amounts, left_out)
}

/// `/v1/reports/settlements`, from everything the reader sees.
pub(crate) fn settlements(views: &[View<'_>], params: &ReportParams, provider_figures: bool) -> Value {
    let parts: Vec<Part<'_>> = views
        .iter()
        .flat_map(|view| settlement_parts(view, params.basis))
        .collect();
    let amounts = ["gross", "fee", "vat", "payout", "cost", "net_profit"];
    let shown = if provider_figures { &amounts[..] } else { &amounts[..4] };
    report(&parts, params, &["settlement_count"], shown, 0)
}

fn part<'a>(view: &View<'a>, entry: &'a Message, day: Option<NaiveDate>) -> Part<'a> {
    Part {
        merchant: entry.merchant(),
        method: view.payment.map_or("UNKNOWN", |p| p.required("method")),
        currency: entry.currency(),
        day,
        line_status: "",
        counts: BTreeMap::new(),
        amounts: BTreeMap::new(),
    }
}

fn sales_parts<'a>(view: &View<'a>, basis: Basis, zones: &Zones) -> Vec<Part<'a>> {
    let day = |entry| {
        if basis == Basis::SaleDay {
            view.event_day
        } else {
            state::event_day(entry, zones)
        }
    };
    let mut parts = Vec::new();
    if let Some(payment) = view.payment {
        let mut sale = part(view, payment, day(payment));
        let total = payment.required_minor("amount.total");
        match payment.status() {
            "AUTHORIZED" | "DONE" => {
                sale.counts.insert("payment_count", 1);
                sale.amounts.extend([("payment_amount", total), ("net_amount", total)]);
            }
            "ABORTED" | "EXPIRED" => {
                sale.counts.insert("failed_count", 1);
            }
            _ => {}
        }
        parts.push(sale);
    }
    for entry in view.cancellations.iter().filter(|c| c.status() == "DONE") {
        let total = entry.required_minor("amount.total");
        let mut cancellation = part(view, entry, day(entry));
        cancellation.counts.insert("cancellation_count", 1);
        cancellation
            .amounts
            .extend([("cancellation_amount", total), ("net_amount", -total)]);
        parts.push(cancellation);
    }
    parts
}

fn settlement_parts<'a>(view: &View<'a>, basis: Basis) -> Vec<Part<'a>> {
    let one = |entry: &&'a Message| {
        let (fee, cost) = (entry.sum_of("fees"), entry.sum_of("costs"));
        let mut line = part(view, entry, entry.date(basis.name()));
        line.line_status = entry.status();
        line.counts.insert("settlement_count", 1);
        line.amounts.extend([
            ("gross", entry.required_minor("amount")),
            ("fee", fee),
            ("vat", entry.required_minor("vat")),
            ("payout", entry.required_minor("payout_amount")),
            ("cost", cost),
            ("net_profit", fee - cost),
        ]);
        line
    };
    view.settlements.iter().map(one).collect()
}

/// DONE cancellations without a payment that match merchant and currency, whatever their day.
fn orphaned_cancellations(view: &View<'_>, params: &ReportParams) -> usize {
    let allows = |values: &[String], value: &str| values.is_empty() || values.iter().any(|v| v == value);
    let counts = |c: &&&Message| {
        c.status() == "DONE" && allows(&params.merchant_id, c.merchant()) && allows(&params.currency, c.currency())
    };
    if view.payment.is_some() {
        0
    } else {
        view.cancellations.iter().filter(counts).count()
    }
}

fn report(parts: &[Part<'_>], params: &ReportParams, counts: &[&str], amounts: &[&str], left_out: usize) -> Value {
    let selected: Vec<&Part<'_>> = parts.iter().filter(|part| params.selects(part)).collect();
    json!({
        "data": rows(&selected, &params.group_by, counts, amounts),
        "totals": rows(&selected, &[], counts, amounts),
        "orphans_left_out": left_out,
    })
}

/// The rows in the order of their group keys, then of the currency; a row without any count does not appear.
fn rows(parts: &[&Part<'_>], group_by: &[Group], counts: &[&str], amounts: &[&str]) -> Value {
    let mut cells: BTreeMap<Vec<String>, Vec<&Part<'_>>> = BTreeMap::new();
    for part in parts {
        let mut key: Vec<String> = group_by.iter().map(|group| group_value(*group, part)).collect();
        key.push(part.currency.to_owned());
        cells.entry(key).or_default().push(part);
    }
    cells
        .iter()
        .filter_map(|(key, parts)| {
            let count = |name: &str| parts.iter().filter_map(|p| p.counts.get(name)).sum::<u64>();
            let amount = |name: &str| parts.iter().filter_map(|p| p.amounts.get(name)).sum::<i128>();
            let currency = key.last()?;
            let names = group_by.iter().map(|group| group.member()).chain(["currency"]);
            let mut row: Map<String, Value> = names
                .zip(key)
                .map(|(name, value)| (name.into(), json!(value)))
                .collect();
            row.extend(counts.iter().map(|name| ((*name).to_owned(), json!(count(name)))));
            row.extend(
                amounts
                    .iter()
                    .map(|name| ((*name).to_owned(), json!(money::major_units(amount(name), currency)))),
            );
            counts.iter().any(|name| count(name) > 0).then_some(Value::Object(row))
        })
        .collect()
}

fn group_value(group: Group, part: &Part<'_>) -> String {
    let day = part.day.map(|day| day.to_string()).unwrap_or_default();
    match group {
        Group::Day => day,
        Group::Month => day[..7].to_owned(),
        Group::Method => part.method.to_owned(),
        Group::Merchant => part.merchant.to_owned(),
    }
}
