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

/// All of which a cell must meet; `day` is the column of its day.
fn conditions(request: &ReportRequest, scope: &Scope, day: &str) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(from) = request.from {
        out.push(format!("{day} >= date '{}'", from.format("%Y-%m-%d")));
    }
    if let Some(to) = request.to {
        out.push(format!("{day} < date '{}'", to.format("%Y-%m-%d")));
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

/// The engine adds up columns and no more: planning an expression takes it as long as adding up a month of one merchant's cells.
fn sums(
    connection: &Connection,
    request: &ReportRequest,
    scope: &Scope,
    groups: &[Group],
    window: Window,
) -> Result<Vec<ReportRow>, LedgerError> {
    let doing = "added up a report";
    let (family, day, counted) = cells::counted(request.basis);
    let tables = Tables {
        family,
        grain: grain(request, scope, groups),
    };
    let cells = match request.source {
        SumSource::Rollup => tables.name(),
        SumSource::Ledger => format!("({})", family.by_rows),
    };
    let key = |group: &Group| match group {
        Group::Day => day.to_owned(),
        Group::Month => format!("date_trunc('month', {day})::date"),
        Group::Method => "method".to_owned(),
        Group::Merchant => "merchant_id".to_owned(),
    };
    let keys: Vec<String> = groups.iter().map(key).chain(["currency".to_owned()]).collect();
    let places: Vec<String> = (1..=keys.len()).map(|place| place.to_string()).collect();
    let has = measures_of(request.basis);
    let measures = MEASURES.iter().zip(has).filter(|(_, has)| *has);
    let left = measures.clone().filter(|((_, is_count), _)| *is_count);
    let left: Vec<String> = left.map(|((column, _), _)| format!("sum({column}) <> 0")).collect();
    let mut conditions = conditions(request, scope, day);
    conditions.push(counted.to_owned());
    let sql = format!(
        "select {keys}, {sums} from {cells} cells where {conditions} group by {places}
         having {left} order by {places} limit {take} offset {skip}",
        keys = keys.join(", "),
        sums = measures
            .flat_map(|((column, _), _)| family.columns(column))
            .map(|column| format!("sum({column})"))
            .collect::<Vec<_>>()
            .join(", "),
        conditions = conditions.join(" and "),
        places = places.join(", "),
        left = left.join(" or "),
        take = window.take,
        skip = window.skip,
    );
    trace::count(connection, &sql);
    let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
    let mut rows = statement.query([]).map_err(LedgerError::engine(doing))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(LedgerError::engine(doing))? {
        found.push(read(row, groups, has)?);
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

/// The groups' values, the currency, and the sums of the measures that there are.
fn read(row: &duckdb::Row<'_>, groups: &[Group], has: [bool; 11]) -> Result<ReportRow, LedgerError> {
    let failed = || LedgerError::engine("read a report");
    let place_of = |group: Group| groups.iter().position(|of| *of == group);
    let text = |group: Group| place_of(group).map(|place| row.get::<_, String>(place).map_err(failed()));
    let day = |group: Group| {
        let days = place_of(group).map(|place| row.get::<_, Option<i32>>(place).map_err(failed()));
        Ok::<_, LedgerError>(days.transpose()?.flatten().and_then(NaiveDate::from_epoch_days))
    };
    let code: String = row.get(groups.len()).map_err(failed())?;
    let mut sums = [0_i128; 11];
    let mut columns = groups.len() + 1..;
    let mut next = || {
        columns
            .next()
            .map_or(Ok(0), |place| row.get::<_, i128>(place).map_err(failed()))
    };
    for ((sum, has), (_, is_count)) in sums.iter_mut().zip(has).zip(MEASURES) {
        *sum = match (has, is_count) {
            (false, _) => continue,
            (true, true) => next()?,
            (true, false) => cells::joined(next()?, next()?)?,
        };
    }
    let [
        payments,
        payment,
        cancellations,
        cancellation,
        failures,
        settlements,
        gross,
        fee,
        vat,
        payout,
        cost,
    ] = sums;
    let count = |sum: i128| i64::try_from(sum).map_err(|_| LedgerError::Damaged(format!("a count of {sum}")));
    Ok(ReportRow {
        day: day(Group::Day)?,
        month: day(Group::Month)?,
        method: text(Group::Method).transpose()?,
        merchant_id: text(Group::Merchant).transpose()?,
        currency: Currency::parse(&code).ok_or_else(|| LedgerError::Damaged(format!("the currency {code:?}")))?,
        measures: Measures {
            payment_count: count(payments)?,
            payment_amount: payment,
            cancellation_count: count(cancellations)?,
            cancellation_amount: cancellation,
            failed_count: count(failures)?,
            settlement_count: count(settlements)?,
            gross,
            fee,
            vat,
            payout,
            cost,
        },
    })
}
