//! Who may ask what.

use api::keys::Role;
use api::{Access, Limits, ROUTES};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use domain::time::Zones;

use crate::app::{TestApp, now};
use crate::messages::{cancellation, line, personal, sale};

/// An address of the route that answers 200 to those it lets in.
fn address(path: &str) -> String {
    let parameters = match path {
        "/v1/reports/sales" => "?basis=event_day&from=2026-05-01&to=2026-06-01",
        "/v1/reports/settlements" => "?basis=sold_on&from=2026-05-01&to=2026-06-01",
        _ => "",
    };
    format!(
        "{}{parameters}",
        path.replace("{payment_key}", "P1")
            .replace("{payout_id}", "po1")
            .replace("{code}", "bad_value")
            .replace("{code}", "bad_value")
            .replace("{n}", "1")
            .replace("{id}", "e")
    )
}

fn request(method: &str, path: &str, key: Option<&str>) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(address(path))
        .header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let body = match method {
        "POST" if path == "/v1/lookup" => Body::from(r#"{"ids": []}"#),
        "POST" if path.ends_with("/close") => Body::from(r#"{"reason": "a test"}"#),
        "POST" => Body::from("{}"),
        _ => Body::empty(),
    };
    request.body(body).expect("a request")
}

#[tokio::test]
async fn each_role_reaches_its_routes_and_no_other() {
    let mut app = TestApp::new();
    app.feed(&[sale("P1", "m1", 1000, 0), line("P1", "S1", "m1")]);
    app.feed(&[b"refused".to_vec()]);
    for route in ROUTES {
        for role in Role::ALL {
            let merchants: &[&str] = if role == Role::Merchant { &["m1"] } else { &[] };
            let key = app.key(role, merchants);
            let answer = app.send(request(route.method, route.path, Some(&key))).await;
            if answer.status == StatusCode::CONFLICT && route.path.ends_with("/close") {
                // Let in, and the row was closed by the role before.
                continue;
            }
            let operates = matches!(role, Role::Operator | Role::Admin);
            let restricted = route.path.starts_with("/v1/ingest") || route.path.starts_with("/v1/quarantine");
            let explains = route.path.ends_with("/explain");
            let expect = if (restricted && !operates) || (explains && role == Role::Merchant) {
                StatusCode::FORBIDDEN
            } else {
                StatusCode::OK
            };
            assert_eq!(
                answer.status,
                expect,
                "{role} {} {}: {}",
                route.method,
                route.path,
                answer.text()
            );
        }
        let answer = app.send(request(route.method, route.path, None)).await;
        let expect = if route.path.starts_with("/v1/") {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::OK
        };
        assert_eq!(answer.status, expect, "{} {}", route.method, route.path);
    }
}

/// The table of roles in `docs/rest.md` says the same as the routes.
#[test]
fn the_guide_shows_who_may_ask_what() {
    let guide = include_str!("../../../../docs/rest.md");
    for route in ROUTES {
        let place = format!("| `{} {}` |", route.method, route.path);
        let row = guide
            .lines()
            .find(|row| row.starts_with(&place))
            .unwrap_or_else(|| panic!("no row {place}"));
        let shown: Vec<&str> = row.split('|').skip(2).take(5).map(str::trim).collect();
        let mark = |yes: bool| if yes { "yes" } else { "–" };
        let without_key = matches!(route.access, Access::Open | Access::Metrics);
        let mut expect = vec![mark(without_key)];
        expect.extend(Role::ALL.map(|role| mark(without_key || route.access.allows(role))));
        assert_eq!(shown, expect, "{place}");
    }
}

#[tokio::test]
async fn metrics_may_be_closed() {
    let limits = Limits {
        metrics_need_key: true,
        ..Limits::default()
    };
    let app = TestApp::with(Zones::default(), limits);
    let ask = |key: Option<String>| app.send(request("GET", "/metrics", key.as_deref()));
    assert_eq!(ask(None).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        ask(Some(app.key(Role::Finance, &[]))).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(ask(Some(app.key(Role::Operator, &[]))).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_bad_key_is_told_what_to_send_and_nothing_else() {
    let app = TestApp::new();
    let good = app.finance_key().to_owned();
    let cut = &good[..good.len() - 1];
    for (sent, challenge) in [
        (None, "Bearer"),
        (Some(String::new()), "Bearer error=\"invalid_token\""),
        (Some("Bearer".to_owned()), "Bearer error=\"invalid_token\""),
        (Some(format!("Basic {good}")), "Bearer error=\"invalid_token\""),
        (Some(good.clone()), "Bearer error=\"invalid_token\""),
        (Some(format!("Bearer {cut}")), "Bearer error=\"invalid_token\""),
        (
            Some(format!("Bearer {good}, Bearer {good}")),
            "Bearer error=\"invalid_token\"",
        ),
    ] {
        let mut request = Request::get("/v1/payments");
        if let Some(sent) = &sent {
            request = request.header("authorization", sent);
        }
        let answer = app.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{sent:?}");
        assert_eq!(answer.header("www-authenticate"), Some(challenge), "{sent:?}");
        assert_eq!(answer.json()["code"], "unauthenticated");
        assert!(!answer.text().contains(&good), "the key comes back");
    }
    let twice = Request::get("/v1/payments").header("authorization", format!("Bearer {good}"));
    let twice = twice
        .header("authorization", format!("Bearer {good}"))
        .body(Body::empty())
        .expect("a request");
    assert_eq!(app.send(twice).await.status, StatusCode::UNAUTHORIZED);
    let any_case = Request::get("/v1/payments").header("authorization", format!("bEARER  {good} "));
    let any_case = any_case.body(Body::empty()).expect("a request");
    assert_eq!(app.send(any_case).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_revoked_key_is_refused() {
    let app = TestApp::new();
    let new = app.app.keys().create(Role::Finance, &[], now()).expect("a key");
    assert_eq!(app.get_as(&new.key, "/v1/payments").await.status, StatusCode::OK);
    app.app.keys().revoke(&new.key_id, now()).expect("revoked");
    assert_eq!(
        app.get_as(&new.key, "/v1/payments").await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_foreign_payment_and_none_are_the_same_answer() {
    let mut app = TestApp::new();
    app.feed(&[
        sale("P1", "m1", 1000, 0),
        sale("P2", "m2", 1000, 1),
        cancellation("P3", "C3", "m2", 10),
    ]);
    let key = app.key(Role::Merchant, &["m1"]);
    let mut bodies = Vec::new();
    for payment in ["P2", "P3", "P4"] {
        let answer = app.get_as(&key, &format!("/v1/payments/{payment}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        let mut body = answer.json();
        body["request_id"] = "".into();
        let mut headers = answer.headers.clone();
        headers.remove("request-id");
        bodies.push((body.to_string().replace(payment, "P"), headers));
    }
    assert_eq!(bodies[0], bodies[2]);
    assert_eq!(bodies[1], bodies[2]);
    assert_eq!(app.get_as(&key, "/v1/payments/P1").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_merchant_sees_its_own_rows_whatever_it_asks_for() {
    let mut app = TestApp::new();
    app.feed(&[
        sale("P1", "m1", 1000, 0),
        sale("P2", "m2", 1000, 1),
        line("P1", "S1", "m1"),
        line("P2", "S2", "m2"),
    ]);
    let key = app.key(Role::Merchant, &["m1"]);
    for (parameters, expect) in [
        ("", vec!["P1"]),
        ("?merchant_id=m1", vec!["P1"]),
        ("?merchant_id=m2", vec![]),
        ("?merchant_id=nobody", vec![]),
        ("?merchant_id=m1&merchant_id=m2", vec!["P1"]),
        ("?q=-merchant_id:m1", vec![]),
        ("?q=payment_key:P2", vec![]),
    ] {
        for path in ["/v1/payments", "/v1/payments/search"] {
            let found = app.get_as(&key, &format!("{path}{parameters}")).await.ok();
            let keys: Vec<&str> = found["data"]
                .as_array()
                .expect("rows")
                .iter()
                .filter_map(|row| row["payment_key"].as_str())
                .collect();
            assert_eq!(keys, expect, "{path}{parameters}");
        }
    }
    let report = "/v1/reports/sales?basis=event_day&from=2026-01-01&to=2027-01-01&group_by=merchant";
    let found = app.get_as(&key, report).await.ok();
    assert_eq!(found["data"].as_array().map(Vec::len), Some(1), "{found}");
    assert_eq!(found["data"][0]["merchant_id"], "m1");
    assert_eq!(found["totals"][0]["payment_amount"], "1000");
    let found = app.get_as(&key, &format!("{report}&merchant_id=m2")).await.ok();
    assert_eq!(
        (&found["data"], &found["totals"]),
        (&serde_json::json!([]), &serde_json::json!([]))
    );
}

#[tokio::test]
async fn the_providers_own_figures_are_absent_for_merchants() {
    let mut app = TestApp::new();
    app.feed(&[sale("P1", "m1", 1000, 0), line("P1", "S1", "m1")]);
    let addresses = [
        "/v1/payments/P1",
        "/v1/payments",
        "/v1/reports/settlements?basis=sold_on&from=2026-01-01&to=2027-01-01",
    ];
    for (role, merchants, shown) in [
        (Role::Merchant, &["m1"][..], false),
        (Role::Finance, &[], true),
        (Role::Operator, &[], true),
        (Role::Admin, &[], true),
    ] {
        let key = app.key(role, merchants);
        for address in addresses {
            let text = app.get_as(&key, address).await.ok().to_string();
            for member in ["\"cost\"", "\"net_profit\""] {
                assert_eq!(text.contains(member), shown, "{role} {address} {member}");
            }
            let has_costs = shown && !address.starts_with("/v1/reports");
            assert_eq!(text.contains("\"costs\""), has_costs, "{role} {address}");
        }
    }
}

#[tokio::test]
async fn personal_data_is_masked_for_every_role_and_still_found() {
    let mut app = TestApp::new();
    app.feed(&[personal("P1")]);
    for role in Role::ALL {
        let merchants: &[&str] = if role == Role::Merchant { &["m1"] } else { &[] };
        let key = app.key(role, merchants);
        let found = app.get_as(&key, "/v1/payments?q=phone:01012345678").await.ok();
        assert_eq!(found["data"].as_array().map(Vec::len), Some(1), "{role}");
        for payment in [&found["data"][0], &app.get_as(&key, "/v1/payments/P1").await.ok()] {
            let expect = serde_json::json!({
                "name": "김*준", "email": "k*********@example.com", "phone": "*********5678", "customer_key": "c1",
            });
            assert_eq!(payment["customer"], expect, "{role}");
            let expect = serde_json::json!({"bank": "KB", "account_number": "**********1234", "depositor": "홍*"});
            assert_eq!(payment["virtual_account"], expect, "{role}");
        }
    }
}
