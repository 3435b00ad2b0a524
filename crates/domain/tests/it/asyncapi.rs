//! `schemas/asyncapi.yaml` against the fixtures and the decoder: its examples are messages as they are read.

use domain::decode::decode;
use domain::message::{Encoding, Message};
use serde_json::Value;

use crate::fixtures::{read, read_json, root};

fn document() -> Value {
    let text = read(&root().join("schemas/asyncapi.yaml"));
    serde_norway::from_slice(&text).expect("asyncapi.yaml is YAML")
}

/// The example of a message, read in the mode that its name says.
fn read_example(name: &str, example: &Value) -> Message {
    let value = serde_json::to_vec(&example["payload"]).expect("JSON");
    if !name.ends_with("Binary") {
        return decode(&value, Encoding::Structured).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
    }
    let headers: Vec<(&str, &[u8])> = example["headers"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.strip_prefix("ce_")?, value.as_str()?.as_bytes())))
        .collect();
    decode(&value, Encoding::Binary(&headers)).unwrap_or_else(|refusal| panic!("{name}: {refusal}"))
}

#[test]
fn examples_are_fixtures_and_are_accepted_in_both_modes() {
    let document = document();
    let messages = document["components"]["messages"].as_object().expect("messages");
    assert_eq!(messages.len(), 6, "three types in two modes");
    for (name, message) in messages {
        let example = &message["examples"][0];
        let file = format!(
            "fixtures/messages/valid/{}.json",
            example["name"].as_str().expect("a name")
        );
        let fixture = read_json(&root().join(file));
        let payload = if name.ends_with("Binary") {
            &fixture["data"]
        } else {
            &fixture
        };
        assert_eq!(&example["payload"], payload, "{name}");
        let read = read_example(name, example);
        let kind = fixture["type"].as_str().expect("a type");
        assert!(message["name"].as_str().expect("a name").starts_with(kind), "{name}");
        assert_eq!(kind, format!("{}.recorded.v1", read.record.kind().as_str()), "{name}");
    }
}

#[test]
fn channels_and_operations_have_every_message() {
    let document = document();
    for topic in ["payments", "cancellations", "settlements"] {
        let channel = &document["channels"][topic];
        assert_eq!(channel["address"], topic);
        assert_eq!(channel["messages"].as_object().expect("messages").len(), 2, "{topic}");
    }
    for (name, operation) in document["operations"].as_object().expect("operations") {
        assert_eq!(operation["action"], "receive", "{name}");
        for reference in operation["messages"].as_array().expect("messages") {
            let pointer = reference["$ref"].as_str().expect("a reference");
            assert!(document.pointer(&pointer[1..]).is_some(), "{pointer} leads nowhere");
        }
    }
}
