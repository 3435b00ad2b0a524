//! `data` of `cancellation.recorded.v1`.

use crate::life::{Life, Packet};
use crate::message::{identity, put_head, put_version};
use crate::pen::Pen;
use crate::random::Purpose;
use crate::world::World;

const CHANNELS: &[&str] = &["API", "API", "API", "CONSOLE", "CONSOLE", "ISSUER", "SYSTEM"];
const REASON_CODES: &[&str] = &[
    "CUSTOMER_REQUEST",
    "OUT_OF_STOCK",
    "DELIVERY",
    "DEFECT",
    "DUPLICATE",
    "OTHER",
];

pub(crate) fn write(world: &World, life: &Life, index: u8, packet: &Packet, out: &mut Vec<u8>) {
    let facts = life.cancellation(index, packet);
    let mut draws = world.draws(life.number << 8 | u64::from(index), Purpose::CancellationBody);
    let merchant = world.merchants.get(life.merchant);
    let mut pen = Pen::new(out, &world.calendar);
    let pen = &mut pen;
    put_head(world, life, pen, facts.merchant);
    pen.put(",\"cancellation_id\":\"");
    put_cancellation_id(world, life, index, pen);
    pen.put("\"");
    put_version(pen, packet);
    pen.put(",\"currency\":\"").put(facts.currency.code());
    pen.put("\",\"amount\":{\"total\":\"")
        .money(facts.total, facts.currency)
        .put("\"},\"reason\":\"");
    let reasons = &world.vocabulary.of(merchant.language).reasons;
    // The reason's code belongs to its text.
    let reason = draws.below(60) as usize;
    pen.put(reasons.at(reason))
        .put(if life.contradicts_in_text(packet) { " *\"" } else { "\"" });
    if draws.percent(60) {
        pen.put(",\"reason_code\":\"")
            .put(REASON_CODES[reason % REASON_CODES.len()])
            .put("\"");
    }
    let channel = draws.pick(CHANNELS);
    pen.put(",\"requested_by\":{\"channel\":\"").put(channel).put("\"");
    if channel == "CONSOLE" {
        pen.put(",\"actor\":\"staff")
            .number(1 + draws.below(9))
            .put("@")
            .put(&merchant.id)
            .put("\"");
    }
    pen.put("},\"requested_at\":\"").time(facts.requested_ms).put("\"");
    if let Some(canceled_ms) = facts.canceled_ms {
        pen.put(",\"canceled_at\":\"").time(canceled_ms).put("\"");
    }
    pen.put("}");
}

pub(crate) fn put_cancellation_id(world: &World, life: &Life, index: u8, pen: &mut Pen<'_>) {
    pen.put("cx")
        .base32(identity(world, life).rotate_left(29))
        .put("-")
        .number(index + 1);
}
