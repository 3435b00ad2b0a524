//! Commands as a user runs them: what they print, where, and with which exit code.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::http::{Client, make_key};
use crate::program::{Ended, Server, ledgerlens, run, run_with_input};

/// A folder with some generated messages.
struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        Desk {
            dir: tempfile::tempdir().expect("a directory"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn data(&self) -> PathBuf {
        self.path("data")
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Writes hostile messages and their truth; the ending of `name` says how they are packed.
    fn generate(&self, name: &str, payments: u64) -> Value {
        let (payments, out, expect) = (payments.to_string(), self.text(name), self.text("expected.json"));
        let flags = ["--merchants", "20", "--days", "90", "--hostile"];
        run(
            ["generate", "--payments", &payments, "--out", &out, "--expect", &expect]
                .iter()
                .chain(&flags),
        )
        .with_code(0);
        serde_json::from_slice(&fs::read(expect).expect("the truth")).expect("JSON")
    }

    fn backfill(&self, name: &str) -> Ended {
        run(["backfill", "--data-dir", &self.text("data"), &self.text(name)])
    }

    fn verify(&self) -> Ended {
        run(["verify", "--data-dir", &self.text("data")])
    }
}

#[test]
fn help_of_every_command_has_an_example() {
    let commands = [
        "serve",
        "demo",
        "generate",
        "backfill",
        "check",
        "verify",
        "rebuild-index",
        "keys",
    ];
    let all = run(["--help"]).with_code(0).stdout;
    for command in commands {
        assert!(all.contains(command), "{all}");
        let help = run([command, "--help"]).with_code(0).stdout;
        assert!(help.contains("Example"), "{command}: {help}");
    }
}

#[test]
fn generated_messages_are_found_again_as_their_truth_says() {
    for name in ["messages.ndjson", "messages.ndjson.gz", "messages.ndjson.zst"] {
        let desk = Desk::new();
        let truth = desk.generate(name, 2_000);
        let told = desk.backfill(name).with_code(0).last_json();
        assert_eq!(told, truth["counts"], "{name}");
        desk.verify().with_code(0);
        for _ in 0..2 {
            let again = desk.backfill(name).with_code(0).last_json();
            let read = &told["read"];
            assert_eq!((&again["read"], &again["applied"]), (read, &Value::from(0)), "{again}");
            let judged = |verdict: &str| again[verdict].as_u64().unwrap_or_default();
            assert_eq!(judged("duplicate") + judged("quarantined"), judged("read"), "{again}");
        }
        desk.verify().with_code(0);
        assert_reports(&desk, &truth);
    }
}

/// The reports of a server on the directory are the generator's own sums, in every grouping.
fn assert_reports(desk: &Desk, truth: &Value) {
    let server = Server::start(&desk.data());
    let client = Client::new(&server.base(), &make_key(&desk.data(), "finance", &[]));
    let groupings = [
        ("totals", ""),
        ("by_day_and_method", "&group_by=day,method"),
        ("by_month_and_merchant", "&group_by=month,merchant"),
        ("by_merchant_and_method", "&group_by=merchant,method"),
    ];
    let questions = [
        ("sales", "event_day", ""),
        ("sales", "sale_day", ""),
        ("settlements", "sold_on", "SCHEDULED"),
        ("settlements", "sold_on", "PAID"),
        ("settlements", "paid_out_on", "PAID"),
        ("settlements", "paid_out_on", "HELD"),
    ];
    for (member, group_by) in groupings {
        for (report, basis, status) in questions {
            let narrowed = if status.is_empty() {
                String::new()
            } else {
                format!("&status={status}")
            };
            let address =
                format!("/v1/reports/{report}?basis={basis}&from=2016-01-01&to=2032-01-01{group_by}{narrowed}");
            let answer = client.json(&address);
            let expected = truth[report][member].as_array().expect("rows of the truth");
            assert!(!expected.is_empty(), "{report} {member}");
            let asked = |row: &&Value| row["basis"] == basis && row["status"].as_str().unwrap_or_default() == status;
            let expected = sorted(expected.iter().filter(asked).map(plain));
            let found = sorted(answer["data"].as_array().expect("rows").iter().map(plain));
            assert_eq!(found, expected, "{address}");
        }
    }
    server.stop();
}

/// A row without what only the truth names, or only the report.
fn plain(row: &Value) -> String {
    let mut row = row.as_object().expect("a row").clone();
    for member in ["basis", "status", "rows_url"] {
        row.remove(member);
    }
    Value::Object(row).to_string()
}

fn sorted(rows: impl Iterator<Item = String>) -> Vec<String> {
    let mut rows: Vec<String> = rows.collect();
    rows.sort_unstable();
    rows
}

#[test]
fn a_backfill_from_a_pipe_counts_repetitions_as_duplicates() {
    let desk = Desk::new();
    let truth = desk.generate("messages.ndjson", 300);
    let input = fs::read(desk.path("messages.ndjson")).expect("messages");
    let args = ["backfill", "--data-dir", &desk.text("data"), "-"];
    let first = run_with_input(args, &input).with_code(0).last_json();
    assert_eq!(first, truth["counts"]);
    let again = run_with_input(args, &input).with_code(0).last_json();
    assert_eq!(again["read"], truth["counts"]["read"]);
    assert_eq!(again["applied"], 0, "{again}");
    desk.verify().with_code(0);
}

#[test]
fn a_killed_backfill_goes_on_where_it_was() {
    let desk = Desk::new();
    let truth = desk.generate("messages.ndjson", 30_000);
    let data = desk.text("data");
    let mut killed = 0;
    let mut has_ended = false;
    for delay in [400, 700, 1_000, 300] {
        let mut child = ledgerlens()
            .args(["backfill", "--data-dir", &data, &desk.text("messages.ndjson")])
            .env("LEDGERLENS_BATCH_MESSAGES_MAX", "500")
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("the binary can be run");
        std::thread::park_timeout(std::time::Duration::from_millis(delay));
        has_ended = child.try_wait().expect("our own child").is_some();
        let _ = child.kill();
        child.wait().expect("it is gone");
        if has_ended {
            break;
        }
        killed += 1;
    }
    assert!(killed > 0, "the first backfill ended before it was killed");
    if !has_ended {
        desk.backfill("messages.ndjson").with_code(0);
    }
    desk.verify().with_code(0);
    let server = Server::start(&desk.data());
    let client = Client::new(&server.base(), &make_key(&desk.data(), "operator", &[]));
    let mut counts = client.json("/v1/ingest/status")["counts"].clone();
    counts["read"] = truth["counts"]["read"].clone();
    assert_eq!(counts, truth["counts"]);
    server.stop();
}

#[test]
fn check_names_file_line_code_place_and_way_out() {
    let desk = Desk::new();
    let sound = fixture("valid/payment-every-field.json");
    let broken = fixture("invalid/money-krw-fraction.json");
    fs::write(desk.path("m.ndjson"), format!("{sound}\n\n{broken}\n")).expect("a file");
    let ended = run(["check", &desk.text("m.ndjson")]).with_code(1);
    let line = ended.stdout.lines().next().unwrap_or_default();
    assert!(line.contains("m.ndjson:3: too_many_digits \"/data/"), "{line}");
    assert!(ended.sentence().contains("1 of 2"), "{}", ended.stderr);
    fs::write(desk.path("m.ndjson"), format!("{sound}\n")).expect("a file");
    run(["check", &desk.text("m.ndjson")]).with_code(0);
}

fn fixture(name: &str) -> String {
    let path = Path::new("../../fixtures/messages").join(name);
    fs::read_to_string(path).expect("a fixture").trim().to_owned()
}

#[test]
fn verify_names_what_differs() {
    let desk = Desk::new();
    desk.generate("messages.ndjson", 200);
    desk.backfill("messages.ndjson").with_code(0);
    let rows = desk.data().join("rows");
    fs::remove_dir_all(&rows).expect("the rows");
    desk.verify().with_code(0);
    fs::remove_dir_all(desk.data().join("index")).expect("the index");
    let rebuilt = run(["rebuild-index", "--data-dir", &desk.text("data")]).with_code(0);
    assert!(
        rebuilt.stdout.contains("payments are in the search index"),
        "{}",
        rebuilt.stdout
    );
    desk.verify().with_code(0);
}

#[test]
fn keys_are_printed_alone_and_listed_without_secrets() {
    let desk = Desk::new();
    let data = desk.text("data");
    let made = run([
        "keys",
        "create",
        "--data-dir",
        &data,
        "--role",
        "merchant",
        "--merchant",
        "m1",
    ])
    .with_code(0);
    let key = made.stdout.trim();
    assert_eq!(made.stdout.lines().count(), 1);
    let listed = run(["keys", "list", "--data-dir", &data]).with_code(0).stdout;
    assert!(
        listed.contains("merchant") && listed.contains("m1") && !listed.contains(key),
        "{listed}"
    );
    let id = listed.split('\t').next().expect("an id");
    run(["keys", "revoke", "--data-dir", &data, id]).with_code(0);
    let listed = run(["keys", "list", "--data-dir", &data]).with_code(0).stdout;
    assert!(listed.contains("revoked"), "{listed}");
    let wrong = run(["keys", "create", "--data-dir", &data, "--role", "king"]).with_code(2);
    assert!(wrong.sentence().contains("king"), "{}", wrong.stderr);
    run(["keys", "revoke", "--data-dir", &data, "k_none"]).with_code(2);
}

/// One command that must fail: its exit code and words of its one sentence.
fn check_refused(args: &[&str], environment: &[(&str, &str)], code: i32, words: &[&str]) {
    let mut command: Command = ledgerlens();
    command.args(args).envs(environment.iter().copied());
    let output = command.output().expect("the binary can be run");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    crate::program::assert_calm(&stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
    let told = stderr.lines().filter(|line| line.starts_with("ledgerlens: ")).count();
    assert_eq!(told, 1, "{args:?}: {stderr}");
    for word in words {
        assert!(stderr.contains(word), "{args:?} does not say {word:?}: {stderr}");
    }
}

#[test]
fn wrong_settings_are_one_sentence_with_the_key() {
    let desk = Desk::new();
    let file = desk.text("settings.toml");
    let data = desk.text("data");
    let verify = ["verify", "--data-dir", &data, "--config", &file];
    for (text, words) in [
        ("[kafka]\nbroker = \"x\"\n", &["broker", "kafka"][..]),
        (
            "[time_zone]\ndefault = \"Asia/Soul\"\n",
            &["time_zone.default", "Asia/Soul"],
        ),
        ("[ledger]\nmemory_mb = \"many\"\n", &["ledger.memory_mb"]),
        ("listen = \n", &["settings.toml"]),
    ] {
        fs::write(&file, text).expect("a file");
        check_refused(&verify, &[], 2, words);
    }
    fs::remove_file(&file).expect("the file");
    check_refused(&verify, &[], 2, &["settings.toml"]);
    check_refused(
        &verify[..3],
        &[("LEDGERLENS_LEDGER_MEMORY", "1")],
        2,
        &["LEDGERLENS_LEDGER_MEMORY"],
    );
}

#[test]
fn what_cannot_be_used_is_one_sentence_with_its_code() {
    let desk = Desk::new();
    let data = desk.text("data");
    check_refused(
        &["backfill", "--data-dir", &data, "/no/such/file"],
        &[],
        2,
        &["/no/such/file"],
    );

    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    check_refused(
        &["serve", "--data-dir", &data, "--listen", &address],
        &[],
        2,
        &[&address, "--listen"],
    );

    let closed = TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("an address")
        .to_string();
    let serve = [
        "serve",
        "--data-dir",
        &data,
        "--listen",
        "127.0.0.1:0",
        "--kafka",
        &closed,
    ];
    check_refused(&serve, &[], 2, &[&closed, "--kafka"]);

    let foreign = desk.path("foreign");
    fs::create_dir(&foreign).expect("a directory");
    fs::write(foreign.join("thesis.txt"), "mine").expect("a file");
    check_refused(
        &["verify", "--data-dir", &desk.text("foreign")],
        &[],
        3,
        &["thesis.txt", "--data-dir"],
    );

    fs::write(desk.path("file"), "").expect("a file");
    check_refused(
        &["verify", "--data-dir", &desk.text("file/under")],
        &[],
        3,
        &["file/under"],
    );
}

#[test]
fn a_locked_directory_is_left_alone() {
    let desk = Desk::new();
    desk.generate("messages.ndjson", 50);
    let data = desk.text("data");
    let server = Server::start(&desk.data());
    for command in ["backfill", "verify"] {
        let file = desk.text("messages.ndjson");
        let mut args = vec![command, "--data-dir", &data];
        args.extend((command == "backfill").then_some(file.as_str()));
        check_refused(&args, &[], 3, &["in use by another"]);
    }
    let serve = ["serve", "--data-dir", &data, "--listen", "127.0.0.1:0"];
    check_refused(&serve, &[], 3, &["in use by another"]);
    // Keys are a file of their own: they are made beside a running server, which notices.
    let key = make_key(&desk.data(), "finance", &[]);
    let client = Client::new(&server.base(), &key);
    crate::program::await_that("the new key works", || {
        client.try_get("/v1/payments").is_ok_and(|(status, _)| status == 200)
    });
    crate::program::await_that("the server is ready", || {
        client.try_get("/readyz").is_ok_and(|(status, _)| status == 200)
    });
    server.stop();
    desk.backfill("messages.ndjson").with_code(0);
}
