//! The sellers: a few large ones and a long tail, each with a home, a trade and a contract.

use crate::method::Currency;
use crate::plan::Plan;
use crate::random::{Draws, Purpose};
use crate::vocabulary::{CATEGORIES, Language};

pub(crate) struct Merchant {
    /// `m00001` is the busiest.
    pub(crate) id: Box<str>,
    pub(crate) home: Currency,
    pub(crate) language: Language,
    pub(crate) category: usize,
    /// Days from a sale to its settlement.
    pub(crate) settlement_days: i32,
    /// What its contract adds to a method's fee, in hundredths of a percent; large sellers pay less.
    pub(crate) fee_offset: i64,
    pub(crate) contract_id: Box<str>,
    /// What its prices are, in percent of the usual.
    pub(crate) price_percent: i64,
    /// How its order numbers look.
    pub(crate) order_style: u32,
}

/// All merchants, and how likely each is the next payment's: the n-th gets 1/n of what the first gets (Zipf's law).
pub(crate) struct Merchants {
    all: Vec<Merchant>,
    /// Running sums of the weights.
    weights: Vec<u64>,
}

impl Merchants {
    pub(crate) fn new(plan: &Plan) -> Self {
        let all = (0..plan.merchants).map(|rank| merchant(plan.seed, rank)).collect();
        let mut sum = 0;
        let weights = (1..=u64::from(plan.merchants)).map(|rank| {
            sum += (1 << 32) / rank;
            sum
        });
        Self {
            all,
            weights: weights.collect(),
        }
    }

    pub(crate) fn draw(&self, draws: &mut Draws) -> u32 {
        let all = self.weights.last().copied().unwrap_or(1);
        let at = draws.below_u64(all);
        self.weights.partition_point(|sum| *sum <= at) as u32
    }

    pub(crate) fn get(&self, index: u32) -> &Merchant {
        &self.all[index as usize]
    }

    /// A merchant other than `index`, where there is one.
    pub(crate) fn other(&self, index: u32, draws: &mut Draws) -> u32 {
        let count = self.all.len() as u32;
        if count == 1 {
            index
        } else {
            (index + 1 + draws.below(count - 1)) % count
        }
    }
}

fn merchant(seed: u64, rank: u32) -> Merchant {
    let mut draws = Draws::new(seed, rank.into(), Purpose::Merchant);
    // The largest sell at home, so that the mix of currencies does not hang on one draw.
    let home = match if rank < 8 { 0 } else { draws.below(100) } {
        0..=88 => Currency::Krw,
        89..=93 => Currency::Usd,
        94..=98 => Currency::Jpy,
        _ => Currency::Bhd,
    };
    let language = match (home, draws.below(100)) {
        (Currency::Krw, 0..=91) => Language::Korean,
        (Currency::Krw, 92..=96) | (Currency::Usd | Currency::Bhd, _) => Language::Latin,
        (Currency::Krw, _) | (Currency::Jpy, _) => Language::Japanese,
    };
    Merchant {
        id: format!("m{:05}", rank + 1).into(),
        home,
        language,
        category: draws.below(CATEGORIES) as usize,
        settlement_days: draws.pick(&[2, 2, 2, 3, 3, 4, 5, 7]),
        fee_offset: if rank < 100 { -40 } else { draws.between(-10, 30) },
        contract_id: format!("ct-{:05}-{}", rank + 1, 1 + draws.below(4)).into(),
        price_percent: draws.between(60, 180),
        order_style: draws.below(4),
    }
}
