//! The same plan gives the same bytes, everywhere and always.

use generator::{Mix, Plan, Single, Stream};
use sha2::{Digest, Sha256};

use crate::{keep_all, messages, small};

fn digest(plan: Plan) -> String {
    let mut hasher = Sha256::new();
    for message in messages(plan) {
        hasher.update(&message.value);
        hasher.update(b"\n");
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Pinned: figures in documents and fixtures rest on these bytes. Whoever changes the stream changes these on purpose.
#[test]
fn streams_are_pinned() {
    let pinned = [
        (
            small(1_000),
            "9c3df7638618023c16783af56173d13eca28a7a8e72812b0be7b7390e89d7511",
        ),
        (
            Plan {
                mix: Mix::Lean,
                ..small(1_000)
            },
            "1b43907993665eaf8aa9b8c6d76bf2ce12ae5a7e89080fb36c847bc7d4a977e3",
        ),
        (
            small(1_000).hostile(),
            "9738de3d4ac5c5523fc8de10536f0c66579472e1e3abf89f83cfd39dc241d705",
        ),
    ];
    for (plan, digest_expected) in pinned {
        assert_eq!(digest(plan), digest_expected);
    }
}

#[test]
fn another_seed_is_another_stream() {
    let keys = |seed| {
        messages(Plan { seed, ..small(200) })
            .into_iter()
            .map(|message| message.key)
            .collect::<std::collections::BTreeSet<_>>()
    };
    assert!(keys(1).is_disjoint(&keys(2)));
}

#[test]
fn a_pause_changes_nothing() {
    let plan = small(1_000).hostile();
    let whole = messages(plan.clone());
    let mut stream = Stream::new(plan.clone()).unwrap();
    let mut parts = Vec::new();
    for days in [100, 500, 501] {
        stream.pause_before(Some(plan.start + chrono::Days::new(days)));
        parts.extend(keep_all(&mut stream));
        assert!(stream.peek_ms().is_none() && parts.len() < whole.len());
    }
    stream.pause_before(None);
    parts.extend(keep_all(&mut stream));
    assert!(
        whole
            .iter()
            .map(|message| &message.value)
            .eq(parts.iter().map(|message| &message.value))
    );
}

#[test]
fn a_stream_with_ground_truth_is_the_same_stream() {
    let plan = small(1_000).hostile();
    let with = keep_all(&mut Stream::with_expect(plan.clone()).unwrap());
    assert!(
        messages(plan)
            .iter()
            .map(|message| &message.value)
            .eq(with.iter().map(|message| &message.value))
    );
}

#[test]
fn a_payment_drawn_alone_has_the_bytes_that_it_has_in_the_stream() {
    let plan = small(300).hostile();
    let all = messages(plan.clone());
    let mut single = Single::new(plan.clone()).expect("a plan within its bounds");
    let mut alone: Vec<Vec<u8>> = (0..plan.payments)
        .flat_map(|number| single.messages(number))
        .map(|message| message.value)
        .collect();
    let mut streamed: Vec<Vec<u8>> = all.into_iter().map(|message| message.value).collect();
    alone.sort();
    streamed.sort();
    assert!(
        alone == streamed,
        "{} alone, {} in the stream",
        alone.len(),
        streamed.len()
    );
}
