//! One delivery as the bytes of a `CloudEvents` event, and its identifiers.

use crate::life::{Delivery, Entry, Form, Life, Packet};
use crate::pen::Pen;
use crate::poison;
use crate::random::scramble;
use crate::respelling;
use crate::world::World;
use crate::{cancellation_data, payment_data, settlement_data};

/// Where a message is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    Payments,
    Cancellations,
    Settlements,
}

impl Topic {
    pub const ALL: [Self; 3] = [Self::Payments, Self::Cancellations, Self::Settlements];

    /// The default name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Payments => "payments",
            Self::Cancellations => "cancellations",
            Self::Settlements => "settlements",
        }
    }

    pub(crate) fn of(entry: Entry) -> Self {
        match entry {
            Entry::Payment => Self::Payments,
            Entry::Cancellation(_) => Self::Cancellations,
            Entry::Line(_) => Self::Settlements,
        }
    }

    fn event_type(self) -> &'static str {
        match self {
            Self::Payments => "payment.recorded.v1",
            Self::Cancellations => "cancellation.recorded.v1",
            Self::Settlements => "settlement.recorded.v1",
        }
    }
}

/// Writes one delivery into `out` (emptied first); `spare` is room to work in.
pub(crate) fn write(world: &World, life: &Life, delivery: &Delivery, out: &mut Vec<u8>, spare: &mut Vec<u8>) {
    out.clear();
    match delivery.form {
        Form::Plain => {
            write_envelope(world, life, delivery, out);
            write_data(world, life, &delivery.packet, out);
            out.push(b'}');
        }
        Form::Rearranged | Form::PointedVersion => {
            spare.clear();
            write_data(world, life, &delivery.packet, spare);
            write_envelope(world, life, delivery, out);
            respelling::write(delivery.form, delivery.packet.version, spare, out);
            out.push(b'}');
        }
        Form::Poison(rule) => {
            write_envelope(world, life, delivery, out);
            write_data(world, life, &delivery.packet, out);
            out.push(b'}');
            *out = poison::broken(rule, out);
        }
    }
}

pub(crate) fn write_data(world: &World, life: &Life, packet: &Packet, out: &mut Vec<u8>) {
    match packet.entry {
        Entry::Payment => payment_data::write(world, life, packet, out),
        Entry::Cancellation(index) => cancellation_data::write(world, life, index, packet, out),
        Entry::Line(index) => settlement_data::write(world, life, index, packet, out),
    }
}

/// Everything up to the value of `data`.
fn write_envelope(world: &World, life: &Life, delivery: &Delivery, out: &mut Vec<u8>) {
    let topic = Topic::of(delivery.packet.entry);
    let source = match (topic, life.method.awaits_deposit()) {
        (Topic::Payments, false) => "payment-approval",
        (Topic::Payments, true) => "deposit-watch",
        (Topic::Cancellations, _) => "payment-cancel",
        (Topic::Settlements, _) => "settlement-batch",
    };
    let unique = scramble(world.plan.seed ^ scramble(life.number << 16 | u64::from(delivery.envelope)));
    let mut pen = Pen::new(out, &world.calendar);
    pen.put("{\"specversion\":\"1.0\",\"id\":\"")
        .uuid(unique, scramble(!unique))
        .put("\",\"source\":\"")
        .put(source);
    pen.put("\",\"type\":\"").put(topic.event_type());
    pen.put("\",\"time\":\"").time_ms(delivery.published_ms);
    if topic != Topic::Settlements {
        // Optional, and the nightly batch leaves it out.
        pen.put("\",\"subject\":\"");
        put_payment_key(world, life, &mut pen);
    }
    pen.put("\",\"data\":");
}

/// `pay20260301` and thirteen characters that no other number gives.
pub(crate) fn put_payment_key(world: &World, life: &Life, pen: &mut Pen<'_>) {
    pen.put("pay")
        .compact_date(crate::calendar::korean_day(life.requested_ms))
        .base32(identity(world, life));
}

/// A permutation of the payment numbers, another one for each seed.
pub(crate) fn identity(world: &World, life: &Life) -> u64 {
    scramble(life.number ^ scramble(world.plan.seed))
}

/// The members that every kind begins with.
pub(crate) fn put_head(world: &World, life: &Life, pen: &mut Pen<'_>, merchant: u32) {
    pen.put("{\"payment_key\":\"");
    put_payment_key(world, life, pen);
    pen.put("\",\"merchant_id\":\"")
        .put(&world.merchants.get(merchant).id)
        .put("\"");
}

/// `version`, and `deleted` of a tombstone.
pub(crate) fn put_version(pen: &mut Pen<'_>, packet: &Packet) {
    pen.put(",\"version\":").number(packet.version);
    if packet.deleted {
        pen.put(",\"deleted\":true");
    }
    pen.put(",\"status\":\"").put(packet.status.name()).put("\"");
}
