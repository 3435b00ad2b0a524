//! Chance without state: every draw follows from the seed, a payment's number and a purpose.
//!
//! A payment's messages lie weeks or years apart in the stream, and keeping their content until then would cost
//! gigabytes. Instead each payment owns small generators that can be started again at any time and then draw the same
//! values, so the stream only remembers the payment's number.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use crate::plan::Rate;

/// What a generator is drawn for. Separate purposes keep one part of the content from shifting another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Life = 1,
    Disturbance = 2,
    Body = 3,
    Customer = 4,
    Merchant = 5,
    CancellationBody = 6,
}

/// A seeded generator of portable draws: whole numbers of fixed width only.
pub(crate) struct Draws(Xoshiro256PlusPlus);

impl Draws {
    pub(crate) fn new(seed: u64, number: u64, purpose: Purpose) -> Self {
        let state = scramble(seed ^ scramble(number.wrapping_mul(16).wrapping_add(purpose as u64)));
        Self(Xoshiro256PlusPlus::seed_from_u64(state))
    }

    /// A whole number from 0 up to `bound` - 1.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        self.0.random_range(0..bound)
    }

    pub(crate) fn below_u64(&mut self, bound: u64) -> u64 {
        self.0.random_range(0..bound)
    }

    /// A whole number in a range, both ends included.
    pub(crate) fn between(&mut self, least: i64, most: i64) -> i64 {
        self.0.random_range(least..=most)
    }

    pub(crate) fn bits(&mut self) -> u32 {
        self.0.random()
    }

    pub(crate) fn hits(&mut self, rate: Rate) -> bool {
        rate.parts() > 0 && self.below(10_000) < rate.parts()
    }

    pub(crate) fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.index(choices.len())]
    }

    pub(crate) fn index(&mut self, len: usize) -> usize {
        self.below(u32::try_from(len).unwrap_or(u32::MAX)) as usize
    }

    /// An index, each as likely as its weight says.
    pub(crate) fn weighted(&mut self, weights: &[u32]) -> usize {
        let mut rest = self.below(weights.iter().sum());
        for (index, weight) in weights.iter().enumerate() {
            if rest < *weight {
                return index;
            }
            rest -= weight;
        }
        0
    }
}

/// A permutation of the 64-bit numbers (the finalizer of SplitMix64): neighbours look unrelated, none collide.
pub(crate) const fn scramble(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
