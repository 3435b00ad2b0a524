//! `data` of `payment.recorded.v1`.

use crate::calendar::{DAY, korean_day};
use crate::life::{Life, Packet, Status};
use crate::merchant::Merchant;
use crate::message::{identity, put_head, put_version};
use crate::method::{Currency, Method, part_of};
use crate::pen::Pen;
use crate::person::{self, Person};
use crate::random::{Draws, Purpose};
use crate::vocabulary::Words;
use crate::world::World;

const BANKS: &[&str] = &[
    "신한",
    "국민",
    "우리",
    "하나",
    "농협",
    "기업",
    "카카오뱅크",
    "토스뱅크",
    "SC제일",
    "부산",
    "우체국",
];
const EASY_PAYS: &[&str] = &[
    "네이버페이",
    "카카오페이",
    "토스페이",
    "삼성페이",
    "PAYCO",
    "애플페이",
    "L.PAY",
];
const FOREIGN_EASY_PAYS: &[&str] = &[
    "PAYPAL",
    "ALIPAY_PLUS",
    "APPLE_PAY",
    "GOOGLE_PAY",
    "WECHAT_PAY",
    "BENEFIT_PAY",
];
const CARRIERS: &[&str] = &["SKT", "KT", "LGU+", "MVNO"];
const GIFT_ISSUERS: &[&str] = &["컬쳐랜드", "도서문화상품권", "해피머니", "북앤라이프"];

pub(crate) fn write(world: &World, life: &Life, packet: &Packet, out: &mut Vec<u8>) {
    let facts = life.payment(packet);
    let mut draws = world.draws(life.number, Purpose::Body);
    let draws = &mut draws;
    // The shop it was bought at decides the words, wherever the payment is booked later.
    let merchant = world.merchants.get(life.merchant);
    let mut pen = Pen::new(out, &world.calendar);
    let pen = &mut pen;
    put_head(world, life, pen, facts.merchant);
    pen.put(",\"order_id\":\"");
    put_order_id(life, merchant, pen);
    pen.put("\"");
    put_version(pen, packet);
    pen.put(",\"method\":\"")
        .put(life.method.name())
        .put("\",\"currency\":\"")
        .put(life.currency.code())
        .put("\"");
    put_amount(life, facts.total, pen, draws);
    pen.put(",\"requested_at\":\"").time(life.requested_ms).put("\"");
    if let Some(approved_ms) = facts.approved_ms {
        pen.put(",\"approved_at\":\"").time(approved_ms).put("\"");
    }
    put_order_name(world, merchant, pen, draws);
    pen.put(if life.contradicts_in_text(packet) { " *\"" } else { "\"" });
    let person = person::of(world, merchant.language, draws);
    put_customer(&person, pen, draws);
    put_metadata(life, &world.vocabulary.of(merchant.language).stores, pen, draws);
    // From here on the draws depend on the status, so nothing that must stay the same may follow.
    put_instrument(life, packet, &person, pen, draws);
    if facts.approved_ms.is_some() && draws.percent(30) {
        pen.put(",\"transaction_key\":\"tx")
            .base32(identity(world, life).rotate_left(17))
            .put("\"");
    }
    if matches!(packet.status, Status::Aborted) {
        let failures = &world.vocabulary.of(merchant.language).failures;
        let (code, message) = &failures[draws.index(failures.len())];
        pen.put(",\"failure\":{\"code\":\"")
            .put(code)
            .put("\",\"message\":\"")
            .put(message)
            .put("\"}");
    }
    pen.put("}");
}

/// Merchants number their orders each in their own way, and some numbers repeat.
fn put_order_id(life: &Life, merchant: &Merchant, pen: &mut Pen<'_>) {
    let day = korean_day(life.requested_ms);
    match merchant.order_style {
        0 => pen.put("ORD-").compact_date(day).put("-").digits(life.number, 6),
        1 => pen.compact_date(day).digits(life.number, 5),
        2 => pen.put("order_").number(life.number),
        _ => pen.put("A").digits(life.number / 7, 8),
    };
}

fn put_amount(life: &Life, total: i64, pen: &mut Pen<'_>, draws: &mut Draws) {
    pen.put(",\"amount\":{\"total\":\"")
        .money(total, life.currency)
        .put("\"");
    if life.currency == Currency::Krw {
        // Books and fresh food are free of VAT.
        let tax_free = if draws.percent(8) { total } else { 0 };
        let vat = part_of(total - tax_free, 909);
        let supplied = total - tax_free - vat;
        pen.put(",\"supplied\":\"")
            .money(supplied, life.currency)
            .put("\",\"vat\":\"")
            .money(vat, life.currency)
            .put("\"");
        if tax_free > 0 {
            pen.put(",\"tax_free\":\"").money(tax_free, life.currency).put("\"");
        }
        if draws.percent(6) {
            pen.put(",\"discount\":\"")
                .money(draws.between(1, 30) * 100, life.currency)
                .put("\"");
        }
    }
    pen.put("}");
}

/// Leaves its string open.
fn put_order_name(world: &World, merchant: &Merchant, pen: &mut Pen<'_>, draws: &mut Draws) {
    let lexicon = world.vocabulary.of(merchant.language);
    pen.put(",\"order_name\":\"")
        .put(lexicon.adjectives.pick(draws))
        .put(" ")
        .put(lexicon.nouns[merchant.category].pick(draws));
    if draws.percent(35) {
        pen.put(" ").put(lexicon.options.pick(draws));
    }
    if draws.percent(22) {
        pen.put(lexicon.more.0).number(1 + draws.below(6)).put(lexicon.more.1);
    }
}

fn put_customer(person: &Person, pen: &mut Pen<'_>, draws: &mut Draws) {
    if draws.percent(25) {
        // A guest at a counter leaves nothing.
        return;
    }
    pen.put(",\"customer\":{\"name\":\"").put(&person.name).put("\"");
    if draws.percent(65) {
        let (local, domain) = person.email;
        pen.put(",\"email\":\"u")
            .number(local % 10_000_000)
            .put("@")
            .put(domain)
            .put("\"");
    }
    if draws.percent(65) {
        pen.put(",\"phone\":\"010-")
            .digits(u64::from(person.phone / 10_000), 4)
            .put("-")
            .digits(u64::from(person.phone), 4)
            .put("\"");
    }
    if draws.percent(15) {
        pen.put(",\"customer_key\":\"cu-")
            .number(person.key)
            .put("-")
            .number(person.language as u8)
            .put("\"");
    }
    pen.put("}");
}

/// The member that belongs to the method.
fn put_instrument(life: &Life, packet: &Packet, person: &Person, pen: &mut Pen<'_>, draws: &mut Draws) {
    match life.method {
        Method::EasyPay => {
            _ = pen
                .put(",\"easy_pay\":{\"provider\":\"")
                .put(draws.pick(EASY_PAYS))
                .put("\"}")
        }
        Method::ForeignEasyPay => {
            _ = pen
                .put(",\"easy_pay\":{\"provider\":\"")
                .put(draws.pick(FOREIGN_EASY_PAYS))
                .put("\"}")
        }
        Method::Transfer => _ = pen.put(",\"transfer\":{\"bank\":\"").put(draws.pick(BANKS)).put("\"}"),
        Method::MobilePhone => {
            pen.put(",\"mobile_phone\":{\"carrier\":\"").put(draws.pick(CARRIERS));
            pen.put("\",\"phone_masked\":\"010-****-")
                .digits(u64::from(person.phone), 4)
                .put("\"}");
        }
        Method::GiftCertificate => {
            _ = pen
                .put(",\"gift_certificate\":{\"issuer\":\"")
                .put(draws.pick(GIFT_ISSUERS))
                .put("\"}")
        }
        Method::VirtualAccount => {
            pen.put(",\"virtual_account\":{\"bank\":\"").put(draws.pick(BANKS));
            pen.put("\",\"account_number\":\"")
                .digits(u64::from(draws.bits()) << 10 | life.number & 1_023, 14);
            pen.put("\",\"depositor\":\"").put(&person.name);
            pen.put("\",\"due_at\":\"").time(life.requested_ms + 7 * DAY).put("\"}");
        }
        Method::Card
        | Method::Billing
        | Method::Point
        | Method::ConvenienceStore
        | Method::QrPay
        | Method::BuyNowPayLater => {}
    }
    if life.method.has_card()
        && packet.status != Status::Ready
        && draws.percent(if life.method == Method::EasyPay { 60 } else { 100 })
    {
        put_card(life, packet, person, pen, draws);
    }
}

fn put_card(life: &Life, packet: &Packet, person: &Person, pen: &mut Pen<'_>, draws: &mut Draws) {
    let card = &person.card;
    pen.put(",\"card\":{\"issuer\":\"")
        .put(card.issuer)
        .put("\",\"acquirer\":\"")
        .put(card.acquirer);
    pen.put("\",\"number_masked\":\"")
        .digits(card.bin.into(), 6)
        .put("******")
        .digits(card.last4.into(), 4)
        .put("\"");
    if draws.percent(50) {
        pen.put(",\"last4\":\"").digits(card.last4.into(), 4).put("\"");
    }
    let in_parts = life.currency == Currency::Krw && life.total >= 50_000 && draws.percent(30);
    pen.put(",\"installment_months\":")
        .number(if in_parts { draws.pick(&[2_u8, 3, 6, 10, 12]) } else { 0 });
    pen.put(",\"type\":\"").put(card.kind).put("\"");
    if packet.status.is_approved() {
        pen.put(",\"approve_no\":\"").digits(draws.bits().into(), 8).put("\"");
    }
    pen.put("}");
}

fn put_metadata(life: &Life, stores: &Words, pen: &mut Pen<'_>, draws: &mut Draws) {
    let store = draws.percent(26);
    if !store && !life.card_number_leaked {
        return;
    }
    pen.put(",\"metadata\":{");
    if store {
        pen.put("\"store\":\"")
            .put(stores.pick(draws))
            .put("\",\"pos\":\"s")
            .number(draws.below(60))
            .put("\"");
    }
    if life.card_number_leaked {
        // A clerk's note with a well-known test number that passes the check digit.
        let note = draws.pick(&[
            "card 4111 1111 1111 1111",
            "5555555555554444",
            "4242-4242-4242-4242 확인",
        ]);
        pen.put(if store { "," } else { "" })
            .put("\"memo\":\"")
            .put(note)
            .put("\"");
    }
    pen.put("}");
}
