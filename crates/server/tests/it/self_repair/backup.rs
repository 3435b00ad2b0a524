//! `backup` and `restore`.

use std::fs;

use super::fed::{Fed, acts_of, await_ready, draw, files_under, flip_bytes, model_of, verify};
use crate::http::Client;
use crate::program::{Ended, Server, run};

fn backup(fed: &Fed, name: &str) -> Ended {
    run([
        "backup".as_ref(),
        "--data-dir".as_ref(),
        fed.data_dir().as_os_str(),
        fed.beside(name).as_os_str(),
    ])
}

fn restore(fed: &Fed, name: &str, to: &str) -> Ended {
    run([
        "restore".as_ref(),
        fed.beside(name).as_os_str(),
        "--data-dir".as_ref(),
        fed.beside(to).as_os_str(),
    ])
}

#[test]
fn a_backup_of_a_running_server_answers_as_the_server_did() {
    let messages = draw(150, 41);
    let model = model_of(&messages);
    let fed = Fed::with(&messages);
    let server = Server::start(&fed.data_dir());
    await_ready(&server);
    let made = backup(&fed, "backup").with_code(0).last_json();
    let status = Client::new(&server.base(), &fed.operator).json("/v1/ingest/status");
    assert_eq!(made["as_of"], status["as_of"]["token"]);
    let refused = backup(&fed, "backup").with_code(2);
    assert!(refused.sentence().contains("is not empty"), "{}", refused.stderr);
    server.stop();
    backup(&fed, "offline").with_code(0);
    let act = |act: &str, dir: &str| (act.to_owned(), fed.beside(dir).display().to_string());
    let logged = [act("backup", "backup"), act("backup", "offline")];
    assert!(
        acts_of(&fed.data_dir()).ends_with(&logged),
        "{:?}",
        acts_of(&fed.data_dir())
    );

    for name in ["backup", "offline"] {
        let to = format!("restored-{name}");
        assert_eq!(
            restore(&fed, name, &to).with_code(0).last_json()["as_of"],
            made["as_of"]
        );
        assert_eq!(acts_of(&fed.beside(&to)).last(), Some(&act("restore", name)));
        verify(&fed.beside(&to));
        let server = Server::start(&fed.beside(&to));
        // Keys and cursors go with it.
        fed.compare_until_indexed(&server, &model);
        server.stop();
    }
}

#[test]
fn a_damaged_backup_and_a_full_directory_are_refused() {
    let fed = Fed::with(&draw(40, 42));
    backup(&fed, "backup").with_code(0);
    for file in files_under(&fed.beside("backup")) {
        if file.ends_with("manifest.json") {
            continue;
        }
        flip_bytes(&file);
        let refused = restore(&fed, "backup", "restored").with_code(1);
        assert!(refused.sentence().contains("SHA-256"), "{}", refused.stderr);
        assert!(!fed.beside("restored").exists(), "nothing was restored of it");
        // The same bytes flipped again are the old ones.
        flip_bytes(&file);
    }
    fs::create_dir(fed.beside("full")).expect("a directory");
    fs::write(fed.beside("full").join("file"), "x").expect("a file");
    let refused = restore(&fed, "backup", "full").with_code(2);
    assert!(refused.sentence().contains("is not empty"), "{}", refused.stderr);
    fs::remove_file(fed.beside("backup").join("manifest.json")).expect("it was there");
    let refused = restore(&fed, "backup", "restored").with_code(2);
    assert!(refused.sentence().contains("no complete backup"), "{}", refused.stderr);
    let inside = run([
        "backup".as_ref(),
        "--data-dir".as_ref(),
        fed.data_dir().as_os_str(),
        fed.data_dir().join("backup").as_os_str(),
    ]);
    assert!(inside.with_code(2).sentence().contains("inside the data directory"));
}
