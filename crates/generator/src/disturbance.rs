//! What goes wrong on the way: the switches of a plan, applied to one payment's deliveries.
//!
//! Every disturbance stays inside one payment, whose messages are all known when its life is derived. Therefore the
//! ground truth stays exact under any mix of switches: nothing has to be remembered across payments.

use crate::calendar::{DAY, HOUR, MINUTE, SECOND};
use crate::life::{Delivery, Entry, Form, Life, Packet, Stray};
use crate::method::Currency;
use crate::poison;
use crate::random::{Draws, Purpose};
use crate::world::World;

pub(crate) fn disturb(world: &World, life: &mut Life) {
    let plan = &world.plan;
    let mut draws = world.draws(life.number, Purpose::Disturbance);
    let draws = &mut draws;
    if draws.hits(plan.mismatches) {
        mislead(world, life, draws);
    }
    if draws.hits(plan.tombstones) {
        delete(life, draws);
    }
    if draws.hits(plan.conflicts) {
        contradict(life, draws);
    }
    if draws.hits(plan.orphans) && !life.lines.is_empty() {
        orphan(life, draws);
    }
    let sound = life.deliveries.len();
    for index in 0..sound {
        if draws.hits(plan.disorder) {
            life.deliveries[index].at_ms += draws.between(SECOND, i64::from(plan.disorder_window_s) * SECOND);
        }
        if draws.hits(plan.duplicates) {
            repeat(life, index, draws);
        }
        if draws.hits(plan.poison) {
            let Delivery { at_ms, packet, .. } = life.deliveries[index];
            let rule = poison::draw(packet.entry, plan.oversize, draws);
            life.deliver(packet, at_ms + draws.between(0, MINUTE), Form::Poison(rule));
        }
    }
}

/// One entry names another merchant or currency: for good, or until its next version puts it right.
fn mislead(world: &World, life: &mut Life, draws: &mut Draws) {
    let other = world.merchants.other(life.merchant, draws);
    let last = life.deliveries.len() - 1;
    let entry = life.deliveries[draws.index(last + 1)].packet.entry;
    let wrong_currency = draws.percent(40);
    let stray = Stray {
        until_version: if draws.percent(60) { u32::MAX } else { 1 },
        merchant: (!wrong_currency).then_some(other),
        currency: wrong_currency.then_some(if life.currency == Currency::Usd {
            Currency::Bhd
        } else {
            Currency::Usd
        }),
    };
    match entry {
        Entry::Cancellation(index) => life.cancellations[index as usize].stray = Some(stray),
        Entry::Line(index) => life.lines[index as usize].stray = Some(stray),
        // A payment moves to another merchant: everything else of it is set aside from then on.
        Entry::Payment => {
            let Some(Delivery { at_ms, packet, .. }) = newest(life, Entry::Payment) else {
                return;
            };
            let version = packet.version + 1;
            life.moved = Some((version, other));
            life.deliver(
                Packet { version, ..packet },
                at_ms + draws.between(MINUTE, 3 * DAY),
                Form::Plain,
            );
        }
    }
}

/// A tombstone after an entry's last version, and for a third of them a revival after that.
fn delete(life: &mut Life, draws: &mut Draws) {
    let entry = life.deliveries[draws.index(life.deliveries.len())].packet.entry;
    let Some(Delivery { at_ms, packet, .. }) = newest(life, entry) else {
        return;
    };
    let deleted_ms = at_ms + draws.between(MINUTE, 5 * DAY);
    life.deliver(
        Packet {
            version: packet.version + 1,
            deleted: true,
            ..packet
        },
        deleted_ms,
        Form::Plain,
    );
    if draws.percent(33) {
        let revived_ms = deleted_ms + draws.between(MINUTE, 2 * DAY);
        life.deliver(
            Packet {
                version: packet.version + 2,
                ..packet
            },
            revived_ms,
            Form::Plain,
        );
    }
}

/// A second content under a version already published, soon or days after.
fn contradict(life: &mut Life, draws: &mut Draws) {
    let Delivery { at_ms, packet, .. } = life.deliveries[draws.index(life.deliveries.len())];
    let later = if draws.percent(50) {
        draws.between(0, HOUR)
    } else {
        draws.between(HOUR, 4 * DAY)
    };
    life.deliver(
        Packet {
            contradicts: true,
            ..packet
        },
        at_ms + later,
        Form::Plain,
    );
}

/// The payment's own messages never come, or come so late that the rest has long been answered without them.
fn orphan(life: &mut Life, draws: &mut Draws) {
    if draws.percent(60) {
        life.deliveries
            .retain(|delivery| delivery.packet.entry != Entry::Payment);
        return;
    }
    let late = draws.between(5 * DAY, 300 * DAY);
    for delivery in life
        .deliveries
        .iter_mut()
        .filter(|delivery| delivery.packet.entry == Entry::Payment)
    {
        delivery.at_ms += late;
    }
}

/// The same content once more: the same bytes, a new envelope, or another spelling.
fn repeat(life: &mut Life, index: usize, draws: &mut Draws) {
    let mut copy = life.deliveries[index];
    copy.at_ms += match draws.below(100) {
        0..=59 => draws.between(0, 30 * SECOND),
        60..=89 => draws.between(30 * SECOND, DAY),
        _ => draws.between(DAY, 60 * DAY),
    };
    let kind = draws.below(4);
    if kind > 0 {
        copy.envelope = life.next_envelope();
        copy.published_ms = copy.at_ms;
    }
    copy.form = [Form::Plain, Form::Plain, Form::Rearranged, Form::PointedVersion][kind as usize];
    life.deliveries.push(copy);
}

fn newest(life: &Life, entry: Entry) -> Option<Delivery> {
    let own = life.deliveries.iter().filter(|delivery| delivery.packet.entry == entry);
    own.max_by_key(|delivery| delivery.packet.version).copied()
}
