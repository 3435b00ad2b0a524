use std::os::unix::fs::PermissionsExt as _;

use chrono::DateTime;

use super::*;

fn store() -> (tempfile::TempDir, KeyStore) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = KeyStore::open(dir.path().join("keys.json")).expect("no file is an empty store");
    (dir, store)
}

const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

#[test]
fn a_key_is_known_until_it_is_revoked() {
    let (_dir, store) = store();
    let new = store
        .create(Role::Merchant, &["m1".to_owned(), "m2".to_owned()], NOW)
        .expect("a key");
    assert!(new.key.starts_with("llk_") && new.key.len() == 47, "{}", new.key);
    let principal = store.authenticate(&new.key, NOW).expect("the key works");
    assert_eq!(
        principal.scope,
        Scope::Merchants(["m1".to_owned(), "m2".to_owned()].into())
    );
    assert!(!principal.sees_provider_figures());
    for wrong in ["", "llk_", &new.key[..46], &new.key.to_uppercase(), &new.key_id] {
        assert_eq!(store.authenticate(wrong, NOW), None, "{wrong}");
    }
    store.revoke(&new.key_id, NOW).expect("revoked");
    assert_eq!(store.authenticate(&new.key, NOW), None);
    assert!(matches!(store.revoke(&new.key_id, NOW), Err(KeyError::Revoked(_))));
    assert!(matches!(store.revoke("key_none", NOW), Err(KeyError::UnknownKey(_))));
    let listed = store.list().expect("the list");
    assert_eq!(
        listed.iter().map(|record| record.revoked_at).collect::<Vec<_>>(),
        [Some(NOW)]
    );
}

#[test]
fn a_rotated_key_keeps_its_rights_under_another_text() {
    let (_dir, store) = store();
    let old = store.create(Role::Merchant, &["m1".to_owned()], NOW).expect("a key");
    let new = store.rotate(&old.key_id, NOW, TimeDelta::zero()).expect("rotated");
    assert_eq!(store.authenticate(&old.key, NOW), None);
    let principal = store.authenticate(&new.key, NOW).expect("the new key works");
    assert_eq!(principal.scope, Scope::Merchants(["m1".to_owned()].into()));
    assert_ne!(principal.key_id, old.key_id);
}

#[test]
fn a_rotated_key_works_for_its_grace_and_no_longer() {
    let (_dir, store) = store();
    let old = store.create(Role::Finance, &[], NOW).expect("a key");
    let new = store.rotate(&old.key_id, NOW, TimeDelta::seconds(60)).expect("rotated");
    let later = |seconds| NOW + TimeDelta::seconds(seconds);
    for (seconds, works) in [(0, true), (59, true), (60, false)] {
        assert_eq!(
            store.authenticate(&old.key, later(seconds)).is_some(),
            works,
            "{seconds}"
        );
        assert!(store.authenticate(&new.key, later(seconds)).is_some());
    }
    // Revoking ends the grace; a second rotation never lengthens it.
    store
        .rotate(&old.key_id, NOW, TimeDelta::seconds(3600))
        .expect("it still works");
    assert!(store.authenticate(&old.key, later(60)).is_none());
    store.revoke(&old.key_id, NOW).expect("revoked");
    assert!(store.authenticate(&old.key, NOW).is_none());
    assert!(matches!(
        store.rotate(&old.key_id, later(61), TimeDelta::zero()),
        Err(KeyError::Revoked(_))
    ));
}

#[test]
fn role_and_merchants_go_together() {
    let (_dir, store) = store();
    let merchant = ["m1".to_owned()];
    assert!(matches!(
        store.create(Role::Merchant, &[], NOW),
        Err(KeyError::MerchantMissing)
    ));
    for role in [Role::Finance, Role::Operator, Role::Admin] {
        assert!(
            matches!(store.create(role, &merchant, NOW), Err(KeyError::MerchantNotAllowed(_))),
            "{role}"
        );
        let new = store.create(role, &[], NOW).expect("a key");
        assert_eq!(
            store.authenticate(&new.key, NOW).map(|principal| principal.scope),
            Some(Scope::All)
        );
    }
    for bad in [String::new(), "m".repeat(65)] {
        assert!(matches!(
            store.create(Role::Merchant, &[bad], NOW),
            Err(KeyError::BadMerchant(_))
        ));
    }
    assert!(store.create(Role::Merchant, &["점".repeat(64)], NOW).is_ok());
    assert!("Merchant".parse::<Role>().is_err());
}

#[test]
fn the_file_holds_no_key_and_is_its_owners_alone() {
    let (dir, store) = store();
    let new = store.create(Role::Finance, &[], NOW).expect("a key");
    let path = dir.path().join("keys.json");
    let text = std::fs::read_to_string(&path).expect("the file");
    assert!(!text.contains(&new.key[4..]), "the secret is in the file");
    assert_eq!(
        std::fs::metadata(&path).expect("the file").permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn what_another_process_wrote_is_taken_up() {
    let (dir, store) = store();
    let other = KeyStore::open(dir.path().join("keys.json")).expect("the same file");
    let new = other.create(Role::Finance, &[], NOW).expect("a key");
    // As if half a second had passed.
    let Some(before) = Instant::now().checked_sub(LOOKED_AT_EVERY) else {
        return;
    };
    *store.looked_at.lock() = before;
    assert!(store.authenticate(&new.key, NOW).is_some(), "a new key works");
    other.revoke(&new.key_id, NOW).expect("revoked");
    *store.looked_at.lock() = before;
    assert_eq!(store.authenticate(&new.key, NOW), None, "a revoked one does not");
}

#[test]
fn a_file_of_something_else_is_not_overwritten() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("keys.json");
    for content in [
        "",
        "[]",
        "{\"format\":2,\"keys\":[]}",
        "{\"format\":1,\"keys\":[],\"more\":1}",
    ] {
        std::fs::write(&path, content).expect("written");
        assert!(
            matches!(KeyStore::open(&path), Err(KeyError::Damaged { .. })),
            "{content}"
        );
    }
}
