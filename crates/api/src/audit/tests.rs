use std::fs;
use std::sync::Arc;

use super::*;

const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn filled(lines: u32) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let audit = Audit::new(dir.path());
    for line in 0..lines {
        let actor = Actor::key("key_1", Role::Operator);
        audit
            .record(
                NOW,
                actor,
                Act::Unmask,
                &format!("P{line}"),
                Some("the \"shopper\" asked }"),
            )
            .expect("written");
    }
    let path = dir.path().join(FILE);
    (dir, path)
}

fn check(path: &Path, expect: Result<u64, u64>) {
    let found = verify(path).expect("read").map_err(|broken| broken.line);
    assert_eq!(found, expect);
}

#[test]
fn each_line_follows_the_one_before() {
    let (_dir, path) = filled(3);
    check(&path, Ok(3));
    let text = fs::read_to_string(&path).expect("the log");
    let first: serde_json::Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    assert_eq!(
        (
            &first["seq"],
            &first["key_id"],
            &first["role"],
            &first["act"],
            &first["target"]
        ),
        (
            &1.into(),
            &"key_1".into(),
            &"operator".into(),
            &"unmask".into(),
            &"P0".into()
        )
    );
    assert_eq!(
        (&first["prev"], &first["reason"]),
        (&NOTHING.into(), &"the \"shopper\" asked }".into())
    );
    check(&path.with_file_name("none"), Ok(0));
}

#[test]
fn any_change_of_the_past_is_named_at_its_line() {
    for (change, line) in [
        (
            &(|lines: &mut Vec<String>| lines[1] = lines[1].replace("P1", "P9")) as &dyn Fn(&mut Vec<String>),
            2,
        ),
        (&|lines| drop(lines.remove(0)), 1),
        (&|lines| drop(lines.remove(2)), 3),
        (&|lines| lines.swap(1, 2), 2),
        (&|lines| lines.insert(2, lines[1].clone()), 3),
        (&|lines| lines[3] = lines[3][..20].to_owned(), 4),
        (&|lines| lines[4].push(' '), 5),
    ] {
        let (_dir, path) = filled(5);
        let text = fs::read_to_string(&path).expect("the log");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        change(&mut lines);
        fs::write(&path, lines.join("\n") + "\n").expect("written");
        check(&path, Err(line));
    }
}

#[test]
fn a_cut_end_is_taken_off_and_a_strange_one_is_not_continued() {
    let (dir, path) = filled(2);
    let whole = fs::read_to_string(&path).expect("the log");
    fs::write(&path, format!("{whole}{{\"seq\":3,\"at")).expect("written");
    check(&path, Err(3));
    let audit = Audit::new(dir.path());
    audit
        .record(NOW, Actor::COMMAND, Act::Backup, "x", None)
        .expect("written");
    check(&path, Ok(3));
    fs::write(&path, format!("{whole}something else\n")).expect("written");
    let refused = audit.record(NOW, Actor::COMMAND, Act::Backup, "x", None);
    assert!(matches!(refused, Err(AuditError::Broken { .. })), "{refused:?}");
}

#[test]
fn two_writers_never_continue_the_same_line() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let logs = [Arc::new(Audit::new(dir.path())), Arc::new(Audit::new(dir.path()))];
    std::thread::scope(|scope| {
        for log in logs.iter().chain(&logs) {
            scope.spawn(move || {
                for _ in 0..25 {
                    log.record(NOW, Actor::COMMAND, Act::Export, "/v1/payments", None)
                        .expect("written");
                }
            });
        }
    });
    check(&dir.path().join(FILE), Ok(100));
}
