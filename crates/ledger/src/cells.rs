//! The rollup cells' tables: what appending, compaction, reports and verification have to know of them.

use domain::rollup::Basis;

use crate::error::LedgerError;

/// Cells of one kind: the view `<name>` of the tables `<name>_new` (changes as they came) and `<name>_packed` (runs).
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: &'static str,
    /// In the order of a run.
    pub(crate) dimensions: &'static [&'static str],
    pub(crate) measures: &'static [&'static str],
    /// Those of them that are money, each in two columns: see [`split`].
    pub(crate) amounts: &'static [&'static str],
    /// The same changes added up from the unified ledger's rows, by the rule of `domain::rollup::contribution` written a
    /// second time so that one checks the other.
    pub(crate) by_rows: &'static str,
}

/// What is beyond this of a sum lies in a column of its own, as many times it. Both have the sum's sign, so that small ones stay small.
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

/// Payments and cancellations.
pub(crate) const SALES: Family = Family {
    name: "sales_cells",
    dimensions: &["merchant_id", "event_day", "sale_day", "currency", "method"],
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

/// Tables as compaction sees them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tables {
    pub(crate) family: &'static Family,
    /// Whether the cells are those by merchant, or those of all merchants.
    pub(crate) by_merchant: bool,
}

pub(crate) const TABLES: [Tables; 4] = [
    Tables {
        family: &SALES,
        by_merchant: true,
    },
    Tables {
        family: &SETTLEMENTS,
        by_merchant: true,
    },
    Tables {
        family: &SALES,
        by_merchant: false,
    },
    Tables {
        family: &SETTLEMENTS,
        by_merchant: false,
    },
];

impl Tables {
    pub(crate) fn name(self) -> String {
        match self.by_merchant {
            true => self.family.name.to_owned(),
            false => format!("{}_of_all", self.family.name),
        }
    }

    /// The merchant is the first of a family's.
    pub(crate) fn dimensions(self) -> &'static [&'static str] {
        match self.by_merchant {
            true => self.family.dimensions,
            false => &self.family.dimensions[1..],
        }
    }
}

impl Family {
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
            assert_eq!(i128::from(low) + i128::from(over) * SPAN, sum);
            assert!(
                i128::from(low).signum() * sum.signum() >= 0 && (over == 0) == (sum.abs() < SPAN),
                "{sum}"
            );
        }
        split(i128::MAX).expect_err("more than any ledger adds up to");
    }
}
