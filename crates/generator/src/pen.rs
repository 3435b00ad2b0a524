//! Writes JSON by hand into one reused buffer.
//!
//! Building a tree of values for each message would cost several times what the whole stream may. So the shape of each
//! message is written as literal text, and every value is either a number, a word escaped beforehand, or an identifier
//! of plain ASCII letters, for which escaping has nothing to do.

use crate::calendar::{Calendar, DAY, korean_clock_ms, korean_day};
use crate::method::Currency;

pub(crate) struct Pen<'a> {
    out: &'a mut Vec<u8>,
    calendar: &'a Calendar,
}

const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const HEX: &[u8; 16] = b"0123456789abcdef";

impl<'a> Pen<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>, calendar: &'a Calendar) -> Self {
        Self { out, calendar }
    }

    /// Text that needs no escaping any more.
    pub(crate) fn put(&mut self, text: &str) -> &mut Self {
        self.out.extend_from_slice(text.as_bytes());
        self
    }

    pub(crate) fn number(&mut self, number: impl itoa::Integer) -> &mut Self {
        self.out
            .extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        self
    }

    /// The last `width` decimal digits, with leading zeros.
    pub(crate) fn digits(&mut self, number: u64, width: usize) -> &mut Self {
        let mut rest = number;
        let mut text = [b'0'; 20];
        for digit in text[..width].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.out.extend_from_slice(&text[..width]);
        self
    }

    /// Thirteen letters and digits for a 64-bit number.
    pub(crate) fn base32(&mut self, number: u64) -> &mut Self {
        for shift in (0..13).rev() {
            self.out.push(BASE32[(number >> (shift * 5)) as usize & 31]);
        }
        self
    }

    /// The shape of a random UUID.
    pub(crate) fn uuid(&mut self, high: u64, low: u64) -> &mut Self {
        let high = high & !0xf000 | 0x4000;
        let low = low & !(0b11 << 62) | 0b10 << 62;
        for nibble in (0..16).rev() {
            self.out.push(HEX[(high >> (nibble * 4)) as usize & 15]);
            if nibble == 8 || nibble == 4 {
                self.out.push(b'-');
            }
        }
        self.out.push(b'-');
        for nibble in (0..16).rev() {
            self.out.push(HEX[(low >> (nibble * 4)) as usize & 15]);
            if nibble == 12 {
                self.out.push(b'-');
            }
        }
        self
    }

    /// A decimal string in major units, with exactly the currency's digits, without quotes.
    pub(crate) fn money(&mut self, minor: i64, currency: Currency) -> &mut Self {
        if currency.digits() == 0 {
            return self.number(minor);
        }
        let unit = 10_u64.pow(currency.digits());
        if minor < 0 {
            self.out.push(b'-');
        }
        let size = minor.unsigned_abs();
        self.number(size / unit);
        self.out.push(b'.');
        self.digits(size % unit, currency.digits() as usize)
    }

    /// `YYYY-MM-DD`.
    pub(crate) fn date(&mut self, day: i32) -> &mut Self {
        let text = self.calendar.date(day);
        self.out.extend_from_slice(&text);
        self
    }

    /// `YYYYMMDD`.
    pub(crate) fn compact_date(&mut self, day: i32) -> &mut Self {
        let text = self.calendar.date(day);
        for part in [&text[..4], &text[5..7], &text[8..]] {
            self.out.extend_from_slice(part);
        }
        self
    }

    /// RFC 3339 on Korea's wall clock, in whole seconds.
    pub(crate) fn time(&mut self, at_ms: i64) -> &mut Self {
        self.wall_clock(at_ms);
        self.put("+09:00")
    }

    /// RFC 3339 on Korea's wall clock, with milliseconds.
    pub(crate) fn time_ms(&mut self, at_ms: i64) -> &mut Self {
        self.wall_clock(at_ms);
        self.out.push(b'.');
        self.digits(at_ms.rem_euclid(1_000) as u64, 3);
        self.put("+09:00")
    }

    fn wall_clock(&mut self, at_ms: i64) {
        self.date(korean_day(at_ms));
        debug_assert!(korean_clock_ms(at_ms) < DAY);
        let seconds = (korean_clock_ms(at_ms) / 1_000) as u64;
        self.put("T").digits(seconds / 3_600, 2);
        self.put(":").digits(seconds / 60 % 60, 2);
        self.put(":").digits(seconds % 60, 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    fn written(write: impl FnOnce(&mut Pen<'_>)) -> String {
        let calendar = Calendar::new(&Plan::default());
        let mut out = Vec::new();
        write(&mut Pen::new(&mut out, &calendar));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn money_has_its_currency_s_digits() {
        let cases = [
            (15_000, Currency::Krw, "15000"),
            (-29_100, Currency::Jpy, "-29100"),
            (1_050, Currency::Usd, "10.50"),
            (-5, Currency::Usd, "-0.05"),
            (1_005, Currency::Bhd, "1.005"),
            (0, Currency::Bhd, "0.000"),
        ];
        for (minor, currency, text) in cases {
            assert_eq!(written(|pen| _ = pen.money(minor, currency)), text);
        }
    }

    #[test]
    fn times_are_korea_s_wall_clock() {
        let at = chrono::DateTime::parse_from_rfc3339("2024-02-29T23:59:58.007+09:00")
            .unwrap()
            .timestamp_millis();
        assert_eq!(written(|pen| _ = pen.time_ms(at)), "2024-02-29T23:59:58.007+09:00");
        assert_eq!(written(|pen| _ = pen.time(at + 2_000)), "2024-03-01T00:00:00+09:00");
        // Outside of the prepared dates.
        let at = chrono::DateTime::parse_from_rfc3339("1999-12-31T00:00:01+09:00")
            .unwrap()
            .timestamp_millis();
        assert_eq!(written(|pen| _ = pen.time(at)), "1999-12-31T00:00:01+09:00");
    }

    #[test]
    fn uuids_have_the_shape() {
        let text = written(|pen| _ = pen.uuid(u64::MAX, u64::MAX));
        assert_eq!(text, "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
