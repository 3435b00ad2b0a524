//! The search index: deleted, damaged, older and newer than the ledger, away while it is used.

use std::fs;

use super::fed::{Fed, draw, files_under, flip_bytes, model_of};
use crate::http::Client;
use crate::program::{Server, await_that, say};

/// Starts a server on a directory whose index was changed, and compares from its first answer on.
#[track_caller]
fn repaired(case: &str, fed: &Fed, model: &crate::kafka_kill::model::Model, says: &str) {
    let server = Server::start(&fed.data_dir());
    let rounds = fed.compare_until_indexed(&server, model);
    let (status, _, said) = server.terminate();
    assert_eq!(status.code(), Some(0), "{said}");
    assert!(said.contains(says), "{case}: {said}");
    say(&format!("{case}: {rounds} rounds of questions without an index"));
    fed.verify();
}

#[test]
fn an_index_that_was_deleted_or_damaged_is_made_again() {
    let messages = draw(150, 11);
    let model = model_of(&messages);
    let fed = Fed::with(&messages);
    let index = fed.data_dir().join("index");

    fs::remove_dir_all(&index).expect("the index is there");
    repaired("deleted", &fed, &model, "is made again");

    let meta = |name: &str| {
        let files = files_under(&index);
        let found = files.into_iter().find(|file| file.ends_with(name));
        found.unwrap_or_else(|| panic!("there is a {name}"))
    };
    fs::File::options()
        .write(true)
        .open(meta("meta.json"))
        .and_then(|file| file.set_len(40))
        .expect("meta.json is cut");
    repaired("meta.json cut", &fed, &model, "is made again");

    fs::write(index.join("current"), "77\n").expect("written");
    repaired("its name lost", &fed, &model, "is made again");

    // Whatever part of a segment is damaged: not one answer may lack a payment for it.
    let kinds = ["term", "idx", "pos", "store", "fast", "fieldnorm"];
    for kind in kinds {
        let files = files_under(&index).into_iter();
        let of_kind: Vec<_> = files
            .filter(|file| file.extension().is_some_and(|extension| extension == kind))
            .collect();
        for file in &of_kind {
            flip_bytes(file);
        }
        if !of_kind.is_empty() {
            repaired(&format!(".{kind} damaged"), &fed, &model, "is made again");
        }
    }
}

#[test]
fn an_index_older_or_newer_than_the_ledger_is_brought_to_it() {
    let messages = draw(200, 12);
    let (first, second) = messages.split_at(messages.len() / 2);
    let (half, whole) = (model_of(first), model_of(&messages));
    let fed = Fed::with(first);
    fed.put_aside("index");
    fed.put_aside("ledger");
    fed.backfill(second);

    fed.put_back("index");
    repaired(
        "older",
        &fed,
        &whole,
        "the search index is behind the ledger and is caught up",
    );

    // A backup of the ledger alone: index and rows are of a later time that does not exist any more.
    fed.put_back("ledger");
    repaired(
        "newer",
        &fed,
        &half,
        "the search index is ahead of the ledger and is made again",
    );
}

#[test]
fn an_index_taken_away_from_a_running_server_is_made_again() {
    let messages = draw(200, 13);
    let (first, second) = messages.split_at(messages.len() / 2);
    let whole = model_of(&messages);
    let fed = Fed::with(first);
    let server = Server::start(&fed.data_dir());
    fed.compare_until_indexed(&server, &model_of(first));
    fs::remove_dir_all(fed.data_dir().join("index")).expect("the index is there");
    // Its files are gone and still open: answers go on.
    fed.compare(&server, &model_of(first));
    server.stop();
    fed.backfill(second);
    let server = Server::start(&fed.data_dir());
    fed.compare_until_indexed(&server, &whole);
    let client = Client::new(&server.base(), &fed.operator);
    await_that("the index is up", || {
        client.json("/v1/ingest/status")["index"]["batches_behind"] == 0
    });
    server.stop();
    fed.verify();
}
