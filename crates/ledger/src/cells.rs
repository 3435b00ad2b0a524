//! The rollup cells' tables: what appending, compaction, reports and verification have to know of them.

use domain::rollup::Basis;

use crate::error::LedgerError;

/// Cells of one kind: the view `<name>` of the tables `<name>_new` (changes as they came) and `<name>_packed` (runs).
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: &'static str,
    /// In the order of a run.
    pub(crate) dimensions: &'static [&'static str],
    /// Those of them that are days.
    pub(crate) days: &'static [&'static str],
    pub(crate) measures: &'static [&'static str],
    /// Those of them that are money, each in two columns: see [`split`].
    pub(crate) amounts: &'static [&'static str],
    /// What each of the unified ledger's rows adds, in the columns of cells, by the rule of `domain::rollup::contribution` written a
    /// second time so that one checks the other.
    pub(crate) by_rows: &'static str,
}

/// What is beyond this of a sum lies in a column of its own, as many times it. Both have the sum's sign, so that small ones stay small.
/// Columns of 128 bits take the engine 300 ns a value to read.
pub(crate) const SPAN: i128 = 1 << 62;

/// A sum as it lies in two columns of 64 bits.
///
/// # Errors
/// Beyond 2^125 minor units, which no ledger adds up to.
pub(crate) fn split(sum: i128) -> Result<(i64, i64), LedgerError> {
    let low = sum % SPAN;
    let over = (sum - low) >> 62;
    let column = |part| i64::try_from(part).map_err(|_| LedgerError::Damaged(format!("a sum of {sum} minor units")));
    Ok((column(low)?, column(over)?))
}

/// The sum of which the two columns' sums are these.
///
/// # Errors
/// Beyond 128 bits, which no ledger adds up to.
pub(crate) fn joined(low: i128, over: i128) -> Result<i128, LedgerError> {
    let sum = over.checked_mul(SPAN).and_then(|over| over.checked_add(low));
    sum.ok_or_else(|| LedgerError::Damaged(format!("a sum of {over} times 2^62 and {low} minor units")))
}

/// Payments and cancellations.
pub(crate) const SALES: Family = Family {
    name: "sales_cells",
    dimensions: &["merchant_id", "event_day", "sale_day", "currency", "method"],
    days: &["event_day", "sale_day"],
    measures: &[
        "payment_count",
        "payment_amount",
        "cancellation_count",
        "cancellation_amount",
        "failed_count",
    ],
    amounts: &["payment_amount", "cancellation_amount"],
    by_rows: include_str!("cells/sales_by_rows.sql"),
};

/// Settlement lines.
pub(crate) const SETTLEMENTS: Family = Family {
    name: "settlement_cells",
    dimensions: &["merchant_id", "sold_on", "paid_out_on", "currency", "method", "status"],
    days: &["sold_on", "paid_out_on"],
    measures: &["settlement_count", "gross", "fee", "vat", "payout", "cost"],
    amounts: &["gross", "fee", "vat", "payout", "cost"],
    by_rows: include_str!("cells/settlements_by_rows.sql"),
};

/// The cells that a report by `basis` counts: their family, their day and a condition.
pub(crate) const fn counted(basis: Basis) -> (&'static Family, &'static str, &'static str) {
    match basis {
        Basis::EventDay => (&SALES, "event_day", "true"),
        Basis::SaleDay => (&SALES, "sale_day", "sale_day is not null"),
        Basis::Orphaned => (&SALES, "null::date", "sale_day is null"),
        Basis::SoldOn => (&SETTLEMENTS, "sold_on", "true"),
        Basis::PaidOutOn => (&SETTLEMENTS, "paid_out_on", "paid_out_on is not null"),
    }
}

/// What a table of cells tells apart, beside currency and method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grain {
    /// Merchants and days.
    Merchants,
    /// Days of all merchants together.
    All,
    /// Merchants and months, whose first days stand for them. Of changes that lie in runs; the others are by day.
    Months,
}

/// The tables of a family and a grain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tables {
    pub(crate) family: &'static Family,
    pub(crate) grain: Grain,
}

const fn tables(family: &'static Family, grain: Grain) -> Tables {
    Tables { family, grain }
}

pub(crate) const TABLES: [Tables; 6] = [
    tables(&SALES, Grain::Merchants),
    tables(&SALES, Grain::Months),
    tables(&SALES, Grain::All),
    tables(&SETTLEMENTS, Grain::Merchants),
    tables(&SETTLEMENTS, Grain::Months),
    tables(&SETTLEMENTS, Grain::All),
];

impl Tables {
    /// Of the view, and what the names of its tables begin with.
    pub(crate) fn name(self) -> String {
        let of = match self.grain {
            Grain::Merchants => "",
            Grain::All => "_of_all",
            Grain::Months => "_by_month",
        };
        format!("{}{of}", self.family.name)
    }

    /// The merchant is the first of a family's.
    pub(crate) fn dimensions(self) -> &'static [&'static str] {
        match self.grain {
            Grain::Merchants | Grain::Months => self.family.dimensions,
            Grain::All => &self.family.dimensions[1..],
        }
    }

    /// The dimensions of a row by day, as they are here.
    pub(crate) fn of_days(self) -> Vec<String> {
        let here = |dimension: &&str| match self.grain == Grain::Months && self.family.days.contains(dimension) {
            true => format!("date_trunc('month', {dimension})::date as {dimension}"),
            false => (*dimension).to_owned(),
        };
        self.dimensions().iter().map(here).collect()
    }
}

impl Family {
    /// The columns that a measure lies in: their sums, [`joined`], are its sum. Rows with their two columns put together would be 128 bits
    /// each, which takes twice as long.
    pub(crate) fn columns(&self, measure: &str) -> Vec<String> {
        match self.amounts.contains(&measure) {
            true => vec![measure.to_owned(), format!("{measure}_over")],
            false => vec![measure.to_owned()],
        }
    }

    /// A measure of a row of cells.
    pub(crate) fn whole(&self, measure: &str) -> String {
        match self.amounts.contains(&measure) {
            true => format!("{measure} + {measure}_over::hugeint * {SPAN}"),
            false => measure.to_owned(),
        }
    }

    /// A condition on added-up measures: the cell is not zero.
    pub(crate) fn is_something(&self) -> String {
        let measures: Vec<String> = self
            .measures
            .iter()
            .map(|measure| format!("sum({measure}) <> 0"))
            .collect();
        measures.join(" or ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_columns_make_the_sum_again() {
        let most = i128::from(i64::MAX);
        for sum in [
            0,
            1,
            -1,
            999,
            -999,
            SPAN - 1,
            SPAN,
            -SPAN,
            1 - SPAN,
            3 * SPAN + 7,
            most,
            -most,
            1_000_000 * most,
            most << 61,
        ] {
            let (low, over) = split(sum).expect("two columns");
            assert_eq!(joined(low.into(), over.into()).expect("a sum"), sum);
            assert!(
                i128::from(low).signum() * sum.signum() >= 0 && (over == 0) == (sum.abs() < SPAN),
                "{sum}"
            );
        }
        split(i128::MAX).expect_err("more than any ledger adds up to");
        joined(0, 1 << 66).expect_err("more than any ledger adds up to");
    }
}
