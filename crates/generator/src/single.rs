//! The messages of one payment by its number, without the stream around it.
//!
//! A benchmark asks for payments of every age, and a test looks at one of many; neither wants to draw the whole stream
//! again for that.

use crate::life::Life;
use crate::message::{self, Topic};
use crate::plan::{Plan, PlanError};
use crate::world::World;

/// One message of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SingleMessage {
    pub topic: Topic,
    /// When readers of the topic meet it, in milliseconds since 1970.
    pub at_ms: i64,
    pub value: Vec<u8>,
}

/// Derives payments of a plan one by one.
pub struct Single {
    world: World,
    life: Life,
}

impl Single {
    /// # Errors
    /// The plan is out of its bounds.
    pub fn new(plan: Plan) -> Result<Self, PlanError> {
        Ok(Self {
            world: World::new(plan)?,
            life: Life::new(),
        })
    }

    /// The messages about the payment that arrives as the `number`-th (from 0), in the order of the stream: the same
    /// bytes. What would be published after the plan's span is left out, as it is there.
    pub fn messages(&mut self, number: u64) -> Vec<SingleMessage> {
        if self.life.number != number || self.life.deliveries.is_empty() {
            self.world.derive(number, &mut self.life);
        }
        let end_ms = self.world.calendar.end_ms();
        let mut spare = Vec::new();
        let told = self
            .life
            .deliveries
            .iter()
            .take_while(|delivery| delivery.at_ms < end_ms);
        told.map(|delivery| {
            let mut value = Vec::new();
            message::write(&self.world, &self.life, delivery, &mut value, &mut spare);
            SingleMessage {
                topic: Topic::of(delivery.packet.entry),
                at_ms: delivery.at_ms,
                value,
            }
        })
        .collect()
    }
}
