//! The parameters of a report.

use chrono::{Months, NaiveDate};
use domain::rollup::Basis;
use domain::time::parse_date;
use ledger::reports::{Group, ReportRequest, SumSource};
use query::{Filter, ParamSet, filter_from_params, nearest};

use crate::explain;
use crate::export::{Accept, Output};
use crate::keys::Principal;
use crate::params::{Mistakes, Params};
use crate::problem::{Mistake, Problem, kinds};

/// What a report reads by itself; the rest are filters.
const OTHERS: &[&str] = &[
    "basis", "from", "to", "group_by", "source", "explain", "format", "bom", "manifest", "wait_for",
];

/// The longest span of a report. Contracts and tax law look back ten years; twice that bounds the rows by day.
const YEARS_MAX: u32 = 20;

const GROUPS: [(&str, Group); 4] = [
    ("day", Group::Day),
    ("month", Group::Month),
    ("method", Group::Method),
    ("merchant", Group::Merchant),
];

const SOURCES: [(&str, SumSource); 2] = [("rollup", SumSource::Rollup), ("ledger", SumSource::Ledger)];

pub(crate) struct ReportParams {
    pub(crate) request: ReportRequest,
    pub(crate) output: Output,
    /// The filters, where the answer is to be explained.
    pub(crate) explain: Option<Filter>,
}

/// What is asked, and how the answer is written. `bases` are those of the report.
///
/// # Errors
/// Every mistake in the parameters, or that no format there is is acceptable.
pub(crate) fn read(
    params: &Params,
    accept: &Accept,
    principal: &Principal,
    filters: ParamSet,
    bases: &[Basis],
) -> Result<ReportParams, Problem> {
    let mut mistakes = params.mistakes();
    let output = Output::read(params, accept, &mut mistakes)?;
    // The report compares plain values; the filter that they become elsewhere is made for its checks and to be shown.
    let filter = mistakes.take(filter_from_params(params.pairs(), filters.with_others(OTHERS)));
    let explain = explain::wanted(params, principal, &mut mistakes)?;
    if !output.is_json() {
        output.refuse_paging(params, &mut mistakes);
    }
    let bases: Vec<(&str, Basis)> = bases.iter().map(|basis| (basis.as_str(), *basis)).collect();
    let basis = match params.one("basis", &mut mistakes) {
        Some(sent) => choose("basis", sent, &bases, &mut mistakes),
        None => {
            missing("basis", &names(&bases), &mut mistakes);
            None
        }
    };
    let from = day(params, "from", &mut mistakes);
    let to = day(params, "to", &mut mistakes);
    span(from, to, &mut mistakes);
    let group_by = groups(params, &mut mistakes);
    let source = match params.one("source", &mut mistakes) {
        Some(sent) => choose("source", sent, &SOURCES, &mut mistakes),
        None => Some(SumSource::Rollup),
    };
    mistakes.finish()?;
    let values = |name: &str| params.all(name).map(str::to_owned).collect();
    let request = ReportRequest {
        basis: basis.ok_or_else(Problem::internal)?,
        from,
        to,
        group_by,
        merchants: values("merchant_id"),
        methods: values("method"),
        currencies: values("currency"),
        statuses: values("status"),
        source: source.ok_or_else(Problem::internal)?,
    };
    Ok(ReportParams {
        request,
        output,
        explain: filter.filter(|_| explain),
    })
}

/// How the answer names where its sums are from.
pub(crate) fn source_name(source: SumSource) -> &'static str {
    match source {
        SumSource::Rollup => "rollup",
        SumSource::Ledger => "ledger",
    }
}

fn names<T>(choices: &[(&str, T)]) -> String {
    choices.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

fn missing(name: &str, values: &str, mistakes: &mut Mistakes) {
    let mistake = Mistake::new(name, &kinds::MISSING_PARAMETER, format!("{name} is required"));
    mistakes.add(mistake.expected(values));
}

fn choose<T: Copy>(name: &str, sent: &str, choices: &[(&str, T)], mistakes: &mut Mistakes) -> Option<T> {
    let chosen = choices
        .iter()
        .find(|(choice, _)| *choice == sent)
        .map(|(_, value)| *value);
    if chosen.is_none() {
        let shown: String = sent.chars().take(64).collect();
        let mistake = Mistake::new(name, &kinds::UNKNOWN_VALUE, format!("{name} cannot be {shown:?}"))
            .expected(format!("one of {}", names(choices)))
            .suggesting(nearest(sent, choices.iter().map(|(choice, _)| *choice)));
        mistakes.add(mistake);
    }
    chosen
}

fn day(params: &Params, name: &str, mistakes: &mut Mistakes) -> Option<NaiveDate> {
    let Some(sent) = params.one(name, mistakes) else {
        missing(name, "a day, YYYY-MM-DD", mistakes);
        return None;
    };
    let read = parse_date(sent);
    if read.is_none() {
        let mistake = Mistake::new(name, &kinds::BAD_VALUE, format!("{name} is a day"));
        mistakes.add(mistake.expected("a day, YYYY-MM-DD"));
    }
    read
}

fn span(from: Option<NaiveDate>, to: Option<NaiveDate>, mistakes: &mut Mistakes) {
    let (Some(from), Some(to)) = (from, to) else { return };
    if to < from {
        let mistake = Mistake::new("to", &kinds::BAD_VALUE, "to is before from");
        mistakes.add(mistake.expected("the day after the last one, not before from"));
    }
    if from
        .checked_add_months(Months::new(12 * YEARS_MAX))
        .is_some_and(|last| to > last)
    {
        let detail = format!("from and to are more than {YEARS_MAX} years apart");
        mistakes.add(Mistake::new("to", &kinds::SPAN_TOO_LONG, detail));
    }
}

/// Names in one parameter, separated by commas, or in several.
fn groups(params: &Params, mistakes: &mut Mistakes) -> Vec<Group> {
    let mut chosen = Vec::new();
    for name in params.all("group_by").flat_map(|sent| sent.split(',')) {
        let Some(group) = choose("group_by", name, &GROUPS, mistakes) else {
            continue;
        };
        if chosen.contains(&group) {
            mistakes.add(Mistake::new(
                "group_by",
                &kinds::BAD_VALUE,
                format!("group_by names {name} twice"),
            ));
        } else {
            chosen.push(group);
        }
    }
    chosen
}
