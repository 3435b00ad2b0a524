//! Freshness: a request may say what its answer must cover at the least, and how long it waits for that.
//!
//! The guard asks this before any handler runs and takes `wait_for` out of the address, so no endpoint can forget it and
//! none sees it. Waiting holds neither a thread nor a turn: the request sleeps until the writer has made the next batch
//! visible, and is checked once a batch.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use domain::position::PartitionId;
use ledger::{Awaited, Reached};
use lookup::TokenError;
use tokio::time::{Instant, timeout_at};

use crate::app::App;
use crate::as_of::LEDGER_AS_OF;
use crate::blocking::{Cost, ask};
use crate::keys::Principal;
use crate::params::split_off;
use crate::problem::{Mistake, Problem, kinds};
use crate::routes::Access;

/// The parameter; it may be repeated, and all must be reached.
pub(crate) const WAIT_FOR: &str = "wait_for";

pub(crate) const LEDGER_MIN_AS_OF: HeaderName = HeaderName::from_static("ledger-min-as-of");
const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// The longest wait in seconds: a connection must not be held much longer than an answer takes. Who asks for more waits
/// so long and is told so by `Preference-Applied`.
const WAIT_SECONDS_MAX: u64 = 10;

/// Values of `wait_for` in one request: each partition of a few topics.
const WANTS_MAX: usize = 64;

/// Missing things that an answer names.
const NAMED_MAX: usize = 4;

/// Characters of an event's id, as the envelope may have it.
const EVENT_CHARS_MAX: usize = 200;

/// One thing that must be in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Want {
    /// The answer that a token came with.
    Batch(u64),
    /// The message at this offset.
    Offset { partition: PartitionId, offset: u64 },
    /// The message with this id, from any source.
    Event(String),
}

/// What a request says in its headers: read once by the guard, used for the address and for a body.
#[derive(Clone, Debug)]
pub(crate) struct Patience {
    wait: Option<Duration>,
    /// The request wanted something. The body of a POST is read after the guard, so it is shared.
    wanted: Arc<AtomicBool>,
}

impl Patience {
    /// `Preference-Applied`, where there was a preference and something to wait for.
    pub(crate) fn note(&self, headers: &mut HeaderMap) {
        if let Some(applied) = self.applied() {
            headers.insert(PREFERENCE_APPLIED, applied);
        }
    }

    fn applied(&self) -> Option<HeaderValue> {
        let wait = self.wait.filter(|_| self.wanted.load(Ordering::Acquire))?;
        HeaderValue::from_str(&format!("wait={}", wait.as_secs())).ok()
    }
}

/// Reads what the request wants and waits for it. Takes `wait_for` out of the address.
pub(crate) async fn reach_first(
    app: &Arc<App>,
    principal: &Principal,
    request: &mut Request,
) -> Result<Patience, Problem> {
    let patience = Patience {
        wait: preferred_wait(request.headers())?,
        wanted: Arc::default(),
    };
    let mut wants = Vec::new();
    if let Some(batch) = min_as_of(app, request.headers())? {
        wants.push(Want::Batch(batch));
    }
    if let Some((values, rest)) = split_off(request.uri().query(), WAIT_FOR)? {
        *request.uri_mut() = with_query(request.uri(), &rest)?;
        wants.extend(read_all(principal, values.iter().map(String::as_str))?);
    }
    request.extensions_mut().insert(patience.clone());
    reach(app, wants, &patience).await?;
    Ok(patience)
}

/// The same for `wait_for` in the body of a POST.
pub(crate) async fn reach_of_body<'v>(
    app: &Arc<App>,
    principal: &Principal,
    patience: &Patience,
    values: impl Iterator<Item = &'v str>,
) -> Result<(), Problem> {
    let wants = read_all(principal, values)?;
    reach(app, wants, patience).await
}

fn with_query(uri: &Uri, query: &str) -> Result<Uri, Problem> {
    let mut parts = uri.clone().into_parts();
    let address = match query {
        "" => uri.path().to_owned(),
        query => format!("{}?{query}", uri.path()),
    };
    parts.path_and_query = Some(PathAndQuery::try_from(address).map_err(|_| Problem::internal())?);
    Uri::from_parts(parts).map_err(|_| Problem::internal())
}

fn mistake(name: &str, detail: impl Into<String>, expected: &str) -> Problem {
    let mistake = Mistake::new(name, &kinds::BAD_VALUE, detail).expected(expected);
    Problem::of_mistakes(vec![mistake])
}

fn min_as_of(app: &App, headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    const NAME: &str = "Ledger-Min-As-Of";
    let mut sent = headers.get_all(LEDGER_MIN_AS_OF).iter();
    let Some(value) = sent.next() else { return Ok(None) };
    if sent.next().is_some() {
        let mistake = Mistake::new(
            NAME,
            &kinds::REPEATED_PARAMETER,
            format!("the header {NAME} stands once"),
        );
        return Err(Problem::of_mistakes(vec![mistake]));
    }
    let read = value.to_str().map_err(|_| TokenError::Malformed);
    match read.and_then(|token| app.lookup.batch_of_token(token.trim())) {
        Ok(batch) => Ok(Some(batch)),
        Err(error) => {
            let expected = "the value of Ledger-As-Of of an earlier answer of this service";
            Err(mistake(NAME, format!("{NAME}: {error}"), expected))
        }
    }
}

/// `wait` among the preferences (RFC 7240); preferences that are not known here are left alone, as the standard says.
fn preferred_wait(headers: &HeaderMap) -> Result<Option<Duration>, Problem> {
    let refused = || {
        let detail = "Prefer: wait is a whole number of seconds, such as wait=5";
        mistake("Prefer", detail, "wait=0 to wait=10; a larger number counts as 10")
    };
    for value in headers.get_all(PREFER) {
        let text = value.to_str().map_err(|_| refused())?;
        for preference in text.split(',') {
            let token = preference.split(';').next().unwrap_or_default();
            let (name, value) = token.split_once('=').unwrap_or((token, ""));
            if !name.trim().eq_ignore_ascii_case("wait") {
                continue;
            }
            let value = value.trim().trim_matches('"');
            if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(refused());
            }
            let seconds = value.parse().unwrap_or(WAIT_SECONDS_MAX).min(WAIT_SECONDS_MAX);
            return Ok(Some(Duration::from_secs(seconds)));
        }
    }
    Ok(None)
}

fn read_all<'v>(principal: &Principal, values: impl Iterator<Item = &'v str>) -> Result<Vec<Want>, Problem> {
    let mut wants = Vec::new();
    for value in values {
        if wants.len() == WANTS_MAX {
            let detail = format!("{WAIT_FOR} takes at most {WANTS_MAX} values");
            let mistake = Mistake::new(WAIT_FOR, &kinds::TOO_MANY_VALUES, detail);
            return Err(Problem::of_mistakes(vec![mistake]));
        }
        let want = read(value).ok_or_else(|| {
            let detail = format!("{WAIT_FOR} is <topic>/<partition>@<offset> or event:<id>");
            mistake(WAIT_FOR, detail, "payments/0@1824, or event: and the id of an event")
        })?;
        if matches!(want, Want::Event(_)) && !Access::Operations.allows(principal.role) {
            let detail = format!(
                "a key of role {} may not wait for an event; wait for its offset instead",
                principal.role
            );
            return Err(Problem::new(&kinds::FORBIDDEN, detail));
        }
        wants.push(want);
    }
    Ok(wants)
}

fn read(text: &str) -> Option<Want> {
    if let Some(id) = text.strip_prefix("event:") {
        let fits = (1..=EVENT_CHARS_MAX).contains(&id.chars().count());
        return fits.then(|| Want::Event(id.to_owned()));
    }
    let (partition, offset) = text.rsplit_once('@')?;
    let (topic, number) = partition.rsplit_once('/')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if topic.is_empty() || topic.contains([':', '/', '@']) || !is_number(number) || !is_number(offset) {
        return None;
    }
    Some(Want::Offset {
        partition: PartitionId::Kafka {
            topic: topic.to_owned(),
            partition: number.parse().ok()?,
        },
        // An offset that no log will ever have is simply never reached.
        offset: offset.parse().ok().filter(|offset| *offset < u64::MAX)?,
    })
}

/// Waits until readers see all of `wants`.
async fn reach(app: &Arc<App>, mut wants: Vec<Want>, patience: &Patience) -> Result<(), Problem> {
    if wants.is_empty() {
        return Ok(());
    }
    let wait = patience.wait.unwrap_or_default();
    patience.wanted.store(true, Ordering::Release);
    let until = Instant::now() + wait;
    let mut reached = app.lookup.follow();
    let mut watched: HashMap<String, Awaited> = HashMap::new();
    let mut turn = None;
    loop {
        let seen = reached.borrow_and_update().clone();
        wants.retain(|want| !is_reached(want, &seen));
        let events = wants.iter().filter_map(Want::event);
        for id in events.map(str::to_owned).collect::<Vec<_>>() {
            let watch = watched.entry(id.clone()).or_insert_with(|| app.lookup.await_event(&id));
            if watch.may_be_there() && has_event(app, id.clone()).await? {
                wants.retain(|want| want.event() != Some(id.as_str()));
            }
        }
        if wants.is_empty() {
            return Ok(());
        }
        if turn.is_none() && !wait.is_zero() {
            turn = Some(app.permits.wait()?);
        }
        match timeout_at(until, reached.changed()).await {
            Ok(Ok(())) => {}
            // Out of time, or the writer has ended.
            Ok(Err(_)) | Err(_) => {
                let problem = not_caught_up(app, &wants, &seen);
                return Err(match patience.applied() {
                    Some(applied) => problem.header(PREFERENCE_APPLIED, applied),
                    None => problem,
                });
            }
        }
    }
}

/// The one part that reads: once at the beginning, and when the writer says that the event may have come.
async fn has_event(app: &Arc<App>, id: String) -> Result<bool, Problem> {
    ask(app, Cost::Page, move |app| Ok(app.lookup.has_event(&id)?)).await
}

impl Want {
    fn event(&self) -> Option<&str> {
        match self {
            Want::Event(id) => Some(id),
            Want::Batch(_) | Want::Offset { .. } => None,
        }
    }
}

fn is_reached(want: &Want, seen: &Reached) -> bool {
    match want {
        Want::Batch(batch) => seen.batch_no >= *batch,
        Want::Offset { partition, offset } => seen.positions.next(partition).is_some_and(|next| next > *offset),
        // It is looked for apart.
        Want::Event(_) => false,
    }
}

/// What is missing, in the asker's own words: how far a partition is would tell a merchant of others. An event's id is not
/// repeated.
fn named(want: &Want) -> String {
    match want {
        Want::Batch(_) => "the position of Ledger-Min-As-Of".to_owned(),
        Want::Event(_) => "an event of wait_for".to_owned(),
        Want::Offset { partition, offset } => format!("{partition}@{offset}"),
    }
}

fn not_caught_up(app: &App, missing: &[Want], seen: &Reached) -> Problem {
    let named: BTreeSet<String> = missing.iter().map(named).collect();
    let named: Vec<String> = named.into_iter().take(NAMED_MAX).collect();
    let detail = format!("the ledger has not reached {} yet", named.join(" and "));
    let problem = Problem::new(&kinds::NOT_CAUGHT_UP, detail).retry_after(1);
    match HeaderValue::from_str(&app.lookup.token_of_batch(seen.batch_no)) {
        Ok(token) => problem.header(LEDGER_AS_OF, token),
        Err(_) => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_and_events_are_read_and_everything_else_refused() {
        let offset = |topic: &str, partition, offset| {
            Some(Want::Offset {
                partition: PartitionId::Kafka {
                    topic: topic.to_owned(),
                    partition,
                },
                offset,
            })
        };
        for (text, expect) in [
            ("payments/0@0", offset("payments", 0, 0)),
            ("a.b-c_d/12@9999999999", offset("a.b-c_d", 12, 9_999_999_999)),
            ("event:e-1", Some(Want::Event("e-1".to_owned()))),
            ("event:a/b@c", Some(Want::Event("a/b@c".to_owned()))),
            ("", None),
            ("payments", None),
            ("payments/0", None),
            ("payments@1", None),
            ("payments/0@", None),
            ("payments/0@-1", None),
            ("payments/+0@1", None),
            ("/0@1", None),
            ("file:00/0@1", None),
            ("payments/99999999999@1", None),
            ("payments/0@99999999999999999999", None),
            ("event:", None),
        ] {
            assert_eq!(read(text), expect, "{text}");
        }
        assert_eq!(read(&format!("event:{}", "a".repeat(201))), None);
    }

    #[test]
    fn a_wait_is_read_from_among_other_preferences() {
        for (sent, expect) in [
            ("wait=5", Some(Some(5))),
            ("respond-async, wait=3", Some(Some(3))),
            ("WAIT = 2 ; x=y", Some(Some(2))),
            ("wait=\"7\"", Some(Some(7))),
            ("wait=100", Some(Some(10))),
            ("wait=0", Some(Some(0))),
            ("return=minimal", Some(None)),
            ("wait", None),
            ("wait=", None),
            ("wait=-1", None),
            ("wait=1.5", None),
            ("wait=soon", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(PREFER, HeaderValue::from_str(sent).expect("a header"));
            let found = preferred_wait(&headers).ok();
            assert_eq!(found.map(|wait| wait.map(|wait| wait.as_secs())), expect, "{sent}");
        }
    }
}
