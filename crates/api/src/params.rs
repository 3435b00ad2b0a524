//! The parameters of a request, from its query string or from its body, and the mistakes found in them.

mod body;
mod ids;
mod query_string;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use query::nearest;

use crate::freshness::WAIT_FOR;
use crate::problem::{Mistake, Problem, kinds};

pub(crate) use body::{BODY_BYTES_MAX, BodyParams, EmptyBody};
pub(crate) use ids::{IDS_BYTES_MAX, Ids};
pub(crate) use query_string::split_off;

/// Where parameters came from, which decides how a mistake is located.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    QueryString,
    Body,
}

/// Names and values in the order in which they were sent, decoded.
#[derive(Clone, Debug)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
    place: Place,
}

impl Params {
    /// Of a query string as it stands in the address.
    pub(crate) fn of_query(raw: Option<&str>) -> Result<Self, Problem> {
        let pairs = query_string::parse(raw.unwrap_or_default())?;
        Ok(Params {
            pairs,
            place: Place::QueryString,
        })
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// `path` with the parameters as the audit log shows them.
    pub(crate) fn address(&self, path: &str) -> String {
        let pairs: Vec<String> = self.pairs().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{path}?{}", pairs.join("&"))
    }

    /// Every value of `name`.
    pub(crate) fn all<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p str> {
        self.pairs()
            .filter(move |(sent, _)| *sent == name)
            .map(|(_, value)| value)
    }

    /// Begins to collect the mistakes in these parameters.
    pub(crate) fn mistakes(&self) -> Mistakes {
        Mistakes {
            place: self.place,
            found: Vec::new(),
        }
    }

    /// The value of a parameter that stands at most once.
    pub(crate) fn one<'p>(&'p self, name: &'p str, mistakes: &mut Mistakes) -> Option<&'p str> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() {
            mistakes.add(Mistake::new(
                name,
                &kinds::REPEATED_PARAMETER,
                format!("{name} stands once"),
            ));
        }
        first
    }

    /// Refuses every name that is none of `known`.
    pub(crate) fn only(&self, known: &[&'static str], mistakes: &mut Mistakes) {
        for (name, _) in self.pairs().filter(|(name, _)| !known.contains(name)) {
            mistakes.add(unknown(name, known));
        }
    }
}

fn unknown(name: &str, known: &[&'static str]) -> Mistake {
    // The guard has taken it out of what a handler sees; it is known everywhere all the same.
    let known: &[&'static str] = &[known, &[WAIT_FOR]].concat();
    let shown: String = name.chars().take(64).collect();
    let mistake = Mistake::new(
        name,
        &kinds::UNKNOWN_PARAMETER,
        format!("there is no parameter {shown:?} here"),
    );
    mistake
        .expected(format!("one of {}", known.join(", ")))
        .suggesting(nearest(name, known.iter().copied()))
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Params::of_query(parts.uri.query())
    }
}

/// The mistakes found in a request, so that a client can mend them all at once.
pub(crate) struct Mistakes {
    place: Place,
    found: Vec<Mistake>,
}

/// Nobody reads more, and an answer must not be many times its request.
const MISTAKES_MAX: usize = 100;

impl Mistakes {
    pub(crate) fn add(&mut self, mistake: Mistake) {
        if self.found.len() < MISTAKES_MAX {
            self.found.push(match self.place {
                Place::QueryString => mistake,
                Place::Body => mistake.in_body(""),
            });
        }
    }

    /// The value, or its mistakes are noted.
    pub(crate) fn take<T, E: Into<Mistake>>(&mut self, read: Result<T, Vec<E>>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(errors) => {
                errors.into_iter().for_each(|error| self.add(error.into()));
                None
            }
        }
    }

    /// Goes on only where there was no mistake.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        if self.found.is_empty() {
            Ok(())
        } else {
            Err(Problem::of_mistakes(self.found))
        }
    }
}
