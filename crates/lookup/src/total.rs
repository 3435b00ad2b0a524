//! What all pages of a list add up to, from the position of the page.
//!
//! Where the list table alone decides the question, it is added up in the ledger. Otherwise every candidate is joined
//! and checked as for a page, until there are no more or the time is up.

use std::collections::BTreeMap;
use std::time::Instant;

use domain::derive::Payment;
use domain::money::Currency;
use ledger::{PaymentSums, Rows};
use rayon::prelude::*;

use crate::error::LookupError;
use crate::lookup::Lookup;
use crate::page::PageRequest;
use crate::plan::{Pace, Position};
use crate::recheck::satisfies;

/// Payments, and the sums of those that have arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Total {
    pub count: u64,
    /// By currency.
    pub sums: Vec<PaymentSums>,
}

/// Candidates joined between two looks at the clock.
const CHUNK: usize = 4_096;

pub(crate) fn total(
    lookup: &Lookup,
    request: &PageRequest,
    position: &Position,
    deadline: Instant,
) -> Result<Total, LookupError> {
    let mut adder = Adder {
        lookup,
        request,
        count: 0,
        sums: BTreeMap::new(),
    };
    let rows = position.rows();
    // Readers see these differently, so the tables cannot tell.
    let split = rows.split(&request.scope);
    let decided = match position.tables() {
        Some(joint) => joint.payment_sums(&request.filter, &request.scope, &split)?,
        None => None,
    };
    match decided {
        Some((count, sums)) => {
            adder.count = count;
            sums.into_iter().for_each(|sums| adder.add(sums));
            adder.join(rows, &split)?;
        }
        None => {
            let everything = PageRequest {
                after: None,
                limit: CHUNK,
                ..request.clone()
            };
            let mut seen = std::collections::HashSet::new();
            let mut pending = split;
            let mut plan = position.plan(&everything, Pace::page(CHUNK));
            loop {
                let stretch = plan.next(&everything)?;
                let ended = stretch.is_none();
                pending.extend(stretch.into_iter().flat_map(|stretch| stretch.seqs));
                pending.retain(|seq| seen.insert(*seq));
                for chunk in pending.chunks(CHUNK) {
                    if Instant::now() > deadline {
                        return Err(LookupError::TotalTooSlow);
                    }
                    adder.join(rows, chunk)?;
                }
                pending.clear();
                if ended {
                    break;
                }
            }
        }
    }
    Ok(Total {
        count: adder.count,
        sums: adder.sums.into_values().collect(),
    })
}

struct Adder<'a> {
    lookup: &'a Lookup,
    request: &'a PageRequest,
    count: u64,
    sums: BTreeMap<&'static str, PaymentSums>,
}

/// An amount of a payment that has arrived: currency, total and balance.
type Arrived = Option<(Currency, i128, i128)>;

impl Adder<'_> {
    fn join(&mut self, rows: &Rows, seqs: &[u64]) -> Result<(), LookupError> {
        let one = |seq: &u64| self.one(rows, *seq);
        let found: Vec<Option<Arrived>> = self
            .lookup
            .spread(|| seqs.par_iter().map(one).collect::<Result<_, LookupError>>())?;
        for arrived in found.into_iter().flatten() {
            self.count += 1;
            if let Some((currency, amount, balance)) = arrived {
                self.add(PaymentSums {
                    currency,
                    amount,
                    canceled: amount - balance,
                    balance,
                });
            }
        }
        Ok(())
    }

    /// The payment, if it is in the list.
    fn one(&self, rows: &Rows, seq: u64) -> Result<Option<Arrived>, LookupError> {
        let Some(dossier) = rows.get(seq)? else { return Ok(None) };
        let Some(payment) = Payment::derive(&dossier, &self.request.scope) else {
            return Ok(None);
        };
        let (now, overdue_days) = (self.lookup.now(), self.lookup.overdue_days());
        if !satisfies(&self.request.filter, &payment, now, overdue_days) {
            return Ok(None);
        }
        let amount = payment.record.map(|record| i128::from(record.amount.total));
        let arrived = payment.currency.zip(amount).zip(payment.balance_amount);
        Ok(Some(
            arrived.map(|((currency, amount), balance)| (currency, amount, balance)),
        ))
    }

    fn add(&mut self, more: PaymentSums) {
        let sums = self.sums.entry(more.currency.code()).or_insert(PaymentSums {
            currency: more.currency,
            amount: 0,
            canceled: 0,
            balance: 0,
        });
        sums.amount += more.amount;
        sums.canceled += more.canceled;
        sums.balance += more.balance;
    }
}
