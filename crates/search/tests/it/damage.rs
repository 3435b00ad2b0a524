//! Whatever a directory holds, opening it never panics, and the error says whether to rebuild.

use std::fs;
use std::path::{Path, PathBuf};

use search::{IndexReader, IndexWriter, Options, Order, SearchError, TermQuery, Within};

use crate::support::{Fixture, STORE, document, term};

fn refused(dir: &Path) -> SearchError {
    match IndexWriter::open(dir, STORE, &Options::default()) {
        Ok(_) => panic!("{} was opened", dir.display()),
        Err(error) => error,
    }
}

/// A closed index of some documents.
fn closed() -> (tempfile::TempDir, PathBuf) {
    let mut fixture = Fixture::new();
    for seq in 0..300_u64 {
        fixture.upsert(document(
            seq,
            u32::try_from(seq / 3).unwrap_or(0),
            &["iab", "gab", &format!("i{seq}")],
        ));
    }
    fixture.commit();
    fixture.upsert(document(2, 9, &["ia"]));
    fixture.commit();
    let Fixture { dir, writer, .. } = fixture;
    drop(writer);
    let index = dir.path().join("index");
    (dir, index)
}

#[test]
fn no_index_is_missing() {
    let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    for path in [dir.path().to_owned(), dir.path().join("nowhere")] {
        let error = refused(&path);
        assert!(
            matches!(error, SearchError::Missing { .. }) && error.needs_rebuild(),
            "{error:?}"
        );
    }
}

#[test]
fn the_index_of_another_store_is_foreign() {
    let (_dir, index) = closed();
    let error = IndexWriter::open(&index, "store-2", &Options::default()).err();
    assert!(
        matches!(&error, Some(SearchError::Foreign { found, .. }) if found == STORE),
        "{error:?}"
    );
    let error = IndexReader::open(&index, "store-2").err();
    assert!(matches!(&error, Some(SearchError::Foreign { .. })), "{error:?}");
}

#[test]
fn a_commit_without_a_position_is_refused() {
    let (_dir, index) = closed();
    let meta = fs::read_to_string(index.join("meta.json")).unwrap_or_default();
    let start = meta.find("\"payload\"").unwrap_or_else(|| panic!("{meta}"));
    let without = format!("{}\"payload\": null}}", &meta[..start]);
    fs::write(index.join("meta.json"), without).unwrap_or_else(|error| panic!("{error}"));
    let error = refused(&index);
    assert!(matches!(error, SearchError::Corrupt { .. }), "{error:?}");
}

#[test]
fn a_changed_position_is_refused() {
    let (_dir, index) = closed();
    let meta = fs::read_to_string(index.join("meta.json")).unwrap_or_default();
    let changed = meta.replace("\\\"batch_no\\\":2", "\\\"batch_no\\\":3");
    assert_ne!(meta, changed);
    fs::write(index.join("meta.json"), changed).unwrap_or_else(|error| panic!("{error}"));
    let error = refused(&index);
    assert!(matches!(error, SearchError::Corrupt { .. }), "{error:?}");
}

/// Each file of the index in turn is cut, emptied, removed, overwritten and flipped in the middle. Opening then either
/// says to rebuild or works; and if it works, questions are answered or refused, and the check of the files tells.
#[test]
fn damaged_files_never_panic() {
    let (_dir, sound) = closed();
    let files: Vec<PathBuf> = fs::read_dir(&sound)
        .unwrap_or_else(|error| panic!("{error}"))
        .filter_map(|file| Some(file.ok()?.path()))
        .filter(|file| {
            !file
                .file_name()
                .is_some_and(|name| name.to_string_lossy().ends_with(".lock"))
        })
        .collect();
    assert!(files.len() > 8, "{files:?}");
    let mut told = 0;
    for file in &files {
        for damage in 0..6 {
            let copy = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
            for other in &files {
                let to = copy.path().join(other.file_name().unwrap_or_default());
                fs::copy(other, to).unwrap_or_else(|error| panic!("{error}"));
            }
            if !harm(&copy.path().join(file.file_name().unwrap_or_default()), damage) {
                continue;
            }
            told += usize::from(is_told(copy.path(), &format!("{} damage {damage}", file.display())));
        }
    }
    assert!(told >= files.len(), "only {told} damages were noticed");
}

/// Returns whether the file is another one now.
fn harm(file: &Path, damage: usize) -> bool {
    let sound = fs::read(file).unwrap_or_else(|error| panic!("{error}"));
    let mut bytes = sound.clone();
    match damage {
        0 => bytes.truncate(sound.len() / 2),
        1 => bytes.clear(),
        2 => {
            fs::remove_file(file).unwrap_or_else(|error| panic!("{error}"));
            return true;
        }
        3 => bytes.iter_mut().for_each(|byte| *byte = 0xAA),
        4 => bytes.iter_mut().take(sound.len() / 2).for_each(|byte| *byte = 0xFF),
        _ => {
            let middle = sound.len() / 2;
            if let Some(byte) = bytes.get_mut(middle) {
                *byte ^= 0x40;
            }
        }
    }
    fs::write(file, &bytes).unwrap_or_else(|error| panic!("{error}"));
    bytes != sound
}

fn is_told(dir: &Path, what: &str) -> bool {
    let writer = match IndexWriter::open(dir, STORE, &Options::default()) {
        Ok(writer) => writer,
        Err(error) => {
            assert!(error.needs_rebuild(), "{what}: {error:?}");
            return true;
        }
    };
    let reader = writer.reader();
    let mut told = search::check_files(dir).is_err();
    for query in [
        term("iab"),
        TermQuery::Prefix("i1".to_owned()),
        TermQuery::all_of([term("iab"), term("gab")]),
    ] {
        let mut walk = reader.snapshot().walk(&query, Order::NewestFirst, &Within::ever());
        loop {
            match walk.next_hours(7) {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => {
                    assert!(error.needs_rebuild(), "{what}: {error:?}");
                    told = true;
                    break;
                }
            }
        }
    }
    told
}
