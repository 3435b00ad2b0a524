//! `data` of `settlement.recorded.v1`.

use crate::cancellation_data::put_cancellation_id;
use crate::life::{Life, LineFacts, Packet, Status};
use crate::message::{identity, put_head, put_version};
use crate::pen::Pen;
use crate::world::{World, fee_rate};

pub(crate) fn write(world: &World, life: &Life, index: u8, packet: &Packet, out: &mut Vec<u8>) {
    let facts = life.line(index, packet);
    let line = &life.lines[index as usize];
    let merchant = world.merchants.get(facts.merchant);
    let mut pen = Pen::new(out, &world.calendar);
    let pen = &mut pen;
    put_head(world, life, pen, facts.merchant);
    pen.put(",\"settlement_id\":\"st")
        .base32(identity(world, life).rotate_left(41))
        .put("-")
        .number(index + 1)
        .put("\"");
    put_version(pen, packet);
    match line.of {
        None => _ = pen.put(",\"of\":\"PAYMENT\""),
        Some(cancellation) => {
            pen.put(",\"of\":\"CANCELLATION\",\"cancellation_id\":\"");
            put_cancellation_id(world, life, cancellation, pen);
            pen.put("\"");
        }
    }
    put_sums(&facts, pen);
    pen.put(",\"sold_on\":\"")
        .date(facts.sold_on)
        .put("\",\"paid_out_on\":\"")
        .date(facts.paid_out_on)
        .put("\"");
    if packet.status == Status::Paid {
        // One transfer for all of a merchant's lines of a day and currency.
        pen.put(",\"payout_id\":\"po")
            .compact_date(facts.paid_out_on)
            .put("-")
            .put(&merchant.id)
            .put("-")
            .put(facts.currency.code())
            .put("\"");
    }
    pen.put(",\"contract\":{\"id\":\"").put(&merchant.contract_id);
    pen.put("\",\"fee_rate\":\"0.0")
        .digits(fee_rate(life.method, merchant).unsigned_abs(), 3)
        .put("\"}}");
}

fn put_sums(facts: &LineFacts, pen: &mut Pen<'_>) {
    let currency = facts.currency;
    pen.put(",\"currency\":\"")
        .put(currency.code())
        .put("\",\"amount\":\"")
        .money(facts.amount, currency);
    pen.put("\",\"fees\":[{\"type\":\"BASE\",\"amount\":\"")
        .money(facts.base_fee, currency)
        .put("\"}");
    if facts.extra_fee != 0 {
        pen.put(",{\"type\":\"DEPOSIT\",\"amount\":\"")
            .money(facts.extra_fee, currency)
            .put("\"}");
    }
    pen.put("],\"vat\":\"")
        .money(facts.vat, currency)
        .put("\",\"payout_amount\":\"")
        .money(facts.payout, currency);
    pen.put("\",\"costs\":[{\"type\":\"ISSUER\",\"amount\":\"")
        .money(facts.issuer_cost, currency);
    pen.put("\"},{\"type\":\"NETWORK\",\"amount\":\"")
        .money(facts.network_cost, currency)
        .put("\"}]");
}
