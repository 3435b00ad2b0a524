//! What histories are made of: a seeded draw and small pools of values that collide often.

use chrono::{DateTime, Duration, NaiveDate, TimeZone, Utc};
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The one source of chance in a history.
pub(super) struct Draw(ChaCha8Rng);

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// True in so many of a hundred cases.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.0.random_range(0..100) < percent
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: usize, high: usize) -> usize {
        self.0.random_range(low..=high.max(low))
    }

    pub(super) fn bits(&mut self) -> u32 {
        self.0.random()
    }

    /// One of a list that is not empty.
    pub(super) fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        of.choose(&mut self.0).unwrap_or(&of[0])
    }

    pub(super) fn text(&mut self, of: &[&str]) -> String {
        (*self.one(of)).to_owned()
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        items.shuffle(&mut self.0);
    }
}

pub(super) const MERCHANTS: [&str; 4] = ["m1", "m_ny", "m_utc", "m2"];
pub(super) const METHODS: [&str; 5] = ["CARD", "VIRTUAL_ACCOUNT", "EASY_PAY", "TRANSFER", "POINT"];
/// Each with its fraction digits.
pub(super) const CURRENCIES: [(&str, u32); 4] = [("KRW", 0), ("USD", 2), ("JPY", 0), ("BHD", 3)];

pub(super) const ORDER_NAMES: [&str; 12] = [
    "아메리카노 2잔",
    "스타  커피\t원두",
    "Wireless Mouse",
    "WIRELESS mouse (black)",
    "ワイヤレスマウス",
    "ﾜｲﾔﾚｽ ﾏｳｽ",
    "Straße & Fußball",
    "STRASSE",
    "Cafe\u{301} Crème",
    "café crème",
    "Ｆｕｌｌ Ｗｉｄｔｈ ４２４２",
    "각설탕 3kg",
];
pub(super) const NAMES: [&str; 6] = [
    "김철수",
    "이영",
    "Kim Chul-soo",
    "山田 太郎",
    "O\u{2019}Neil",
    "ΣΊΣΥΦΟΣ",
];
pub(super) const REASONS: [&str; 5] = [
    "고객 변심",
    "duplicate order",
    "サイズ違い",
    "Rücksendung",
    "item damaged",
];
/// Texts with a card number, and some that only look like one.
pub(super) const CARD_TEXTS: [&str; 7] = [
    "card 4111 1111 1111 1111",
    "4111-1111-1111-1111로 결제",
    "378282246310005",
    "5500000000000004,4000000000000002",
    "4111 1111 1111 1112",
    "전화 01012345678",
    "4111 1111  1111 1111",
];
pub(super) const PAYOUTS: [&str; 4] = ["po1", "po2", "PO-1", "po 3"];
pub(super) const REASON_CODES: [&str; 3] = ["R01", "R02", "r01"];
pub(super) const CHANNELS: [&str; 4] = ["API", "CONSOLE", "ISSUER", "SYSTEM"];

/// Days next to the ends of months, years and daylight saving, and a leap day.
const DAYS: [(i32, u32, u32); 8] = [
    (2026, 3, 1),
    (2026, 3, 8),
    (2026, 3, 9),
    (2026, 11, 1),
    (2026, 11, 2),
    (2026, 1, 1),
    (2024, 2, 29),
    (2025, 12, 31),
];

/// One to `max` keys; two of a history may differ in case and hyphens alone.
pub(super) fn payment_keys(draw: &mut Draw, max: usize) -> Vec<String> {
    let tag = draw.bits() & 0xffff;
    let keys = [
        format!("pay-{tag:04x}-1"),
        format!("PAY-{tag:04x}-1"),
        format!("pay-{tag:04x}-2"),
        format!("tviva{tag:04x}Zk"),
    ];
    let mut keys = keys.to_vec();
    draw.shuffle(&mut keys);
    keys.truncate(draw.between(1, max));
    keys
}

pub(super) fn day(draw: &mut Draw) -> NaiveDate {
    let (year, month, day) = *draw.one(&DAYS);
    let off = draw.between(0, 2) as i64 - 1;
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default() + Duration::days(off)
}

/// An instant, mostly within a microsecond or a second of a midnight in one of the zones.
pub(super) fn instant(draw: &mut Draw) -> DateTime<Utc> {
    let zone = *draw.one(&[chrono_tz::Asia::Seoul, chrono_tz::America::New_York, chrono_tz::UTC]);
    let midnight = day(draw).and_time(chrono::NaiveTime::MIN);
    let at = zone
        .from_local_datetime(&midnight)
        .earliest()
        .map_or(midnight.and_utc(), |at| at.to_utc());
    let micros = *draw.one(&[-1, 0, 0, 1, -1_000_000, 1_000_000, 43_200_000_000, 3_600_000_000]);
    at + Duration::microseconds(micros)
}

/// The same instant in another spelling: any offset, and digits past the microsecond that have to be cut.
pub(super) fn spelled_instant(draw: &mut Draw, at: DateTime<Utc>) -> String {
    let (offset, zone) = *draw.one(&[
        (0, "Z"),
        (540, "+09:00"),
        (-300, "-05:00"),
        (330, "+05:30"),
        (0, "-00:00"),
    ]);
    let local = at + Duration::minutes(offset);
    let micros = at.timestamp_subsec_micros();
    let fraction = match draw.between(0, 2) {
        0 if micros == 0 => String::new(),
        1 => format!(".{micros:06}999"),
        _ => format!(".{micros:06}"),
    };
    format!("{}{fraction}{zone}", local.format("%Y-%m-%dT%H:%M:%S"))
}

/// Minor units of an amount that is not negative: nothing, one, the usual, the largest there is.
pub(super) fn minor(draw: &mut Draw) -> i64 {
    match draw.between(0, 19) {
        0 => 0,
        1 => 1,
        2 => i64::MAX,
        3 => i64::MAX - 1,
        4..=9 => *draw.one(&[10_000, 30_000, 70_000, 100_000]),
        _ => draw.between(1, 200_000) as i64,
    }
}

/// Minor units as a decimal string, with or without trailing zeros.
pub(super) fn spelled_money(draw: &mut Draw, minor: i64, digits: u32) -> String {
    let all = format!("{:0>width$}", minor.unsigned_abs(), width = digits as usize + 1);
    let (whole, fraction) = all.split_at(all.len() - digits as usize);
    let fraction = if draw.chance(40) {
        fraction.trim_end_matches('0')
    } else {
        fraction
    };
    let sign = if minor < 0 || (minor == 0 && draw.chance(10)) {
        "-"
    } else {
        ""
    };
    if fraction.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    }
}
