//! What no answer for a merchant key may hold.

use std::collections::BTreeSet;
use std::io::Cursor;

use bytes::Bytes;
use calamine::{Reader as _, Xlsx};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use serde_json::Value;

use super::world::{MERCHANTS, World, mark, prime};

/// Decides whether an answer for one merchant shows something of another.
pub(crate) struct Leaks {
    merchant: usize,
    /// Everything that the merchant's own messages say, in lower case, one behind the other.
    own: String,
    keys: BTreeSet<String>,
}

/// Members that hold amounts, wherever they stand.
const AMOUNTS: [&str; 18] = [
    "amount",
    "total",
    "supplied",
    "vat",
    "tax_free",
    "discount",
    "canceled_amount",
    "balance_amount",
    "gross",
    "fee",
    "payout",
    "payout_amount",
    "net_amount",
    "payment_amount",
    "cancellation_amount",
    "cancellations",
    "residual",
    "settled_gross",
];

const PROVIDERS_OWN: [&str; 3] = ["cost", "costs", "net_profit"];

impl Leaks {
    pub(crate) fn new(world: &World, merchant: usize) -> Self {
        let own: Vec<String> = world
            .data_of(merchant)
            .map(|data| data.to_string().to_lowercase())
            .collect();
        Leaks {
            merchant,
            own: own.join("\n"),
            keys: world.keys_of(merchant),
        }
    }

    /// Everything in the answer that is not the merchant's. `asked` is the request, address and body, percent-decoded: what it says
    /// itself may come back.
    pub(crate) fn of(&self, answer: &[u8], asked: &str) -> Vec<String> {
        let text = readable(answer);
        let mut out = self.strange_words(&text, &asked.to_lowercase());
        if let Ok(body) = serde_json::from_slice::<Value>(answer) {
            self.look("", &body, &mut out);
        } else {
            let header = text.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
            let columns: BTreeSet<&str> = header.split(',').map(|name| name.trim_matches('"')).collect();
            let shown = PROVIDERS_OWN.iter().filter(|name| columns.contains(**name));
            out.extend(shown.map(|name| format!("column {name}")));
            for line in text.lines() {
                let row = serde_json::from_str::<Value>(line);
                row.into_iter().for_each(|row| self.look("", &row, &mut out));
            }
        }
        out
    }

    /// Words with the mark of another merchant that neither the request nor the merchant's own messages hold.
    fn strange_words(&self, text: &str, asked: &str) -> Vec<String> {
        let text = text.to_lowercase();
        let mut out = Vec::new();
        for other in (0..MERCHANTS).filter(|other| *other != self.merchant) {
            for (at, mark) in text.match_indices(&mark(other)) {
                let inside = |c: &char| c.is_alphanumeric() || "-_.@".contains(*c);
                let before: String = text[..at].chars().rev().take_while(inside).collect();
                let before: String = before.chars().rev().collect();
                let after: String = text[at + mark.len()..].chars().take_while(inside).collect();
                let word = format!("{before}{mark}{after}");
                let word = word.trim_matches(['-', '.']);
                let is_own = self.keys.contains(word) || self.own.contains(word);
                if !is_own && !asked.contains(word) {
                    out.push(format!("the word {word}"));
                }
            }
        }
        out
    }

    fn look(&self, name: &str, value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    if PROVIDERS_OWN.contains(&name.as_str()) {
                        out.push(format!("the member {name}"));
                    }
                    self.look(name, member, out);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.look(name, item, out)),
            Value::String(text) if AMOUNTS.contains(&name) => {
                let minor = text.replacen('.', "", 1).parse::<i128>();
                if minor.is_ok_and(|minor| minor % prime_of(self.merchant) != 0) {
                    out.push(format!("{name} {text}"));
                }
            }
            _ => {}
        }
    }
}

/// The answer as text: what a reader of its format sees, header and rows as CSV where the format is a binary one.
fn readable(answer: &[u8]) -> String {
    if answer.starts_with(PARQUET) {
        parquet_as_text(answer)
    } else if answer.starts_with(ZIP) {
        xlsx_as_text(answer)
    } else {
        String::from_utf8_lossy(answer).into_owned()
    }
}

const PARQUET: &[u8] = b"PAR1";
const ZIP: &[u8] = b"PK\x03\x04";

fn parquet_as_text(answer: &[u8]) -> String {
    let file = SerializedFileReader::new(Bytes::copy_from_slice(answer)).expect("a Parquet file");
    let columns = file.metadata().file_metadata().schema_descr().columns();
    let names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
    let mut out = names.join(",");
    for row in file.get_row_iter(None).expect("rows") {
        out += &format!("\n{}", row.expect("a row"));
    }
    out
}

fn xlsx_as_text(answer: &[u8]) -> String {
    let mut book = Xlsx::new(Cursor::new(answer)).expect("a workbook");
    let mut lines = Vec::new();
    for sheet in book.sheet_names() {
        for cells in book.worksheet_range(&sheet).expect("a sheet").rows() {
            let cells: Vec<String> = cells.iter().map(ToString::to_string).collect();
            lines.push(cells.join(","));
        }
    }
    lines.join("\n")
}

fn prime_of(merchant: usize) -> i128 {
    static PRIMES: std::sync::LazyLock<Vec<i128>> = std::sync::LazyLock::new(|| (0..MERCHANTS).map(prime).collect());
    PRIMES[merchant]
}
