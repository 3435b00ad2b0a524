//! Every fixture against the schemas and against the decoder: they agree, or `fixtures/differences.json` says why not.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use domain::decode::{code, decode, decode_body};
use domain::message::{Encoding, Message};
use domain::refusal::Refusal;
use jsonschema::{Registry, Validator};
use serde_json::Value;

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from("../..")
}

pub(crate) fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The messages of a folder by file name, without the line feed at their end.
fn messages(folder: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = root().join("fixtures/messages").join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut messages = BTreeMap::new();
    for entry in entries {
        let path = entry
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name != "expected.json" {
            let mut bytes = read(&path);
            assert_eq!(bytes.pop(), Some(b'\n'), "{name} ends with a line feed");
            assert!(
                !bytes.contains(&b'\n'),
                "{name} is one line, so that it can be sent as it is"
            );
            messages.insert(name, bytes);
        }
    }
    messages
}

fn judge(bytes: &[u8]) -> Result<Message, Refusal> {
    decode(bytes, Encoding::Structured)
}

fn schema_judge<T>(act: impl FnOnce(&Validator) -> T) -> T {
    let schemas = root().join("schemas");
    let mut registry = Registry::new();
    for kind in ["payment", "cancellation", "settlement"] {
        let schema = read_json(&schemas.join(format!("{kind}.recorded.v1.schema.json")));
        let id = schema["$id"].as_str().unwrap_or_default().to_owned();
        registry = registry
            .add(id, schema)
            .unwrap_or_else(|error| panic!("{kind}: {error}"));
    }
    let registry = registry.prepare().unwrap_or_else(|error| panic!("{error}"));
    let envelope = read_json(&schemas.join("envelope.schema.json"));
    let validator = jsonschema::draft202012::options()
        .with_registry(&registry)
        .offline()
        .build(&envelope);
    act(&validator.unwrap_or_else(|error| panic!("{error}")))
}

#[test]
fn the_schemas_are_json_schema_2020_12() {
    for name in [
        "envelope",
        "payment.recorded.v1",
        "cancellation.recorded.v1",
        "settlement.recorded.v1",
    ] {
        let schema = read_json(&root().join(format!("schemas/{name}.schema.json")));
        assert_eq!(
            schema["$schema"], "https://json-schema.org/draft/2020-12/schema",
            "{name}"
        );
        assert!(jsonschema::draft202012::meta::is_valid(&schema), "{name}");
    }
}

#[test]
fn valid_messages_are_accepted_and_read_back() {
    let messages = messages("valid");
    assert!(messages.len() >= 40, "{} valid messages", messages.len());
    for (name, bytes) in messages {
        let message = judge(&bytes).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        assert_eq!(
            decode_body(message.record.kind(), &message.body).as_ref(),
            Ok(&message.record),
            "{name}"
        );
    }
}

#[test]
fn invalid_messages_are_refused_with_their_code_and_pointer() {
    let expected = read_json(&root().join("fixtures/messages/invalid/expected.json"));
    let messages = messages("invalid");
    let listed: BTreeSet<&String> = expected
        .as_object()
        .into_iter()
        .flat_map(|files| files.keys())
        .collect();
    assert_eq!(
        listed,
        messages.keys().collect(),
        "expected.json lists exactly the files"
    );
    assert!(messages.len() >= 60, "{} invalid messages", messages.len());
    let mut wrong = Vec::new();
    for (name, bytes) in &messages {
        let expect = (expected[name]["code"].as_str(), expected[name]["pointer"].as_str());
        match judge(bytes) {
            Ok(_) => wrong.push(format!("{name}: accepted, expected {expect:?}")),
            Err(refusal) if (Some(refusal.code), Some(refusal.pointer.as_str())) != expect => {
                wrong.push(format!("{name}: {refusal}, expected {expect:?}"));
            }
            Err(refusal) => assert!(!refusal.detail.is_empty(), "{name} says what to change"),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_has_a_fixture_and_stands_in_the_guide() {
    let expected = read_json(&root().join("fixtures/messages/invalid/expected.json"));
    let used: BTreeSet<&str> = expected
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, expect)| expect["code"].as_str())
        .collect();
    let guide = String::from_utf8(read(&root().join("docs/producers.md"))).unwrap_or_default();
    for code in code::ALL {
        // A message over 1 MiB and a header are tested beside the decoder.
        assert!(
            used.contains(code) || [code::TOO_LARGE, code::BAD_HEADER].contains(code),
            "{code} has no fixture"
        );
        assert!(
            guide.contains(&format!("| `{code}` |")),
            "docs/producers.md does not explain {code}"
        );
    }
}

#[test]
fn schema_and_decoder_agree_or_the_difference_is_listed() {
    let mut found = BTreeMap::new();
    schema_judge(|schema| {
        for folder in ["valid", "invalid"] {
            for (name, bytes) in messages(folder) {
                // What no common JSON reader takes cannot be shown to a schema.
                let Ok(value) = serde_json::from_slice::<Value>(&bytes) else {
                    continue;
                };
                let word = |accepts: bool| if accepts { "accepts" } else { "refuses" };
                let verdicts = (word(schema.is_valid(&value)), word(judge(&bytes).is_ok()));
                if verdicts.0 != verdicts.1 {
                    found.insert(format!("{folder}/{name}"), verdicts);
                }
            }
        }
    });
    let differences = read_json(&root().join("fixtures/differences.json"));
    let listed: BTreeMap<String, (&str, &str)> = differences
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, entry)| {
            assert!(
                entry["reason"].as_str().is_some_and(|reason| !reason.is_empty()),
                "{name} has a reason"
            );
            let word = |by: &str| entry[by].as_str().unwrap_or_default();
            (name.clone(), (word("schema"), word("decoder")))
        })
        .collect();
    assert_eq!(listed, found);
}
