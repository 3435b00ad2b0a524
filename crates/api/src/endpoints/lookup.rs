//! `POST /v1/lookup`: payments by many identifiers of any kind.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use domain::derive::Payment;
use lookup::Matched;
use query::{Target, catalogue};
use serde::Serialize;

use crate::app::App;
use crate::blocking::{Cost, ask};
use crate::json::payment::PaymentJson;
use crate::json::{AsOfJson, answer};
use crate::keys::Principal;
use crate::params::Ids;
use crate::problem::Problem;

#[derive(Serialize)]
struct LookupJson<'a> {
    data: Vec<FoundJson<'a>>,
    not_found: Vec<&'a str>,
    ambiguous: Vec<AmbiguousJson<'a>>,
    as_of: AsOfJson,
}

#[derive(Serialize)]
struct FoundJson<'a> {
    id: &'a str,
    matched_by: &'static str,
    payment: PaymentJson<'a>,
}

#[derive(Serialize)]
struct AmbiguousJson<'a> {
    id: &'a str,
    payments: &'a [String],
}

pub(crate) async fn look_up(
    State(app): State<Arc<App>>,
    principal: Principal,
    Ids(ids): Ids,
) -> Result<Response, Problem> {
    ask(&app, Cost::Page, move |app| {
        let found = app.lookup.many(&ids, &principal.scope)?;
        let as_of = app.as_of(&found.head);
        let token = as_of.token.clone();
        let cut = app.cut(&principal);
        let mut body = LookupJson {
            data: Vec::new(),
            not_found: Vec::new(),
            ambiguous: Vec::new(),
            as_of,
        };
        for (id, matched) in ids.iter().zip(&found.value) {
            match matched {
                Matched::Several(payments) => body.ambiguous.push(AmbiguousJson { id, payments }),
                Matched::Nothing => body.not_found.push(id),
                Matched::One(one) => match Payment::derive(&one.dossier, &principal.scope) {
                    Some(payment) => body.data.push(FoundJson {
                        id,
                        matched_by: name_of(one.field),
                        payment: PaymentJson::of(&payment, &cut),
                    }),
                    None => body.not_found.push(id),
                },
            }
        }
        answer(&body, &token)
    })
    .await
}

/// As the catalogue names the field.
fn name_of(field: query::IdentField) -> &'static str {
    let named = catalogue().iter().find(|info| info.target == Target::Ident(field));
    named.map_or("", |info| info.name)
}
