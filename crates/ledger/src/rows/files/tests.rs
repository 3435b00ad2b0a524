use super::*;

fn write(files: &RowFiles, seqs: impl Iterator<Item = u64>) {
    let row = |seq: u64| {
        let row = codec::encode(&Dossier::new(format!("p{seq}"))).expect("encoded");
        (seq, row.into())
    };
    files.put(seqs.map(row).collect()).expect("written");
}

#[test]
fn rows_written_by_a_program_without_a_list_are_found() {
    let dir = tempfile::tempdir().expect("a directory");
    let settings = RowSettings {
        cache_bytes: 1 << 20,
        rest: 0,
    };
    let head = |batch_no| Head {
        batch_no,
        ..Head::default()
    };
    let row = || codec::encode(&Dossier::new("p".to_owned())).expect("encoded");
    let listed = |files: &RowFiles| (0..4).map(|seq| files.loose.count(seq..seq + 1)).collect::<Vec<_>>();
    let files = RowFiles::open(dir.path(), settings).expect("opened");
    let rows = vec![(1, row().into()), (2, row().into())];
    files.commit(&head(1), rows).expect("committed");
    drop(files);
    let files = RowFiles::open(dir.path(), settings).expect("opened");
    assert_eq!(listed(&files), [0, 1, 1, 0], "as it was left");
    let mut batch = files.stored.database.batch();
    batch.remove(&files.stored.rows, 1_u64.to_be_bytes());
    batch.insert(&files.stored.rows, 3_u64.to_be_bytes(), row());
    batch.insert(&files.stored.packs, HEAD, postcard::to_stdvec(&head(2)).expect("bytes"));
    batch.commit().expect("written");
    drop(files);
    for _ in 0..2 {
        let files = RowFiles::open(dir.path(), settings).expect("opened");
        assert_eq!(listed(&files), [0, 0, 1, 1]);
    }
}

#[test]
fn a_packed_group_is_packed_anew_for_some_rows_and_not_for_one() {
    let dir = tempfile::tempdir().expect("a directory");
    let settings = RowSettings {
        cache_bytes: 1 << 20,
        rest: 0,
    };
    let files = RowFiles::open(dir.path(), settings).expect("opened");
    let loose = || files.loose.count(0..GROUP);
    write(&files, 0..2);
    assert!(files.pack_idle().expect("packed"), "a group that has no pack yet");
    assert_eq!(loose(), 0);
    for seq in 0..3 {
        write(&files, std::iter::once(seq));
        assert!(!files.pack_idle().expect("looked"), "{seq}");
    }
    assert_eq!(loose(), 3);
    write(&files, std::iter::once(3));
    assert!(files.pack_idle().expect("packed"));
    assert_eq!(loose(), 0);
    let pack = files
        .stored
        .packs
        .get(0_u64.to_be_bytes())
        .expect("read")
        .expect("there");
    let rows = Pack::opened(&pack).expect("opened").into_rows(0);
    assert_eq!(rows.map(|(seq, _)| seq).collect::<Vec<_>>(), [0, 1, 2, 3]);
}
