//! Files hold the stream, however they are cut and compressed.

use std::fs::{self, File};
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

use generator::{Compression, Progress, Stream, Topic, write_file, write_ndjson, write_topic_files};

use crate::{messages, small};

fn on_progress(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn contents(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let file = File::open(path).unwrap();
    match Compression::of(path) {
        Compression::Plain => bytes = fs::read(path).unwrap(),
        Compression::Gzip => _ = flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).unwrap(),
        Compression::Zstd => _ = zstd::Decoder::new(file).unwrap().read_to_end(&mut bytes).unwrap(),
    }
    bytes
}

#[test]
fn one_file_holds_every_line() {
    let directory = tempfile::tempdir().unwrap();
    let lines: Vec<u8> = messages(small(700))
        .into_iter()
        .flat_map(|message| [message.value, b"\n".to_vec()].concat())
        .collect();
    for name in ["s.ndjson", "s.ndjson.gz", "s.ndjson.zst"] {
        let path = directory.path().join(name);
        let progress = write_file(&mut Stream::new(small(700)).unwrap(), &path, &mut on_progress).unwrap();
        assert!(contents(&path) == lines, "{name}");
        assert_eq!(progress.bytes + progress.messages, lines.len() as u64);
        assert_eq!((progress.payments, progress.payments_planned), (700, 700));
    }
}

#[test]
fn topic_files_divide_the_stream() {
    let directory = tempfile::tempdir().unwrap();
    write_topic_files(
        &mut Stream::new(small(700)).unwrap(),
        directory.path(),
        Compression::Zstd,
        &mut on_progress,
    )
    .unwrap();
    for topic in Topic::ALL {
        let own = messages(small(700))
            .into_iter()
            .filter(|message| message.topic == topic);
        let lines: Vec<u8> = own
            .flat_map(|message| [message.value, b"\n".to_vec()].concat())
            .collect();
        let path = directory.path().join(format!("{}.ndjson.zst", topic.name()));
        assert!(!lines.is_empty() && contents(&path) == lines, "{topic:?}");
    }
}

#[test]
fn writing_stops_when_asked_to() {
    let mut out = Vec::new();
    let stop = &mut |_: Progress| ControlFlow::Break(());
    let progress = write_ndjson(&mut Stream::new(small(9_000)).unwrap(), &mut out, stop).unwrap();
    assert_eq!(
        out.iter().filter(|byte| **byte == b'\n').count() as u64,
        progress.messages
    );
    assert!(progress.messages < 20_000);
}

#[test]
fn a_file_that_cannot_be_created_is_named() {
    let error = write_file(
        &mut Stream::new(small(1)).unwrap(),
        Path::new("/no/such/place.ndjson"),
        &mut on_progress,
    )
    .unwrap_err();
    assert_eq!(error.to_string(), "cannot create /no/such/place.ndjson");
}
