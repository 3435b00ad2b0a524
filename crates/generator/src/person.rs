//! The shoppers: a population smaller than the payments, so that names, phones and cards come back.

use crate::random::{Draws, Purpose};
use crate::vocabulary::Language;
use crate::world::World;

pub(crate) struct Person {
    /// Escaped for JSON.
    pub(crate) name: String,
    /// Local part and domain, ASCII.
    pub(crate) email: (u32, &'static str),
    pub(crate) phone: u32,
    pub(crate) language: Language,
    pub(crate) key: u64,
    pub(crate) card: Card,
}

/// The card a shopper usually pays with.
pub(crate) struct Card {
    pub(crate) issuer: &'static str,
    pub(crate) acquirer: &'static str,
    pub(crate) bin: u32,
    pub(crate) last4: u32,
    pub(crate) kind: &'static str,
}

const DOMAINS: &[&str] = &[
    "naver.com",
    "gmail.com",
    "kakao.com",
    "daum.net",
    "example.com",
    "icloud.com",
    "outlook.com",
];
const CARD_COMPANIES: &[(&str, u32)] = &[
    ("SHINHAN", 451_842),
    ("KOOKMIN", 540_926),
    ("SAMSUNG", 531_070),
    ("HYUNDAI", 433_028),
    ("LOTTE", 513_792),
    ("HANA", 465_887),
    ("WOORI", 552_103),
    ("NH", 546_112),
    ("BC", 404_825),
    ("KAKAOBANK", 536_148),
    ("TOSSBANK", 532_092),
    ("IBK", 402_017),
];
const FOREIGN_CARDS: &[(&str, u32)] = &[
    ("VISA", 411_111),
    ("MASTER", 520_082),
    ("AMEX", 374_245),
    ("JCB", 356_680),
    ("DINERS", 360_101),
];

/// The shopper of a payment.
pub(crate) fn of(world: &World, language: Language, draws: &mut Draws) -> Person {
    // Each shopper pays some eight times over the span.
    let key = draws.below_u64(world.plan.payments / 8 + 1);
    let mut own = world.draws(key << 2 | language as u64, Purpose::Customer);
    let name = name(world, language, &mut own);
    let companies = if language == Language::Korean {
        CARD_COMPANIES
    } else {
        FOREIGN_CARDS
    };
    let (issuer, bin) = own.pick(companies);
    // Some companies leave the acquiring of their cards to others.
    let acquirer = if own.percent(75) { issuer } else { companies[0].0 };
    let kind = if own.percent(70) { "CREDIT" } else { "CHECK" };
    let card = Card {
        issuer,
        acquirer,
        bin,
        last4: own.below(10_000),
        kind,
    };
    Person {
        name,
        email: (own.bits(), own.pick(DOMAINS)),
        phone: own.below(100_000_000),
        language,
        key,
        card,
    }
}

fn name(world: &World, language: Language, own: &mut Draws) -> String {
    let lexicon = world.vocabulary.of(language);
    let family = lexicon.family.pick(own);
    let mut given = String::with_capacity(16);
    for part in &lexicon.given {
        given.push_str(part.pick(own));
    }
    let (first, second) = if lexicon.family_first {
        (family, given.as_str())
    } else {
        (given.as_str(), family)
    };
    [first, lexicon.name_gap, second].concat()
}
