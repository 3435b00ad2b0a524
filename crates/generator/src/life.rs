//! The life of one payment: who, how much, what happened when, and which messages told it.
//!
//! A life is derived from the plan and the payment's number alone, in a microsecond, as often as needed. It holds the
//! facts (amounts, instants, days) that messages and the ground truth share, so that the two cannot drift apart, and
//! the deliveries in the order in which a reader of the topics meets them.

use crate::method::{Currency, Method};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Payment,
    /// Index into `Life::cancellations`.
    Cancellation(u8),
    /// Index into `Life::lines`.
    Line(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Ready,
    InProgress,
    WaitingForDeposit,
    Authorized,
    Done,
    Aborted,
    Expired,
    Pending,
    Failed,
    Scheduled,
    Held,
    Paid,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::InProgress => "IN_PROGRESS",
            Self::WaitingForDeposit => "WAITING_FOR_DEPOSIT",
            Self::Authorized => "AUTHORIZED",
            Self::Done => "DONE",
            Self::Aborted => "ABORTED",
            Self::Expired => "EXPIRED",
            Self::Pending => "PENDING",
            Self::Failed => "FAILED",
            Self::Scheduled => "SCHEDULED",
            Self::Held => "HELD",
            Self::Paid => "PAID",
        }
    }

    /// A payment the shopper's bank has agreed to.
    pub(crate) fn is_approved(self) -> bool {
        matches!(self, Self::Authorized | Self::Done)
    }
}

/// The content of one message: with the life's facts it decides every byte of `data`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) entry: Entry,
    pub(crate) version: u32,
    pub(crate) status: Status,
    pub(crate) deleted: bool,
    /// A second content under the same version.
    pub(crate) contradicts: bool,
}

/// How a packet is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Plain,
    /// Members in another order, with white space between them.
    Rearranged,
    /// `"version":2.0`.
    PointedVersion,
    /// Broken by the rule of this index (`poison::RULES`).
    Poison(u8),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery {
    /// When readers of the topic meet it; the order of the stream.
    pub(crate) at_ms: i64,
    /// When the service says it published it.
    pub(crate) published_ms: i64,
    pub(crate) packet: Packet,
    /// Tells the envelopes of one payment apart.
    pub(crate) envelope: u16,
    pub(crate) form: Form,
}

/// Names another merchant or currency than its payment, up to a version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stray {
    pub(crate) until_version: u32,
    pub(crate) merchant: Option<u32>,
    pub(crate) currency: Option<Currency>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Cancellation {
    pub(crate) amount: i64,
    pub(crate) requested_ms: i64,
    pub(crate) canceled_ms: i64,
    pub(crate) stray: Option<Stray>,
}

/// A settlement line. Everything is signed: negative for a cancellation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// The cancellation it settles, or else the payment.
    pub(crate) of: Option<u8>,
    pub(crate) amount: i64,
    pub(crate) base_fee: i64,
    pub(crate) extra_fee: i64,
    pub(crate) vat: i64,
    pub(crate) issuer_cost: i64,
    pub(crate) network_cost: i64,
    pub(crate) sold_on: i32,
    /// The day foretold, until it is paid.
    pub(crate) expected_on: i32,
    /// The day it was paid; later than foretold where it was held.
    pub(crate) paid_out_on: i32,
    pub(crate) stray: Option<Stray>,
}

/// Everything about one payment, reused from one derivation to the next.
pub(crate) struct Life {
    pub(crate) number: u64,
    pub(crate) merchant: u32,
    pub(crate) method: Method,
    pub(crate) currency: Currency,
    pub(crate) total: i64,
    pub(crate) requested_ms: i64,
    /// Set for payments that are approved in the end.
    pub(crate) approved_ms: Option<i64>,
    pub(crate) card_number_leaked: bool,
    /// From this version on the payment names another merchant.
    pub(crate) moved: Option<(u32, u32)>,
    pub(crate) cancellations: Vec<Cancellation>,
    pub(crate) lines: Vec<Line>,
    pub(crate) deliveries: Vec<Delivery>,
}

impl Life {
    pub(crate) fn new() -> Self {
        Self {
            number: u64::MAX,
            merchant: 0,
            method: Method::Card,
            currency: Currency::Krw,
            total: 0,
            requested_ms: 0,
            approved_ms: None,
            card_number_leaked: false,
            moved: None,
            cancellations: Vec::new(),
            lines: Vec::new(),
            deliveries: Vec::new(),
        }
    }

    pub(crate) fn restart(&mut self, number: u64) {
        self.number = number;
        self.approved_ms = None;
        self.card_number_leaked = false;
        self.moved = None;
        self.cancellations.clear();
        self.lines.clear();
        self.deliveries.clear();
    }

    /// Appends the next version of an entry, published at an instant and delivered at once.
    pub(crate) fn publish(&mut self, entry: Entry, version: u32, status: Status, at_ms: i64) {
        let packet = Packet {
            entry,
            version,
            status,
            deleted: false,
            contradicts: false,
        };
        self.deliver(packet, at_ms, Form::Plain);
    }

    pub(crate) fn deliver(&mut self, packet: Packet, at_ms: i64, form: Form) {
        let envelope = self.next_envelope();
        self.deliveries.push(Delivery {
            at_ms,
            published_ms: at_ms,
            packet,
            envelope,
            form,
        });
    }

    pub(crate) fn next_envelope(&self) -> u16 {
        self.deliveries
            .iter()
            .map(|delivery| delivery.envelope + 1)
            .max()
            .unwrap_or(0)
    }
}

/// What a payment's message states, as far as sums depend on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PaymentFacts {
    pub(crate) merchant: u32,
    pub(crate) total: i64,
    pub(crate) approved_ms: Option<i64>,
    pub(crate) instant_ms: i64,
}

/// What a cancellation's message states.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CancellationFacts {
    pub(crate) merchant: u32,
    pub(crate) currency: Currency,
    pub(crate) total: i64,
    pub(crate) requested_ms: i64,
    /// Absent until it is done.
    pub(crate) canceled_ms: Option<i64>,
}

/// What a settlement line's message states.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineFacts {
    pub(crate) merchant: u32,
    pub(crate) currency: Currency,
    pub(crate) amount: i64,
    pub(crate) base_fee: i64,
    pub(crate) extra_fee: i64,
    pub(crate) vat: i64,
    pub(crate) payout: i64,
    pub(crate) issuer_cost: i64,
    pub(crate) network_cost: i64,
    pub(crate) sold_on: i32,
    pub(crate) paid_out_on: i32,
}

/// A day and two hours: a contradiction moves an instant into another day.
const OTHER_DAY_MS: i64 = 26 * crate::calendar::HOUR;

impl Life {
    /// How a contradicting content differs: in its amount, in text alone, or in its day.
    fn contradiction(&self, packet: &Packet) -> Option<u64> {
        packet.contradicts.then_some(self.number % 3)
    }

    /// Whether a contradicting content differs in its text.
    pub(crate) fn contradicts_in_text(&self, packet: &Packet) -> bool {
        match self.contradiction(packet) {
            Some(1) => true,
            // Without an instant of its own there is no other day to name.
            Some(2) => match packet.entry {
                Entry::Payment => !packet.status.is_approved(),
                Entry::Cancellation(_) => packet.status != Status::Done,
                Entry::Line(_) => false,
            },
            _ => false,
        }
    }

    pub(crate) fn payment(&self, packet: &Packet) -> PaymentFacts {
        let contradiction = self.contradiction(packet);
        let moved = self.moved.filter(|(version, _)| packet.version >= *version);
        let later = if contradiction == Some(2) { OTHER_DAY_MS } else { 0 };
        let approved_ms = self
            .approved_ms
            .filter(|_| packet.status.is_approved())
            .map(|at| at + later);
        PaymentFacts {
            merchant: moved.map_or(self.merchant, |(_, merchant)| merchant),
            total: self.total
                + if contradiction == Some(0) {
                    self.currency.price_step()
                } else {
                    0
                },
            approved_ms,
            instant_ms: approved_ms.unwrap_or(self.requested_ms),
        }
    }

    pub(crate) fn cancellation(&self, index: u8, packet: &Packet) -> CancellationFacts {
        let cancellation = &self.cancellations[index as usize];
        let contradiction = self.contradiction(packet);
        let stray = cancellation.stray.filter(|stray| packet.version <= stray.until_version);
        let later = if contradiction == Some(2) { OTHER_DAY_MS } else { 0 };
        CancellationFacts {
            merchant: stray.and_then(|stray| stray.merchant).unwrap_or(self.merchant),
            currency: stray.and_then(|stray| stray.currency).unwrap_or(self.currency),
            total: cancellation.amount + i64::from(contradiction == Some(0)),
            requested_ms: cancellation.requested_ms,
            canceled_ms: (packet.status == Status::Done).then_some(cancellation.canceled_ms + later),
        }
    }

    pub(crate) fn line(&self, index: u8, packet: &Packet) -> LineFacts {
        let line = &self.lines[index as usize];
        let contradiction = self.contradiction(packet);
        let stray = line.stray.filter(|stray| packet.version <= stray.until_version);
        // A line carries no free text, so it differs in a fee instead.
        let contradicts_in_fee = matches!(contradiction, Some(0 | 1));
        let more_fee = if contradicts_in_fee { line.amount.signum() } else { 0 };
        let base_fee = line.base_fee + more_fee;
        let paid_out_on = if packet.status == Status::Paid {
            line.paid_out_on
        } else {
            line.expected_on
        };
        LineFacts {
            merchant: stray.and_then(|stray| stray.merchant).unwrap_or(self.merchant),
            currency: stray.and_then(|stray| stray.currency).unwrap_or(self.currency),
            amount: line.amount,
            base_fee,
            extra_fee: line.extra_fee,
            vat: line.vat,
            payout: line.amount - base_fee - line.extra_fee - line.vat,
            issuer_cost: line.issuer_cost,
            network_cost: line.network_cost,
            sold_on: line.sold_on,
            paid_out_on: paid_out_on + i32::from(contradiction == Some(2)),
        }
    }
}
