//! Asking at a fixed rate, and as fast as answers come.
//!
//! At a fixed rate every question has an instant at which it is meant to be asked, and its latency counts from there,
//! whatever became of the questions before it. A server that stalls for a second so answers late all that was meant to
//! be asked in that second, as its users would see it; a client that waits for each answer before it asks again would
//! count one slow answer and leave the others out ("coordinated omission"). Load tools such as oha and wrk2 do the same;
//! this one also looks at each answer, because a fast wrong answer is none.
//!
//! Those who ask stand for clients on other machines: where the system allows it, they go before everything else on this
//! one. How late they nevertheless were is counted as well, so that their waiting is not taken for the server's.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::setpriority_process;
use rustix::thread::gettid;

use crate::http::{Answer, Client, Request};
use crate::interrupt;
use crate::latency::Latencies;

/// Questions that may be under way at once at a fixed rate. Beyond them they wait, and their waiting counts.
const UNDER_WAY_MAX: usize = 32;
/// The nice value of those who ask; only root may take it.
const ASKERS_NICE: i32 = -20;
/// So late the rest is given up: the rate is out of reach.
const LATE_MAX: Duration = Duration::from_secs(20);

/// A question and what its answer must hold.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) request: Request,
    pub(crate) expects: Expects,
}

#[derive(Clone, Debug)]
pub(crate) enum Expects {
    /// Any answer with status 200.
    Success,
    /// At least one row.
    Rows,
    /// This text somewhere in it.
    Text(String),
}

impl Question {
    /// Why the answer is wrong, if it is.
    pub(crate) fn fault(&self, answer: &Answer) -> Option<String> {
        let holds = |text: &str| {
            let text = text.as_bytes();
            answer.body.windows(text.len()).any(|window| window == text)
        };
        let fits = match &self.expects {
            _ if answer.status != 200 => false,
            Expects::Success => true,
            Expects::Rows => !answer.body.starts_with(b"{\"data\":[]"),
            Expects::Text(text) => holds(text),
        };
        (!fits).then(|| {
            let body: String = String::from_utf8_lossy(&answer.body).chars().take(300).collect();
            format!("{:?} was answered with {}: {body}", self.request, answer.status)
        })
    }
}

/// What a series of questions gave.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) latencies: Latencies,
    /// At a fixed rate: from the instant a question was due until it was asked. Part of its latency.
    pub(crate) asked_late: Latencies,
    pub(crate) failures: usize,
    pub(crate) first_failure: Option<String>,
    pub(crate) took: Duration,
}

impl Outcome {
    pub(crate) fn per_second(&self) -> f64 {
        self.latencies.count() as f64 / self.took.as_secs_f64().max(f64::EPSILON)
    }

    fn fail(&mut self, why: String) {
        self.failures += 1;
        self.first_failure.get_or_insert(why);
    }

    fn absorb(&mut self, other: Outcome) {
        self.latencies.absorb(other.latencies);
        self.asked_late.absorb(other.asked_late);
        self.failures += other.failures;
        self.first_failure = self.first_failure.take().or(other.first_failure);
    }
}

/// Asks `rate` questions a second for `duration`, in turn from `questions`.
pub(crate) fn at_rate(client: &Client, questions: &[Question], rate: f64, duration: Duration) -> Outcome {
    let count = (rate * duration.as_secs_f64()).ceil().max(1.0) as usize;
    let next = AtomicUsize::new(0);
    let started = Instant::now();
    let ask = |client: &Client, outcome: &mut Outcome| {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= count || interrupt::is_interrupted() {
            return false;
        }
        let due = started + Duration::from_secs_f64(number as f64 / rate);
        if due.elapsed() > LATE_MAX {
            outcome.fail(format!(
                "given up: {rate} questions a second are more than are answered"
            ));
            return false;
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
        outcome.asked_late.record(due.elapsed());
        ask_one(client, &questions[number % questions.len()], due, outcome);
        true
    };
    in_threads(client, UNDER_WAY_MAX.min(count), started, &ask)
}

/// `clients` ask one question after the other for `duration`.
pub(crate) fn closed_loop(client: &Client, questions: &[Question], clients: usize, duration: Duration) -> Outcome {
    let next = AtomicUsize::new(0);
    let started = Instant::now();
    let ask = |client: &Client, outcome: &mut Outcome| {
        if started.elapsed() >= duration || interrupt::is_interrupted() {
            return false;
        }
        let number = next.fetch_add(1, Ordering::Relaxed);
        ask_one(client, &questions[number % questions.len()], Instant::now(), outcome);
        true
    };
    in_threads(client, clients, started, &ask)
}

fn ask_one(client: &Client, question: &Question, due: Instant, outcome: &mut Outcome) {
    match client.send(&question.request) {
        Ok(answer) => {
            outcome.latencies.record(due.elapsed());
            if let Some(fault) = question.fault(&answer) {
                outcome.fail(fault);
            }
        }
        Err(error) => outcome.fail(format!("{:?}: {error:#}", question.request)),
    }
}

/// Calls `ask` in threads, each with a connection of its own, until it says false.
fn in_threads(
    client: &Client,
    threads: usize,
    started: Instant,
    ask: &(dyn Fn(&Client, &mut Outcome) -> bool + Sync),
) -> Outcome {
    let all = Mutex::new(Outcome::default());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let _ = setpriority_process(Some(gettid()), ASKERS_NICE);
                let client = client.apart();
                let mut outcome = Outcome::default();
                while ask(&client, &mut outcome) {}
                all.lock().unwrap_or_else(PoisonError::into_inner).absorb(outcome);
            });
        }
    });
    let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.took = started.elapsed();
    all
}
