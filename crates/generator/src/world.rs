//! Everything that stays the same while a stream runs, and the derivation of one payment's life from it.

use crate::calendar::{Calendar, DAY, HOUR, MINUTE, SECOND, banking_day, korean_day, korean_ms};
use crate::disturbance::disturb;
use crate::life::{Cancellation, Entry, Life, Line, Status};
use crate::merchant::{Merchant, Merchants};
use crate::method::{Currency, Method, part_of};
use crate::plan::{Mix, Plan, PlanError};
use crate::random::{Draws, Purpose};
use crate::vocabulary::Vocabulary;

/// A payment this old is a late one.
pub(crate) const LATE_DAYS: i64 = 365;

pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) calendar: Calendar,
    pub(crate) merchants: Merchants,
    pub(crate) vocabulary: Vocabulary,
    /// How many of 2^32 payments old enough by the end are cancelled after more than a year.
    late_share: u64,
}

impl World {
    pub(crate) fn new(plan: Plan) -> Result<Self, PlanError> {
        plan.validate()?;
        let calendar = Calendar::new(&plan);
        let late_share = late_share(&plan, &calendar);
        Ok(Self {
            merchants: Merchants::new(&plan),
            vocabulary: Vocabulary::new(),
            calendar,
            late_share,
            plan,
        })
    }

    pub(crate) fn draws(&self, number: u64, purpose: Purpose) -> Draws {
        Draws::new(self.plan.seed, number, purpose)
    }

    /// Fills in the life of a payment; deliveries come out in the order of the stream.
    pub(crate) fn derive(&self, number: u64, life: &mut Life) {
        life.restart(number);
        let mut draws = self.draws(number, Purpose::Life);
        life.requested_ms = self.calendar.arrival_ms(number, draws.bits());
        life.merchant = self.merchants.draw(&mut draws);
        let merchant = self.merchants.get(life.merchant);
        life.currency = currency(merchant, &mut draws);
        life.method = Method::ALL[draws.weighted(&life.currency.method_weights())];
        life.total = price(life.currency, merchant.price_percent, &mut draws);
        self.pay(life, &mut draws);
        if let Some(approved_ms) = life.approved_ms {
            let settles = self.plan.mix == Mix::Full || draws.percent(20);
            if settles {
                self.settle(life, None, approved_ms, &mut draws);
            }
            self.cancel(life, approved_ms, settles, &mut draws);
        }
        if self.plan.disturbs() {
            disturb(self, life);
        }
        life.card_number_leaked = draws.hits(self.plan.card_numbers);
        // Stable: what falls into one millisecond keeps its order.
        life.deliveries.sort_by_key(|delivery| delivery.at_ms);
    }

    /// READY to its end, in seconds or minutes; hours or days where the shopper has to pay in.
    fn pay(&self, life: &mut Life, draws: &mut Draws) {
        let (steps, last) = payment_steps(life.method, draws);
        let requested_ms = life.requested_ms;
        let taken = match (life.method.awaits_deposit(), last) {
            (true, Status::Done) if draws.percent(70) => draws.between(10 * MINUTE, 8 * HOUR),
            (true, Status::Done) => draws.between(8 * HOUR, 3 * DAY),
            (true, _) => draws.between(3 * DAY, 7 * DAY),
            (false, Status::Expired) => 30 * MINUTE,
            (false, _) if draws.percent(85) => draws.between(2 * SECOND, 90 * SECOND),
            (false, _) => draws.between(90 * SECOND, 15 * MINUTE),
        };
        let ended_ms = requested_ms + taken;
        life.approved_ms = (last == Status::Done).then_some(ended_ms);
        let mut version = 0;
        if self.plan.mix == Mix::Full {
            // Intermediate steps follow the request at once; the first may be the last (a recurring card).
            for (step, status) in steps.iter().enumerate() {
                version += 1;
                life.publish(
                    Entry::Payment,
                    version,
                    *status,
                    requested_ms + 60 + step as i64 * taken.min(4 * SECOND) / 3,
                );
            }
        }
        life.publish(Entry::Payment, version + 1, last, ended_ms + draws.between(30, 900));
    }

    /// The settlement line of the payment or of its last cancellation: fees, VAT on them, costs, pay-out day.
    fn settle(&self, life: &mut Life, of: Option<u8>, sold_ms: i64, draws: &mut Draws) {
        let merchant = self.merchants.get(life.merchant);
        let amount = of.map_or(life.total, |index| -life.cancellations[index as usize].amount);
        let sold_on = korean_day(sold_ms);
        let scheduled_on = sold_on + merchant.settlement_days;
        let paid_out_on = banking_day(scheduled_on + 1);
        life.lines
            .push(line(life, merchant, of, amount, (sold_on, paid_out_on)));
        let entry = Entry::Line((life.lines.len() - 1) as u8);
        let paid_ms = korean_ms(paid_out_on, draws.between(9 * HOUR, 11 * HOUR));
        if self.plan.mix == Mix::Lean {
            life.publish(entry, 1, Status::Paid, paid_ms);
            return;
        }
        // The nightly batch.
        life.publish(
            entry,
            1,
            Status::Scheduled,
            korean_ms(scheduled_on, draws.between(4 * HOUR, 6 * HOUR)),
        );
        if draws.below(400) > 0 {
            life.publish(entry, 2, Status::Paid, paid_ms);
            return;
        }
        life.publish(entry, 2, Status::Held, paid_ms);
        let released_on = banking_day(paid_out_on + 3 + draws.below(20) as i32);
        if let Some(line) = life.lines.last_mut() {
            line.paid_out_on = released_on;
        }
        life.publish(entry, 3, Status::Paid, korean_ms(released_on, 10 * HOUR));
    }

    fn cancel(&self, life: &mut Life, approved_ms: i64, settles: bool, draws: &mut Draws) {
        let age_at_end = self.calendar.end_ms() - approved_ms;
        let room = age_at_end - (LATE_DAYS + 1) * DAY - LATE_ROOM_DAYS * DAY;
        let late = room > 0 && u64::from(draws.bits()) < self.late_share;
        if !late && !draws.hits(self.plan.cancellations) {
            return;
        }
        let mut at_ms = approved_ms
            + if late {
                (LATE_DAYS + 1) * DAY + draws.between(0, room)
            } else {
                cancellation_delay(draws)
            };
        for amount in cancelled_parts(life.total, life.currency, draws) {
            self.cancel_part(life, amount, at_ms, settles, draws);
            at_ms += draws.between(2 * HOUR, 9 * DAY);
        }
    }

    fn cancel_part(&self, life: &mut Life, amount: i64, requested_ms: i64, settles: bool, draws: &mut Draws) {
        let index = life.cancellations.len() as u8;
        let entry = Entry::Cancellation(index);
        let fails = self.plan.mix == Mix::Full && draws.percent(2);
        // Money back to a bank account takes a form and a day, a card's void a moment.
        let slow = life.method.awaits_deposit() || life.method == Method::Transfer || fails;
        let taken = if slow {
            draws.between(HOUR, 20 * HOUR)
        } else {
            draws.between(300, 20 * SECOND)
        };
        let canceled_ms = requested_ms + taken;
        let last = if fails { Status::Failed } else { Status::Done };
        life.cancellations.push(Cancellation {
            amount,
            requested_ms,
            canceled_ms,
            stray: None,
        });
        let mut version = 1;
        if slow && self.plan.mix == Mix::Full {
            life.publish(entry, version, Status::Pending, requested_ms + 90);
            version += 1;
        }
        life.publish(entry, version, last, canceled_ms + draws.between(30, 900));
        if settles && !fails {
            self.settle(life, Some(index), canceled_ms, draws);
        }
    }
}

/// A late cancellation keeps this many days before the end for its parts and their settlement.
const LATE_ROOM_DAYS: i64 = 14;

/// So many payments must be cancelled late that their messages are `plan.late` of all.
fn late_share(plan: &Plan, calendar: &Calendar) -> u64 {
    // In hundredths, measured on the mixes as they are: messages a payment, and messages of a late cancellation
    // (its own and those of its settlement, 1.19 parts on average).
    let (per_payment, per_late) = match plan.mix {
        Mix::Full => (405, 364),
        Mix::Lean => (131, 143),
    };
    let eligible = u128::from(calendar.payments_older_than((LATE_DAYS + LATE_ROOM_DAYS + 1) as usize));
    let wanted = u128::from(plan.payments) * per_payment * u128::from(plan.late.parts());
    // Payments that were never approved cannot be cancelled.
    let approved = 94;
    let share = (wanted << 32) * 100 / (eligible * per_late * 10_000 * approved).max(1);
    // In a span hardly longer than a year the few old payments cannot carry the whole share.
    u64::try_from(share).unwrap_or(u64::MAX).min(1 << 31)
}

fn currency(merchant: &Merchant, draws: &mut Draws) -> Currency {
    if draws.percent(97) {
        merchant.home
    } else {
        draws.pick(&[Currency::Usd, Currency::Krw, Currency::Jpy, Currency::Usd])
    }
}

fn price(currency: Currency, percent: i64, draws: &mut Draws) -> i64 {
    let bands = currency.price_bands();
    let (_, least, most) = bands[draws.weighted(&bands.map(|(share, _, _)| share))];
    let steps = (draws.between(least, most) * percent / 100).max(1);
    let price = steps * currency.price_step();
    // Half of all prices end as shops like them to: 9,900 rather than 10,000.
    if draws.percent(50) {
        (price / 10 * 10 - currency.price_step()).max(currency.price_step())
    } else {
        price
    }
}

/// The steps before the last, and the last.
fn payment_steps(method: Method, draws: &mut Draws) -> (&'static [Status], Status) {
    const WAITING: &[Status] = &[Status::Ready, Status::WaitingForDeposit];
    const DIRECT: &[Status] = &[];
    const USUAL: &[Status] = &[Status::Ready];
    const WALLET: &[Status] = &[Status::Ready, Status::InProgress];
    const TWO_STEP: &[Status] = &[Status::Ready, Status::Authorized];
    let chance = draws.below(1_000);
    match method {
        Method::VirtualAccount | Method::ConvenienceStore if chance < 150 => (WAITING, Status::Expired),
        Method::VirtualAccount | Method::ConvenienceStore => (WAITING, Status::Done),
        Method::Billing if chance < 60 => (DIRECT, Status::Aborted),
        Method::Billing => (DIRECT, Status::Done),
        _ if chance < 35 => (USUAL, Status::Aborted),
        _ if chance < 50 => (USUAL, Status::Expired),
        Method::Card if chance < 100 => (TWO_STEP, Status::Done),
        // Keyed in at a counter or by phone.
        Method::Card if chance < 250 => (DIRECT, Status::Done),
        Method::EasyPay | Method::QrPay if chance < 150 => (WALLET, Status::Done),
        _ => (USUAL, Status::Done),
    }
}

/// Mostly within days: many at once, a tail of weeks.
fn cancellation_delay(draws: &mut Draws) -> i64 {
    match draws.below(100) {
        0..=34 => draws.between(MINUTE, HOUR),
        35..=69 => draws.between(HOUR, DAY),
        70..=93 => draws.between(DAY, 10 * DAY),
        _ => draws.between(10 * DAY, 60 * DAY),
    }
}

/// Half the cancellations give all back, the others one to three parts of it.
fn cancelled_parts(total: i64, currency: Currency, draws: &mut Draws) -> impl Iterator<Item = i64> + use<> {
    let step = currency.price_step().min(total);
    let count = if draws.percent(50) {
        0
    } else {
        [1, 2, 3][draws.weighted(&[70, 22, 8])]
    };
    let part = (total / step * draws.between(10, 30) / 100).max(1) * step;
    let (count, part) = if count == 0 || part * count > total {
        (1, total)
    } else {
        (count, part)
    };
    (0..count).map(move |_| part)
}

/// What a merchant pays for a method, in hundredths of a percent.
pub(crate) fn fee_rate(method: Method, merchant: &Merchant) -> i64 {
    (method.terms().fee + merchant.fee_offset).max(10)
}

fn line(life: &Life, merchant: &Merchant, of: Option<u8>, amount: i64, (sold_on, paid_out_on): (i32, i32)) -> Line {
    let terms = life.method.terms();
    let base_fee = part_of(amount, fee_rate(life.method, merchant));
    let is_won_sale = life.currency == Currency::Krw && of.is_none();
    let extra_fee = if is_won_sale { terms.fixed_fee_won } else { 0 };
    // VAT on the fees is a tenth in Korea; abroad the service is exported untaxed.
    let vat = if life.currency == Currency::Krw {
        part_of(base_fee + extra_fee, 1_000)
    } else {
        0
    };
    Line {
        of,
        amount,
        base_fee,
        extra_fee,
        vat,
        issuer_cost: part_of(amount, terms.issuer_cost),
        network_cost: part_of(amount, terms.network_cost),
        sold_on,
        expected_on: paid_out_on,
        paid_out_on,
        stray: None,
    }
}
