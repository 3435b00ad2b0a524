//! Replaying and closing rows of quarantine, and what of it is on the audit log.

use api::keys::Role;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::messages::{cancellation, message, sale};

/// Refused by the decoder of today and, in these tests, of tomorrow.
fn broken(payment: &str) -> Vec<u8> {
    message("payment", &json!({"payment_key": payment, "merchant_id": "m1"}))
}

async fn rows(app: &TestApp, key: &str, parameters: &str) -> Vec<Value> {
    let found = app.get_as(key, &format!("/v1/quarantine{parameters}")).await.ok();
    found["data"].as_array().expect("rows").clone()
}

async fn flags(app: &TestApp, payment: &str) -> Value {
    let mut flags = app.get(&format!("/v1/payments/{payment}")).await.ok()["flags"].clone();
    // What the clock says is not what this is about.
    let others = flags.as_array_mut().expect("flags");
    others.retain(|flag| flag != "unsettled_overdue");
    flags
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_a_row_takes_the_flag_and_needs_a_reason() {
    let mut app = TestApp::new();
    app.feed(&[sale("P1", "m1", 1, 0), broken("P1"), broken("P1")]);
    let operator = app.key(Role::Operator, &[]);
    assert_eq!(flags(&app, "P1").await, json!(["quarantined"]));
    let n = rows(&app, &operator, "").await[0]["n"].as_u64().expect("a number");
    let address = format!("/v1/quarantine/{n}/close");
    for (body, status, code) in [
        ("", 400, "not_json"),
        ("{}", 400, "missing_parameter"),
        (r#"{"reason": "  "}"#, 400, "bad_value"),
        (r#"{"reason": "x", "more": "y"}"#, 400, "unknown_parameter"),
    ] {
        let answer = app.post_as(&operator, &address, body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["code"].as_str()),
            (status, Some(code)),
            "{body}"
        );
    }
    let too_long = json!({"reason": "가".repeat(501)}).to_string();
    assert_eq!(
        app.post_as(&operator, &address, too_long).await.json()["code"],
        "bad_value"
    );
    assert!(app.audit().is_empty(), "nothing was done");
    let before = app.get("/v1/payments/P1").await;
    let closed = app
        .post_as(&operator, &address, r#"{"reason": " sent by mistake "}"#)
        .await
        .ok();
    assert_eq!(
        (
            &closed["n"],
            &closed["open"],
            &closed["closed"]["how"],
            &closed["closed"]["reason"]
        ),
        (&json!(n), &json!(false), &json!("closed"), &json!("sent by mistake"))
    );
    assert_ne!(
        closed["as_of"]["token"].as_str(),
        before.header("ledger-as-of"),
        "a batch of its own"
    );
    assert_eq!(flags(&app, "P1").await, json!([]));
    // The same content again is counted, and changes nothing.
    app.feed(&[broken("P1")]);
    assert_eq!(flags(&app, "P1").await, json!([]));
    assert_eq!(rows(&app, &operator, "?open=false").await[0]["seen"], 3);
    let again = app.post_as(&operator, &address, r#"{"reason": "x"}"#).await;
    assert_eq!(
        (again.status, again.json()["code"].as_str()),
        (StatusCode::CONFLICT, Some("quarantine_row_closed"))
    );
    let log = app.audit();
    assert_eq!(
        (&log[0]["act"], &log[0]["target"], &log[0]["reason"], &log[0]["role"]),
        (
            &json!("close"),
            &json!(format!("quarantine/{n}")),
            &json!("sent by mistake"),
            &json!("operator")
        )
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_still_refused_stays() {
    let mut app = TestApp::new();
    app.feed(&[sale("P1", "m1", 1, 0), broken("P1"), b"no JSON".to_vec()]);
    let operator = app.key(Role::Operator, &[]);
    for row in rows(&app, &operator, "").await {
        let address = format!("/v1/quarantine/{}/replay", row["n"]);
        let replayed = app.post_as(&operator, &address, "").await.ok();
        assert_eq!(
            (
                &replayed["verdict"],
                &replayed["open"],
                &replayed["code"],
                &replayed["closed"]
            ),
            (&json!("quarantined"), &json!(true), &row["code"], &Value::Null)
        );
    }
    assert_eq!(flags(&app, "P1").await, json!(["quarantined"]));
    let counts = app.get_as(&operator, "/v1/ingest/status").await.ok()["counts"].clone();
    assert_eq!(counts["quarantined"], 2, "a replay is no message: {counts}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_a_newer_decoder_takes_is_applied_with_the_digest_as_sent() {
    let mut app = TestApp::new();
    // As an older decoder would have refused it: the message is sound today.
    let sound = sale("P1", "m1", 1000, 0);
    app.feed_refused(&[sound.clone(), crate::messages::with_card("P2", "m1")]);
    let operator = app.key(Role::Operator, &[]);
    assert_eq!(app.get("/v1/payments/P1").await.status, StatusCode::NOT_FOUND);
    let try_it = app
        .post_as(&operator, "/v1/quarantine/replay?dry_run=true", "")
        .await
        .ok();
    let expect = json!({"applied": 2, "duplicate": 0, "stale": 0, "conflict": 0, "quarantined": 0});
    assert_eq!(
        (&try_it["dry_run"], &try_it["matched"], &try_it["counts"]),
        (&json!(true), &json!(2), &expect)
    );
    for (narrowed, matched) in [("open=true", 2), ("open=false", 0), ("code=conflict", 0)] {
        let address = format!("/v1/quarantine/replay?dry_run=true&{narrowed}");
        let tried = app.post_as(&operator, &address, "").await.ok();
        assert_eq!(tried["matched"], matched, "{narrowed}: {tried}");
    }
    assert_eq!(
        app.get("/v1/payments/P1").await.status,
        StatusCode::NOT_FOUND,
        "only tried"
    );
    assert!(app.audit().is_empty());
    let done = app.post_as(&operator, "/v1/quarantine/replay", "{}").await.ok();
    assert_eq!((&done["dry_run"], &done["counts"]), (&json!(false), &expect));
    assert_eq!(flags(&app, "P1").await, json!([]));
    assert_eq!(flags(&app, "P2").await, json!(["card_number_redacted"]));
    assert_eq!(rows(&app, &operator, "?open=true").await.len(), 0);
    assert_eq!(rows(&app, &operator, "").await[0]["closed"]["how"], "replayed");
    // The digest is that of the message as sent, so a redelivery is the same content.
    let counts = app.feed(&[sound, crate::messages::with_card("P2", "m1")]);
    assert_eq!((counts.duplicate, counts.conflict), (2, 0));
    assert_eq!(app.audit()[0]["target"], "quarantine?");
}

/// What is kept of a refused message is redacted as text, also in names; what is read of `data` only in values.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_redacted_otherwise_than_it_is_read_keeps_its_digest() {
    let mut app = TestApp::new();
    let named = |amount| {
        let message = String::from_utf8(sale("P3", "m1", amount, 0)).expect("a message is text");
        message
            .replacen("\"data\":{", "\"data\":{\"4111111111111111\":\"x\",", 1)
            .into_bytes()
    };
    assert!(named(1) != sale("P3", "m1", 1, 0), "the name is in it");
    app.feed_refused(&[named(1000)]);
    let operator = app.key(Role::Operator, &[]);
    let done = app.post_as(&operator, "/v1/quarantine/replay", "{}").await.ok();
    assert_eq!(done["counts"]["applied"], 1);
    assert_eq!(app.feed(&[named(1000)]).duplicate, 1);
    assert_eq!(app.feed(&[named(2000)]).conflict, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_selects_what_is_replayed() {
    let mut app = TestApp::new();
    app.feed_refused(&[sale("P1", "m1", 1, 0), sale("P2", "m1", 1, 0)]);
    app.feed(&[b"{".to_vec()]);
    let operator = app.key(Role::Operator, &[]);
    let replay = async |parameters: &str| {
        app.post_as(&operator, &format!("/v1/quarantine/replay{parameters}"), "")
            .await
    };
    let found = replay("?payment_key=P2").await.ok();
    assert_eq!(
        (&found["matched"], &found["counts"]["applied"], &found["next_after"]),
        (&json!(1), &json!(1), &Value::Null)
    );
    assert_eq!(app.get("/v1/payments/P1").await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        replay("?code=not_json&dry_run=true").await.ok()["counts"]["quarantined"],
        1
    );
    for (parameters, named) in [
        ("?code=not_jsn", "code"),
        ("?dry_run=yes", "dry_run"),
        ("?after=x", "after"),
        ("?open=yes", "open"),
    ] {
        let answer = replay(parameters).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{parameters}");
        assert_eq!(answer.json()["errors"][0]["parameter"], named, "{parameters}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_about_entries_are_not_replayed_and_only_conflicts_are_closed() {
    let mut app = TestApp::new();
    let other = sale("P1", "m1", 2, 0);
    app.feed(&[sale("P1", "m1", 1, 0), other, cancellation("P1", "C1", "m2", 5)]);
    let operator = app.key(Role::Operator, &[]);
    let found = rows(&app, &operator, "").await;
    assert_eq!(found.len(), 3, "{found:?}");
    for row in found {
        let (n, code) = (&row["n"], &row["code"]);
        let replayed = app.post_as(&operator, &format!("/v1/quarantine/{n}/replay"), "").await;
        assert_eq!(
            (replayed.status, replayed.json()["code"].as_str()),
            (StatusCode::CONFLICT, Some("not_replayable")),
            "{code}"
        );
        let closed = app
            .post_as(&operator, &format!("/v1/quarantine/{n}/close"), r#"{"reason": "x"}"#)
            .await;
        let is_conflict = code == "conflict";
        if is_conflict {
            assert_eq!(closed.status, StatusCode::OK, "{}", closed.json());
        } else {
            assert_eq!(
                (closed.status, closed.json()["code"].as_str()),
                (StatusCode::CONFLICT, Some("not_closable")),
                "{code}"
            );
        }
        let one = app.get_as(&operator, &format!("/v1/quarantine/{n}")).await.ok();
        assert_eq!(
            (&one["code"], &one["open"], &one["raw_encoding"]),
            (code, &Value::Bool(!is_conflict), &json!("text"))
        );
        let data: Value = serde_json::from_str(one["raw"].as_str().expect("a text")).expect("JSON");
        assert_eq!(data["payment_key"], "P1", "{one}");
    }
    for n in ["0", "99", "x", "-1", "99999999999999999999"] {
        for answer in [
            app.get_as(&operator, &format!("/v1/quarantine/{n}")).await,
            app.post_as(&operator, &format!("/v1/quarantine/{n}/replay"), "").await,
        ] {
            assert_eq!(
                (answer.status, answer.json()["code"].as_str()),
                (StatusCode::NOT_FOUND, Some("quarantine_row_not_found")),
                "{n}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_contents_of_a_conflict_say_where_each_came_from() {
    let mut app = TestApp::new();
    app.feed(&[sale("P1", "m1", 1, 0), sale("P2", "m1", 1, 0), sale("P2", "m1", 2, 0)]);
    app.feed(&[sale("P1", "m1", 2, 0)]);
    app.feed(&[sale("P1", "m1", 2, 0), sale("P1", "m1", 2, 0)]);
    let operator = app.key(Role::Operator, &[]);
    for key in ["P1", "P2"] {
        let timeline = app
            .get_as(&operator, &format!("/v1/payments/{key}/timeline"))
            .await
            .ok();
        let versions = timeline["data"].as_array().expect("versions");
        let found = rows(&app, &operator, &format!("?payment_key={key}")).await;
        assert_eq!((found.len(), versions.len()), (2, 2), "{found:?}");
        for row in found {
            let version = versions.iter().find(|version| version["sha256"] == row["sha256"]);
            let version = version.unwrap_or_else(|| panic!("{row} is none of {versions:?}"));
            assert_eq!(
                (&row["last_position"], &row["first_at"], &row["last_at"]),
                (&version["position"], &version["applied_at"], &version["applied_at"]),
                "{key}"
            );
            assert_eq!(
                row["seen"].as_u64(),
                version["repeats"].as_u64().map(|repeats| repeats + 1),
                "{row}"
            );
            let one = app
                .get_as(&operator, &format!("/v1/quarantine/{}", row["n"]))
                .await
                .ok();
            assert_eq!((&one["seen"], &one["raw_encoding"]), (&row["seen"], &json!("text")));
            let data: Value = serde_json::from_str(one["raw"].as_str().expect("a text")).expect("JSON");
            let total = data["amount"]["total"].as_str().expect("an amount");
            assert_eq!(
                (&data["payment_key"], total),
                (&json!(key), version["amount"].as_str().expect("an amount"))
            );
        }
    }
}

#[tokio::test]
async fn one_row_shows_what_was_kept_and_leaves_a_trace() {
    let mut app = TestApp::new();
    app.feed(&[br#"{"note": "4242 4242 4242 4242"#.to_vec(), vec![0xff, b'{', 0xfe]]);
    let (operator, admin) = (app.key(Role::Operator, &[]), app.key(Role::Admin, &[]));
    let found = rows(&app, &operator, "").await;
    let one = async |key: &str, n: &Value| app.get_as(key, &format!("/v1/quarantine/{n}")).await.ok();
    let text = one(&operator, &found[1]["n"]).await;
    assert_eq!(
        (&text["raw"], &text["raw_encoding"]),
        (&json!(r#"{"note": "**** **** **** 4242"#), &json!("text"))
    );
    let bytes = one(&operator, &found[0]["n"]).await;
    assert_eq!(bytes["raw_encoding"], "base64");
    let raw = STANDARD
        .decode(bytes["raw"].as_str().expect("raw bytes"))
        .expect("base64");
    assert_eq!(raw, [0xff, b'{', 0xfe]);
    assert_eq!(
        one(&admin, &found[0]["n"]).await["raw"],
        Value::Null,
        "those who may not unmask see no raw bytes"
    );
    let log = app.audit();
    assert_eq!(log.len(), 2);
    assert!(log.iter().all(|line| line["act"] == "read_raw"));
    // Redacted, and of no JSON that could say what was sent: it must be published again.
    let refused = app
        .post_as(&operator, &format!("/v1/quarantine/{}/replay", found[1]["n"]), "")
        .await;
    assert_eq!(refused.json()["code"], "not_replayable");
}
