//! How often a key may ask, for each class of cost, and the fields that tell it (`RateLimit` and `RateLimit-Policy`, the
//! IETF's draft "`RateLimit` header fields for HTTP").
//!
//! Each key has, for each class, a bucket of one second's requests that fills evenly (GCRA). So a burst of a second's
//! worth is fine, and then requests pass at the rate. Only keys that exist have buckets, so their number is bounded.

use std::num::NonZeroU32;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::blocking::Cost;
use crate::problem::{Problem, kinds};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Requests a second that one key may send of each class; 0: as many as it likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Single payments and the catalogue.
    pub lookups: u32,
    /// Pages of lists and searches, and all that is neither of the others.
    pub lists: u32,
    pub reports: u32,
    /// Counted beside the list or report that is exported.
    pub exports: u32,
}

impl Rates {
    pub const UNLIMITED: Rates = Rates {
        lookups: 0,
        lists: 0,
        reports: 0,
        exports: 0,
    };
}

type Limiter = RateLimiter<String, DashMapStateStore<String>, DefaultClock, StateInformationMiddleware>;

/// The buckets of all keys.
pub(crate) struct RateLimits {
    lookups: Option<Class>,
    lists: Option<Class>,
    reports: Option<Class>,
    exports: Option<Class>,
}

struct Class {
    name: &'static str,
    per_second: NonZeroU32,
    limiter: Limiter,
}

/// What a request that was let in is told of its class; nothing where nothing is limited.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Admitted(Option<Left>);

#[derive(Clone, Copy, Debug)]
struct Left {
    name: &'static str,
    per_second: u32,
    remaining: u32,
}

impl Class {
    fn new(name: &'static str, per_second: u32) -> Option<Self> {
        let per_second = NonZeroU32::new(per_second)?;
        let limiter = RateLimiter::dashmap(Quota::per_second(per_second)).with_middleware();
        Some(Class {
            name,
            per_second,
            limiter,
        })
    }

    fn left(&self, remaining: u32) -> Admitted {
        Admitted(Some(Left {
            name: self.name,
            per_second: self.per_second.get(),
            remaining,
        }))
    }

    fn admit(&self, key_id: &str) -> Result<Admitted, Problem> {
        match self.limiter.check_key(&key_id.to_owned()) {
            Ok(state) => Ok(self.left(state.remaining_burst_capacity())),
            Err(until) => {
                let wait = until.wait_time_from(DefaultClock::default().now());
                // Whole seconds, rounded up: who comes earlier would be refused again.
                let seconds = u16::try_from(wait.as_secs().saturating_add(1)).unwrap_or(u16::MAX);
                let (name, per_second) = (self.name, self.per_second);
                let detail = format!("this key may send {per_second} requests of the kind {name:?} a second");
                let problem = Problem::new(&kinds::RATE_LIMITED, detail).retry_after(seconds);
                Err(self
                    .left(0)
                    .fields()
                    .into_iter()
                    .fold(problem, |problem, (field, value)| problem.header(field, value)))
            }
        }
    }
}

impl RateLimits {
    pub(crate) fn new(rates: &Rates) -> Self {
        RateLimits {
            lookups: Class::new("lookup", rates.lookups),
            lists: Class::new("list", rates.lists),
            reports: Class::new("report", rates.reports),
            exports: Class::new("export", rates.exports),
        }
    }

    /// Counts a request of this key.
    ///
    /// # Errors
    /// 429 when the key has none left.
    pub(crate) fn admit(&self, key_id: &str, cost: Cost) -> Result<Admitted, Problem> {
        let class = match cost {
            Cost::Lookup => &self.lookups,
            Cost::Page => &self.lists,
            Cost::Report => &self.reports,
            Cost::Export => &self.exports,
        };
        class
            .as_ref()
            .map_or(Ok(Admitted::default()), |class| class.admit(key_id))
    }
}

impl Admitted {
    fn fields(self) -> Vec<(HeaderName, HeaderValue)> {
        let Some(left) = self.0 else { return Vec::new() };
        let (name, per_second, remaining) = (left.name, left.per_second, left.remaining);
        let fields = [
            (RATE_LIMIT_POLICY, format!("\"{name}\";q={per_second};w=1")),
            // A second from now the bucket is full again, whatever is in it.
            (RATE_LIMIT, format!("\"{name}\";r={remaining};t=1")),
        ];
        let values = fields
            .into_iter()
            .filter_map(|(field, value)| Some((field, HeaderValue::from_str(&value).ok()?)));
        values.collect()
    }

    /// Adds the fields. An export stands beside the list or report that it is of, so there may be two of each.
    pub(crate) fn write_to(self, headers: &mut HeaderMap) {
        for (field, value) in self.fields() {
            headers.append(field, value);
        }
    }
}
