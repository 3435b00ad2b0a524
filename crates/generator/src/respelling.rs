//! The same content in another spelling: what a second producer's JSON library might have written.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::life::Form;

/// Writes `data` anew into `out`. Canonically equal, but not one byte the same where it can be helped.
pub(crate) fn write(form: Form, version: u32, data: &[u8], out: &mut Vec<u8>) {
    let Ok(members) = serde_json::from_slice::<BTreeMap<&str, &RawValue>>(data) else {
        out.extend_from_slice(data);
        return;
    };
    let pointed = (form == Form::PointedVersion).then(|| format!("{version}.0"));
    out.extend_from_slice(b" { ");
    // By name, backwards: an order in which nobody writes them first.
    for (place, (name, value)) in members.iter().rev().enumerate() {
        out.extend_from_slice(if place == 0 { b"\"" } else { b",\t\"" });
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\" : ");
        match &pointed {
            Some(pointed) if *name == "version" => out.extend_from_slice(pointed.as_bytes()),
            _ => out.extend_from_slice(value.get().as_bytes()),
        }
    }
    out.extend_from_slice(b" }");
}
