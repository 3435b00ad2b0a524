//! The messages of a plan in the order in which readers of the topics meet them.
//!
//! Payments arrive in the order of their numbers. The stream remembers one entry for each payment that is not yet
//! told to its end: the instant of its next delivery, its number and the delivery's place, 24 bytes. Everything else
//! is derived again when it is needed. At a hundred million payments over three years a few million are under way at
//! once (a week's worth, and those that will be cancelled after a year), well under 200 MB.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use chrono::NaiveDate;

use crate::calendar::korean_ms;
use crate::expect::Expect;
use crate::life::{Delivery, Form, Life};
use crate::message::{self, Topic, put_payment_key};
use crate::pen::Pen;
use crate::plan::{Plan, PlanError};
use crate::tally::Tally;
use crate::world::World;

/// One message, valid until the next is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    pub topic: Topic,
    /// The Kafka key: the payment's key.
    pub key: &'a str,
    /// A `CloudEvents` event in structured mode, compact JSON without line breaks; broken where the plan asks for poison.
    pub value: &'a [u8],
    /// When readers meet it, in milliseconds since 1970. Never falls from one message to the next.
    pub at_ms: i64,
}

/// Draws the messages of a plan one by one.
pub struct Stream {
    world: World,
    life: Life,
    tally: Option<Tally>,
    /// The next payment to arrive, and when.
    next_number: u64,
    next_arrival_ms: i64,
    under_way: BinaryHeap<Reverse<(i64, u64, u16)>>,
    /// The stream pauses before this instant.
    pause_ms: i64,
    emitted: u64,
    key: String,
    value: Vec<u8>,
    spare: Vec<u8>,
}

impl Stream {
    /// A stream that keeps no ground truth.
    ///
    /// # Errors
    /// The plan is out of its bounds.
    pub fn new(plan: Plan) -> Result<Self, PlanError> {
        Self::start(plan, false)
    }

    /// A stream that adds up what a store must answer after it.
    ///
    /// # Errors
    /// The plan is out of its bounds.
    pub fn with_expect(plan: Plan) -> Result<Self, PlanError> {
        Self::start(plan, true)
    }

    fn start(plan: Plan, expects: bool) -> Result<Self, PlanError> {
        let mut stream = Self {
            world: World::new(plan)?,
            life: Life::new(),
            tally: expects.then(Tally::default),
            next_number: 0,
            next_arrival_ms: i64::MAX,
            under_way: BinaryHeap::new(),
            pause_ms: i64::MAX,
            emitted: 0,
            key: String::new(),
            value: Vec::with_capacity(2_048),
            spare: Vec::new(),
        };
        stream.meet_next();
        Ok(stream)
    }

    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.world.plan
    }

    /// How many messages were drawn so far.
    #[must_use]
    pub fn emitted(&self) -> u64 {
        self.emitted
    }

    /// How many payments have arrived so far; out of `plan().payments` a measure of progress.
    #[must_use]
    pub fn payments_arrived(&self) -> u64 {
        self.next_number
    }

    /// Lets the stream end before a day (in Korea) begins; given a later day or none, it goes on from there. So one
    /// plan can be a past that is loaded at once and a present that trickles.
    pub fn pause_before(&mut self, day: Option<NaiveDate>) {
        self.pause_ms = day.map_or(i64::MAX, |day| korean_ms(day.to_epoch_days(), 0));
    }

    /// When the next message will be met, without writing it.
    pub fn peek_ms(&mut self) -> Option<i64> {
        self.admit();
        let next = self.under_way.peek().map(|Reverse((at_ms, ..))| *at_ms);
        next.filter(|at_ms| *at_ms < self.pause_ms)
    }

    /// The next message, or nothing once the span has ended (or the stream pauses).
    pub fn next_message(&mut self) -> Option<Message<'_>> {
        self.peek_ms()?;
        let Reverse((at_ms, number, place)) = self.under_way.pop()?;
        if self.life.number != number {
            self.world.derive(number, &mut self.life);
        }
        let delivery = self.life.deliveries[usize::from(place)];
        self.await_delivery(place + 1);
        message::write(&self.world, &self.life, &delivery, &mut self.value, &mut self.spare);
        self.write_key();
        self.emitted += 1;
        Some(Message {
            topic: Topic::of(delivery.packet.entry),
            key: &self.key,
            value: &self.value,
            at_ms,
        })
    }

    /// What a store must answer after the whole stream, if it was asked for. Meaningful once the stream has ended.
    #[must_use]
    pub fn into_expect(self) -> Option<Expect> {
        let Self { world, tally, .. } = self;
        tally.map(|tally| Expect::new(world, tally))
    }

    /// Lets every payment in that arrives before the next delivery.
    fn admit(&mut self) {
        while self.next_number < self.world.plan.payments
            && self
                .under_way
                .peek()
                .is_none_or(|Reverse((at, ..))| self.next_arrival_ms <= *at)
        {
            self.world.derive(self.next_number, &mut self.life);
            self.await_delivery(0);
            if let Some(tally) = &mut self.tally {
                tally.add(&self.world, &self.life);
            }
            self.next_number += 1;
            self.meet_next();
        }
    }

    fn meet_next(&mut self) {
        if self.next_number < self.world.plan.payments {
            // The earliest instant the payment can have: its exact one is part of its life.
            self.next_arrival_ms = self.world.calendar.arrival_ms(self.next_number, 0);
        }
    }

    fn await_delivery(&mut self, place: u16) {
        let Some(Delivery { at_ms, .. }) = self.life.deliveries.get(usize::from(place)) else {
            return;
        };
        if *at_ms < self.world.calendar.end_ms() {
            self.under_way.push(Reverse((*at_ms, self.life.number, place)));
        }
    }

    fn write_key(&mut self) {
        let mut bytes = std::mem::take(&mut self.key).into_bytes();
        bytes.clear();
        put_payment_key(&self.world, &self.life, &mut Pen::new(&mut bytes, &self.world.calendar));
        // Keys are plain ASCII.
        self.key = String::from_utf8(bytes).unwrap_or_default();
    }
}

/// Which rule a poisoned delivery breaks.
pub(crate) fn poison_rule(form: Form) -> Option<&'static str> {
    match form {
        Form::Poison(rule) => Some(crate::poison::RULES[usize::from(rule)].name),
        _ => None,
    }
}
