//! Which crate may use which: ARCHITECTURE.md's table, held against the manifests; and the tidiness that a reader relies on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

/// Each crate and the crates of this workspace that it may use.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("query", &[]),
    ("generator", &[]),
    ("timeslice", &[]),
    ("ledger", &["domain", "query"]),
    ("search", &["domain", "query"]),
    ("projector", &["domain", "ledger", "search"]),
    ("lookup", &["domain", "query", "ledger", "search"]),
    ("api", &["domain", "query", "ledger", "lookup"]),
    (
        "server",
        &[
            "api",
            "domain",
            "generator",
            "ledger",
            "lookup",
            "projector",
            "query",
            "search",
            "timeslice",
        ],
    ),
];

/// Each foreign engine and the crates that may name it. `server` and `generator` run Kafka's own producer and broker.
const ENGINES: &[(&str, &[&str])] = &[
    ("duckdb", &["ledger"]),
    ("fjall", &["ledger"]),
    ("tantivy", &["search"]),
    ("rdkafka", &["projector", "generator", "server", "testkit"]),
    ("axum", &["api", "server"]),
];

/// Files beyond this many lines must be split.
const LINES_MAX: usize = 400;

fn root() -> PathBuf {
    PathBuf::from("../..")
}

/// The dependencies that a crate ships with.
fn dependencies(name: &str) -> BTreeSet<String> {
    let manifest = root().join("crates").join(name).join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap_or_else(|error| panic!("{}: {error}", manifest.display()));
    let manifest: toml::Table = text.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
    let table = manifest
        .get("dependencies")
        .and_then(toml::Value::as_table)
        .cloned()
        .unwrap_or_default();
    table.keys().cloned().collect()
}

fn crates() -> BTreeSet<String> {
    let folder = fs::read_dir(root().join("crates")).unwrap_or_else(|error| panic!("{error}"));
    folder
        .filter_map(Result::ok)
        .map(|item| item.file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn crates_use_what_the_architecture_allows() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> = ARROWS
        .iter()
        .map(|(name, may)| (*name, may.iter().copied().collect()))
        .collect();
    let all = crates();
    for name in &all {
        let Some(may) = allowed.get(name.as_str()) else {
            assert_eq!(
                name, "testkit",
                "{name} is not in the table of ARCHITECTURE.md and in ARROWS"
            );
            continue;
        };
        for used in dependencies(name).iter().filter(|used| all.contains(*used)) {
            assert!(
                may.contains(used.as_str()),
                "{name} must not use {used}: see the code map in ARCHITECTURE.md"
            );
        }
    }
}

#[test]
fn engines_stay_in_their_crates() {
    for name in crates() {
        let used = dependencies(&name);
        for (engine, owners) in ENGINES {
            let owner = owners.contains(&name.as_str());
            assert!(
                owner || !used.contains(*engine),
                "{name} must not use {engine}; it belongs to {owners:?}"
            );
        }
    }
}

#[test]
fn the_architecture_lists_every_crate() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap_or_default();
    for name in crates() {
        assert!(
            text.contains(&format!("| `{name}` |")),
            "ARCHITECTURE.md's code map lacks {name}"
        );
    }
}

#[test]
fn files_stay_small() {
    let mut folders = vec![root().join("crates")];
    let mut large = Vec::new();
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{error}"))
            .filter_map(Result::ok)
        {
            let path = item.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let lines = fs::read_to_string(&path).unwrap_or_default().lines().count();
                let name = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
                if lines > LINES_MAX {
                    large.push(format!("{name}: {lines} lines, {LINES_MAX} allowed"));
                }
            }
        }
    }
    assert!(large.is_empty(), "is there a seam?\n{}", large.join("\n"));
}
