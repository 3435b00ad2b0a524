//! Keys, quarantine, the audit log and the control socket, with the real binary beside a running server.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::{Client, make_key};
use crate::program::{Server, run, run_with_input};

fn text(dir: &Path) -> &str {
    dir.to_str().expect("a readable path")
}

/// The ids of the keys, in the order in which they were made.
fn key_ids(dir: &Path) -> Vec<(String, String)> {
    let listed = run(["keys", "list", "--data-dir", text(dir)]).with_code(0).stdout;
    let row = |line: &str| {
        let columns: Vec<&str> = line.split('\t').collect();
        (columns[0].to_owned(), columns[4].to_owned())
    };
    listed.lines().map(row).collect()
}

fn status(server: &Server, key: &str) -> u16 {
    Client::new(&server.base(), key).get("/v1/payments").0
}

/// Until the server has looked at the key file.
fn await_status(server: &Server, key: &str, expect: u16) {
    let started = Instant::now();
    while status(server, key) != expect {
        assert!(
            started.elapsed() < Duration::from_millis(1_500),
            "not in force within a second"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn post(server: &Server, key: &str, address: &str, body: &Value) -> (u16, Value) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = agent
        .post(format!("{}{address}", server.base()))
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json");
    let mut response = request.send(body.to_string()).expect("an answer");
    let body = response.body_mut().read_to_string().expect("a body");
    (response.status().as_u16(), serde_json::from_str(&body).expect("JSON"))
}

#[test]
fn a_rotated_key_works_for_its_grace_on_a_running_server() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let old = make_key(dir.path(), "finance", &[]);
    let server = Server::start(dir.path());
    assert_eq!(status(&server, &old), 200);
    let id = key_ids(dir.path())[0].0.clone();
    let rotate = ["keys", "rotate", "--data-dir", text(dir.path()), &id];
    let new = run(rotate.iter().chain(&["--grace", "3600"])).with_code(0).stdout;
    await_status(&server, new.trim(), 200);
    assert_eq!(status(&server, &old), 200, "in its grace");
    assert!(
        key_ids(dir.path())[0].1.starts_with("active until "),
        "{:?}",
        key_ids(dir.path())
    );
    run(["keys", "revoke", "--data-dir", text(dir.path()), &id]).with_code(0);
    await_status(&server, &old, 401);
    assert_eq!(status(&server, new.trim()), 200);
    run(rotate).with_code(2);
    server.stop();
    let verified = run(["audit", "verify", "--data-dir", text(dir.path())]).with_code(0);
    assert_eq!(verified.stdout, "3 links, none broken\n");
}

#[test]
fn acts_beside_no_kafka_are_done_and_logged() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let args = ["backfill", "--data-dir", text(dir.path()), "-"];
    run_with_input(args, b"{\"no\": \"event\"}\nno JSON\n").with_code(0);
    let operator = make_key(dir.path(), "operator", &[]);
    let mut server = Server::start(dir.path());
    let (code, replayed) = post(&server, &operator, "/v1/quarantine/1/replay", &json!({}));
    assert_eq!((code, &replayed["verdict"]), (200, &json!("quarantined")), "{replayed}");
    let (code, closed) = post(
        &server,
        &operator,
        "/v1/quarantine/1/close",
        &json!({"reason": "a test"}),
    );
    assert_eq!((code, &closed["open"]), (200, &json!(false)), "{closed}");
    // What was done is durable.
    server.kill();
    drop(server);
    let server = Server::start(dir.path());
    let client = Client::new(&server.base(), &operator);
    let row: Value = serde_json::from_slice(&client.get("/v1/quarantine/1").1).expect("JSON");
    assert_eq!(
        (&row["closed"]["reason"], &row["raw"]),
        (&json!("a test"), &json!("{\"no\": \"event\"}"))
    );
    server.stop();
    run(["verify", "--data-dir", text(dir.path())]).with_code(0);
    let log = dir.path().join("audit.log");
    let acts: Vec<String> = std::fs::read_to_string(&log)
        .expect("the log")
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["act"].to_string())
        .collect();
    assert_eq!(acts, ["\"create_key\"", "\"replay\"", "\"close\"", "\"read_raw\""]);
    let changed = std::fs::read_to_string(&log)
        .expect("the log")
        .replace("a test", "no test");
    std::fs::write(&log, changed).expect("written");
    let broken = run(["audit", "verify", "--data-dir", text(dir.path())]).with_code(1);
    assert!(broken.sentence().contains("broken at line 3"), "{}", broken.sentence());
    // Nothing is put behind a broken end, so a key that cannot be logged is not shown.
    std::fs::write(&log, "something else\n").expect("written");
    let refused = run(["keys", "create", "--data-dir", text(dir.path()), "--role", "admin"]).with_code(3);
    assert_eq!(refused.stdout, "");
}

#[test]
fn a_running_server_can_be_asked_over_its_socket() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start(dir.path());
    let socket = dir.path().join("control.sock");
    let mode = std::fs::metadata(&socket).expect("the socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Who cannot have the directory is told who has it.
    let refused = run(["verify", "--data-dir", text(dir.path())]).with_code(3);
    assert!(
        refused.sentence().contains("a server, process "),
        "{}",
        refused.sentence()
    );
    server.stop();
    assert!(!socket.exists());
}
