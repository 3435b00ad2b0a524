//! `GET /v1/search/fields`: the catalogue of the search language.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use query::{FieldInfo, Holder, Operator, catalogue};
use serde::Serialize;

use crate::app::App;
use crate::blocking::{Cost, ask};
use crate::json::{AsOfJson, answer};
use crate::keys::Principal;
use crate::params::Params;
use crate::problem::Problem;

#[derive(Serialize)]
struct FieldsJson {
    data: Vec<FieldJson>,
    as_of: AsOfJson,
}

#[derive(Serialize)]
struct FieldJson {
    name: &'static str,
    kind: &'static str,
    /// Whose value it is: the payment's one, or one of each entry.
    of: &'static str,
    description: &'static str,
    operators: Vec<&'static str>,
    /// To choose from, where there is a list.
    values: Option<&'static [&'static str]>,
    /// Those are all there are.
    closed: bool,
    examples: &'static [&'static str],
    parameter: Option<ParameterJson>,
}

/// How the field is filtered by as a parameter.
#[derive(Serialize)]
struct ParameterJson {
    name: &'static str,
    /// In brackets behind the name; without any the parameter is repeated for alternatives.
    operators: &'static [&'static str],
}

impl From<&'static FieldInfo> for FieldJson {
    fn from(field: &'static FieldInfo) -> Self {
        FieldJson {
            name: field.name,
            kind: field.kind().as_str(),
            of: match field.holder {
                Holder::Payment => "payment",
                Holder::Entry => "entry",
            },
            description: field.description,
            operators: field
                .operators()
                .iter()
                .map(|operator: &Operator| operator.as_str())
                .collect(),
            values: field.values(),
            closed: field.is_closed(),
            examples: field.examples,
            parameter: field.parameter.then(|| ParameterJson {
                name: field.name,
                operators: field.bracket_operators(),
            }),
        }
    }
}

pub(crate) async fn list_search_fields(
    State(app): State<Arc<App>>,
    _principal: Principal,
    params: Params,
) -> Result<Response, Problem> {
    let mut mistakes = params.mistakes();
    params.only(&[], &mut mistakes);
    mistakes.finish()?;
    ask(&app, Cost::Lookup, |app| {
        let as_of = app.as_of_now()?;
        let token = as_of.token.clone();
        answer(
            &FieldsJson {
                data: catalogue().iter().map(FieldJson::from).collect(),
                as_of,
            },
            &token,
        )
    })
    .await
}
