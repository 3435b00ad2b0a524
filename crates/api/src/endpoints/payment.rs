//! `GET /v1/payments/{payment_key}`: the unified ledger of one payment.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::response::Response;
use domain::derive::Payment;

use super::quarantine_acts::{bad_reason, is_reason};
use crate::app::App;
use crate::as_of::LEDGER_AS_OF;
use crate::audit::Act;
use crate::blocking::{Cost, ask};
use crate::json::answer;
use crate::json::mask::Masking;
use crate::json::payment::PaymentJson;
use crate::keys::{Principal, Role};
use crate::params::Params;
use crate::problem::{Problem, kinds};

pub(crate) async fn get_payment(
    State(app): State<Arc<App>>,
    principal: Principal,
    params: Params,
    payment_key: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let mut mistakes = params.mistakes();
    params.only(&["unmask"], &mut mistakes);
    let reason = params.one("unmask", &mut mistakes).map(|sent| sent.trim().to_owned());
    if reason.is_some() && principal.role != Role::Operator {
        let detail = format!(
            "a key of role {} may not unmask; only an operator's may",
            principal.role
        );
        return Err(Problem::new(&kinds::FORBIDDEN, detail));
    }
    if reason.as_deref().is_some_and(|reason| !is_reason(reason)) {
        mistakes.add(bad_reason("unmask"));
    }
    mistakes.finish()?;
    let payment_key = key_in_address(payment_key)?;
    ask(&app, Cost::Lookup, move |app| {
        let found = app.lookup.payment(&payment_key, &principal.scope)?;
        let as_of = app.as_of(&found.head);
        let token = as_of.token.clone();
        let payment = found
            .value
            .as_ref()
            .and_then(|dossier| Payment::derive(dossier, &principal.scope));
        match payment {
            Some(payment) => {
                let mut cut = app.cut(&principal);
                if let Some(reason) = &reason {
                    app.record(&principal, Act::Unmask, &payment_key, Some(reason))?;
                    cut.masking = Masking::Unmasked;
                }
                answer(&PaymentJson::of(&payment, &cut).with_as_of(as_of), &token)
            }
            // The one answer for a payment that is absent and for another merchant's.
            None => Err(not_found(&token)),
        }
    })
    .await
}

pub(super) fn key_in_address(key: Result<Path<String>, PathRejection>) -> Result<String, Problem> {
    let refused = |_| {
        Problem::new(
            &kinds::BAD_ENCODING,
            "the key in the address is not percent-encoded UTF-8",
        )
    };
    key.map(|Path(key)| key).map_err(refused)
}

pub(super) fn not_found(token: &str) -> Problem {
    let problem = Problem::new(
        &kinds::PAYMENT_NOT_FOUND,
        "no payment with this key exists that your key may see",
    );
    match HeaderValue::from_str(token) {
        Ok(token) => problem.header(LEDGER_AS_OF, token),
        Err(_) => problem,
    }
}
