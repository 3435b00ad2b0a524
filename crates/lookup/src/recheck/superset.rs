//! The index's one duty: what satisfies a filter also satisfies the filter's term query. If this ever fails, a search
//! misses a payment and no later step can bring it back.

use domain::derive::Payment;
use domain::dossier::Dossier;
use domain::scope::Scope;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use query::{Filter, IdentField, KeywordField, TextField, Word, fold, ident};
use search::{term_query, terms};
use serde_json::{Value, json};

use super::fixtures::{self, cancellation, dossier, instant, object, settlement};
use super::satisfies;

/// Widths, cases, compositions, scripts, characters outside the basic plane, and texts too long for one term.
fn texts() -> Vec<String> {
    let long = "가나다라".repeat(45);
    let other_long = format!("{}마", "가나다라".repeat(45));
    let short = [
        "스타  커피\t원두",
        "ﾜｲﾔﾚｽ ﾏｳｽ",
        "ワイヤレスマウス",
        "Straße",
        "STRASSE",
        "Cafe\u{301} Crème",
        "Ｆｕｌｌ Ｗｉｄｔｈ",
        "ΐΐ",
        "ﬁne",
        "\u{1112}\u{1161}\u{11AB}글",
        "𠮷野家",
        "a b",
        "ORD-2026-0042",
        "ord 20260042",
        "ORD-2026-0043",
        "4242",
        "0005",
        "kim@example.com",
        "A.B-c@Example.COM",
        "010-1234-5678",
        "t\u{AD}x9001",
        "s7",
        "ß",
        "\u{FDFA}",
    ];
    short.into_iter().map(str::to_owned).chain([long, other_long]).collect()
}

const MERCHANTS: [&str; 3] = ["m1", "m2", "m_ny"];
const KEYS: [&str; 3] = ["store", "gift wrap", "a\u{1F}b"];
const CHANNELS: [&str; 4] = ["API", "CONSOLE", "ISSUER", "SYSTEM"];

fn text() -> impl Strategy<Value = Value> {
    select(texts()).prop_map(Value::from)
}

/// A text, or nothing.
fn maybe() -> impl Strategy<Value = Value> {
    prop_oneof![2 => text(), 3 => Just(Value::Null)]
}

fn metadata() -> impl Strategy<Value = Value> {
    let pair = |key: &'static str| maybe().prop_map(move |value| (key, value));
    (pair(KEYS[0]), pair(KEYS[1]), pair(KEYS[2])).prop_map(|(a, b, c)| object([a, b, c]))
}

fn deleted() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.15)
}

prop_compose! {
    fn payment()(
        own in (text(), select(MERCHANTS.to_vec()), deleted(), maybe(), maybe(), maybe()),
        customer in (maybe(), maybe(), maybe()),
        card in (maybe(), select(vec![json!("4242"), json!("0005"), Value::Null]), maybe()),
        account in (maybe(), maybe(), maybe()),
        others in (maybe(), maybe(), maybe(), metadata()),
    ) -> Value {
        fixtures::payment(json!({
            "order_id": own.0, "merchant_id": own.1, "deleted": own.2, "order_name": own.3, "transaction_key": own.4,
            "failure": object([("message", own.5)]),
            "customer": object([("name", customer.0), ("email", customer.1), ("phone", customer.2)]),
            "card": object([("issuer", card.0), ("last4", card.1), ("approve_no", card.2)]),
            "virtual_account": object([("bank", account.0), ("account_number", account.1), ("depositor", account.2)]),
            "easy_pay": object([("provider", others.0)]), "transfer": object([("bank", others.1)]),
            "gift_certificate": object([("issuer", others.2)]), "metadata": others.3,
        }))
    }
}

prop_compose! {
    fn one_cancellation()(
        id in select(texts()), merchant in select(MERCHANTS.to_vec()), deleted in deleted(), reason in maybe(), code in maybe(),
        channel in select(CHANNELS.to_vec()), metadata in metadata(),
    ) -> Value {
        cancellation(&id, json!({
            "merchant_id": merchant, "deleted": deleted, "reason": reason, "reason_code": code,
            "requested_by": {"channel": channel}, "metadata": metadata,
        }))
    }
}

prop_compose! {
    fn one_settlement()(
        id in select(texts()), merchant in select(MERCHANTS.to_vec()), deleted in deleted(), payout in maybe(), of in maybe(),
        metadata in metadata(),
    ) -> Value {
        let of_cancellation = object([
            ("of", if of.is_null() { json!("PAYMENT") } else { json!("CANCELLATION") }),
            ("cancellation_id", of),
            ("amount", json!("0")),
            ("payout_amount", json!("0")),
        ]);
        let more = json!({"merchant_id": merchant, "deleted": deleted, "payout_id": payout, "metadata": metadata});
        settlement(&id, fixtures::with(of_cancellation, more))
    }
}

fn any_dossier() -> impl Strategy<Value = Dossier> {
    let payment = prop::option::weighted(0.8, payment());
    let cancellations = prop::collection::vec(one_cancellation(), 0..3);
    let settlements = prop::collection::vec(one_settlement(), 0..3);
    (payment, cancellations, settlements).prop_map(|(payment, cancellations, settlements)| {
        let entries: Vec<Value> = payment.into_iter().chain(cancellations).chain(settlements).collect();
        dossier(&entries)
    })
}

/// Two characters or more out of a text in normal form.
fn needle() -> impl Strategy<Value = String> {
    (
        select(texts()),
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
    )
        .prop_map(|(text, from, length)| {
            let normal: Vec<char> = fold(&text).chars().collect();
            if normal.len() < 2 {
                return "zz".to_owned();
            }
            let from = from.index(normal.len() - 1);
            let length = 2 + length.index(normal.len() - from - 1);
            normal[from..from + length].iter().collect()
        })
}

/// An identifier in normal form, or its beginning.
fn identifier() -> impl Strategy<Value = (String, bool)> {
    (select(texts()), any::<prop::sample::Index>(), any::<bool>()).prop_map(|(text, length, prefix)| {
        let normal: Vec<char> = ident(&text).chars().collect();
        let length = if prefix {
            1 + length.index(normal.len())
        } else {
            normal.len()
        };
        (normal[..length].iter().collect(), prefix)
    })
}

fn word() -> impl Strategy<Value = Filter> {
    let written = prop_oneof![select(texts()), needle()];
    let whole = written.prop_map(|written| {
        let text = fold(&written);
        let last4 = (text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.clone());
        let ident = Some(ident(&text)).filter(|ident| !ident.is_empty());
        Filter::Word(Word {
            text,
            ident,
            last4,
            prefix: false,
        })
    });
    let beginning = identifier().prop_map(|(ident, _)| {
        Filter::Word(Word {
            text: ident.clone(),
            ident: Some(ident),
            last4: None,
            prefix: true,
        })
    });
    prop_oneof![whole, beginning]
}

fn keyword() -> impl Strategy<Value = Filter> {
    let fields = vec![
        KeywordField::MerchantId,
        KeywordField::Status,
        KeywordField::SettlementStatus,
        KeywordField::Method,
        KeywordField::Currency,
        KeywordField::Flag,
        KeywordField::Last4,
        KeywordField::Issuer,
        KeywordField::Provider,
        KeywordField::Bank,
        KeywordField::ReasonCode,
        KeywordField::Channel,
    ];
    let others = ["DONE", "UNKNOWN", "CARD", "USD", "NONE", "awaiting_payment"];
    let values: Vec<String> = others
        .into_iter()
        .chain(MERCHANTS)
        .chain(CHANNELS)
        .map(str::to_owned)
        .chain(texts())
        .collect();
    (select(fields), select(values)).prop_map(|(field, value)| Filter::Keyword { field, value })
}

fn leaf() -> impl Strategy<Value = Filter> {
    let ident = (select(IdentField::ALL.to_vec()), identifier()).prop_map(|(field, (value, prefix))| Filter::Ident {
        field,
        value,
        prefix,
    });
    let text = (select(TextField::ALL.to_vec()), needle()).prop_map(|(field, needle)| Filter::Text { field, needle });
    let pair = (select(KEYS.to_vec()), select(texts())).prop_map(|(key, value)| Filter::Metadata {
        key: key.to_owned(),
        value: fold(&value),
    });
    prop_oneof![3 => word(), 3 => ident, 2 => text, 2 => pair, 2 => keyword(), 1 => Just(Filter::All)]
}

fn any_filter() -> impl Strategy<Value = Filter> {
    leaf().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Filter::all_of),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Filter::any_of),
            inner.prop_map(|filter| !filter),
        ]
    })
}

fn any_scope() -> impl Strategy<Value = Scope> {
    let some = subsequence(MERCHANTS.to_vec(), 0..=3)
        .prop_map(|merchants| Scope::Merchants(merchants.into_iter().map(str::to_owned).collect()));
    prop_oneof![Just(Scope::All), some]
}

#[test]
fn whatever_satisfies_a_filter_satisfies_its_term_query() {
    let (mut satisfied, mut narrowed, mut refused) = (0, 0, 0);
    // The seed of this runner never changes.
    let mut runner = TestRunner::deterministic();
    let (dossiers, filters, scopes) = (any_dossier(), any_filter(), any_scope());
    for _ in 0..1_500 {
        let dossier = drawn(&dossiers, &mut runner);
        let of_dossier = terms(&dossier);
        for _ in 0..20 {
            let (filter, scope) = (drawn(&filters, &mut runner), drawn(&scopes, &mut runner));
            let query = term_query(&filter, &scope);
            let Some(payment) = Payment::derive(&dossier, &scope) else {
                continue;
            };
            let Some(terms) = &of_dossier else {
                panic!("a payment that is seen has a document: {dossier:?}")
            };
            let matches = query.matches(terms);
            if satisfies(&filter, &payment, instant("2026-05-01T00:00:00Z"), 7) {
                assert!(
                    matches,
                    "the index would miss\n{dossier:#?}\nfor {filter:?}\nas {scope:?}: {query:?}\n{terms:?}"
                );
                satisfied += 1;
                narrowed += usize::from(!query.is_all());
            } else {
                refused += usize::from(!matches);
            }
        }
    }
    // Without these the test could pass by never asking anything.
    assert!(
        satisfied > 3_000 && narrowed > 1_500 && refused > 3_000,
        "{satisfied} {narrowed} {refused}"
    );
}

fn drawn<S: Strategy>(strategy: &S, runner: &mut TestRunner) -> S::Value {
    strategy
        .new_tree(runner)
        .unwrap_or_else(|reason| panic!("{reason}"))
        .current()
}
