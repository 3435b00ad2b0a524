//! What decides where the candidates of a question come from, and of which times they are.

use chrono::{DateTime, Utc};
use ledger::Order;
use query::Filter;
use search::{TermQuery, Within, term_query};

use crate::page::PageRequest;
use crate::span::{Span, sale_days};

/// Merchants alone are what the list table is good at; the index is asked when there is something else to look up.
pub(crate) fn asks_more_than_merchants(query: &TermQuery, request: &PageRequest) -> bool {
    let merchants_alone = term_query(&Filter::All, &request.scope);
    !query.is_all() && *query != merchants_alone && !only_merchants(&request.filter)
}

/// Whether a filter is likely to leave out nearly all payments of a span, by what the index does not know.
pub(crate) fn is_choosy(filter: &Filter) -> bool {
    let mut is_choosy = false;
    filter.visit(&mut |leaf| {
        use query::{DayField, KeywordField, TimeField};
        is_choosy |= match leaf {
            Filter::Amount { .. } => true,
            Filter::Keyword { field, .. } => *field == KeywordField::Flag,
            Filter::Day { field, .. } => *field != DayField::SaleDay,
            Filter::Time { field, .. } => *field != TimeField::ApprovedAt,
            _ => false,
        };
    });
    is_choosy
}

/// The times that the index is asked for.
pub(crate) fn within(filter: &Filter, after: Option<DateTime<Utc>>, order: Order) -> Within {
    Within {
        minutes: span_of(filter, after, order).minutes(),
        sale_days: sale_days(filter),
    }
}

/// When payments that are asked for can have occurred, behind the last one of the page before.
pub(crate) fn span_of(filter: &Filter, after: Option<DateTime<Utc>>, order: Order) -> Span {
    Span::of(filter).behind(after, order)
}

fn only_merchants(filter: &Filter) -> bool {
    let mut only = true;
    filter.visit(&mut |leaf| {
        use query::KeywordField;
        only &= match leaf {
            Filter::Keyword { field, .. } => !matches!(
                field,
                KeywordField::Last4
                    | KeywordField::Issuer
                    | KeywordField::Provider
                    | KeywordField::Bank
                    | KeywordField::ReasonCode
                    | KeywordField::Channel
            ),
            Filter::Word(_) | Filter::Ident { .. } | Filter::Text { .. } | Filter::Metadata { .. } => false,
            _ => true,
        };
    });
    only
}
