//! The shapes of what can be exported. A test holds them against the JSON of the rows.

use ledger::reports::Group;

use super::table::{Column, Kind, Table, columns, sums};

/// Payments: members of members as `amount.total`. Lists (cancellations, settlement lines, flags) and `metadata`, whose
/// names are the merchant's, are in JSON and NDJSON only.
pub(crate) fn payments(provider_figures: bool) -> Table {
    let text = |names: &[&'static str]| columns(Kind::Text, names).collect::<Vec<Column>>();
    let money = |names: &[&'static str]| columns(Kind::Money, names).collect::<Vec<Column>>();
    let time = |names: &[&'static str]| columns(Kind::Time, names).collect::<Vec<Column>>();
    let number = |names: &[&'static str]| columns(Kind::Number, names).collect::<Vec<Column>>();
    let mut settlement = money(&[
        "settlement.gross",
        "settlement.fee",
        "settlement.vat",
        "settlement.payout",
    ]);
    if provider_figures {
        settlement.extend(money(&["settlement.cost", "settlement.net_profit"]));
    }
    let columns = [
        text(&[
            "payment_key",
            "merchant_id",
            "order_id",
            "status",
            "recorded_status",
            "method",
            "currency",
        ]),
        money(&[
            "amount.total",
            "amount.supplied",
            "amount.vat",
            "amount.tax_free",
            "amount.discount",
        ]),
        money(&["canceled_amount", "balance_amount"]),
        time(&["requested_at", "approved_at", "occurred_at"]),
        columns(Kind::Day, &["event_day", "sale_day"]).collect(),
        text(&[
            "order_name",
            "customer.name",
            "customer.email",
            "customer.phone",
            "customer.customer_key",
        ]),
        text(&[
            "card.issuer",
            "card.acquirer",
            "card.number_masked",
            "card.last4",
            "card.approve_no",
        ]),
        number(&["card.installment_months"]),
        text(&["card.type", "card.acquire_status"]),
        text(&[
            "virtual_account.bank",
            "virtual_account.account_number",
            "virtual_account.depositor",
        ]),
        time(&["virtual_account.due_at"]),
        text(&[
            "easy_pay.provider",
            "transfer.bank",
            "mobile_phone.carrier",
            "mobile_phone.phone_masked",
        ]),
        text(&[
            "gift_certificate.issuer",
            "transaction_key",
            "receipt_url",
            "failure.code",
            "failure.message",
        ]),
        text(&["settlement_status"]),
        settlement,
        number(&["version"]),
    ];
    Table {
        columns: columns.into_iter().flatten().collect(),
        sums: sums(Kind::Money, &["amount", "canceled_amount", "balance_amount"]).collect(),
    }
}

/// Entries of the ledger. The sums are those of the list's `total`.
pub(crate) fn entries(provider_figures: bool) -> Table {
    // The provider's own figure stands last.
    let figures = ["amount", "fee", "vat", "payout", "cost"];
    let figures = &figures[..if provider_figures { 5 } else { 4 }];
    let names = [
        "kind",
        "payment_key",
        "entry_id",
        "merchant_id",
        "method",
        "status",
        "currency",
    ];
    let days = ["event_day", "sale_day", "sold_on", "paid_out_on"];
    Table {
        columns: columns(Kind::Text, &names)
            .chain(columns(Kind::Day, &days))
            .chain(columns(Kind::Text, &["payout_id"]))
            .chain(columns(Kind::Money, figures))
            .collect(),
        sums: sums(Kind::Money, figures).collect(),
    }
}

/// The groups of a report in the order in which its rows print them.
fn groups(group_by: &[Group]) -> impl Iterator<Item = Column> {
    let known = [
        (Group::Day, "day", Kind::Day),
        (Group::Month, "month", Kind::Text),
        (Group::Method, "method", Kind::Text),
        (Group::Merchant, "merchant_id", Kind::Text),
    ];
    let chosen = known.into_iter().filter(|(group, _, _)| group_by.contains(group));
    let chosen: Vec<Column> = chosen.map(|(_, name, kind)| Column { name, kind }).collect();
    chosen.into_iter().chain(columns(Kind::Text, &["currency"]))
}

/// `figures` are the measures of a report: both its columns and its control sums.
fn report(group_by: &[Group], figures: &[(&'static str, Kind)]) -> Table {
    let measures = figures.iter().map(|(name, kind)| Column { name, kind: *kind });
    Table {
        columns: groups(group_by)
            .chain(measures)
            .chain(columns(Kind::Text, &["rows_url"]))
            .collect(),
        sums: figures
            .iter()
            .flat_map(|(name, kind)| sums(*kind, &[name]).collect::<Vec<_>>())
            .collect(),
    }
}

pub(crate) fn sales(group_by: &[Group]) -> Table {
    let figures = [
        ("payment_count", Kind::Number),
        ("payment_amount", Kind::Money),
        ("cancellation_count", Kind::Number),
        ("cancellation_amount", Kind::Money),
        ("net_amount", Kind::Money),
        ("failed_count", Kind::Number),
    ];
    report(group_by, &figures)
}

pub(crate) fn settlements(group_by: &[Group], provider_figures: bool) -> Table {
    let figures = [
        ("settlement_count", Kind::Number),
        ("gross", Kind::Money),
        ("fee", Kind::Money),
        ("vat", Kind::Money),
        ("payout", Kind::Money),
        ("cost", Kind::Money),
        ("net_profit", Kind::Money),
    ];
    // The provider's own figures stand last.
    report(group_by, &figures[..if provider_figures { 7 } else { 5 }])
}
