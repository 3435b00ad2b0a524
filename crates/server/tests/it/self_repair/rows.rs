//! The row store: deleted, damaged, behind and ahead, damaged while it is used.

use std::fs;

use testkit::oracle::Reader;

use super::fed::{Fed, await_ready, draw, files_under, flip_bytes, model_of};
use crate::http::{Client, encoded};
use crate::kafka_kill::model::Model;
use crate::program::{Server, await_that, say};

#[track_caller]
fn repaired(case: &str, fed: &Fed, model: &Model, says: &str) {
    let server = Server::start(&fed.data_dir());
    fed.compare_until_indexed(&server, model);
    let (status, _, said) = server.terminate();
    assert_eq!(status.code(), Some(0), "{said}");
    assert!(said.contains(says), "{case}: {said}");
    say(case);
    fed.verify();
}

#[test]
fn rows_that_were_deleted_or_put_back_are_made_again() {
    let messages = draw(200, 21);
    let (first, second) = messages.split_at(messages.len() / 2);
    let (half, whole) = (model_of(first), model_of(&messages));
    let fed = Fed::with(first);
    fed.put_aside("rows");
    fed.put_aside("ledger");
    fed.backfill(second);

    fs::remove_dir_all(fed.data_dir().join("rows")).expect("the rows are there");
    repaired("deleted", &fed, &whole, "made again from the ledger");
    fed.put_back("rows");
    repaired(
        "behind",
        &fed,
        &whole,
        "the row store is behind the ledger and is caught up",
    );
    fed.put_back("ledger");
    repaired("ahead", &fed, &half, "ahead of it and is made again");
}

/// Damages every file of the row store that is as large as a row.
fn damage(fed: &Fed) -> usize {
    let files = files_under(&fed.data_dir().join("rows"));
    let large = files
        .iter()
        .filter(|file| file.metadata().is_ok_and(|metadata| metadata.len() > 200));
    large.inspect(|file| flip_bytes(file)).count()
}

#[test]
fn rows_that_were_damaged_are_made_again() {
    let messages = draw(200, 22);
    let model = model_of(&messages);
    let fed = Fed::with(&messages);
    // Made again, so that rows lie in tables and not in the journal alone.
    fs::remove_dir_all(fed.data_dir().join("rows")).expect("the rows are there");
    fed.verify();
    for round in 0..3 {
        assert!(damage(&fed) > 0, "there is something to damage");
        let server = Server::start(&fed.data_dir());
        until_repaired(&fed, &server, &model);
        fed.compare(&server, &model);
        server.stop();
        fed.verify();
        say(&format!("damaged {round}"));
    }
}

/// Asks for every payment until all are answered: an answer is the model's, or it is a 503.
#[track_caller]
fn until_repaired(fed: &Fed, server: &Server, model: &Model) {
    let client = Client::new(&server.base(), &fed.finance);
    let mut refused = 0;
    await_that("every payment is answered", || {
        let mut complete = true;
        for key in model.keys() {
            let (status, body) = client.get(&format!("/v1/payments/{}", encoded(key)));
            let expected = model.payment(key, &Reader::finance());
            match status {
                503 => {
                    refused += 1;
                    complete = false;
                }
                404 => assert_eq!(expected, None, "{key} is not found"),
                _ => {
                    let mut found: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
                    found.as_object_mut().expect("a payment").remove("as_of");
                    assert_eq!(Some(found), expected, "{key}: {status}");
                }
            }
        }
        complete
    });
    say(&format!("{refused} answers refused meanwhile"));
    await_ready(server);
}

#[test]
fn rows_damaged_under_a_running_server_are_refused_and_made_again() {
    let messages = draw(200, 23);
    let model = model_of(&messages);
    let fed = Fed::with(&messages);
    // Made again, so that rows lie in tables and not in the journal alone.
    fs::remove_dir_all(fed.data_dir().join("rows")).expect("the rows are there");
    fed.verify();
    let server = Server::start(&fed.data_dir());
    await_ready(&server);
    damage(&fed);
    until_repaired(&fed, &server, &model);
    fed.compare(&server, &model);
    server.stop();
    fed.verify();
}
