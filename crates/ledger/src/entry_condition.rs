//! A filter as a condition on the rows of `entries`: exact, so that pages and sums need no second look.
//!
//! The row that takes an entry out again has the same columns as the one that put it in, so both meet a condition or
//! neither does, and signs still add up.

use std::collections::BTreeMap;

use domain::record::Kind;
use domain::scope::Scope;
use duckdb::Connection;
use query::{AmountField, Filter, IdentField, KeywordField};

use crate::codec::kind_code;
use crate::condition::{Condition, day_bounds, entry_day_column, exact_amount};
use crate::error::LedgerError;
use crate::quoted::{one_of, quoted};

/// What `filter` and `scope` demand of an entry.
pub(crate) fn of(connection: &Connection, filter: &Filter, scope: &Scope) -> Result<Condition, LedgerError> {
    let spellings = spellings(connection, filter)?;
    let parts = vec![of_filter(filter, &spellings), of_scope(scope)];
    Ok(Condition::joined(parts, " and "))
}

fn of_scope(scope: &Scope) -> Condition {
    match scope {
        Scope::All => Condition::plain("true"),
        Scope::Merchants(merchants) => Condition::plain(one_of("merchant_id", merchants)),
    }
}

/// By the normal form asked for, the payout ids that are written in the ledger.
type Spellings = BTreeMap<String, Vec<String>>;

fn of_filter(filter: &Filter, spellings: &Spellings) -> Condition {
    match filter {
        Filter::All => Condition::plain("true"),
        Filter::And(members) => {
            let parts = members.iter().map(|member| of_filter(member, spellings)).collect();
            Condition::joined(parts, " and ")
        }
        Filter::Or(members) => {
            let parts = members.iter().map(|member| of_filter(member, spellings)).collect();
            Condition::joined(parts, " or ")
        }
        Filter::Not(member) => {
            let inner = of_filter(member, spellings);
            // An absent value makes a condition false and its negation true.
            Condition::plain(format!("not coalesce(({}), false)", inner.sql))
        }
        Filter::Keyword { field, value } => keyword(*field, value),
        Filter::Ident {
            field: IdentField::PayoutId,
            value,
            prefix: false,
        } => Condition::plain(one_of("payout_id", spellings.get(value).into_iter().flatten())),
        Filter::Amount {
            field: AmountField::Amount,
            interval,
        } => exact_amount("amount", interval),
        Filter::Day { field, interval } => Condition::plain(day_bounds(entry_day_column(*field), interval)),
        // What an entry's row does not have, no entry satisfies.
        Filter::Amount { .. }
        | Filter::Ident { .. }
        | Filter::Word(_)
        | Filter::Text { .. }
        | Filter::Metadata { .. }
        | Filter::Time { .. } => Condition::plain("false"),
    }
}

fn keyword(field: KeywordField, value: &str) -> Condition {
    let column = match field {
        KeywordField::MerchantId => "merchant_id",
        KeywordField::Status => "status",
        KeywordField::Method => "method",
        KeywordField::Currency => "currency",
        KeywordField::Kind => {
            return Condition::plain(match Kind::parse(value) {
                Some(kind) => format!("kind = {}", kind_code(kind)),
                None => "false".to_owned(),
            });
        }
        _ => return Condition::plain("false"),
    };
    Condition::plain(format!("{column} = {}", quoted(value)))
}

/// The payout ids that have the normal form of one asked for. Ids of ASCII are compared in the database; of others the
/// database cannot tell the normal form, so each distinct one is looked at.
fn spellings(connection: &Connection, filter: &Filter) -> Result<Spellings, LedgerError> {
    let doing = "looked for payouts";
    let mut found = Spellings::new();
    for leaf in filter.leaves() {
        if let Filter::Ident {
            field: IdentField::PayoutId,
            value,
            prefix: false,
        } = leaf
        {
            found.insert(value.clone(), Vec::new());
        }
    }
    if found.is_empty() {
        return Ok(found);
    }
    let wanted: Vec<String> = found.keys().map(|value| format!("({})", quoted(value))).collect();
    let sql = PAYOUT_SPELLINGS.replace("/* wanted */", &wanted.join(","));
    let mut statement = connection.prepare(&sql).map_err(LedgerError::engine(doing))?;
    let rows = statement
        .query_map([], |row| row.get::<_, String>(0))
        .map_err(LedgerError::engine(doing))?;
    for written in rows {
        let written = written.map_err(LedgerError::engine(doing))?;
        if let Some(same) = found.get_mut(&query::ident(&written)) {
            same.push(written);
        }
    }
    Ok(found)
}

const PAYOUT_SPELLINGS: &str = include_str!("entries/payout_spellings.sql");
