//! Pages: all rows, each once, in order, whatever happens in between; and cursors that work for their own question only.

use api::keys::Role;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{FINANCE, TestApp, encoded};
use crate::messages::sale;

fn keys(page: &Value) -> Vec<String> {
    let rows = page["data"].as_array().expect("rows");
    rows.iter()
        .map(|row| row["payment_key"].as_str().expect("a key").to_owned())
        .collect()
}

/// 60 sales; every three at one instant, so that pages end within one.
fn app() -> TestApp {
    let mut app = TestApp::new();
    let sales: Vec<Vec<u8>> = (0..60)
        .map(|n| sale(&format!("P{n:02}"), "m1", 1000 + n, n / 3))
        .collect();
    app.feed(&sales);
    app
}

async fn walk(app: &TestApp, key: &str, parameters: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = app
            .get_as(key, &format!("/v1/payments?{parameters}{cursor}"))
            .await
            .ok();
        pages.push(keys(&page));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => {
                assert_eq!(page["has_more"], false);
                return pages;
            }
        }
        assert_eq!(page["has_more"], true);
        assert!(pages.len() < 100, "the pages do not end");
    }
}

#[tokio::test]
async fn pages_hold_every_row_once_in_order() {
    let app = app();
    let mut newest: Vec<(u32, String)> = (0..60).map(|n| (n / 3, format!("P{n:02}"))).collect();
    newest.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let newest: Vec<String> = newest.into_iter().map(|(_, key)| key).collect();
    let oldest: Vec<String> = (0..60).map(|n| format!("P{n:02}")).collect();
    for limit in [1, 7, 20, 59, 60, 100] {
        let pages = walk(&app, FINANCE, &format!("limit={limit}")).await;
        assert!(
            pages[..pages.len() - 1].iter().all(|page| page.len() == limit),
            "limit {limit}"
        );
        assert_eq!(pages.concat(), newest, "limit {limit}");
        assert_eq!(
            walk(&app, FINANCE, &format!("order=desc&limit={limit}")).await.concat(),
            newest
        );
        assert_eq!(
            walk(&app, FINANCE, &format!("order=asc&limit={limit}")).await.concat(),
            oldest
        );
    }
    let filtered = walk(&app, FINANCE, "amount%5Bgte%5D=1010&amount%5Blt%5D=1020&limit=3")
        .await
        .concat();
    let expect: Vec<String> = newest
        .iter()
        .filter(|key| ("P10".."P20").contains(&key.as_str()))
        .cloned()
        .collect();
    assert_eq!(filtered, expect);
}

#[tokio::test]
async fn the_default_is_20_rows_and_more_than_100_are_not_given() {
    let mut app = app();
    let sales: Vec<Vec<u8>> = (0..60).map(|n| sale(&format!("Q{n:02}"), "m1", 1, n)).collect();
    app.feed(&sales);
    for (limit, rows) in [
        ("", 20),
        ("?limit=1", 1),
        ("?limit=100", 100),
        ("?limit=101", 100),
        ("?limit=99999999999999999999999", 100),
    ] {
        let page = app.get(&format!("/v1/payments{limit}")).await.ok();
        assert_eq!(keys(&page).len(), rows, "{limit}");
        assert_eq!(page["has_more"], true);
    }
}

#[tokio::test]
async fn no_row_is_skipped_or_doubled_while_others_arrive() {
    let mut app = app();
    let first = app.get("/v1/payments?limit=10").await.ok();
    let cursor = first["next_cursor"].as_str().expect("more").to_owned();
    let expect = keys(&app.get(&format!("/v1/payments?limit=10&cursor={cursor}")).await.ok());
    // Newer ones, older ones, and one between rows of the first page.
    app.feed(&[
        sale("new", "m1", 1, 600),
        sale("P59a", "m1", 1, 19),
        sale("P00a", "m1", 1, 0),
    ]);
    assert_eq!(
        keys(&app.get(&format!("/v1/payments?limit=10&cursor={cursor}")).await.ok()),
        expect
    );
}

#[tokio::test]
async fn an_empty_answer_is_an_answer() {
    let app = TestApp::new();
    let page = app.get("/v1/payments?status=DONE").await.ok();
    assert_eq!(
        (&page["data"], &page["has_more"], &page["next_cursor"]),
        (&json!([]), &json!(false), &Value::Null)
    );
    assert_eq!(page["as_of"]["watermark_time"], "1970-01-01T00:00:00.000000Z");
}

#[tokio::test]
async fn a_post_pages_as_a_get() {
    let app = app();
    let asked = json!({"limit": 7, "status": ["DONE", "CANCELED"], "amount[gte]": "1000"});
    let first = app.post("/v1/payments/search", asked.to_string()).await.ok();
    let got = app
        .get("/v1/payments/search?status=DONE&status=CANCELED&amount%5Bgte%5D=1000&limit=7")
        .await
        .ok();
    assert_eq!(first["data"], got["data"]);
    assert_eq!(first["next_cursor"], got["next_cursor"], "one question, one cursor");
    let mut next = asked.clone();
    next["cursor"] = first["next_cursor"].clone();
    let second = app.post("/v1/payments/search", next.to_string()).await.ok();
    assert_eq!(keys(&second)[0], "P52", "{second}");
}

#[tokio::test]
async fn a_cursor_works_for_its_own_question_and_key_only() {
    let app = app();
    let other = app.key(Role::Finance, &[]);
    let page = app.get("/v1/payments?limit=5&status=DONE&method=CARD").await.ok();
    let cursor = page["next_cursor"].as_str().expect("more");
    let same = [
        "limit=5&status=DONE&method=CARD",
        "method=CARD&status=DONE&limit=9",
        "status=DONE&method=CARD&order=desc",
    ];
    for parameters in same {
        let answer = app.get(&format!("/v1/payments?{parameters}&cursor={cursor}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{parameters}: {}", answer.text());
    }
    let foreign = [
        "",
        "status=DONE&",
        "status=CANCELED&method=CARD&",
        "status=DONE&method=CARD&order=asc&",
        "status=DONE&method=CARD&q=P01&",
    ];
    for parameters in foreign {
        let answer = app.get(&format!("/v1/payments?{parameters}cursor={cursor}")).await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (StatusCode::BAD_REQUEST, Some("bad_cursor")),
            "{parameters}"
        );
        assert_eq!(answer.json()["errors"][0]["parameter"], "cursor");
    }
    let answer = app
        .get_as(&other, &format!("/v1/payments?status=DONE&method=CARD&cursor={cursor}"))
        .await;
    assert_eq!(answer.json()["code"], "bad_cursor", "another key");
    let operator = app.key(Role::Operator, &[]);
    let answer = app.get_as(&operator, &format!("/v1/quarantine?cursor={cursor}")).await;
    assert_eq!(answer.json()["code"], "bad_cursor", "another list");
}

/// Every single character of a cursor counts.
#[tokio::test]
async fn a_tampered_cursor_is_refused() {
    let app = app();
    let page = app.get("/v1/payments?limit=5").await.ok();
    let cursor = page["next_cursor"].as_str().expect("more").to_owned();
    let mut tampered = vec![
        String::new(),
        "x".to_owned(),
        "*".to_owned(),
        format!("{cursor}A"),
        cursor[1..].to_owned(),
        cursor[..cursor.len() - 1].to_owned(),
        format!("{cursor}="),
        "A".repeat(10_000),
    ];
    for place in 0..cursor.len() {
        let old = cursor.as_bytes()[place];
        let new = if old == b'A' { 'B' } else { 'A' };
        let mut changed = cursor.clone();
        changed.replace_range(place..=place, &new.to_string());
        tampered.push(changed);
    }
    for cursor in tampered {
        let answer = app
            .get(&format!("/v1/payments?limit=5&cursor={}", encoded(&cursor)))
            .await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (StatusCode::BAD_REQUEST, Some("bad_cursor")),
            "{cursor}"
        );
    }
}
