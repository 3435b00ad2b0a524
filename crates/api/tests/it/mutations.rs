//! Requests broken at random: whatever comes, the answer is no failure of ours and has the shape of the contract.

use api::keys::Role;
use axum::body::Body;
use axum::http::Request;
use rand::{Rng, RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::app::TestApp;
use crate::malformed_cases::{GETS, POSTS};
use crate::messages::{cancellation, line, personal, sale};

const SOUND: &[&str] = &[
    "/v1/payments?status=DONE&amount%5Bgte%5D=10&event_day%5Blt%5D=2026-06-01&limit=5",
    "/v1/payments/search?q=status:DONE%20-flag:conflict%20(coffee%20OR%20order_id:ORD-P1*)&order=asc",
    "/v1/payments?approved_at%5Bgte%5D=2026-05-01T00:00:00%2B09:00&merchant_id=m1&payout_id=po1",
    "/v1/payments/P1",
    "/v1/reports/sales?basis=sale_day&from=2026-05-01&to=2026-06-01&group_by=day,method,merchant,month&source=ledger",
    "/v1/reports/settlements?basis=paid_out_on&from=0001-01-01&to=0002-01-01&status=PAID&currency=KRW",
    "/v1/quarantine?code=conflict&payment_key=P1&open=true&limit=2",
    "/v1/ingest/status",
    "/v1/search/fields",
    "/problems/bad_value",
];

/// Pieces that break things elsewhere.
const PIECES: &[&str] = &[
    "%00",
    "%FF",
    "%",
    "%2",
    "&",
    "=",
    "?",
    "/",
    "//",
    "..",
    "%2F",
    "%27",
    "'--",
    "%22",
    "*",
    "(",
    ")",
    "%5B",
    "%5D",
    ":",
    "-",
    "+",
    "0",
    "9223372036854775808",
    "1e308",
    "NaN",
    "null",
    "true",
    "2026-05-01",
    "0000-00-00",
    "9999-12-31",
    "0000-01-01",
    "TO",
    "AND",
    "OR",
    "%EC%BB%A4",
    "%F0%9F%98%80",
    "limit",
    "cursor=",
    "q=",
    "amount",
    "day",
    ",",
];

fn mutated(rng: &mut impl Rng, text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..rng.random_range(1..5) {
        let place = rng.random_range(1..=bytes.len());
        match rng.random_range(0..5) {
            0 if place < bytes.len() => {
                bytes.remove(place);
            }
            1 => bytes.insert(place, rng.random_range(0x21..0x7f)),
            2 => {
                let piece = PIECES[rng.random_range(0..PIECES.len())];
                bytes.splice(place..place, piece.bytes());
            }
            3 if place < bytes.len() => bytes[place] = rng.random_range(0x21..0x7f),
            _ => {
                let end = (place + rng.random_range(1..20)).min(bytes.len());
                let copied = bytes[place..end].to_vec();
                bytes.splice(place..place, copied);
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `LEDGERLENS_TEST_SEED` chooses another run; the seed of a failure is printed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_makes_the_service_fail() {
    let seed = std::env::var("LEDGERLENS_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(1);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut app = TestApp::new();
    app.feed(&[
        sale("P1", "m1", 1000, 0),
        personal("P2"),
        line("P1", "S1", "m1"),
        cancellation("P3", "C1", "m2", 5),
    ]);
    let key = app.key(Role::Operator, &[]);
    let written = |address: &str| {
        address
            .replace('[', "%5B")
            .replace(']', "%5D")
            .replace(['"', '>'], "%22")
    };
    let addresses: Vec<String> = SOUND
        .iter()
        .map(|address| (*address).to_owned())
        .chain(GETS.iter().map(|(address, ..)| written(address)))
        .collect();
    let (mut asked, mut refused) = (0, 0);
    while asked < 3000 {
        let is_post = rng.random_range(0..4) == 0;
        let request = if is_post {
            let place = rng.random_range(14..POSTS.len());
            let body = mutated(&mut rng, POSTS[place].0);
            Request::post("/v1/payments/search")
                .header("content-type", "application/json")
                .body(Body::from(body))
        } else {
            let place = rng.random_range(0..addresses.len());
            let address = mutated(&mut rng, &addresses[place]);
            // What is no address at all never reaches a service.
            Request::get(address).body(Body::empty())
        };
        let Ok(mut request) = request else { continue };
        let what = format!("seed {seed}: {} {}", request.method(), request.uri());
        let authorization = format!("Bearer {key}").parse().expect("a header");
        request.headers_mut().insert("authorization", authorization);
        let answer = app.send(request).await;
        assert!(answer.status.as_u16() < 500, "{what}: {}", answer.text());
        if answer.status.is_client_error() {
            let problem = answer.json();
            assert!(
                problem["code"].is_string() && problem["request_id"].is_string(),
                "{what}: {problem}"
            );
            refused += 1;
        }
        asked += 1;
    }
    assert!(refused > 1000, "seed {seed}: only {refused} of {asked} were refused");
}
