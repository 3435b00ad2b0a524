//! The examples of `openapi.yaml`, asked: an example is never a mistake, and what comes back is what the contract says.

use api::keys::Role;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, encoded, fixtures, lines};
use crate::messages::{line, message, sale};
use crate::openapi::{check, followed, operations, schema_of};

/// The event of the contract's example.
const EVENT: &str = "7f0c2d7e-2c0f-4a53-9d5b-7d0c0a0e8f11";

/// What a request is made of, as the contract writes it.
#[derive(Clone, Debug, Default)]
struct Asked {
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<Value>,
}

impl Asked {
    fn with(mut self, parameter: &Value, value: &Value) -> Self {
        let name = parameter["name"].as_str().expect("a name").to_owned();
        if name == "bom" {
            // It belongs to one format alone.
            self.query.push(("format".to_owned(), "csv".to_owned()));
        }
        let texts: Vec<String> = match value {
            Value::Array(items) => items.iter().map(text).collect(),
            one => vec![text(one)],
        };
        match parameter["in"].as_str() {
            Some("path") => self.path = self.path.replace(&format!("{{{name}}}"), &encoded(&texts[0])),
            Some("header") => self.headers.push((name, texts.join(", "))),
            _ if parameter["explode"] == false => self.query.push((name, texts.join(","))),
            _ => self.query.extend(texts.into_iter().map(|text| (name.clone(), text))),
        }
        self
    }

    fn address(&self) -> String {
        let pairs: Vec<String> = self
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        match pairs.is_empty() {
            true => self.path.clone(),
            false => format!("{}?{}", self.path, pairs.join("&")),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The examples of a parameter; where none is written each value of its closed list, both booleans, its default or the
/// least number.
fn examples(parameter: &'static Value) -> Vec<Value> {
    let schema = &parameter["schema"];
    if let Some(example) = parameter.get("example") {
        return vec![example.clone()];
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.clone();
    }
    match schema["type"].as_str() {
        Some("boolean") => vec![json!(true), json!(false)],
        Some("integer") => vec![schema["minimum"].clone()],
        _ => schema.get("default").cloned().into_iter().collect(),
    }
}

fn bodies(operation: &'static Value) -> Vec<Value> {
    let media = &followed(&operation["requestBody"])["content"]["application/json"];
    let named = media["examples"]
        .as_object()
        .into_iter()
        .flat_map(|named| named.values());
    let named = named.map(|named| named["value"].clone());
    media.get("example").cloned().into_iter().chain(named).collect()
}

/// Requests of an operation: with what is required alone, with each example beside it, and with each body.
fn requests(path: &str, operation: &'static Value) -> Vec<Asked> {
    let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
    let (required, others): (Vec<_>, Vec<_>) = parameters
        .iter()
        .map(followed)
        .partition(|parameter| parameter["required"] == true);
    let bodies = bodies(operation);
    let first = Asked {
        path: path.to_owned(),
        body: bodies.first().cloned(),
        ..Asked::default()
    };
    let least = required.iter().fold(first, |asked, parameter| {
        let examples = examples(parameter);
        let example = examples
            .first()
            .unwrap_or_else(|| panic!("{path}: no example of {}", parameter["name"]));
        asked.with(parameter, example)
    });
    let mut asked = vec![least.clone()];
    for parameter in required.iter().chain(&others) {
        for example in examples(parameter) {
            if parameter["in"] != "path" && parameter["required"] != true {
                asked.push(least.clone().with(parameter, &example));
            }
        }
    }
    asked.extend(bodies.into_iter().skip(1).map(|body| Asked {
        body: Some(body),
        ..least.clone()
    }));
    asked
}

/// A service of its own for each operation, because some of them change what is there.
fn example_app() -> TestApp {
    let mut app = TestApp::new();
    app.feed(&lines(&fixtures().join("worked-example.ndjson")));
    app.feed(&[
        sale("pay_20260301_0001", "m1", 1000, 0),
        line("pay_20260301_0001", "S1", "m1"),
    ]);
    app.feed(&[message("payment", &json!({"payment_key": "P"}))]);
    let mut event: Value = serde_json::from_slice(&sale("P9", "m1", 1000, 0)).expect("JSON");
    event["id"] = EVENT.into();
    app.feed(&[event.to_string().into_bytes()]);
    app
}

async fn send(app: &TestApp, key: &str, method: &str, asked: &Asked) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(asked.address())
        .header("authorization", format!("Bearer {key}"));
    for (name, value) in &asked.headers {
        request = request.header(name, value);
    }
    let body = match &asked.body {
        Some(body) => {
            request = request.header("content-type", "application/json");
            Body::from(body.to_string())
        }
        None => Body::empty(),
    };
    app.send(request.body(body).unwrap_or_else(|error| panic!("{asked:?}: {error}")))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_example_can_be_asked_and_is_answered_as_the_contract_says() {
    let mut answered = 0;
    for (method, path, operation) in operations() {
        let app = example_app();
        let key = app.key(Role::Operator, &[]);
        // The example's token is one of another store, which is a mistake.
        let answer = app.get("/v1/search/fields").await;
        let token = answer.header("ledger-as-of").expect("a token").to_owned();
        let mut found = 0;
        for mut asked in requests(&path, operation) {
            for (_, value) in asked.headers.iter_mut().filter(|(name, _)| name == "Ledger-Min-As-Of") {
                value.clone_from(&token);
            }
            let answer = send(&app, &key, &method, &asked).await;
            let what = format!("{method} {} {:?}: {}", asked.address(), asked.body, answer.status);
            // Positions and rows of an example need not be there; mistaken it must never be.
            let right = [
                StatusCode::OK,
                StatusCode::NOT_FOUND,
                StatusCode::CONFLICT,
                StatusCode::PRECONDITION_FAILED,
            ];
            assert!(right.contains(&answer.status), "{what}\n{}", answer.text());
            let schema = schema_of(&method, &path, &answer);
            let media = answer.header("content-type").expect("a type");
            if media == "application/json" || media == "application/problem+json" {
                check(schema, &answer.json(), &what);
            }
            found += usize::from(answer.status == StatusCode::OK);
            answered += 1;
        }
        assert!(found > 0, "{method} {path}: no example finds anything");
    }
    assert!(answered > 200, "{answered} requests");
}
