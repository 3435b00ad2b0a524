//! What one bank transfer is made of.

use std::collections::BTreeMap;

use domain::derive::Payment;
use domain::money::Currency;
use domain::record::{Kind, LineOf};
use domain::rollup::ledger_rows;
use domain::scope::Scope;
use ledger::reports::REPORT_ROWS_MAX;
use ledger::{EntryRow, LedgerError, Order};
use query::{Filter, IdentField, ident};

use crate::error::LookupError;
use crate::lookup::{Answer, Lookup};
use crate::page::PageRequest;
use crate::plan::{Pace, Position};

/// The sums of a payout in one currency, minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PayoutSums {
    /// Of lines of payments.
    pub gross: i128,
    /// Of lines of cancellations: negative.
    pub cancellations: i128,
    /// By type.
    pub fees: BTreeMap<String, i128>,
    pub vat: i128,
    pub payout: i128,
}

impl PayoutSums {
    /// What the lines leave unexplained: 0 while each line adds up.
    pub fn residual(&self) -> i128 {
        self.gross + self.cancellations - self.fees.values().sum::<i128>() - self.vat - self.payout
    }
}

/// The settlement lines of a payout that a reader sees.
#[derive(Clone, Debug)]
pub struct Payout {
    /// By the currency's code.
    pub sums: BTreeMap<&'static str, (Currency, PayoutSums)>,
    /// By payment key and settlement id.
    pub lines: Vec<EntryRow>,
}

/// Candidates read at once.
const CHUNK: usize = 1_000;

pub(crate) fn payout(lookup: &Lookup, payout_id: &str, scope: &Scope) -> Result<Answer<Option<Payout>>, LookupError> {
    let normal = ident(payout_id);
    // One that is made of signs alone is in no index.
    let is_indexed = !normal.is_empty();
    let request = PageRequest {
        scope: scope.clone(),
        filter: Filter::Ident {
            field: IdentField::PayoutId,
            value: normal,
            prefix: false,
        },
        order: Order::NewestFirst,
        after: None,
        limit: CHUNK,
        total_until: None,
    };
    let position = match is_indexed {
        true => Position::take(lookup, &request)?,
        false => Position::without_index(lookup)?,
    };
    let rows = position.rows();
    let mut seqs = rows.split(scope);
    match position.tables() {
        Some(joint) => seqs.extend(joint.payout_seqs(payout_id)?),
        None => {
            let mut plan = position.plan(&request, Pace::page(request.limit));
            while let Some(stretch) = plan.next(&request)? {
                seqs.extend(stretch.seqs);
                if seqs.len() > 2 * REPORT_ROWS_MAX {
                    return Err(too_large());
                }
            }
        }
    }
    seqs.sort_unstable();
    seqs.dedup();
    let mut payout = Payout {
        sums: BTreeMap::new(),
        lines: Vec::new(),
    };
    for seq in seqs {
        let Some(dossier) = rows.get(seq)? else { continue };
        let Some(payment) = Payment::derive(&dossier, scope) else {
            continue;
        };
        let is_of = |id: &Option<String>| id.as_deref() == Some(payout_id);
        for line in payment.settlements.iter().filter(|line| is_of(&line.record.payout_id)) {
            payout.add(line.record);
        }
        let rows = ledger_rows(&dossier).into_iter();
        payout.lines.extend(
            rows.filter(|row| row.kind == Kind::Settlement && is_of(&row.payout_id) && scope.allows(&row.merchant_id))
                .map(|row| EntryRow {
                    payment_key: dossier.payment_key.clone(),
                    row,
                }),
        );
        if payout.lines.len() > REPORT_ROWS_MAX {
            return Err(too_large());
        }
    }
    payout.lines.sort_by_cached_key(EntryRow::place);
    Ok(Answer {
        value: (!payout.lines.is_empty()).then_some(payout),
        head: rows.head().clone(),
    })
}

fn too_large() -> LookupError {
    LedgerError::ReportTooLarge { limit: REPORT_ROWS_MAX }.into()
}

impl Payout {
    fn add(&mut self, line: &domain::record::SettlementRecord) {
        let (_, sums) = self
            .sums
            .entry(line.currency.code())
            .or_insert_with(|| (line.currency, PayoutSums::default()));
        match line.of {
            LineOf::Payment => sums.gross += i128::from(line.amount),
            LineOf::Cancellation => sums.cancellations += i128::from(line.amount),
        }
        for fee in &line.fees {
            *sums.fees.entry(fee.charge_type.clone()).or_default() += i128::from(fee.amount);
        }
        sums.vat += i128::from(line.vat);
        sums.payout += i128::from(line.payout_amount);
    }
}
