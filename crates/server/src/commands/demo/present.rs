//! The present of the demo: messages produced when they are due, day after day.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use chrono::{NaiveDate, TimeDelta, Utc};
use generator::{Plan, Rate, Stream, Topic};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::failure::{Failure, chain};

/// Payments of a whole day: one to two messages a second on average, by the daily curve.
const PAYMENTS_A_DAY: u64 = 80_000;

/// The longest silence: in the small hours the curve is thin, and a demo should be seen to flow.
const SILENCE_MAX: Duration = Duration::from_secs(2);

/// Korea's today, which is the generator's.
pub(super) fn today() -> NaiveDate {
    Utc::now().with_timezone(&chrono_tz::Asia::Seoul).date_naive()
}

/// A thread that produces until it is dropped.
pub(super) struct Present {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Present {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Present {
    pub(super) fn start(seed: u64, brokers: &str, topics: [String; 3]) -> Result<Self, Failure> {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("linger.ms", "5")
            .create()
            .map_err(|cause| Failure::Store(format!("the demo's producer cannot be started: {}", chain(&cause))))?;
        let stop = Arc::new(AtomicBool::new(false));
        let told = stop.clone();
        let thread = thread::Builder::new()
            .name("present".to_owned())
            .spawn(move || flow(seed, &producer, &topics, &told))
            .map_err(|cause| Failure::Store(format!("the demo's producer cannot be started: {cause}")))?;
        Ok(Present {
            stop,
            thread: Some(thread),
        })
    }
}

fn flow(seed: u64, producer: &BaseProducer, topics: &[String; 3], stop: &AtomicBool) {
    let mut day = today();
    while !stop.load(Ordering::Acquire) {
        let Ok(mut stream) = Stream::new(plan(seed, day)) else {
            return;
        };
        let now = Utc::now().timestamp_millis();
        // What was due before the demo began is not produced any more.
        while stream.peek_ms().is_some_and(|due| due < now) {
            let _ = stream.next_message();
        }
        while let Some(due) = stream.peek_ms() {
            if wait_until(due, stop) {
                return;
            }
            if let Some(message) = stream.next_message() {
                let topic = &topics[match message.topic {
                    Topic::Payments => 0,
                    Topic::Cancellations => 1,
                    Topic::Settlements => 2,
                }];
                // A full queue only means that this message is left out of the trickle.
                let _ = producer.send(BaseRecord::to(topic).key(message.key).payload(message.value));
            }
            producer.poll(Duration::ZERO);
        }
        let _ = producer.flush(Duration::from_secs(1));
        day = day.succ_opt().unwrap_or(day);
    }
}

fn plan(seed: u64, day: NaiveDate) -> Plan {
    Plan {
        // Another stream than the past, and another each day.
        seed: seed ^ (0x5EED << 32) ^ u64::from(day.to_epoch_days().unsigned_abs()),
        payments: PAYMENTS_A_DAY,
        merchants: 200,
        start: day,
        days: 1,
        late: Rate::ZERO,
        oversize: false,
        ..Plan::default()
    }
}

/// Waits until a message is due, or until the silence has been long enough; true if it is time to end.
fn wait_until(due_ms: i64, stop: &AtomicBool) -> bool {
    let longest = Utc::now() + TimeDelta::from_std(SILENCE_MAX).unwrap_or_default();
    loop {
        if stop.load(Ordering::Acquire) {
            return true;
        }
        let now = Utc::now();
        if now.timestamp_millis() >= due_ms || now >= longest {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
}
