//! `openapi.yaml` against the routes, the parameters they know, and what they answer.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use api::keys::Role;
use api::{Access, ROUTES};
use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::app::{Answer, TestApp, fixtures, lines};
use crate::messages::{cancellation, line, message, personal, sale};

const TEXT: &str = include_str!("../../../../openapi.yaml");

fn contract() -> &'static Value {
    static CONTRACT: OnceLock<Value> = OnceLock::new();
    CONTRACT.get_or_init(|| serde_norway::from_str(TEXT).expect("openapi.yaml is YAML"))
}

pub(crate) fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value}"))
}

/// What a reference leads to.
pub(crate) fn followed(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(reference) => {
            let found = contract().pointer(reference.trim_start_matches('#'));
            found.unwrap_or_else(|| panic!("{reference} leads nowhere"))
        }
        None => value,
    }
}

pub(crate) fn operations() -> Vec<(String, String, &'static Value)> {
    let mut found = Vec::new();
    for (path, methods) in object(&contract()["paths"]) {
        for (method, operation) in object(methods) {
            found.push((method.to_uppercase(), path.clone(), operation));
        }
    }
    found
}

/// The schema of a name, strict: an object has the members written down and no other. The contract leaves room for more
/// (clients must not break on an addition), this program's answers do not.
fn validator(schema: &Value) -> Validator {
    fn strict(value: &mut Value) {
        match value {
            Value::Object(members) => {
                if members.contains_key("properties") && !members.contains_key("additionalProperties") {
                    members.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
                }
                members.values_mut().for_each(strict);
            }
            Value::Array(items) => items.iter_mut().for_each(strict),
            _ => {}
        }
    }
    let mut root = schema.clone();
    root["components"] = json!({"schemas": contract()["components"]["schemas"]});
    root["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    strict(&mut root);
    // A payment alone is a row with one member more, so strictness is its user's there; so are a row of quarantine and an explanation.
    for row in ["Payment", "QuarantineRow", "Explain"] {
        let row = root
            .pointer_mut(&format!("/components/schemas/{row}"))
            .and_then(Value::as_object_mut)
            .expect("a row");
        row.remove("unevaluatedProperties");
    }
    for user in [
        "/components/schemas/PaymentList/properties/data/items",
        "/components/schemas/QuarantineList/properties/data/items",
        "/components/schemas/LookupResult/properties/data/items/properties/payment",
        "/components/schemas/PaymentList/properties/explain",
        "/components/schemas/EntryList/properties/explain",
        "/components/schemas/SalesReport/properties/explain",
        "/components/schemas/SettlementsReport/properties/explain",
    ] {
        root.pointer_mut(user).expect("a list")["unevaluatedProperties"] = false.into();
    }
    jsonschema::draft202012::options()
        .build(&root)
        .unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn check(schema: &Value, found: &Value, what: &str) {
    let errors: Vec<String> = validator(schema)
        .iter_errors(found)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{what}:\n{}\n{found:#}", errors.join("\n"));
}

#[test]
fn routes_and_contract_are_the_same() {
    let written: BTreeSet<(String, String)> = operations()
        .into_iter()
        .map(|(method, path, _)| (method, path))
        .collect();
    let served: BTreeSet<(String, String)> = ROUTES
        .iter()
        .map(|route| (route.method.to_owned(), route.path.to_owned()))
        .collect();
    assert_eq!(written, served);
    assert_eq!(ROUTES.len(), served.len(), "a route stands twice");
}

#[test]
fn the_contract_says_which_routes_need_a_key() {
    for (method, path, operation) in operations() {
        let route = ROUTES
            .iter()
            .find(|route| route.method == method && route.path == path)
            .expect("a route");
        let open = match route.access {
            Access::Open => json!([]),
            Access::Metrics => json!([{}, {"key": []}]),
            Access::Payments | Access::AllMerchants | Access::Operations => Value::Null,
        };
        assert_eq!(operation["security"], open, "{method} {path}");
        let statuses = object(&operation["responses"]);
        assert_eq!(statuses.contains_key("403"), route.access != Access::Open, "{path}");
        assert_eq!(statuses.contains_key("401"), route.access != Access::Open, "{path}");
    }
}

#[test]
fn every_operation_says_when_it_is_refused_for_its_rate_or_its_format() {
    for (method, path, operation) in operations().into_iter().filter(|(_, path, _)| path.starts_with("/v1/")) {
        let responses = object(&operation["responses"]);
        assert!(responses.contains_key("429"), "{method} {path}");
        assert_eq!(responses.contains_key("304"), method == "GET", "{method} {path}");
        let types = followed(&operation["responses"]["200"])["content"].as_object();
        let formats = types.is_some_and(|types| types.contains_key("text/csv"));
        assert_eq!(responses.contains_key("406"), formats, "{method} {path}");
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    fn references(value: &Value, out: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                out.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|member| references(member, out));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, out)),
            _ => {}
        }
    }
    let mut used = BTreeSet::new();
    references(contract(), &mut used);
    for reference in &used {
        assert!(
            contract().pointer(&reference[1..]).is_some(),
            "{reference} leads nowhere"
        );
    }
    for (kind, components) in object(&contract()["components"]) {
        if kind == "securitySchemes" {
            continue;
        }
        for name in object(components).keys() {
            assert!(
                used.contains(&format!("#/components/{kind}/{name}")),
                "{kind} {name} is not used"
            );
        }
    }
}

/// The query parameters that the contract gives a path, in its spelling.
fn written_parameters(operation: &'static Value) -> BTreeSet<String> {
    let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
    let in_query = parameters
        .iter()
        .map(followed)
        .filter(|parameter| parameter["in"] == "query");
    in_query
        .map(|parameter| parameter["name"].as_str().expect("a name").to_owned())
        .collect()
}

#[tokio::test]
async fn each_route_knows_the_parameters_of_the_contract_and_no_other() {
    let app = TestApp::new();
    let operator = app.key(Role::Operator, &[]);
    for (method, path, operation) in operations() {
        if method != "GET" || !path.starts_with("/v1/") {
            continue;
        }
        let path = path
            .replace("{payment_key}", "P1")
            .replace("{payout_id}", "po1")
            .replace("{n}", "1")
            .replace("{id}", "e");
        let problem = app
            .get_as(&operator, &format!("{path}?no_such_parameter=1"))
            .await
            .json();
        let known = problem["errors"][0]["expected"].as_str().expect("what there is");
        let known: BTreeSet<String> = known
            .strip_prefix("one of ")
            .map_or_else(BTreeSet::new, |names| names.split(", ").map(str::to_owned).collect());
        let written = written_parameters(operation);
        let without_brackets: BTreeSet<String> = written.iter().filter(|name| !name.contains('[')).cloned().collect();
        assert_eq!(known, without_brackets, "{path}");
        for bracketed in written.iter().filter(|name| name.contains('[')) {
            let address = format!("{path}?{}=", bracketed.replace('[', "%5B").replace(']', "%5D"));
            assert_eq!(
                app.get_as(&operator, &address).await.json()["code"],
                "bad_value",
                "{bracketed}"
            );
        }
        if path.starts_with("/v1/payments?") || path == "/v1/payments" {
            assert_eq!(written.iter().filter(|name| name.contains('[')).count(), 32);
        }
    }
}

#[test]
fn a_search_body_has_the_parameters_of_the_list() {
    let members: BTreeSet<String> = object(&contract()["components"]["schemas"]["SearchRequest"]["properties"])
        .keys()
        .cloned()
        .collect();
    assert_eq!(
        members,
        written_parameters(&contract()["paths"]["/v1/payments/search"]["get"])
    );
}

#[test]
fn examples_follow_their_schemas() {
    let mut checked = 0;
    let check_content = |content: &Value, what: &str| {
        let mut checked = 0;
        for media in content.as_object().into_iter().flat_map(|content| content.values()) {
            let named = media["examples"]
                .as_object()
                .into_iter()
                .flat_map(|named| named.values())
                .map(|named| &named["value"]);
            for example in media.get("example").into_iter().chain(named) {
                check(&media["schema"], example, what);
                checked += 1;
            }
        }
        checked
    };
    for (method, path, operation) in operations() {
        for (status, response) in object(&operation["responses"]) {
            checked += check_content(&followed(response)["content"], &format!("{method} {path} {status}"));
        }
        checked += check_content(&operation["requestBody"]["content"], &format!("{method} {path}"));
    }
    for (name, parameter) in object(&contract()["components"]["parameters"]) {
        if let Some(example) = parameter.get("example") {
            check(&parameter["schema"], example, name);
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked} examples");
}

/// The schema that the contract gives an answer.
pub(crate) fn schema_of(method: &str, path: &str, answer: &Answer) -> &'static Value {
    let operation = &contract()["paths"][path][method.to_lowercase()];
    let response = &operation["responses"][answer.status.as_str()];
    assert!(response.is_object(), "{path} does not tell of {}", answer.status);
    let media = answer
        .header("content-type")
        .expect("a type")
        .split(';')
        .next()
        .expect("a type");
    let content = &followed(response)["content"][media];
    assert!(content.is_object(), "{path} {} does not tell of {media}", answer.status);
    &content["schema"]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_follow_the_contract() {
    let mut app = TestApp::new();
    app.feed(&[
        sale("P1", "m1", 1000, 0),
        personal("P2"),
        line("P1", "S1", "m1"),
        cancellation("P1", "C1", "m1", 300),
    ]);
    app.feed(&[
        cancellation("P3", "C3", "m1", 1),
        cancellation("P3", "C4", "m2", 1),
        b"{".to_vec(),
        cancellation("P1", "C9", "m2", 1),
    ]);
    app.feed(&lines(&fixtures().join("worked-example.ndjson")));
    let every_field = std::fs::read(fixtures().join("messages/valid/payment-every-field.json")).expect("a message");
    app.feed(&[every_field.trim_ascii_end()]);
    app.feed(&[message("payment", &json!({"payment_key": "P1"}))]);
    let (operator, merchant) = (app.key(Role::Operator, &[]), app.key(Role::Merchant, &["m1"]));
    for (path, address) in [
        ("/v1/payments", "/v1/payments?limit=100"),
        ("/v1/payments", "/v1/payments?limit=2"),
        ("/v1/payments", "/v1/payments?limit=0"),
        ("/v1/payments/search", "/v1/payments/search?q=ORD-P1"),
        ("/v1/payments/search", "/v1/payments/search?q=a"),
        ("/v1/payments/{payment_key}", "/v1/payments/P"),
        ("/v1/payments/{payment_key}", "/v1/payments/P1"),
        ("/v1/payments/{payment_key}", "/v1/payments/P2"),
        ("/v1/payments/{payment_key}", "/v1/payments/P3"),
        ("/v1/payments/{payment_key}", "/v1/payments/none"),
        ("/v1/payments", "/v1/payments?total=true&status=DONE"),
        ("/v1/payments/search", "/v1/payments/search?q=ORD-P1&total=true"),
        ("/v1/payments/{payment_key}/timeline", "/v1/payments/P/timeline"),
        ("/v1/payments/{payment_key}/timeline", "/v1/payments/P1/timeline"),
        ("/v1/payments/{payment_key}/timeline", "/v1/payments/P3/timeline"),
        ("/v1/payments/{payment_key}/timeline", "/v1/payments/none/timeline"),
        ("/v1/entries", "/v1/entries?limit=100&total=true"),
        ("/v1/entries", "/v1/entries?limit=1&kind=settlement"),
        ("/v1/entries", "/v1/entries?flag=conflict"),
        ("/v1/reports/payouts/{payout_id}", "/v1/reports/payouts/po1"),
        ("/v1/reports/payouts/{payout_id}", "/v1/reports/payouts/none"),
        ("/v1/search/suggest", "/v1/search/suggest"),
        ("/v1/search/suggest", "/v1/search/suggest?q=method:"),
        ("/v1/search/fields", "/v1/search/fields"),
        (
            "/v1/reports/sales",
            "/v1/reports/sales?basis=event_day&from=2026-01-01&to=2027-01-01&group_by=day,month,method,merchant",
        ),
        ("/v1/reports/sales", "/v1/reports/sales"),
        (
            "/v1/reports/settlements",
            "/v1/reports/settlements?basis=sold_on&from=2026-01-01&to=2027-01-01&group_by=month,method,merchant,day",
        ),
        ("/v1/ingest/status", "/v1/ingest/status"),
        ("/v1/ingest/events/{id}", "/v1/ingest/events/e"),
        ("/v1/ingest/events/{id}", "/v1/ingest/events/none"),
        ("/v1/quarantine", "/v1/quarantine?limit=100"),
        ("/v1/quarantine/{n}", "/v1/quarantine/1"),
        ("/v1/quarantine/{n}", "/v1/quarantine/2"),
        ("/v1/quarantine/{n}", "/v1/quarantine/99"),
        ("/v1/payments/{payment_key}", "/v1/payments/P1?unmask=a+test"),
        ("/v1/payments", "/v1/payments?wait_for=payments/0@99"),
        ("/healthz", "/healthz"),
        ("/readyz", "/readyz"),
    ] {
        for key in [&operator, &merchant, "none"] {
            let answer = app.get_as(key, address).await;
            check(
                schema_of("get", path, &answer),
                &answer.json(),
                &format!("{address} {}", answer.status),
            );
        }
    }
    for (path, address) in [
        ("/metrics", "/metrics"),
        ("/openapi.yaml", "/openapi.yaml"),
        ("/problems/{code}", "/problems/bad_value"),
    ] {
        schema_of("get", path, &app.get(address).await);
    }
    assert_eq!(app.get("/openapi.yaml").await.text(), TEXT);
}
