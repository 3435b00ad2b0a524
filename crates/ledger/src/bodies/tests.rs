use super::*;

fn wanted<T>(place: Place, item: T) -> Wanted<T> {
    Wanted { place, seq: 0, item }
}

fn body(n: usize) -> Vec<u8> {
    format!("{n} ").repeat(n % 7 * 1_000).into_bytes()
}

/// Three batches of a hundred bodies.
fn filled(dir: &Path) -> (BodyFile, Vec<(Place, usize)>, u64) {
    let file = BodyFile::open(dir).expect("opened");
    let (mut places, mut end) = (Vec::new(), 0);
    for batch in 0..3 {
        let mut blocks = Blocks::default();
        let numbers = batch * 100..(batch + 1) * 100;
        let gathered: Vec<Place> = numbers.clone().map(|n| blocks.add(&body(n))).collect();
        let packed = blocks.packed().expect("packed");
        places.extend(gathered.into_iter().map(|place| packed.settle(place, end)).zip(numbers));
        end = file.append(end, &packed).expect("appended");
        file.sync().expect("synced");
    }
    (file, places, end)
}

#[test]
fn every_body_comes_back_and_a_missing_one_is_noticed() {
    let dir = tempfile::tempdir().expect("a directory");
    let (file, places, end) = filled(dir.path());
    let distinct: std::collections::BTreeSet<u64> = places.iter().map(|(place, _)| place.block).collect();
    assert!(distinct.len() > 8, "many blocks");
    for every in [1, 3, 250] {
        let these = || places.iter().step_by(every);
        let mut found = Vec::new();
        file.each(
            these().map(|(place, n)| wanted(*place, *n)).collect(),
            &mut |n, read| {
                assert_eq!(read, body(n), "{n}");
                found.push(n);
                Ok(())
            },
        )
        .expect("all are there");
        assert_eq!(found.len(), these().count());
    }
    let (first, _) = places[0];
    for (block, line) in [
        (end, 0),
        (end - 3, 0),
        (u64::MAX >> 1, 0),
        (first.block + 1, 0),
        (first.block, 1 << 20),
    ] {
        let place = Place { block, line };
        let read = file.each(vec![wanted(place, ())], &mut |(), _| Ok(()));
        assert!(matches!(read, Err(LedgerError::Damaged(_))), "{place:?}");
    }
}

#[test]
fn a_body_of_two_lines_is_refused_and_an_empty_one_is_a_line() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = BodyFile::open(dir.path()).expect("opened");
    let mut blocks = Blocks::default();
    let places = [&b"a"[..], b"", b"c"].map(|body| blocks.add(body));
    let end = file.append(0, &blocks.packed().expect("packed")).expect("appended");
    let mut read = Vec::new();
    let twice = places.into_iter().chain(places);
    file.each(
        twice.map(|place| wanted(place, place.line)).collect(),
        &mut |line, body| {
            read.push((line, body.to_vec()));
            Ok(())
        },
    )
    .expect("read");
    assert_eq!(read.len(), 6, "each twice");
    assert!(read.contains(&(1, Vec::new())) && read.contains(&(2, b"c".to_vec())));
    assert_eq!(end, file.bytes());
    blocks.add(b"d\ne");
    assert!(matches!(blocks.packed(), Err(LedgerError::Damaged(_))));
}

#[test]
fn a_changed_byte_is_noticed() {
    let dir = tempfile::tempdir().expect("a directory");
    let (file, places, _) = filled(dir.path());
    let &(place, _) = places.last().expect("places");
    let middle = place.block + 20;
    let mut byte = [0];
    file.file.read_exact_at(&mut byte, middle).expect("read");
    file.file.write_all_at(&[byte[0] ^ 1], middle).expect("written");
    let read = file.each(vec![wanted(place, ())], &mut |(), _| Ok(()));
    assert!(matches!(read, Err(LedgerError::Damaged(_))), "{read:?}");
}

#[test]
fn what_no_batch_covers_goes_and_what_one_covers_must_be_there() {
    let dir = tempfile::tempdir().expect("a directory");
    let (file, places, end) = filled(dir.path());
    let last = places.last().expect("places").0.block;
    file.cut(last).expect("cut");
    assert_eq!(file.bytes(), last);
    assert!(matches!(file.cut(end), Err(LedgerError::Damaged(_))));
    let copy = dir.path().join("copy");
    file.copy(last - 1, &copy).expect("copied");
    assert_eq!(copy.metadata().expect("there").len(), last - 1);
    assert!(matches!(file.copy(end, &copy), Err(LedgerError::Damaged(_))));
}
