//! From the set of messages to what one reader sees of one payment.

use super::instant::{self, Zones};
use super::message::{Kind, Message};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Whether a restricted key sees, on a payment whose live payment entry is its own, what entries naming another
/// merchant do to the flags. See "Decisions" in the module documentation.
const FOREIGN_ENTRIES_SHOW_ON_ARRIVED_PAYMENTS: bool = false;

/// Which merchants' payments a reader may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every merchant.
    All,
    /// These merchants only.
    Merchants(BTreeSet<String>),
}

impl Scope {
    /// Whether a merchant is in the scope.
    pub fn sees(&self, merchant: &str) -> bool {
        match self {
            Self::All => true,
            Self::Merchants(merchants) => merchants.contains(merchant),
        }
    }
}

/// One entry: all its distinct versions and contents, and its current state.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) messages: Vec<&'a Message>,
    pub(crate) state: &'a Message,
}

impl Entry<'_> {
    /// The versions that were sent with more than one content.
    pub(crate) fn conflicting_versions(&self) -> BTreeSet<i64> {
        let conflicting = |m: &&&Message| {
            self.messages
                .iter()
                .any(|o| o.version == m.version && o.digest != m.digest)
        };
        self.messages.iter().filter(conflicting).map(|m| m.version).collect()
    }

    fn is_live_payment(&self) -> bool {
        self.state.kind == Kind::Payment && !self.state.is_deleted()
    }
}

/// All entries of one payment, whoever they name.
pub(crate) fn entries_of<'a>(messages: &'a [Message], payment_key: &str) -> Vec<Entry<'a>> {
    let mut by_identity: BTreeMap<(Kind, &str), Vec<&Message>> = BTreeMap::new();
    for message in messages.iter().filter(|m| m.payment_key() == payment_key) {
        let held = by_identity.entry((message.kind, message.entry_id())).or_default();
        if !held
            .iter()
            .any(|h| h.version == message.version && h.digest == message.digest)
        {
            held.push(message);
        }
    }
    by_identity
        .into_values()
        .filter_map(|messages| {
            let state = *messages.iter().max_by_key(|m| (m.version, m.digest))?;
            Some(Entry { messages, state })
        })
        .collect()
}

/// The entries that are set aside, each with the codes of its rows in quarantine.
pub(crate) fn set_aside<'a>(entries: &'a [Entry<'a>]) -> Vec<(&'a Message, Vec<&'static str>)> {
    let Some(payment) = entries.iter().find(|e| e.is_live_payment()).map(|e| e.state) else {
        return Vec::new();
    };
    entries
        .iter()
        .map(|entry| entry.state)
        .filter(|state| state.kind != Kind::Payment && !state.is_deleted())
        .filter_map(|state| {
            let mut codes = Vec::new();
            if state.merchant() != payment.merchant() {
                codes.push("merchant_mismatch");
            }
            if state.currency() != payment.currency() {
                codes.push("currency_mismatch");
            }
            (!codes.is_empty()).then_some((state, codes))
        })
        .collect()
}

/// What one reader sees of one payment: its live entries and what follows from them.
#[derive(Debug)]
pub(crate) struct View<'a> {
    pub(crate) payment_key: &'a str,
    /// `None` for an orphan.
    pub(crate) payment: Option<&'a Message>,
    pub(crate) cancellations: Vec<&'a Message>,
    pub(crate) settlements: Vec<&'a Message>,
    pub(crate) merchant: Option<&'a str>,
    pub(crate) currency: Option<&'a str>,
    pub(crate) event_day: Option<NaiveDate>,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) flags: BTreeSet<&'static str>,
}

/// What a view depends on beside the messages that were accepted.
pub(crate) struct Circumstances<'a> {
    pub(crate) zones: &'a Zones,
    /// A message of the payment was refused.
    pub(crate) was_refused: bool,
    /// The clock and the days of `unsettled_overdue`.
    pub(crate) overdue: Option<(DateTime<Utc>, i64)>,
}

/// The view of one payment; `None` when it is not found.
pub(crate) fn view<'a>(entries: &[Entry<'a>], scope: &Scope, around: &Circumstances<'_>) -> Option<View<'a>> {
    let payment = entries.iter().find(|e| e.is_live_payment()).map(|e| e.state);
    if payment.is_some_and(|p| !scope.sees(p.merchant())) {
        return None;
    }
    let all_exist = payment.is_some() && FOREIGN_ENTRIES_SHOW_ON_ARRIVED_PAYMENTS;
    let existing: Vec<&Entry<'a>> = entries
        .iter()
        .filter(|e| all_exist || scope.sees(e.state.merchant()))
        .collect();
    let fits = |m: &Message| payment.is_none_or(|p| p.merchant() == m.merchant() && p.currency() == m.currency());
    let current: Vec<&'a Message> = existing.iter().map(|e| e.state).filter(|m| !m.is_deleted()).collect();
    let live: Vec<&'a Message> = current.iter().copied().filter(|m| fits(m)).collect();
    let first = *live.first()?;
    let of_kind = |kind| live.iter().copied().filter(|m| m.kind == kind).collect::<Vec<_>>();
    let mut seen = View {
        payment_key: first.payment_key(),
        payment,
        cancellations: of_kind(Kind::Cancellation),
        settlements: of_kind(Kind::Settlement),
        merchant: payment
            .map(Message::merchant)
            .or_else(|| agreed(&live, Message::merchant)),
        currency: payment
            .map(Message::currency)
            .or_else(|| agreed(&live, Message::currency)),
        event_day: payment.and_then(|p| event_day(p, around.zones)),
        occurred_at: occurred_at(payment, &live, around.zones)?,
        flags: BTreeSet::new(),
    };
    seen.cancellations.sort_by_key(|c| (c.own_instant(), c.entry_id()));
    seen.settlements.sort_by_key(|s| (s.date("sold_on"), s.entry_id()));
    let anything_set_aside = current.len() > live.len();
    seen.flags = flags(&seen, &existing, &live, around, anything_set_aside);
    Some(seen)
}

fn flags(
    seen: &View<'_>,
    existing: &[&Entry<'_>],
    live: &[&Message],
    around: &Circumstances<'_>,
    anything_set_aside: bool,
) -> BTreeSet<&'static str> {
    let in_conflict = |e: &&Entry<'_>| e.conflicting_versions().contains(&e.state.version);
    let total = seen.total();
    let mut flags = BTreeSet::new();
    let mut set = |name, raised: bool| {
        if raised {
            flags.insert(name);
        }
    };
    set("awaiting_payment", seen.payment.is_none());
    set("card_number_redacted", live.iter().any(|m| m.had_card_number));
    set("conflict", existing.iter().any(in_conflict));
    set(
        "identity_changed",
        existing
            .iter()
            .any(|e| e.state.kind == Kind::Payment && changed_identity(e)),
    );
    set("over_canceled", total.is_some_and(|total| seen.canceled() > total));
    set("quarantined", around.was_refused || anything_set_aside);
    set(
        "unsettled_overdue",
        around
            .overdue
            .is_some_and(|(now, days)| seen.is_overdue(now, days, around.zones)),
    );
    flags
}

fn changed_identity(entry: &Entry<'_>) -> bool {
    let identities: BTreeSet<_> = entry.messages.iter().map(|m| (m.merchant(), m.currency())).collect();
    identities.len() > 1
}

fn agreed<'a>(live: &[&'a Message], of: impl Fn(&'a Message) -> &'a str) -> Option<&'a str> {
    let values: BTreeSet<&str> = live.iter().map(|m| of(m)).collect();
    if values.len() == 1 {
        values.into_iter().next()
    } else {
        None
    }
}

/// The day of the entry's own instant in the zone of the merchant it names.
pub(crate) fn event_day(message: &Message, zones: &Zones) -> Option<NaiveDate> {
    message
        .own_instant()
        .map(|at| instant::day_in(at, zones.of(message.merchant())))
}

fn occurred_at(payment: Option<&Message>, live: &[&Message], zones: &Zones) -> Option<DateTime<Utc>> {
    if let Some(payment) = payment {
        return payment.own_instant();
    }
    live.iter()
        .filter_map(|m| match m.kind {
            Kind::Settlement => Some(instant::first_instant(m.date("sold_on")?, zones.of(m.merchant()))),
            _ => m.own_instant(),
        })
        .min()
}

impl View<'_> {
    /// The amount of the payment.
    pub(crate) fn total(&self) -> Option<i128> {
        self.payment.map(|p| p.required_minor("amount.total"))
    }

    /// The sum of DONE cancellations; it means something only where the payment has a currency.
    pub(crate) fn canceled(&self) -> i128 {
        self.cancellations
            .iter()
            .filter(|c| c.status() == "DONE")
            .map(|c| c.required_minor("amount.total"))
            .sum()
    }

    pub(crate) fn balance(&self) -> Option<i128> {
        self.total().map(|total| total - self.canceled())
    }

    /// The derived status; `UNKNOWN` for an orphan.
    pub(crate) fn status(&self) -> &str {
        let Some(payment) = self.payment else {
            return "UNKNOWN";
        };
        let (total, canceled) = (self.total().unwrap_or(0), self.canceled());
        match payment.status() {
            "AUTHORIZED" | "DONE" if canceled > 0 && canceled < total => "PARTIALLY_CANCELED",
            "AUTHORIZED" | "DONE" if total > 0 && canceled >= total => "CANCELED",
            own => own,
        }
    }

    pub(crate) fn settlement_status(&self) -> &'static str {
        let any = |status| self.settlements.iter().any(|s| s.status() == status);
        let all = |status| self.settlements.iter().all(|s| s.status() == status);
        match () {
            () if self.settlements.is_empty() => "NONE",
            () if all("PAID") => "PAID",
            () if any("HELD") => "HELD",
            () if any("PAID") => "PARTIALLY_PAID",
            () => "SCHEDULED",
        }
    }

    fn is_overdue(&self, now: DateTime<Utc>, days: i64, zones: &Zones) -> bool {
        let (Some(payment), Some(sale_day)) = (self.payment, self.event_day) else {
            return false;
        };
        let today = instant::day_in(now, zones.of(payment.merchant()));
        payment.status() == "DONE"
            && self.balance().is_some_and(|balance| balance > 0)
            && self.settlements.is_empty()
            && today > sale_day + chrono::Duration::days(days)
    }
}
