//! A filter as a condition on the rows of `payments`: necessary, not always sufficient.
//!
//! Whatever DuckDB returns is checked again on the payment itself, so a clause that the table cannot decide (a word, an
//! identifier, a negation) simply does not narrow. What is narrowed must never lose a payment that satisfies the filter.

use std::ops::Bound;

use chrono::{DateTime, Datelike as _, Days, NaiveDate, Utc};
use domain::derive::Flag;
use domain::scope::Scope;
use query::Interval;
use query::{AmountField, DayField, Filter, KeywordField, TimeField};
use rust_decimal::Decimal;

use crate::append::micros;
use crate::list_row::flag_bit;
use crate::quoted::{one_of, quoted};

/// SQL that is true or not of a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    pub(crate) sql: String,
}

impl Condition {
    pub(crate) fn plain(sql: impl Into<String>) -> Self {
        Condition { sql: sql.into() }
    }

    pub(crate) fn joined(parts: Vec<Condition>, word: &str) -> Self {
        let sql: Vec<String> = parts.iter().map(|part| format!("({})", part.sql)).collect();
        Condition::plain(sql.join(word))
    }
}

/// What `filter` and `scope` demand of a row of `payments`; each where the table can narrow it.
pub(crate) fn of(filter: &Filter, scope: &Scope) -> Vec<Condition> {
    let scope = of_scope(scope);
    let seen = scope.iter().map(|scope| scope.sql.clone()).collect();
    of_filter(filter, &Merchants(seen)).into_iter().chain(scope).collect()
}

/// What one clause demands, whatever stands beside it.
pub(crate) fn of_clause(filter: &Filter) -> Option<Condition> {
    of_filter(filter, &Merchants(Vec::new()))
}

/// Conditions on `merchant_id` that a payment has to meet anyway. Its entries name the same merchant, so looks at entries need not read
/// those of others.
struct Merchants(Vec<String>);

impl Merchants {
    /// With those that the members of an `And` demand.
    fn and(&self, members: &[Filter]) -> Self {
        let demanded = members.iter().filter_map(|member| match member {
            Filter::Keyword {
                field: KeywordField::MerchantId,
                value,
            } => Some(format!("merchant_id = {}", quoted(value))),
            _ => None,
        });
        Merchants(self.0.iter().cloned().chain(demanded).collect())
    }

    /// Payments that have an entry which meets a condition.
    fn having(&self, condition: &str) -> Condition {
        let conditions: Vec<String> = ["sign = 1".to_owned(), condition.to_owned()]
            .into_iter()
            .chain(self.0.iter().cloned())
            .collect();
        Condition::plain(format!(
            "seq in (select seq from entries where {})",
            conditions.join(" and ")
        ))
    }
}

fn of_filter(filter: &Filter, merchants: &Merchants) -> Option<Condition> {
    match filter {
        Filter::And(members) => {
            let merchants = merchants.and(members);
            let parts: Vec<Condition> = members
                .iter()
                .filter_map(|member| of_filter(member, &merchants))
                .collect();
            (!parts.is_empty()).then(|| Condition::joined(parts, " and "))
        }
        Filter::Or(members) => {
            let parts: Option<Vec<Condition>> = members.iter().map(|member| of_filter(member, merchants)).collect();
            Some(Condition::joined(parts?, " or "))
        }
        Filter::Keyword { field, value } => keyword(*field, value),
        Filter::Amount { field, interval } => Some(amount(*field, interval)),
        Filter::Day { field, interval } => Some(day(*field, interval, merchants)),
        Filter::Time { field, interval } => Some(time(*field, interval, merchants)),
        Filter::All
        | Filter::Not(_)
        | Filter::Word(_)
        | Filter::Ident { .. }
        | Filter::Text { .. }
        | Filter::Metadata { .. } => None,
    }
}

/// What `scope` demands. Payments that differ by reader are looked at apart ([`crate::Rows::split`]).
pub(crate) fn of_scope(scope: &Scope) -> Option<Condition> {
    let Scope::Merchants(merchants) = scope else {
        return None;
    };
    Some(Condition::plain(one_of("merchant_id", merchants)))
}

fn keyword(field: KeywordField, value: &str) -> Option<Condition> {
    let column = match field {
        KeywordField::MerchantId => "merchant_id",
        KeywordField::Status => "status",
        KeywordField::SettlementStatus => "settlement_status",
        KeywordField::Method => "method",
        KeywordField::Currency => "currency",
        KeywordField::Flag => return flag(value),
        KeywordField::Last4
        | KeywordField::Issuer
        | KeywordField::Provider
        | KeywordField::Bank
        | KeywordField::ReasonCode
        | KeywordField::Channel
        | KeywordField::Kind => return None,
    };
    Some(Condition::plain(format!("{column} = {}", quoted(value))))
}

fn flag(value: &str) -> Option<Condition> {
    let flag = Flag::parse(value)?;
    Some(match flag {
        // The clock decides; these two are what it needs.
        Flag::UnsettledOverdue => {
            Condition::plain("settlement_status = 'NONE' and status in ('DONE', 'PARTIALLY_CANCELED')")
        }
        _ => Condition::plain(format!("flags & {} <> 0", flag_bit(flag))),
    })
}

/// The bounds of an interval as comparisons with `column`; an open interval still asks for a value.
fn bounds<T>(column: &str, interval: &Interval<T>, print: impl Fn(&T) -> String) -> String {
    let mut parts = vec![format!("{column} is not null")];
    match &interval.lower {
        Bound::Included(lower) => parts.push(format!("{column} >= {}", print(lower))),
        Bound::Excluded(lower) => parts.push(format!("{column} > {}", print(lower))),
        Bound::Unbounded => {}
    }
    match &interval.upper {
        Bound::Included(upper) => parts.push(format!("{column} <= {}", print(upper))),
        Bound::Excluded(upper) => parts.push(format!("{column} < {}", print(upper))),
        Bound::Unbounded => {}
    }
    parts.join(" and ")
}

pub(crate) fn amount_column(field: AmountField) -> &'static str {
    match field {
        AmountField::Amount => "total",
        AmountField::BalanceAmount => "balance",
    }
}

/// The column of `entries` that holds the day.
pub(crate) fn entry_day_column(field: DayField) -> &'static str {
    match field {
        DayField::SaleDay => "sale_day",
        DayField::EventDay => "event_day",
        DayField::SoldOn => "sold_on",
        DayField::PaidOutOn => "paid_out_on",
    }
}

/// Amounts compare in major units: the bound is printed in the minor units of each number of digits. Rounding outwards
/// keeps the condition necessary.
fn amount(field: AmountField, interval: &Interval<Decimal>) -> Condition {
    let column = amount_column(field);
    let side = |bound: &Bound<Decimal>, compare: &str, up: bool| match bound {
        Bound::Unbounded => None,
        Bound::Included(value) | Bound::Excluded(value) => {
            let cases: Option<Vec<String>> = (0..=DIGITS_MAX).map(|digits| minor(value, digits, up)).collect();
            let cases: Vec<String> = cases?
                .iter()
                .enumerate()
                .map(|(d, minor)| format!("when {d} then {minor}"))
                .collect();
            Some(format!("{column} {compare} case digits {} end", cases.join(" ")))
        }
    };
    let mut parts = vec![format!("{column} is not null")];
    parts.extend(side(&interval.lower, ">=", false));
    parts.extend(side(&interval.upper, "<=", true));
    Condition::plain(parts.join(" and "))
}

/// `value` in units of 10^-digits, rounded up or down; `None` where that leaves the range of a column, so that the
/// bound does not narrow.
fn minor(value: &Decimal, digits: u32, up: bool) -> Option<String> {
    let scaled = value.checked_mul(Decimal::from(10u64.pow(digits)))?;
    let rounded = if up { scaled.ceil() } else { scaled.floor() };
    Some(format!("{rounded}::hugeint"))
}

/// The most fraction digits of a currency.
const DIGITS_MAX: u32 = 4;

/// An amount as it compares in major units, exactly: both sides in units of 10^-4. One short expression a bound, because
/// the engine keeps a vector for each of its nodes.
pub(crate) fn exact_amount(column: &str, interval: &Interval<Decimal>) -> Condition {
    let finest = format!(
        "{column}::hugeint * case digits when 2 then 100 when 0 then 10000 when 3 then 10 when 1 then 1000 else 1 end"
    );
    let mut parts = vec![format!("{column} is not null")];
    // Amounts are whole units of 10^-4, so a bound between two of them can be moved to the nearer one inside.
    let mut side = |compare: &str, value: &Decimal, up: bool| {
        parts.push(format!(
            "{finest} {compare} {}::hugeint",
            whole_minor(value, DIGITS_MAX, up)
        ));
    };
    match &interval.lower {
        Bound::Included(value) => side(">=", value, true),
        Bound::Excluded(value) => side(">", value, false),
        Bound::Unbounded => {}
    }
    match &interval.upper {
        Bound::Included(value) => side("<=", value, false),
        Bound::Excluded(value) => side("<", value, true),
        Bound::Unbounded => {}
    }
    Condition::plain(parts.join(" and "))
}

/// `value` in units of 10^-digits, rounded up or down. Beyond the range of a decimal it is beyond every amount: sums of
/// money here stay far below 10^28 minor units.
fn whole_minor(value: &Decimal, digits: u32, up: bool) -> String {
    match minor(value, digits, up) {
        Some(minor) => minor,
        None if value.is_sign_negative() => (i128::MIN / 2).to_string(),
        None => (i128::MAX / 2).to_string(),
    }
}

fn date(day: &NaiveDate) -> String {
    format!("date '{}'", day.format("%Y-%m-%d"))
}

fn day(field: DayField, interval: &Interval<NaiveDate>, merchants: &Merchants) -> Condition {
    let bounds = bounds(entry_day_column(field), interval, date);
    if field == DayField::SaleDay {
        return Condition::plain(bounds);
    }
    merchants.having(&bounds)
}

/// The bounds of an interval of days as a condition on `column`.
pub(crate) fn day_bounds(column: &str, interval: &Interval<NaiveDate>) -> String {
    bounds(column, interval, date)
}

fn time(field: TimeField, interval: &Interval<DateTime<Utc>>, merchants: &Merchants) -> Condition {
    match field {
        TimeField::ApprovedAt => Condition::plain(bounds("approved_at", interval, |at| {
            format!("make_timestamp({}::bigint)", micros(*at))
        })),
        TimeField::CanceledAt => {
            // Entries keep the business day; in any time zone it is within a day of the UTC date.
            let widened = Interval {
                lower: widen(&interval.lower, |day| day.checked_sub_days(Days::new(1))),
                upper: widen(&interval.upper, |day| day.checked_add_days(Days::new(1))),
            };
            let bounds = bounds("event_day", &widened, date);
            merchants.having(&format!("kind = 0 and {bounds}"))
        }
    }
}

fn widen(bound: &Bound<DateTime<Utc>>, shift: impl Fn(NaiveDate) -> Option<NaiveDate>) -> Bound<NaiveDate> {
    match bound {
        Bound::Unbounded => Bound::Unbounded,
        Bound::Included(at) | Bound::Excluded(at) => {
            // Other years have no four digits, and no message names one.
            let day = shift(at.date_naive()).filter(|day| (0..=9999).contains(&day.year()));
            day.map_or(Bound::Unbounded, Bound::Included)
        }
    }
}
