//! `rebuild-index`: beside a running server, without one, and cut off.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::fed::{Fed, acts_of, await_ready, draw, files_under, model_of};
use crate::program::{Server, ledgerlens, run, say};

#[test]
fn the_index_is_made_again_while_searches_go_on() {
    let messages = draw(400, 31);
    let model = model_of(&messages);
    let fed = Fed::with(&messages);
    let server = Server::start(&fed.data_dir());
    await_ready(&server);
    let (base, is_over) = (server.base(), AtomicBool::new(false));
    let asked = thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut asked = 0;
            for seed in 0.. {
                asked += fed.compare_some(&base, &model, seed);
                if is_over.load(Ordering::Acquire) {
                    break;
                }
            }
            asked
        });
        for _ in 0..3 {
            let ended = run([
                "rebuild-index".as_ref(),
                "--data-dir".as_ref(),
                fed.data_dir().as_os_str(),
            ])
            .with_code(0);
            assert!(
                ended.stdout.contains("payments are in the search index"),
                "{}",
                ended.stdout
            );
        }
        is_over.store(true, Ordering::Release);
        asking.join().expect("every answer was right")
    });
    say(&format!("{asked} searches compared during three rebuilds"));
    fed.compare(&server, &model);
    let (status, _, said) = server.terminate();
    assert_eq!(status.code(), Some(0), "{said}");
    assert_eq!(
        said.matches("the search index was made again and is in use").count(),
        3,
        "{said}"
    );
    let metas = files_under(&fed.data_dir().join("index"));
    assert_eq!(
        metas.iter().filter(|file| file.ends_with("meta.json")).count(),
        1,
        "the old ones are removed: {metas:?}"
    );
    fed.verify();

    run([
        "rebuild-index".as_ref(),
        "--data-dir".as_ref(),
        fed.data_dir().as_os_str(),
    ])
    .with_code(0);
    fed.verify();
    let act = ("rebuild_index".to_owned(), "index".to_owned());
    let rebuilt = acts_of(&fed.data_dir()).iter().filter(|found| **found == act).count();
    assert_eq!(rebuilt, 4, "each is on the audit log");
}

#[test]
fn a_rebuild_cut_off_at_any_step_leaves_a_usable_index() {
    let messages = draw(150, 32);
    let model = model_of(&messages);
    let fed = Fed::with(&messages);
    for step in 0..6 {
        let mut server = Server::start(&fed.data_dir());
        await_ready(&server);
        let mut command = ledgerlens();
        command.args(["rebuild-index", "--data-dir"]).arg(fed.data_dir());
        let mut rebuild = command
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("the binary can be run");
        thread::park_timeout(Duration::from_millis(15 * step));
        server.kill();
        server.said();
        // It says that the server went, or it was done before.
        rebuild.wait().expect("the command ends");

        let server = Server::start(&fed.data_dir());
        await_ready(&server);
        fed.compare_some(&server.base(), &model, step);
        server.stop();
        fed.verify();
    }
}
