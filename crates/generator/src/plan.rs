//! What to generate: every number a stream depends on, and nothing else.
//!
//! Two equal plans give the same bytes on every machine. So a plan holds no clock, no path and no float: shares are
//! whole numbers per 10,000.

use std::str::FromStr;

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use serde::{Serialize, Serializer};
use thiserror::Error;

/// A share in ten-thousandths: `Rate::percent(1)` is one in a hundred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Rate(u32);

impl Rate {
    pub const ZERO: Self = Self(0);

    /// A share of `parts` in 10,000; more than all is all.
    #[must_use]
    pub const fn per_ten_thousand(parts: u32) -> Self {
        Self(if parts > 10_000 { 10_000 } else { parts })
    }

    #[must_use]
    pub const fn percent(percent: u32) -> Self {
        Self::per_ten_thousand(percent.saturating_mul(100))
    }

    #[must_use]
    pub const fn parts(self) -> u32 {
        self.0
    }
}

/// `2%` or `0.25%`.
impl FromStr for Rate {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Self, PlanError> {
        let refuse = || PlanError::Rate { text: text.to_owned() };
        let percent = text.strip_suffix('%').ok_or_else(refuse)?;
        let (whole, fraction) = percent.split_once('.').unwrap_or((percent, "0"));
        if fraction.is_empty() || fraction.len() > 2 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refuse());
        }
        let whole: u32 = whole.parse().map_err(|_| refuse())?;
        let hundredths: u32 = format!("{fraction:0<2}").parse().map_err(|_| refuse())?;
        let parts = whole.checked_mul(100).and_then(|parts| parts.checked_add(hundredths));
        parts.filter(|parts| *parts <= 10_000).map(Self).ok_or_else(refuse)
    }
}

/// How many messages a payment leaves behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mix {
    /// Every step is published: about 4 messages a payment.
    #[default]
    Full,
    /// Final states only, and a settlement line for one payment in five: about 1.3 messages a payment.
    Lean,
}

impl FromStr for Mix {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Self, PlanError> {
        match text {
            "full" => Ok(Self::Full),
            "lean" => Ok(Self::Lean),
            _ => Err(PlanError::Mix { text: text.to_owned() }),
        }
    }
}

/// The recipe of one stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    pub seed: u64,
    /// How many payments are requested in the span, its tail included.
    pub payments: u64,
    pub merchants: u32,
    pub mix: Mix,
    /// First day of the span, in Korea (the wall clock of every shape).
    pub start: NaiveDate,
    /// Length of the span. What would be published after its end is not part of the stream.
    pub days: u32,
    /// Days before `start` that carry the thin tail of older payments.
    pub tail_days: u32,
    /// The share of `payments` in that tail, spread evenly.
    pub tail: Rate,
    /// The zone in which the ground truth cuts `event_day` and `sale_day`: that of the ledger's configuration.
    #[serde(serialize_with = "zone_name")]
    pub zone: Tz,
    /// Share of approved payments that are cancelled, half of them partly.
    pub cancellations: Rate,
    /// Share of all messages that concern a payment over a year old.
    pub late: Rate,
    /// Share of messages delivered a second time, some in another spelling.
    pub duplicates: Rate,
    /// Share of messages delivered late, so that others overtake them.
    pub disorder: Rate,
    /// The most seconds such a message is late.
    pub disorder_window_s: u32,
    /// Share of payments of which one entry has a second content under a version already published.
    pub conflicts: Rate,
    /// Share of settled or cancelled payments whose own entry never comes, or comes months later.
    pub orphans: Rate,
    /// Share of payments of which one entry is deleted by a later version; a third of those are revived.
    pub tombstones: Rate,
    /// Share of payments of which one entry names another merchant or currency than the rest.
    pub mismatches: Rate,
    /// Share of payments whose metadata repeats a full card number.
    pub card_numbers: Rate,
    /// Broken messages, as a share of the sound ones beside which they are added.
    pub poison: Rate,
    /// Whether poison includes messages over 1 MiB, which a Kafka broker refuses by default.
    pub oversize: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            seed: 1,
            payments: 1_000_000,
            merchants: 5_000,
            mix: Mix::Full,
            // Three whole years up to a fixed day: a default must not read the clock.
            start: NaiveDate::from_ymd_opt(2023, 10, 1).unwrap_or_default(),
            days: 1_096,
            tail_days: 0,
            tail: Rate::ZERO,
            zone: chrono_tz::Asia::Seoul,
            cancellations: Rate::percent(8),
            late: Rate::percent(1),
            duplicates: Rate::ZERO,
            disorder: Rate::ZERO,
            disorder_window_s: 3_600,
            conflicts: Rate::ZERO,
            orphans: Rate::ZERO,
            tombstones: Rate::ZERO,
            mismatches: Rate::ZERO,
            card_numbers: Rate::ZERO,
            poison: Rate::ZERO,
            oversize: true,
        }
    }
}

impl Plan {
    /// The same span, moved so that `last` is its last day.
    #[must_use]
    pub fn ending(mut self, last: NaiveDate) -> Self {
        let back = Days::new(u64::from(self.days.saturating_sub(1)));
        self.start = last.checked_sub_days(back).unwrap_or(last);
        self
    }

    /// Every disturbance at once: what a store must survive without a different answer.
    #[must_use]
    pub fn hostile(mut self) -> Self {
        self.duplicates = Rate::percent(5);
        self.disorder = Rate::percent(5);
        self.conflicts = Rate::percent(1);
        self.orphans = Rate::percent(1);
        self.tombstones = Rate::percent(1);
        self.mismatches = Rate::percent(1);
        self.card_numbers = Rate::per_ten_thousand(20);
        self.poison = Rate::per_ten_thousand(50);
        self
    }

    /// Whether any message differs from what a faultless company would publish.
    pub(crate) fn disturbs(&self) -> bool {
        let rates = [
            self.duplicates,
            self.disorder,
            self.conflicts,
            self.orphans,
            self.tombstones,
            self.mismatches,
        ];
        rates.iter().any(|rate| rate.parts() > 0) || self.poison.parts() > 0
    }

    /// Checks the bounds that memory and 64-bit sums rely on.
    ///
    /// # Errors
    /// Names the field that is out of its bounds, and the bounds.
    pub fn validate(&self) -> Result<(), PlanError> {
        let within = |field, value: u64, least: u64, most: u64| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(PlanError::Bounds {
                    field,
                    value,
                    least,
                    most,
                })
            }
        };
        // 10^10 payments of at most 10^8 minor units keep every sum inside an i64.
        within("payments", self.payments, 0, 10_000_000_000)?;
        within("merchants", u64::from(self.merchants), 1, 100_000)?;
        within("days", u64::from(self.days), 1, 7_300)?;
        within("tail_days", u64::from(self.tail_days), 0, 7_300)?;
        within("disorder_window_s", u64::from(self.disorder_window_s), 1, 90 * 86_400)?;
        let (Some(early), Some(late)) = (NaiveDate::from_ymd_opt(1995, 1, 1), NaiveDate::from_ymd_opt(2100, 1, 1))
        else {
            return Ok(());
        };
        if self.start < early || self.start > late {
            return Err(PlanError::Start { start: self.start });
        }
        Ok(())
    }
}

/// A plan that cannot be followed.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PlanError {
    #[error("{field} is {value}, it must be from {least} to {most}")]
    Bounds {
        field: &'static str,
        value: u64,
        least: u64,
        most: u64,
    },
    #[error("the span starts on {start}, it must start from 1995-01-01 to 2100-01-01")]
    Start { start: NaiveDate },
    #[error("`{text}` is not a share: write a percentage such as `1%` or `0.25%`")]
    Rate { text: String },
    #[error("`{text}` is not a mix: write `full` or `lean`")]
    Mix { text: String },
}

fn zone_name<S: Serializer>(zone: &Tz, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(zone.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_exactly() {
        for (text, parts) in [("1%", 100), ("0.25%", 25), ("0.5%", 50), ("100%", 10_000), ("0%", 0)] {
            assert_eq!(text.parse(), Ok(Rate(parts)), "{text}");
        }
        for text in ["", "%", "0", "25", "-1%", "1.%", "0.001%", "101%", "10001", "1,5%", "x"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_plan_can_end_on_a_given_day() {
        let last = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
        let plan = Plan {
            days: 90,
            ..Plan::default()
        }
        .ending(last);
        assert_eq!(plan.start + Days::new(89), last);
    }
}
