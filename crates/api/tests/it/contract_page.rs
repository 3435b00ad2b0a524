//! `docs/contract.md` against the contract and the tests that it names.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::openapi::{followed, object, operations};

const PAGE: &str = include_str!("../../../../docs/contract.md");

/// Where a route has no parameter of this name: the row is about the route itself.
const ITSELF: &str = "–";

/// The cells of every row under a heading that ends with `shown by`.
fn rows() -> Vec<Vec<&'static str>> {
    let (mut out, mut inside) = (Vec::new(), false);
    for line in PAGE.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        inside = line.starts_with('|') && (inside || cells.last() == Some(&"shown by"));
        if inside && cells.last() != Some(&"shown by") && !line.starts_with("|-") {
            out.push(cells);
        }
    }
    out
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}

/// Routes with their parameters: in the path, the address, headers and the body.
fn written() -> BTreeSet<(String, String)> {
    let mut out = BTreeSet::new();
    for (method, path, operation) in operations() {
        let route = format!("{method} {path}");
        let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
        let named = parameters.iter().map(|parameter| &followed(parameter)["name"]);
        out.extend(named.map(|name| (route.clone(), name.as_str().expect("a name").to_owned())));
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if let Value::Object(_) = schema {
            let members = object(&followed(schema)["properties"]).keys();
            out.extend(members.map(|name| (route.clone(), name.clone())));
        }
        out.insert((route, ITSELF.to_owned()));
    }
    out
}

#[test]
fn the_contract_page_is_complete() {
    let mut found = BTreeSet::new();
    for cells in rows().into_iter().filter(|cells| cells.len() == 3) {
        let names: Vec<String> = match cells[1] {
            ITSELF => vec![ITSELF.to_owned()],
            names => quoted(names).collect(),
        };
        for route in quoted(cells[0]) {
            found.extend(names.iter().map(|name| (route.clone(), name.clone())));
        }
    }
    let written = written();
    let missing: Vec<_> = written.difference(&found).collect();
    let strange: Vec<_> = found.difference(&written).collect();
    assert!(
        missing.is_empty() && strange.is_empty(),
        "docs/contract.md: add a row with a test for {missing:?}; take out {strange:?}"
    );
}

/// Every file of Rust in the workspace, as one text.
fn sources() -> String {
    fn gather(dir: &Path, out: &mut String) {
        for entry in fs::read_dir(dir).expect("a directory of the workspace") {
            let path: PathBuf = entry.expect("an entry").path();
            if path.is_dir() {
                gather(&path, out);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                out.push_str(&fs::read_to_string(&path).expect("a source file"));
            }
        }
    }
    let mut out = String::new();
    gather(Path::new(".."), &mut out);
    out
}

#[test]
fn every_test_that_the_contract_page_names_exists() {
    let sources = sources();
    let mut named = 0;
    for cells in rows() {
        let tests: Vec<String> = cells.last().into_iter().flat_map(|cell| quoted(cell)).collect();
        assert!(!tests.is_empty(), "no test in {cells:?}");
        for test in tests {
            assert!(sources.contains(&format!("fn {test}()")), "there is no test {test}");
            named += 1;
        }
    }
    assert!(named > 150, "only {named} tests are named");
}
