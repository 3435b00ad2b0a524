//! Files that are damaged, change, or can be read only once.

use std::fs::OpenOptions;
use std::io::{self, Cursor, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::position::Positions;
use projector::error::SourceError;
use projector::file::{FileSource, Progress};
use projector::source::{Budget, Polled, RawMessage, Source};
use tempfile::TempDir;

use crate::inputs::{gzip, plain, zstd};
use crate::reading::{PATIENCE, read_all};

fn open(path: &Path) -> Result<FileSource, SourceError> {
    FileSource::open(path, &Positions::default(), &Arc::new(Progress::default()))
}

fn written(bytes: &[u8]) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("messages.ndjson");
    std::fs::write(&path, bytes).unwrap();
    (directory, path)
}

/// Everything up to the end or the first error.
fn read_to_error(source: &mut FileSource) -> (Vec<RawMessage>, Option<SourceError>) {
    let mut found = Vec::new();
    loop {
        let budget = Budget {
            messages: 100,
            bytes: usize::MAX,
            until: std::time::Instant::now() + PATIENCE,
        };
        match source.poll(&budget, &mut found) {
            Ok(Polled::Ended) => return (found, None),
            Ok(_) => {}
            Err(error) => return (found, Some(error)),
        }
    }
}

/// Lines that do not compress to nothing, so that a cut falls in the middle of them.
fn text(lines: usize) -> String {
    (0..lines as u64)
        .map(|line| format!("{line} {:x}\n", line.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
        .collect()
}

#[test]
fn a_cut_compressed_file_delivers_its_complete_lines_and_names_the_broken_one() {
    let text = text(5000);
    let lines: Vec<&str> = text.lines().collect();
    for (name, whole) in [("gzip", gzip(text.as_bytes())), ("zstd", zstd(text.as_bytes()))] {
        for cut in [whole.len() / 3, whole.len() * 3 / 4, whole.len() - 1] {
            let (_directory, path) = written(&whole[..cut]);
            let mut source = open(&path).unwrap();
            let (found, error) = read_to_error(&mut source);
            let Some(SourceError::Read { file, line, .. }) = error else {
                panic!("{name} cut at {cut}: {error:?}")
            };
            assert_eq!(file, path.display().to_string());
            assert_eq!(line, found.len() as u64 + 1, "{name} cut at {cut}");
            for (number, message) in found.iter().enumerate() {
                assert_eq!(message.position, number as u64);
                assert_eq!(message.content, plain(lines[number]), "{name} cut at {cut}");
            }
            assert!(read_to_error(&mut source).1.is_some(), "an error stays");
            assert!(source.partitions()[0].problem.is_some());
        }
    }
}

/// As the command `zstd` writes: with a checksum. Without one the format has no way to see a broken byte.
fn checked_zstd(text: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_broken_byte_in_a_compressed_file_is_an_error() {
    for (name, mut bytes) in [
        ("gzip", gzip(text(2000).as_bytes())),
        ("zstd", checked_zstd(text(2000).as_bytes())),
    ] {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
        let (_directory, path) = written(&bytes);
        let (_, error) = read_to_error(&mut open(&path).unwrap());
        assert!(matches!(error, Some(SourceError::Read { .. })), "{name}: {error:?}");
    }
}

#[test]
fn files_without_messages_end_at_once() {
    for bytes in [b"".as_slice(), b"\n\r\n  \n", &gzip(b""), &zstd(b"")] {
        let (_directory, path) = written(bytes);
        let (found, error) = read_to_error(&mut open(&path).unwrap());
        assert!(found.is_empty() && error.is_none(), "{bytes:?}: {found:?} {error:?}");
    }
}

#[test]
fn what_cannot_be_opened_is_named() {
    let (directory, path) = written(b"");
    let missing = path.with_extension("missing");
    for path in [missing.as_path(), directory.path()] {
        let error = open(path).err().expect("nothing to read there").to_string();
        assert!(error.contains(&path.display().to_string()), "{error}");
    }
}

#[test]
fn the_name_of_a_file_is_its_content() {
    let (_first, path) = written(b"a\nb\n");
    let (_second, same) = written(b"a\nb\n");
    let (_third, other) = written(b"a\nb\n\n");
    assert_eq!(open(&path).unwrap().partition(), open(&same).unwrap().partition());
    assert_ne!(open(&path).unwrap().partition(), open(&other).unwrap().partition());
}

#[test]
fn a_file_that_grows_while_it_is_read_is_an_error_at_its_end() {
    let (_directory, path) = written(b"a\nb\n");
    let mut source = open(&path).unwrap();
    OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap()
        .write_all(b"c\n")
        .unwrap();
    let (found, error) = read_to_error(&mut source);
    assert!(matches!(error, Some(SourceError::Changed { .. })), "{error:?}");
    assert!(found.len() >= 2);
}

#[test]
fn blank_lines_at_the_end_are_passed() {
    let (_directory, path) = written(b"a\n\n\n\n");
    let mut source = open(&path).unwrap();
    let partition = source.partition().clone();
    let read = read_all(&mut source, 1);
    assert_eq!(read.positions.next(&partition), Some(4));
    let held = read.positions;
    let mut again = FileSource::open(&path, &held, &Arc::new(Progress::default())).unwrap();
    assert_eq!(again.lines_already_applied(), 4);
    assert_eq!(read_all(&mut again, 1).messages, []);
}

#[test]
fn a_pipe_has_a_name_of_its_own_each_time() {
    let progress = Arc::new(Progress::default());
    let pipe = || FileSource::from_pipe("pipe", Box::new(Cursor::new(gzip(b"a\nb"))), &progress).unwrap();
    let (mut first, second) = (pipe(), pipe());
    assert_ne!(first.partition(), second.partition());
    let contents = read_all(&mut first, 2)
        .messages
        .into_iter()
        .map(|message| message.content)
        .collect::<Vec<_>>();
    assert_eq!(contents, [plain("a"), plain("b")]);
    assert_eq!(progress.bytes_total(), None);
}

#[test]
fn an_error_of_the_system_names_the_line_and_loses_no_line_before_it() {
    struct Broken;
    impl io::Read for Broken {
        fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let reader = Cursor::new(b"a\nb\nhalf a li".to_vec()).chain(Broken);
    let mut source = FileSource::from_pipe("pipe", Box::new(reader), &Arc::new(Progress::default())).unwrap();
    let (found, error) = read_to_error(&mut source);
    assert_eq!(found.len(), 2);
    assert_eq!(
        error.unwrap().to_string(),
        "pipe cannot be read on at line 3: the disk is gone"
    );
}

#[test]
fn progress_ends_at_the_size_of_the_file() {
    let bytes = gzip(text(100_000).as_bytes());
    let (_directory, path) = written(&bytes);
    let progress = Arc::new(Progress::default());
    let mut source = FileSource::open(&path, &Positions::default(), &progress).unwrap();
    assert_eq!(progress.bytes_hashed(), bytes.len() as u64);
    assert_eq!(progress.bytes_total(), Some(bytes.len() as u64));
    assert!(progress.bytes_read() < bytes.len() as u64);
    read_to_error(&mut source);
    assert_eq!(progress.bytes_read(), bytes.len() as u64);
}
