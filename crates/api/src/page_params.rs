//! `limit`, `order` and `cursor`, the same for every list.

use ledger::Order;
use query::nearest;

use crate::params::{Mistakes, Params};
use crate::problem::{Mistake, Problem, kinds};

/// Rows of a page where none are asked for.
const LIMIT_DEFAULT: usize = 20;

/// The most rows of a page; who asks for more gets this many and a cursor.
const LIMIT_MAX: usize = 100;

/// Rows wanted. Noted as a mistake where it is no whole number from 1.
pub(crate) fn limit(params: &Params, mistakes: &mut Mistakes) -> usize {
    let Some(sent) = params.one("limit", mistakes) else {
        return LIMIT_DEFAULT;
    };
    let is_number = !sent.is_empty() && sent.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || sent.bytes().all(|byte| byte == b'0') {
        let mistake = Mistake::new("limit", &kinds::BAD_VALUE, "limit is a whole number from 1")
            .expected(format!("1 to {LIMIT_MAX}; a larger number counts as {LIMIT_MAX}"));
        mistakes.add(mistake);
        return LIMIT_DEFAULT;
    }
    // A number too long for the type is larger than the maximum all the same.
    sent.parse().map_or(LIMIT_MAX, |wanted: usize| wanted.min(LIMIT_MAX))
}

/// A parameter that is true or false, such as `total`; false where nothing is said.
pub(crate) fn flag(name: &'static str, params: &Params, mistakes: &mut Mistakes) -> bool {
    match params.one(name, mistakes) {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => {
            let mistake = Mistake::new(name, &kinds::UNKNOWN_VALUE, format!("{name} is true or false"))
                .expected("one of true, false")
                .suggesting(nearest(other, ["true", "false"]));
            mistakes.add(mistake);
            false
        }
    }
}

/// Which end of time the list begins with; the newest where nothing is said.
pub(crate) fn order(params: &Params, mistakes: &mut Mistakes) -> Order {
    match params.one("order", mistakes) {
        None | Some("desc") => Order::NewestFirst,
        Some("asc") => Order::OldestFirst,
        Some(other) => {
            let mistake = Mistake::new("order", &kinds::UNKNOWN_VALUE, "order is asc or desc")
                .expected("one of asc, desc")
                .suggesting(nearest(other, ["asc", "desc"]));
            mistakes.add(mistake);
            Order::NewestFirst
        }
    }
}

/// The place that the cursor stands for, if one was sent. `read` is told what was sent.
pub(crate) fn cursor<T>(
    params: &Params,
    mut mistakes: Mistakes,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    let sent = params.one("cursor", &mut mistakes);
    // A cursor is bound to the other parameters, so a mistake in them comes first.
    mistakes.finish()?;
    let Some(sent) = sent else { return Ok(None) };
    let place = read(sent).ok_or_else(|| {
        let mut mistakes = params.mistakes();
        mistakes.add(Mistake::new(
            "cursor",
            &kinds::BAD_CURSOR,
            "the cursor does not belong to these filters, this order and this key",
        ));
        mistakes.finish().err().unwrap_or_else(Problem::internal)
    })?;
    Ok(Some(place))
}
