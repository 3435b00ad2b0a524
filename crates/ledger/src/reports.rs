//! Reports: sums by group, from the rollup cells or, the same figures, from the unified ledger's rows.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};
use domain::money::Currency;
use domain::rollup::{Basis, Measures};
use domain::scope::Scope;
use duckdb::Connection;

use crate::cells::{self, Grain, Tables};
use crate::error::LedgerError;
use crate::quoted::one_of;
use crate::trace;

/// The most rows one report answers with; its reader is asked to narrow it beyond.
pub const REPORT_ROWS_MAX: usize = 100_000;

/// What a report's rows are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    Day,
    Month,
    Method,
    Merchant,
}

/// Where the sums are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SumSource {
    Rollup,
    Ledger,
}

/// What both reports ask; an empty list does not narrow.
#[derive(Clone, Debug)]
pub struct ReportRequest {
    pub basis: Basis,
    /// Inclusive.
    pub from: Option<NaiveDate>,
    /// Exclusive.
    pub to: Option<NaiveDate>,
    pub group_by: Vec<Group>,
    pub merchants: Vec<String>,
    pub methods: Vec<String>,
    pub currencies: Vec<String>,
    /// Of settlement lines; empty for sales.
    pub statuses: Vec<String>,
    pub source: SumSource,
}

/// One row of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRow {
    pub day: Option<NaiveDate>,
    /// The first day of the month.
    pub month: Option<NaiveDate>,
    pub method: Option<String>,
    pub merchant_id: Option<String>,
    pub currency: Currency,
    pub measures: Measures,
}

/// A report and what it left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub rows: Vec<ReportRow>,
    /// One row per currency, without group values.
    pub totals: Vec<ReportRow>,
    /// Done cancellations without a payment that the merchants and currencies select; 0 but by sale day.
    pub orphans_left_out: i64,
}

/// The measures that cells of a basis can have, in the order of [`Measures`]; of the others there is nothing to add up.
const fn measures_of(basis: Basis) -> [bool; 11] {
    match basis {
        Basis::EventDay | Basis::SaleDay | Basis::Orphaned => {
            [true, true, true, true, true, false, false, false, false, false, false]
        }
        Basis::SoldOn | Basis::PaidOutOn => [false, false, false, false, false, true, true, true, true, true, true],
    }
}

/// Column and whether it counts rows, in the order of [`Measures`].
const MEASURES: [(&str, bool); 11] = [
    ("payment_count", true),
    ("payment_amount", false),
    ("cancellation_count", true),
    ("cancellation_amount", false),
    ("failed_count", true),
    ("settlement_count", true),
    ("gross", false),
    ("fee", false),
    ("vat", false),
    ("payout", false),
    ("cost", false),
];

/// Sums over cells of the request's basis.
///
/// # Errors
/// [`LedgerError::ReportTooLarge`] beyond [`REPORT_ROWS_MAX`] rows.
pub(crate) fn report(connection: &Connection, request: &ReportRequest, scope: &Scope) -> Result<Report, LedgerError> {
    let window = Window {
        skip: 0,
        take: REPORT_ROWS_MAX + 1,
    };
    let rows = sums(connection, request, scope, &request.group_by, window)?;
    if rows.len() > REPORT_ROWS_MAX {
        return Err(LedgerError::ReportTooLarge { limit: REPORT_ROWS_MAX });
    }
    let totals = totals(&rows);
    let orphans_left_out = orphans_left_out(connection, request, scope)?;
    Ok(Report {
        rows,
        totals,
        orphans_left_out,
    })
}

/// One row for each currency. Every cell counts in exactly one row of a report, so the rows hold all there is to add up.
fn totals(rows: &[ReportRow]) -> Vec<ReportRow> {
    let mut by_currency: BTreeMap<&str, ReportRow> = BTreeMap::new();
    for row in rows {
        let total = by_currency.entry(row.currency.code()).or_insert_with(|| ReportRow {
            day: None,
            month: None,
            method: None,
            merchant_id: None,
            currency: row.currency,
            measures: Measures::default(),
        });
        total.measures.add(&row.measures, 1);
    }
    by_currency.into_values().collect()
}

/// Some of a report's rows, which are in one order for as long as one transaction shows the same cells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) skip: usize,
    pub(crate) take: usize,
}

/// The rows of a report in the window, however many there are altogether.
pub(crate) fn rows(
    connection: &Connection,
    request: &ReportRequest,
    scope: &Scope,
    window: Window,
) -> Result<Vec<ReportRow>, LedgerError> {
    sums(connection, request, scope, &request.group_by, window)
}

/// By sale day, done cancellations without a payment.
pub(crate) fn orphans_left_out(
    connection: &Connection,
    request: &ReportRequest,
    scope: &Scope,
) -> Result<i64, LedgerError> {
    if request.basis != Basis::SaleDay {
        return Ok(0);
    }
    let window = Window {
        skip: 0,
        take: REPORT_ROWS_MAX,
    };
    let all = ReportRequest {
        basis: Basis::Orphaned,
        from: None,
        to: None,
        group_by: Vec::new(),
        methods: Vec::new(),
        ..request.clone()
    };
    Ok(sums(connection, &all, scope, &[], window)?
        .iter()
        .map(|row| row.measures.cancellation_count)
        .sum())
}

/// All of which a cell must meet.
fn conditions(request: &ReportRequest, scope: &Scope) -> Vec<String> {
    let mut out = vec!["true".to_owned()];
    if let Some(from) = request.from {
        out.push(format!("day >= date '{}'", from.format("%Y-%m-%d")));
    }
    if let Some(to) = request.to {
        out.push(format!("day < date '{}'", to.format("%Y-%m-%d")));
    }
    if let Scope::Merchants(merchants) = scope {
        out.push(one_of("merchant_id", merchants));
    }
    let narrowed = [
        ("merchant_id", &request.merchants),
        ("method", &request.methods),
        ("currency", &request.currencies),
        ("status", &request.statuses),
    ];
    for (column, wanted) in narrowed {
        if !wanted.is_empty() {
            out.push(one_of(column, wanted));
        }
    }
    out
}

fn sums(
    connection: &Connection,
    request: &ReportRequest,
    scope: &Scope,
    groups: &[Group],
    window: Window,
) -> Result<Vec<ReportRow>, LedgerError> {
    let doing = "added up a report";
    let expression = |group: Group| match group {
        Group::Day => "day",
        Group::Month => "date_trunc('month', day)::date",
        Group::Method => "method",
        Group::Merchant => "merchant_id",
    };
    let column = |group: Group, kind: &str| match groups.contains(&group) {
        true => expression(group).to_owned(),
        false => format!("null::{kind}"),
    };
    let keys: Vec<&str> = groups
        .iter()
        .map(|group| expression(*group))
        .chain(["currency"])
        .collect();
    let conditions = conditions(request, scope);
    let (family, day, counted) = cells::counted(request.basis);
    let tables = Tables {
        family,
        grain: grain(request, scope, groups),
    };
    let cells = match request.source {
        SumSource::Rollup => tables.name(),
        SumSource::Ledger => format!("({})", family.by_rows),
    };
    let measures = MEASURES.iter().zip(measures_of(request.basis));
    let sums: Vec<String> = measures
        .clone()
        .map(|((column, is_count), has)| match (has, is_count) {
            (true, _) => family.sum(column),
            (false, true) => "0::bigint".to_owned(),
            (false, false) => "0::hugeint".to_owned(),
        })
        .collect();
    let left: Vec<String> = measures
        .filter(|((_, is_count), has)| *is_count && *has)
        .map(|((column, _), _)| format!("sum({column}) <> 0"))
        .collect();
    let sql = format!(
        "select {day} - date '1970-01-01', {month} - date '1970-01-01', {method}, {merchant}, currency,
                {sums}
         from (select {day_of_cell} as day, * from {cells} where {counted}) cells where {conditions} group by {keys}
         having {left}
         order by {keys} limit {take} offset {skip}",
        day = column(Group::Day, "date"),
        day_of_cell = day,
        month = column(Group::Month, "date"),
        method = column(Group::Method, "varchar"),
        merchant = column(Group::Merchant, "varchar"),
        sums = sums.join(", "),
        left = left.join(" or "),
        conditions = conditions.join(" and "),
        keys = keys.join(", "),
        take = window.take,
        skip = window.skip,
    );
    trace::count(connection, &sql);
    let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
    let mut rows = statement.query([]).map_err(LedgerError::engine(doing))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(LedgerError::engine(doing))? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// The fewest cells that tell apart what is asked.
fn grain(request: &ReportRequest, scope: &Scope, groups: &[Group]) -> Grain {
    let begins_a_month = |day: Option<NaiveDate>| day.is_none_or(|day| day.day() == 1);
    // No merchant is named, so the cells without merchants will do.
    if *scope == Scope::All && request.merchants.is_empty() && !groups.contains(&Group::Merchant) {
        return Grain::All;
    }
    match !groups.contains(&Group::Day) && begins_a_month(request.from) && begins_a_month(request.to) {
        true => Grain::Months,
        false => Grain::Merchants,
    }
}

fn read(row: &duckdb::Row<'_>) -> Result<ReportRow, LedgerError> {
    let failed = || LedgerError::engine("read a report");
    let count = |place: usize| row.get::<_, i64>(place).map_err(failed());
    let money = |place: usize| row.get::<_, i128>(place).map_err(failed());
    let day = |place: usize| {
        let days: Option<i64> = row.get(place).map_err(failed())?;
        Ok::<_, LedgerError>(days.and_then(|days| NaiveDate::from_epoch_days(i32::try_from(days).ok()?)))
    };
    let code: String = row.get(4).map_err(failed())?;
    Ok(ReportRow {
        day: day(0)?,
        month: day(1)?,
        method: row.get(2).map_err(failed())?,
        merchant_id: row.get(3).map_err(failed())?,
        currency: Currency::parse(&code).ok_or_else(|| LedgerError::Damaged(format!("the currency {code:?}")))?,
        measures: Measures {
            payment_count: count(5)?,
            payment_amount: money(6)?,
            cancellation_count: count(7)?,
            cancellation_amount: money(8)?,
            failed_count: count(9)?,
            settlement_count: count(10)?,
            gross: money(11)?,
            fee: money(12)?,
            vat: money(13)?,
            payout: money(14)?,
            cost: money(15)?,
        },
    })
}
