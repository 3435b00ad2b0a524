//! Writes invented payments and asks for some of them: `cargo run --release -p search --example speed -- 1000000`.
//!
//! Each payment has what a usual one has: eight identifiers, an order name and a customer name, two metadata pairs. One in
//! ten documents of a batch replaces an older one.
#![allow(clippy::print_stdout, reason = "an example prints its figures")]

use std::error::Error;
use std::time::Instant;

use search::{Document, IndexWriter, Options, Order, TermQuery};

const BATCH: u64 = 50_000;
const NAMES: [&str; 8] = [
    "아메리카노 2잔",
    "카페라떼",
    "wireless mouse",
    "기계식 키보드",
    "ノートパソコン",
    "각설탕 3kg",
    "running shoes",
    "스타 커피 원두",
];

fn main() -> Result<(), Box<dyn Error>> {
    let count: u64 = std::env::args().nth(1).map_or(Ok(500_000), |text| text.parse())?;
    let dir = tempfile::tempdir()?;
    let mut writer = IndexWriter::create(dir.path(), "speed", &Options::default())?;
    let started = Instant::now();
    let mut written = 0_u64;
    for batch in 0..count.div_ceil(BATCH) {
        let batch_started = Instant::now();
        for seq in batch * BATCH..(batch * BATCH + BATCH).min(count) {
            writer.upsert(&payment(seq, 0, count))?;
            written += 1;
            if seq % 10 == 0 && seq > BATCH {
                writer.upsert(&payment(mixed(seq) % seq, 1, count))?;
                written += 1;
            }
        }
        let added = batch_started.elapsed();
        writer.commit(batch + 1)?;
        println!(
            "batch {batch}: added {added:?}, with commit {:?}",
            batch_started.elapsed()
        );
    }
    let micros = started.elapsed().as_micros() / u128::from(written.max(1));
    let reader = writer.reader();
    let snapshot = reader.snapshot();
    println!(
        "{written} documents, {micros} µs each; {} segments, {} bytes a payment",
        snapshot.segment_count(),
        reader.bytes_on_disk()? / count
    );
    for (name, query) in questions(count) {
        let started = Instant::now();
        let mut walk = reader
            .snapshot()
            .walk(&query, Order::NewestFirst, &search::Within::ever());
        let hits = walk.next_hours(21)?.unwrap_or_default().len();
        println!(
            "{name}: {hits} hits of {} documents covered in {:?}",
            walk.documents_covered(),
            started.elapsed()
        );
    }
    drop(writer);
    Ok(())
}

fn payment(seq: u64, version: u64, count: u64) -> Document {
    let random = mixed(seq);
    let mut terms: Vec<String> = ["ipay", "ord2026", "itx", "is1x", "ipo2026", "iap", "i010"]
        .iter()
        .map(|class| format!("{class}{:010}", mixed(random ^ class.len() as u64) % 10_000_000_000))
        .collect();
    terms.push(format!("ic{seq}v{version}"));
    terms.push(format!("mm{}", random % 5_000));
    terms.push(format!("l{:04}", random % 10_000));
    terms.push(format!("kstore\u{1F}s{}", random % 300));
    let texts = [
        NAMES[(random % 8) as usize].to_owned(),
        format!("s{}", random % 300),
        name(random),
    ];
    for text in texts {
        let characters: Vec<char> = text.chars().collect();
        terms.extend(characters.windows(2).map(|pair| format!("g{}{}", pair[0], pair[1])));
    }
    // Three years, evenly.
    let minute = 28_200_000 + u32::try_from(seq * 1_576_800 / count).unwrap_or(0);
    let terms = terms.into_iter().collect();
    let when = search::When {
        minute,
        sale_day: search::SaleDay::Same,
    };
    Document { seq, when, terms }
}

fn name(random: u64) -> String {
    let syllable = |shift: u32| char::from_u32(0xAC00 + ((random >> shift) % 500) as u32 * 20).unwrap_or('김');
    [syllable(7), syllable(19), syllable(31)].iter().collect()
}

fn questions(count: u64) -> Vec<(&'static str, TermQuery)> {
    let term = |text: &str| TermQuery::Term(text.to_owned());
    let identifier = payment(count / 3, 0, count)
        .terms
        .iter()
        .find(|term| term.starts_with("ipay"))
        .unwrap_or_default()
        .to_owned();
    let both = |a: TermQuery, b: TermQuery| TermQuery::all_of([a, b]);
    vec![
        ("one identifier", TermQuery::Term(identifier)),
        ("a broad word", both(term("g아메"), term("g메리"))),
        ("a word of one merchant", both(term("mm17"), term("g아메"))),
        ("a rare pair", both(term("kstore\u{1F}s7"), term("l0007"))),
        ("everything", TermQuery::All),
        ("a narrow prefix", TermQuery::Prefix("ipay00012".to_owned())),
        ("a prefix of a thousandth", TermQuery::Prefix("ipay000".to_owned())),
        ("a prefix of a tenth", TermQuery::Prefix("ipay0".to_owned())),
        ("a prefix of all", TermQuery::Prefix("ipay".to_owned())),
        (
            "a thousand merchants",
            TermQuery::any_of((0..1_000).map(|merchant| TermQuery::Term(format!("mm{merchant}")))),
        ),
        (
            "a word of a thousand merchants",
            both(
                term("g마우"),
                TermQuery::any_of((0..1_000).map(|merchant| TermQuery::Term(format!("mm{merchant}")))),
            ),
        ),
    ]
}

/// A number that looks random (the finisher of `SplitMix64`).
fn mixed(seed: u64) -> u64 {
    let mut value = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}
