//! `GET /v1/search/suggest`: what a search text that is being typed may go on with.
//!
//! Values come from the closed lists of the catalogue and from the newest payments that the key sees itself, so nothing of
//! other merchants can show, not even by its absence.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use domain::derive::{Payment, UNKNOWN};
use domain::scope::Scope;
use ledger::Order;
use lookup::PageRequest;
use query::{FieldInfo, Filter, KeywordField, Target, Vocabulary, catalogue, fold};
use serde::Serialize;

use crate::app::App;
use crate::blocking::{Cost, ask};
use crate::json::{AsOfJson, answer};
use crate::keys::Principal;
use crate::page_params;
use crate::params::Params;
use crate::problem::{Mistake, Problem, kinds};

/// Newest payments whose values are offered: some tens of milliseconds of reading.
const LOOKED_AT: usize = 1_000;

/// Bytes of the text, as of a search text.
const TEXT_BYTES_MAX: usize = 1_024;

#[derive(Serialize)]
struct SuggestionsJson {
    data: Vec<SuggestionJson>,
    as_of: AsOfJson,
}

#[derive(Serialize)]
struct SuggestionJson {
    /// `field` or `value`.
    kind: &'static str,
    /// What to put in the place of the last word.
    text: String,
    field: &'static str,
    description: &'static str,
}

pub(crate) async fn list_suggestions(
    State(app): State<Arc<App>>,
    principal: Principal,
    params: Params,
) -> Result<Response, Problem> {
    let mut mistakes = params.mistakes();
    params.only(&["q", "limit"], &mut mistakes);
    let limit = page_params::limit(&params, &mut mistakes);
    let text = params.one("q", &mut mistakes).unwrap_or_default().to_owned();
    if text.len() > TEXT_BYTES_MAX {
        let detail = format!("q has more than {TEXT_BYTES_MAX} bytes");
        mistakes.add(Mistake::new("q", &kinds::QUERY_TOO_LONG, detail));
    }
    mistakes.finish()?;
    ask(&app, Cost::Page, move |app| {
        let typed = Typed::of(&text);
        let request = PageRequest {
            scope: principal.scope.clone(),
            filter: Filter::All,
            order: Order::NewestFirst,
            after: None,
            limit: LOOKED_AT,
            total_until: None,
        };
        let found = app.lookup.page(&request)?;
        let as_of = app.as_of(&found.head);
        let token = as_of.token.clone();
        let seen = Seen::of(
            found
                .value
                .rows
                .iter()
                .filter_map(|row| Payment::derive(row, &principal.scope)),
        );
        let mut data = typed.fields();
        data.extend(typed.values(&seen, &principal.scope));
        data.truncate(limit);
        answer(&SuggestionsJson { data, as_of }, &token)
    })
    .await
}

/// The last word of the text, in parts.
struct Typed<'t> {
    negated: bool,
    /// Before the colon, if there is one.
    field: Option<&'t str>,
    /// In text normal form.
    beginning: String,
}

impl<'t> Typed<'t> {
    fn of(text: &'t str) -> Self {
        let last = text.rsplit([' ', '(']).next().unwrap_or_default();
        let (negated, word) = match last.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, last),
        };
        let (field, beginning) = match word.split_once(':') {
            Some((field, value)) => (Some(field), value.trim_start_matches('"')),
            None => (None, word),
        };
        Typed {
            negated,
            field,
            beginning: fold(beginning),
        }
    }

    fn suggestion(&self, kind: &'static str, text: &str, info: &FieldInfo) -> SuggestionJson {
        SuggestionJson {
            kind,
            text: format!("{}{text}", if self.negated { "-" } else { "" }),
            field: info.name,
            description: info.description,
        }
    }

    fn fields(&self) -> Vec<SuggestionJson> {
        if self.field.is_some() {
            return Vec::new();
        }
        let beginning = |info: &&FieldInfo| info.name.starts_with(&self.beginning) && info.target != Target::Metadata;
        let fields = catalogue().iter().filter(beginning);
        fields
            .map(|info| self.suggestion("field", &format!("{}:", info.name), info))
            .collect()
    }

    /// Those seen most often first, then those of the closed and usual lists.
    fn values(&self, seen: &Seen, scope: &Scope) -> Vec<SuggestionJson> {
        let asked = |info: &&FieldInfo| match self.field {
            Some(field) => info.name == field,
            None => !self.beginning.is_empty(),
        };
        let mut found = Vec::new();
        for info in catalogue().iter().filter(asked) {
            let Target::Keyword(field, vocabulary) = info.target else {
                continue;
            };
            if field == KeywordField::Last4 {
                continue;
            }
            let mut values = seen.values(field);
            if let Vocabulary::Closed(listed) | Vocabulary::Usual(listed) = vocabulary {
                values.extend(listed.iter().map(|value| (*value).to_owned()));
            }
            if let (KeywordField::MerchantId, Scope::Merchants(merchants)) = (field, scope) {
                values.extend(merchants.iter().cloned());
            }
            let mut offered: Vec<String> = Vec::new();
            for value in values {
                if fold(&value).starts_with(&self.beginning) && !offered.contains(&value) {
                    offered.push(value);
                }
            }
            found.extend(offered.iter().map(|value| {
                let text = format!("{}:{}", info.name, written(value));
                self.suggestion("value", &text, info)
            }));
        }
        found
    }
}

/// A value as it is written behind a colon.
fn written(value: &str) -> String {
    query::Value {
        span: query::Span { start: 0, end: 0 },
        text: value.to_owned(),
        quoted: false,
        prefix: false,
    }
    .to_string()
}

/// Values of the newest payments with how often they were seen.
#[derive(Default)]
struct Seen(BTreeMap<KeywordField, BTreeMap<String, usize>>);

impl Seen {
    fn of<'p>(payments: impl Iterator<Item = Payment<'p>>) -> Self {
        let mut seen = Seen::default();
        for payment in payments {
            let method = payment.record.map_or(UNKNOWN, |record| &record.method);
            seen.note(KeywordField::Method, method);
            payment
                .merchant_id
                .into_iter()
                .for_each(|id| seen.note(KeywordField::MerchantId, id));
            let currency = payment.currency.map(|currency| currency.code());
            currency
                .into_iter()
                .for_each(|code| seen.note(KeywordField::Currency, code));
            lookup::keywords(&payment, |field, value| seen.note(field, value));
        }
        seen
    }

    fn note(&mut self, field: KeywordField, value: &str) {
        *self.0.entry(field).or_default().entry(value.to_owned()).or_default() += 1;
    }

    fn values(&self, field: KeywordField) -> Vec<String> {
        let mut values: Vec<(&String, &usize)> = self.0.get(&field).into_iter().flatten().collect();
        values.sort_by_key(|(value, count)| (std::cmp::Reverse(**count), (*value).clone()));
        values.into_iter().map(|(value, _)| value.clone()).collect()
    }
}
