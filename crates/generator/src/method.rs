//! The twelve payment methods and the four currencies, with the terms that belong to them.

use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Method {
    Card,
    EasyPay,
    VirtualAccount,
    Transfer,
    MobilePhone,
    GiftCertificate,
    ForeignEasyPay,
    Point,
    ConvenienceStore,
    QrPay,
    BuyNowPayLater,
    Billing,
}

/// What the provider takes and pays for one method, in hundredths of a percent.
pub(crate) struct Terms {
    pub(crate) fee: i64,
    /// Besides the rate, per sale in Korea's currency (a deposit costs the bank the same whatever its size).
    pub(crate) fixed_fee_won: i64,
    pub(crate) issuer_cost: i64,
    pub(crate) network_cost: i64,
}

impl Method {
    pub(crate) const ALL: [Self; 12] = [
        Self::Card,
        Self::EasyPay,
        Self::VirtualAccount,
        Self::Transfer,
        Self::MobilePhone,
        Self::GiftCertificate,
        Self::ForeignEasyPay,
        Self::Point,
        Self::ConvenienceStore,
        Self::QrPay,
        Self::BuyNowPayLater,
        Self::Billing,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Card => "CARD",
            Self::EasyPay => "EASY_PAY",
            Self::VirtualAccount => "VIRTUAL_ACCOUNT",
            Self::Transfer => "TRANSFER",
            Self::MobilePhone => "MOBILE_PHONE",
            Self::GiftCertificate => "GIFT_CERTIFICATE",
            Self::ForeignEasyPay => "FOREIGN_EASY_PAY",
            Self::Point => "POINT",
            Self::ConvenienceStore => "CONVENIENCE_STORE",
            Self::QrPay => "QR_PAY",
            Self::BuyNowPayLater => "BUY_NOW_PAY_LATER",
            Self::Billing => "BILLING",
        }
    }

    /// Paid in cash to an account or at a counter, hours or days after the order.
    pub(crate) fn awaits_deposit(self) -> bool {
        matches!(self, Self::VirtualAccount | Self::ConvenienceStore)
    }

    pub(crate) fn has_card(self) -> bool {
        matches!(self, Self::Card | Self::EasyPay | Self::Billing)
    }

    pub(crate) fn terms(self) -> Terms {
        let (fee, fixed_fee_won, issuer_cost, network_cost) = match self {
            Self::Card => (240, 0, 155, 12),
            Self::EasyPay => (270, 0, 180, 10),
            Self::VirtualAccount => (20, 300, 0, 5),
            Self::Transfer => (150, 0, 60, 5),
            Self::MobilePhone => (320, 0, 210, 15),
            Self::GiftCertificate => (450, 0, 330, 0),
            Self::ForeignEasyPay => (340, 0, 220, 40),
            Self::Point => (200, 0, 90, 0),
            Self::ConvenienceStore => (180, 250, 95, 5),
            Self::QrPay => (160, 0, 70, 8),
            Self::BuyNowPayLater => (420, 0, 260, 10),
            Self::Billing => (260, 0, 155, 12),
        };
        Terms {
            fee,
            fixed_fee_won,
            issuer_cost,
            network_cost,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Currency {
    Krw,
    Usd,
    Jpy,
    Bhd,
}

impl Currency {
    pub(crate) const ALL: [Self; 4] = [Self::Krw, Self::Usd, Self::Jpy, Self::Bhd];

    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Krw => "KRW",
            Self::Usd => "USD",
            Self::Jpy => "JPY",
            Self::Bhd => "BHD",
        }
    }

    /// Fraction digits of ISO 4217.
    pub(crate) fn digits(self) -> u32 {
        match self {
            Self::Krw | Self::Jpy => 0,
            Self::Usd => 2,
            Self::Bhd => 3,
        }
    }

    /// The step in which shops price, in minor units.
    pub(crate) fn price_step(self) -> i64 {
        match self {
            Self::Krw | Self::Bhd => 100,
            Self::Usd => 50,
            Self::Jpy => 10,
        }
    }

    /// Bounds of a price in steps, from small to rare large ones, each with its share in percent.
    pub(crate) fn price_bands(self) -> [(u32, i64, i64); 4] {
        match self {
            Self::Krw => [(32, 25, 120), (44, 120, 500), (20, 500, 2_500), (4, 2_500, 30_000)],
            Self::Usd => [(35, 6, 40), (45, 40, 160), (17, 160, 800), (3, 800, 8_000)],
            Self::Jpy => [(35, 25, 150), (45, 150, 600), (17, 600, 3_000), (3, 3_000, 30_000)],
            Self::Bhd => [(35, 8, 60), (45, 60, 250), (17, 250, 1_200), (3, 1_200, 9_000)],
        }
    }

    /// How often each method of `Method::ALL` is used.
    pub(crate) fn method_weights(self) -> [u32; 12] {
        match self {
            Self::Krw => [440, 235, 80, 60, 45, 10, 8, 22, 10, 25, 15, 50],
            Self::Usd => [520, 90, 0, 30, 0, 15, 240, 5, 0, 10, 40, 50],
            Self::Jpy => [450, 60, 0, 40, 30, 10, 90, 30, 190, 60, 20, 20],
            Self::Bhd => [560, 70, 0, 60, 0, 10, 240, 5, 0, 15, 20, 20],
        }
    }
}

/// A part of an amount at a rate in hundredths of a percent, rounded half away from zero, in whole numbers.
pub(crate) fn part_of(amount: i64, rate: i64) -> i64 {
    let scaled = i128::from(amount) * i128::from(rate);
    let half = if scaled < 0 { -5_000 } else { 5_000 };
    i64::try_from((scaled + half) / 10_000).unwrap_or(amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_round_alike_on_both_sides_of_zero() {
        for (amount, rate, part) in [
            (100_000, 250, 2_500),
            (30_001, 250, 750),
            (10, 500, 1),
            (9, 500, 0),
            (0, 250, 0),
        ] {
            assert_eq!(part_of(amount, rate), part);
            assert_eq!(part_of(-amount, rate), -part);
        }
    }
}
