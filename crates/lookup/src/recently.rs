//! Candidates that the index has not reached, beside its own.

use std::collections::HashSet;

use ledger::Order;

/// Payments that the index has not reached, by minute in list order.
pub(crate) struct Recently {
    seqs: HashSet<u64>,
    ahead: std::iter::Peekable<std::vec::IntoIter<(u32, u64)>>,
    order: Order,
}

impl Recently {
    pub(crate) fn of(mut hits: Vec<(u32, u64)>, order: Order) -> Self {
        match order {
            Order::NewestFirst => hits.sort_unstable_by_key(|(minute, seq)| (std::cmp::Reverse(*minute), *seq)),
            Order::OldestFirst => hits.sort_unstable(),
        }
        Recently {
            seqs: hits.iter().map(|(_, seq)| *seq).collect(),
            ahead: hits.into_iter().peekable(),
            order,
        }
    }

    /// Those that lie no later in the list than `minute`.
    pub(crate) fn until(&mut self, minute: u32) -> Vec<u64> {
        let order = self.order;
        let mut taken = Vec::new();
        while let Some((_, seq)) = self.ahead.next_if(|(next, _)| match order {
            Order::NewestFirst => *next >= minute,
            Order::OldestFirst => *next <= minute,
        }) {
            taken.push(seq);
        }
        taken
    }

    /// All that are left.
    pub(crate) fn rest(&mut self) -> Vec<u64> {
        self.ahead.by_ref().map(|(_, seq)| seq).collect()
    }

    pub(crate) fn contains(&self, seq: u64) -> bool {
        self.seqs.contains(&seq)
    }
}
