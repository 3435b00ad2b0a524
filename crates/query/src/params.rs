//! Typed filter parameters become the same filter as a search text.
//!
//! - A parameter that is repeated offers alternatives: `status=DONE&status=CANCELED`.
//! - Bounds of one parameter are one interval, which one and the same value must lie in: `event_day[gte]=2026-11-01&
//!   event_day[lt]=2026-12-01` is one entry of November. Repeated bounds narrow it. A plain `event_day=2026-11-01` is that
//!   value, and repeated plain values are alternatives within the interval.
//! - Different parameters must all hold, and so must `q`.
//!
//! Values are taken as they are: quotes and `*` have no meaning here.

use crate::ast::Comparison;
use crate::bind::compile;
use crate::catalogue::{BRACKET_OPERATORS, Target};
use crate::error::{ParamError, code};
use crate::filter::Filter;
use crate::limits::{PARAMETER_ERRORS_MAX, PARAMETER_VALUES_MAX};
use crate::nearest::nearest;
use crate::param_set::ParamSet;
use crate::value::{self, ValueError, shown};

/// The filter that the decoded parameters of a request ask for, in the order in which they were sent.
///
/// # Errors
///
/// Every mistake in every parameter, so that a client can mend them all at once (the first hundred, see
/// [`PARAMETER_ERRORS_MAX`]).
pub fn filter_from_params<'a>(
    params: impl IntoIterator<Item = (&'a str, &'a str)>,
    allowed: ParamSet,
) -> Result<Filter, Vec<ParamError>> {
    let mut request = Request {
        allowed,
        drafts: Vec::new(),
        query: None,
        errors: Vec::new(),
    };
    for (name, value) in params {
        if let Err(error) = request.take(name, value) {
            request.errors.push(*error);
            if request.errors.len() == PARAMETER_ERRORS_MAX {
                break;
            }
        }
    }
    if !request.errors.is_empty() {
        return Err(request.errors);
    }
    let typed = Filter::all_of(request.drafts.into_iter().map(Draft::filter));
    Ok(typed.and(request.query.unwrap_or(Filter::All)))
}

/// What has been read of a request.
struct Request {
    allowed: ParamSet,
    drafts: Vec<Draft>,
    query: Option<Filter>,
    errors: Vec<ParamError>,
}

/// What has been read of one parameter.
struct Draft {
    name: &'static str,
    /// Any of these.
    values: Vec<Filter>,
    /// And lie in this.
    interval: Option<Filter>,
}

impl Request {
    fn take(&mut self, name: &str, written: &str) -> Result<(), Box<ParamError>> {
        if name == "q" && self.allowed.takes_query() {
            return self.take_query(written);
        }
        if let Some((known, target)) = self.allowed.filter(name) {
            let filter = value::equals(target, None, written).map_err(|error| refused(name, error))?;
            return self.add_value(known, filter);
        }
        if self.allowed.has_other(name) {
            return Ok(());
        }
        let Some((known, target, operator)) = self.bracketed(name) else {
            return Err(self.unknown(name));
        };
        if !target.is_ordered() {
            return Err(no_brackets(name, known));
        }
        let comparison = comparison(operator).ok_or_else(|| unknown_operator(name, known, operator))?;
        let bound = value::compares(target, comparison, written).map_err(|error| refused(name, error))?;
        let draft = self.draft(known);
        draft.interval = Some(match draft.interval.take() {
            None => bound,
            Some(interval) => intersection(interval, bound),
        });
        Ok(())
    }

    fn take_query(&mut self, written: &str) -> Result<(), Box<ParamError>> {
        if self.query.is_some() {
            return Err(Box::new(ParamError {
                parameter: "q".to_owned(),
                position: None,
                code: code::REPEATED_PARAMETER,
                detail: "q stands once; its parts are joined with AND or OR inside it".to_owned(),
                expected: None,
                suggestion: None,
            }));
        }
        // Also after a mistake, so that a second `q` is reported as one.
        self.query = Some(Filter::All);
        self.query = Some(compile(written).map_err(|error| Box::new(ParamError::from_query("q", error)))?);
        Ok(())
    }

    fn add_value(&mut self, name: &'static str, filter: Filter) -> Result<(), Box<ParamError>> {
        let draft = self.draft(name);
        if draft.values.contains(&filter) {
            return Ok(());
        }
        if draft.values.len() == PARAMETER_VALUES_MAX {
            return Err(Box::new(ParamError {
                parameter: name.to_owned(),
                position: None,
                code: code::TOO_MANY_VALUES,
                detail: format!("{name} takes at most {PARAMETER_VALUES_MAX} different values"),
                expected: None,
                suggestion: None,
            }));
        }
        draft.values.push(filter);
        Ok(())
    }

    fn draft(&mut self, name: &'static str) -> &mut Draft {
        let index = self
            .drafts
            .iter()
            .position(|draft| draft.name == name)
            .unwrap_or_else(|| {
                self.drafts.push(Draft {
                    name,
                    values: Vec::new(),
                    interval: None,
                });
                self.drafts.len() - 1
            });
        &mut self.drafts[index]
    }

    /// `name[operator]` of a filter that the endpoint knows.
    fn bracketed<'n>(&self, name: &'n str) -> Option<(&'static str, Target, &'n str)> {
        let (base, operator) = name.strip_suffix(']')?.split_once('[')?;
        let (known, target) = self.allowed.filter(base)?;
        Some((known, target, operator))
    }

    fn unknown(&self, name: &str) -> Box<ParamError> {
        let (base, brackets) = name.find('[').map_or((name, ""), |start| name.split_at(start));
        let suggestion = nearest(base, self.allowed.names()).map(|near| {
            let keeps_brackets = self.allowed.filter(near).is_some_and(|(_, target)| target.is_ordered());
            format!(
                "{near}{}",
                if keeps_brackets && brackets.ends_with(']') {
                    brackets
                } else {
                    ""
                }
            )
        });
        Box::new(ParamError {
            parameter: name.to_owned(),
            position: None,
            code: code::UNKNOWN_PARAMETER,
            detail: format!("there is no parameter {} here", shown(name)),
            expected: Some(format!(
                "one of {}",
                self.allowed.names().collect::<Vec<_>>().join(", ")
            )),
            suggestion: suggestion.filter(|suggestion| suggestion != name),
        })
    }
}

impl Draft {
    fn filter(self) -> Filter {
        match self.interval {
            None => Filter::any_of(self.values),
            Some(interval) if self.values.is_empty() => interval,
            Some(interval) => Filter::any_of(
                self.values
                    .into_iter()
                    .map(|value| intersection(value, interval.clone())),
            ),
        }
    }
}

/// Two intervals of one field as one. The bounds of one parameter are always of one field.
fn intersection(a: Filter, b: Filter) -> Filter {
    match (a, b) {
        (Filter::Amount { field, interval }, Filter::Amount { interval: other, .. }) => Filter::Amount {
            field,
            interval: interval.intersection(other),
        },
        (Filter::Day { field, interval }, Filter::Day { interval: other, .. }) => Filter::Day {
            field,
            interval: interval.intersection(other),
        },
        (Filter::Time { field, interval }, Filter::Time { interval: other, .. }) => Filter::Time {
            field,
            interval: interval.intersection(other),
        },
        (a, b) => a.and(b),
    }
}

fn comparison(operator: &str) -> Option<Comparison> {
    match operator {
        "gte" => Some(Comparison::GreaterOrEqual),
        "gt" => Some(Comparison::Greater),
        "lte" => Some(Comparison::LessOrEqual),
        "lt" => Some(Comparison::Less),
        _ => None,
    }
}

fn refused(name: &str, error: ValueError) -> Box<ParamError> {
    Box::new(ParamError {
        parameter: name.to_owned(),
        position: None,
        code: error.code,
        detail: format!("{name}: {}", error.detail),
        expected: Some(error.expected),
        suggestion: error.suggestion,
    })
}

fn no_brackets(name: &str, known: &str) -> Box<ParamError> {
    Box::new(ParamError {
        parameter: name.to_owned(),
        position: None,
        code: code::OPERATOR_NOT_ALLOWED,
        detail: format!("{known} is compared for sameness only; repeat it for alternatives"),
        expected: Some(format!("{known}=value")),
        suggestion: Some(known.to_owned()),
    })
}

fn unknown_operator(name: &str, known: &str, operator: &str) -> Box<ParamError> {
    Box::new(ParamError {
        parameter: name.to_owned(),
        position: None,
        code: code::UNKNOWN_OPERATOR,
        detail: format!("there is no comparison {}", shown(operator)),
        expected: Some(format!("one of {}", BRACKET_OPERATORS.join(", "))),
        suggestion: nearest(operator, BRACKET_OPERATORS).map(|near| format!("{known}[{near}]")),
    })
}
