//! Which filter parameters an endpoint knows.

use crate::catalogue::Target;
use crate::catalogue::Vocabulary;
use crate::fields;
use crate::filter::{AmountField, DayField, IdentField, KeywordField, TimeField};

/// The parameters of one endpoint: its filters, whether it takes `q`, and the names that are no filters.
#[derive(Debug, Clone, Copy)]
pub struct ParamSet {
    filters: &'static [(&'static str, Target)],
    takes_query: bool,
    others: &'static [&'static str],
}

const PAYOUT_ID: Target = Target::Ident(IdentField::PayoutId);
const EVENT_DAY: Target = Target::Day(DayField::EventDay);
const SALE_DAY: Target = Target::Day(DayField::SaleDay);
const SOLD_ON: Target = Target::Day(DayField::SoldOn);
const PAID_OUT_ON: Target = Target::Day(DayField::PaidOutOn);
const AMOUNT: Target = Target::Amount(AmountField::Amount);

impl ParamSet {
    /// `GET /v1/payments` and `/v1/payments/search`.
    pub const PAYMENTS: ParamSet = ParamSet {
        filters: &[
            ("merchant_id", fields::MERCHANT_ID),
            ("status", fields::STATUS),
            ("settlement_status", fields::SETTLEMENT_STATUS),
            ("method", fields::METHOD),
            ("currency", fields::CURRENCY),
            ("order_id", Target::Ident(IdentField::OrderId)),
            ("payout_id", PAYOUT_ID),
            ("flag", fields::FLAG),
            ("amount", AMOUNT),
            ("balance_amount", Target::Amount(AmountField::BalanceAmount)),
            ("event_day", EVENT_DAY),
            ("sale_day", SALE_DAY),
            ("approved_at", Target::Time(TimeField::ApprovedAt)),
            ("canceled_at", Target::Time(TimeField::CanceledAt)),
            ("sold_on", SOLD_ON),
            ("paid_out_on", PAID_OUT_ON),
        ],
        takes_query: true,
        others: &[],
    };

    /// `GET /v1/entries`: conditions on the entry itself.
    pub const ENTRIES: ParamSet = ParamSet {
        filters: &[
            (
                "kind",
                Target::Keyword(KeywordField::Kind, Vocabulary::Closed(fields::KINDS)),
            ),
            ("merchant_id", fields::MERCHANT_ID),
            (
                "status",
                Target::Keyword(KeywordField::Status, Vocabulary::Closed(fields::ENTRY_STATUSES)),
            ),
            ("method", fields::METHOD),
            ("currency", fields::CURRENCY),
            ("payout_id", PAYOUT_ID),
            ("amount", AMOUNT),
            ("event_day", EVENT_DAY),
            ("sale_day", SALE_DAY),
            ("sold_on", SOLD_ON),
            ("paid_out_on", PAID_OUT_ON),
        ],
        takes_query: false,
        others: &[],
    };

    /// `GET /v1/reports/sales`.
    pub const SALES_REPORT: ParamSet = ParamSet {
        filters: &[
            ("merchant_id", fields::MERCHANT_ID),
            ("method", fields::METHOD),
            ("currency", fields::CURRENCY),
        ],
        takes_query: false,
        others: &[],
    };

    /// `GET /v1/reports/settlements`.
    pub const SETTLEMENTS_REPORT: ParamSet = ParamSet {
        filters: &[
            ("merchant_id", fields::MERCHANT_ID),
            ("method", fields::METHOD),
            ("currency", fields::CURRENCY),
            (
                "status",
                Target::Keyword(KeywordField::Status, Vocabulary::Closed(fields::LINE_STATUSES)),
            ),
        ],
        takes_query: false,
        others: &[],
    };

    /// The same filters, and these names that the endpoint reads by itself (`limit`, `cursor`, `order`, ...).
    pub const fn with_others(self, others: &'static [&'static str]) -> ParamSet {
        ParamSet { others, ..self }
    }

    /// Every name the endpoint knows, filters first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let query = self.takes_query.then_some("q");
        self.filters
            .iter()
            .map(|(name, _)| *name)
            .chain(query)
            .chain(self.others.iter().copied())
    }

    pub(crate) fn filter(&self, name: &str) -> Option<(&'static str, Target)> {
        self.filters.iter().find(|(filter, _)| *filter == name).copied()
    }

    pub(crate) fn takes_query(&self) -> bool {
        self.takes_query
    }

    pub(crate) fn has_other(&self, name: &str) -> bool {
        self.others.contains(&name)
    }
}
