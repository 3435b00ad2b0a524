//! The bound form of a question: what lists, search and reports evaluate.
//!
//! A filter is a condition on one row. For payments AND, OR and NOT act on payments, and a leaf on a field of an entry
//! (see [`Holder`](crate::Holder)) holds when one live entry satisfies it: `Not(Ident(PayoutId, x))` is "no live entry has
//! payout x". A leaf on a value that is absent is false, and so its negation is true. For `/v1/entries` and the reports the
//! same leaves are conditions on the entry itself.
//!
//! The leaves hold values in the form in which they are compared: identifiers in [`ident`](crate::ident) form, texts and
//! metadata values in [`fold`](crate::fold) form, keywords as stored.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use crate::interval::Interval;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// No condition.
    All,
    /// All members hold. Not empty, no member is an `And`.
    And(Vec<Filter>),
    /// At least one member holds. Not empty, no member is an `Or`.
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Word(Word),
    /// The identifier equals `value`, or begins with it. `value` is in identifier normal form and not empty.
    Ident {
        field: IdentField,
        value: String,
        prefix: bool,
    },
    /// The text contains `needle`, which is in text normal form.
    Text {
        field: TextField,
        needle: String,
    },
    /// The metadata value under exactly this key, in text normal form, equals `value`.
    Metadata {
        key: String,
        value: String,
    },
    /// The stored value equals `value`, character by character.
    Keyword {
        field: KeywordField,
        value: String,
    },
    Amount {
        field: AmountField,
        interval: Interval<Decimal>,
    },
    Day {
        field: DayField,
        interval: Interval<NaiveDate>,
    },
    Time {
        field: TimeField,
        interval: Interval<DateTime<Utc>>,
    },
}

/// A bare word holds when any of its readings does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// In text normal form, 2 characters or more. A text (order name, customer name, depositor, cancellation reason, failure
    /// message, any metadata value) contains it. Not a reading of a `prefix` word.
    pub text: String,
    /// In identifier normal form: equals any identifier, or begins it when `prefix`. None when nothing but spaces and
    /// hyphens was written.
    pub ident: Option<String>,
    /// Four ASCII digits: equals the last four of a card. None in a `prefix` word.
    pub last4: Option<String>,
    /// `word*`: the beginning of an identifier and nothing else.
    pub prefix: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IdentField {
    PaymentKey,
    OrderId,
    TransactionKey,
    CancellationId,
    SettlementId,
    PayoutId,
    ApproveNo,
    AccountNumber,
    Email,
    Phone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TextField {
    OrderName,
    CustomerName,
    Depositor,
    Reason,
    FailureMessage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeywordField {
    MerchantId,
    /// Of a payment the derived status, of an entry or a settlement report's line its own.
    Status,
    SettlementStatus,
    Method,
    Currency,
    Flag,
    Last4,
    Issuer,
    Provider,
    Bank,
    ReasonCode,
    Channel,
    /// `payment`, `cancellation` or `settlement`. Only rows of entries have it; the catalogue does not name it.
    Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AmountField {
    /// Of a payment its total, of an entry its signed amount.
    Amount,
    BalanceAmount,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DayField {
    EventDay,
    SaleDay,
    SoldOn,
    PaidOutOn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TimeField {
    ApprovedAt,
    CanceledAt,
}

impl IdentField {
    pub const ALL: [IdentField; 10] = [
        IdentField::PaymentKey,
        IdentField::OrderId,
        IdentField::TransactionKey,
        IdentField::CancellationId,
        IdentField::SettlementId,
        IdentField::PayoutId,
        IdentField::ApproveNo,
        IdentField::AccountNumber,
        IdentField::Email,
        IdentField::Phone,
    ];
}

impl TextField {
    pub const ALL: [TextField; 5] = [
        TextField::OrderName,
        TextField::CustomerName,
        TextField::Depositor,
        TextField::Reason,
        TextField::FailureMessage,
    ];
}

impl Filter {
    /// True when the filter has no condition.
    pub fn is_all(&self) -> bool {
        matches!(self, Filter::All)
    }

    /// Both hold.
    pub fn and(self, other: Filter) -> Filter {
        Filter::all_of([self, other])
    }

    /// Every member holds; `All` of no members.
    pub fn all_of(parts: impl IntoIterator<Item = Filter>) -> Filter {
        let mut members = Vec::new();
        for part in parts {
            match part {
                Filter::All => {}
                Filter::And(inner) => members.extend(inner),
                other => members.push(other),
            }
        }
        match members.len() {
            0 => Filter::All,
            1 => members.remove(0),
            _ => Filter::And(members),
        }
    }

    /// One of two or more alternatives holds. `All` among them makes the whole `All`; so does an empty list, as the absence
    /// of a repeated parameter does.
    pub fn any_of(parts: impl IntoIterator<Item = Filter>) -> Filter {
        let mut members = Vec::new();
        for part in parts {
            match part {
                Filter::All => return Filter::All,
                Filter::Or(inner) => members.extend(inner),
                other => members.push(other),
            }
        }
        match members.len() {
            0 => Filter::All,
            1 => members.remove(0),
            _ => Filter::Or(members),
        }
    }

    /// Calls `visitor` with this filter and every filter inside it, the outer ones first.
    pub fn visit<'f>(&'f self, visitor: &mut impl FnMut(&'f Filter)) {
        visitor(self);
        match self {
            Filter::And(members) | Filter::Or(members) => {
                for member in members {
                    member.visit(visitor);
                }
            }
            Filter::Not(inner) => inner.visit(visitor),
            _ => {}
        }
    }

    /// The filters inside that hold no others, in the order of the text.
    pub fn leaves(&self) -> Vec<&Filter> {
        let mut leaves = Vec::new();
        self.visit(&mut |filter| {
            if !matches!(filter, Filter::All | Filter::And(_) | Filter::Or(_) | Filter::Not(_)) {
                leaves.push(filter);
            }
        });
        leaves
    }

    /// The members that must all hold: those of an `And`, nothing of `All`, else the filter itself. A planner starts here.
    pub fn conjuncts(&self) -> &[Filter] {
        match self {
            Filter::All => &[],
            Filter::And(members) => members,
            other => std::slice::from_ref(other),
        }
    }
}

/// `!filter`. Nothing is rearranged: a double negation stays visible to `explain`.
impl std::ops::Not for Filter {
    type Output = Filter;

    fn not(self) -> Filter {
        Filter::Not(Box::new(self))
    }
}
