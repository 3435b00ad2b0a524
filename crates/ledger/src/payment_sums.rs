//! What payments add up to, where the list table alone decides which they are.

use domain::money::Currency;
use domain::scope::Scope;
use duckdb::Connection;
use query::{DayField, Filter, KeywordField, TimeField};

use crate::condition::{self, Condition, day_bounds, exact_amount};
use crate::error::LedgerError;
use crate::trace;

/// Sums of payments that have arrived, of one currency, minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentSums {
    pub currency: Currency,
    pub amount: i128,
    pub canceled: i128,
    pub balance: i128,
}

/// How many payments satisfy the filter, and the sums of those that have arrived; `None` where the table cannot decide.
/// The payments `apart` are left out.
pub(crate) fn sums(
    connection: &Connection,
    filter: &Filter,
    scope: &Scope,
    apart: &[u64],
) -> Result<Option<(u64, Vec<PaymentSums>)>, LedgerError> {
    let doing = "added up payments";
    let Some(mut wanted) = exact(filter, scope) else {
        return Ok(None);
    };
    if let Some(scope) = condition::of_scope(scope) {
        wanted = Condition::joined(vec![wanted, scope], " and ");
    }
    let apart = match apart {
        [] => String::new(),
        seqs => {
            let values: Vec<String> = seqs.iter().map(|seq| format!("({seq}::bigint)")).collect();
            format!(
                "and seq not in (select seq from (values {}) apart(seq))",
                values.join(",")
            )
        }
    };
    // An orphan has no total: it is counted, under no currency.
    let sql = format!(
        "select case when total is not null then currency end as code, sum(sign)::bigint as payments,
                sum(sign * total::hugeint), sum(sign * balance)
         from payments where ({}) {apart} group by code having payments <> 0 order by code",
        wanted.sql
    );
    trace::count(connection, &sql);
    let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
    let mut rows = statement.query([]).map_err(LedgerError::engine(doing))?;
    let (mut count, mut found) = (0, Vec::new());
    while let Some(row) = rows.next().map_err(LedgerError::engine(doing))? {
        count += row.get::<_, i64>(1).map_err(LedgerError::engine(doing))?.unsigned_abs();
        let code: Option<String> = row.get(0).map_err(LedgerError::engine(doing))?;
        let Some(code) = code else { continue };
        let amount: i128 = row.get(2).map_err(LedgerError::engine(doing))?;
        let balance: i128 = row.get(3).map_err(LedgerError::engine(doing))?;
        found.push(PaymentSums {
            currency: Currency::parse(&code).ok_or_else(|| LedgerError::Damaged(format!("the currency {code:?}")))?,
            amount,
            canceled: amount - balance,
            balance,
        });
    }
    Ok(Some((count, found)))
}

/// The filter as a condition on a row of `payments` that holds exactly when the payment satisfies it.
fn exact(filter: &Filter, scope: &Scope) -> Option<Condition> {
    let all = |members: &[Filter], word| {
        let parts: Option<Vec<Condition>> = members.iter().map(|member| exact(member, scope)).collect();
        Some(Condition::joined(parts?, word))
    };
    Some(match filter {
        Filter::All => Condition::plain("true"),
        Filter::And(members) => return all(members, " and "),
        Filter::Or(members) => return all(members, " or "),
        Filter::Not(member) => {
            let inner = exact(member, scope)?;
            Condition::plain(format!("not coalesce(({}), false)", inner.sql))
        }
        // A merchant does not see what entries of others do to the flags; the clock decides one of them.
        Filter::Keyword {
            field: KeywordField::Flag,
            value,
        } if *scope != Scope::All || value == "unsettled_overdue" => return None,
        Filter::Keyword { .. } => return condition::of_clause(filter),
        Filter::Amount { field, interval } => exact_amount(condition::amount_column(*field), interval),
        Filter::Day {
            field: DayField::SaleDay,
            interval,
        } => Condition::plain(day_bounds("sale_day", interval)),
        Filter::Day { field, interval } => {
            let column = condition::entry_day_column(*field);
            // What was taken out again has no sign left.
            Condition::plain(format!(
                "seq in (select seq from entries where {} group by seq, kind, entry_id, {column} having sum(sign) > 0)",
                day_bounds(column, interval)
            ))
        }
        Filter::Time {
            field: TimeField::ApprovedAt,
            ..
        } => return condition::of_clause(filter),
        Filter::Time { .. }
        | Filter::Word(_)
        | Filter::Ident { .. }
        | Filter::Text { .. }
        | Filter::Metadata { .. } => {
            return None;
        }
    })
}
