//! What a measurement prints: tables, and one last line of JSON.

use serde_json::{Map, Value, json};

use crate::latency::Latencies;
use crate::machine;

/// Whether a bar is a least or a most.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bar {
    AtLeast(f64),
    AtMost(f64),
}

impl Bar {
    fn is_met(self, value: f64) -> bool {
        match self {
            Bar::AtLeast(least) => value >= least,
            Bar::AtMost(most) => value <= most,
        }
    }

    fn text(self) -> String {
        match self {
            Bar::AtLeast(least) => format!(">= {least}"),
            Bar::AtMost(most) => format!("<= {most}"),
        }
    }
}

struct Held {
    name: String,
    value: f64,
    unit: &'static str,
    bar: Bar,
}

struct Table {
    title: String,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// The result of one benchmark, in the order in which it is to be read.
pub(crate) struct Report {
    name: &'static str,
    tables: Vec<Table>,
    bars: Vec<Held>,
    members: Map<String, Value>,
    wrong: Vec<String>,
}

impl Report {
    pub(crate) fn new(name: &'static str) -> Self {
        Report {
            name,
            tables: Vec::new(),
            bars: Vec::new(),
            members: Map::new(),
            wrong: Vec::new(),
        }
    }

    pub(crate) fn table(&mut self, title: impl Into<String>, header: &[&str], rows: Vec<Vec<String>>) {
        self.tables.push(Table {
            title: title.into(),
            header: header.iter().map(|text| (*text).to_owned()).collect(),
            rows,
        });
    }

    /// A member of the last line.
    pub(crate) fn member(&mut self, name: &str, value: impl Into<Value>) {
        self.members.insert(name.to_owned(), value.into());
    }

    pub(crate) fn bar(&mut self, name: impl Into<String>, value: f64, unit: &'static str, bar: Bar) {
        self.bars.push(Held {
            name: name.into(),
            value,
            unit,
            bar,
        });
    }

    /// Something was answered wrongly, which no figure excuses.
    pub(crate) fn wrong(&mut self, what: impl Into<String>) {
        self.wrong.push(what.into());
    }

    /// Takes in another benchmark's report, as a part of this one.
    pub(crate) fn absorb(&mut self, part: Report) {
        let named = |name: &str| format!("{}: {name}", part.name);
        self.tables.extend(part.tables.into_iter().map(|table| Table {
            title: named(&table.title),
            ..table
        }));
        self.bars.extend(part.bars.into_iter().map(|held| Held {
            name: named(&held.name),
            ..held
        }));
        self.wrong.extend(part.wrong.iter().map(|what| named(what)));
        self.members.insert(part.name.to_owned(), part.members.into());
    }

    pub(crate) fn found_wrong(&self) -> bool {
        !self.wrong.is_empty()
    }

    #[expect(clippy::print_stdout, reason = "the result")]
    pub(crate) fn print(&self) {
        for table in &self.tables {
            println!("\n{}", table.title);
            print!("{}", aligned(&table.header, &table.rows));
        }
        if !self.bars.is_empty() {
            let rows = self.bars.iter().map(|held| {
                let met = if held.bar.is_met(held.value) { "met" } else { "missed" };
                let value = format!("{} {}", rounded(held.value), held.unit);
                vec![held.name.clone(), value, held.bar.text(), met.to_owned()]
            });
            println!("\nbars");
            print!("{}", aligned(&[], &rows.collect::<Vec<_>>()));
        }
        for what in &self.wrong {
            println!("\nWRONG: {what}");
        }
        println!("\n{}", self.json());
    }

    fn json(&self) -> Value {
        let bars = self.bars.iter().map(|held| {
            json!({
                "name": held.name,
                "value": number(held.value),
                "unit": held.unit,
                "bar": held.bar.text(),
                "met": held.bar.is_met(held.value),
            })
        });
        let mut all = Map::new();
        all.insert("bench".to_owned(), self.name.into());
        all.insert("bars".to_owned(), bars.collect::<Vec<_>>().into());
        all.extend(self.members.clone());
        all.insert("wrong".to_owned(), self.wrong.clone().into());
        all.insert("machine".to_owned(), machine::describe());
        all.insert("date".to_owned(), chrono::Utc::now().format("%F").to_string().into());
        let command: Vec<String> = std::env::args().skip(1).collect();
        all.insert(
            "command".to_owned(),
            format!("./run bench {}", command.join(" ")).into(),
        );
        all.into()
    }
}

/// The columns of a table of latencies, after those that name the row.
pub(crate) const LATENCY_COLUMNS: [&str; 4] = ["p50 ms", "p95 ms", "p99 ms", "max ms"];

pub(crate) fn latency_cells(latencies: &Latencies) -> impl Iterator<Item = String> {
    [50, 95, 99, 100]
        .map(|percent| rounded(latencies.percentile_ms(percent)))
        .into_iter()
}

/// Three significant digits or all before the point, whichever is more.
pub(crate) fn rounded(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// The rounded value as JSON has it.
pub(crate) fn number(value: f64) -> Value {
    rounded(value).parse::<f64>().map_or(Value::Null, Value::from)
}

pub(crate) fn mib(bytes: u64) -> String {
    format!("{:.0}", bytes as f64 / f64::from(1 << 20))
}

/// Columns under each other; the first one flush left, the others right.
fn aligned(header: &[String], rows: &[Vec<String>]) -> String {
    let all = || {
        (!header.is_empty())
            .then_some(header)
            .into_iter()
            .chain(rows.iter().map(Vec::as_slice))
    };
    let columns = all().map(<[String]>::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = all().filter_map(move |row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in all() {
        for (column, cell) in row.iter().enumerate() {
            let width = widths[column];
            let padded = if column == 0 {
                format!("  {cell:<width$}")
            } else {
                format!("  {cell:>width$}")
            };
            text.push_str(&padded);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_names_bench_and_bars() {
        let mut report = Report::new("ingest");
        report.bar("ingest", 41_000.4, "events/s", Bar::AtLeast(40_000.0));
        report.bar("page", 12.34, "ms", Bar::AtMost(10.0));
        report.member("events_per_second", number(41_000.4));
        let json = report.json();
        assert_eq!(json["bench"], "ingest");
        assert_eq!(
            json["bars"][0],
            json!({"name": "ingest", "value": 41_000.0, "unit": "events/s", "bar": ">= 40000", "met": true})
        );
        assert_eq!(json["bars"][1]["met"], false);
        assert_eq!(json["events_per_second"], 41_000.0);
        assert!(!report.found_wrong());
    }

    #[test]
    fn columns_are_aligned() {
        let rows = vec![
            vec!["가나".to_owned(), "1".to_owned()],
            vec!["b".to_owned(), "10".to_owned()],
        ];
        let header = vec!["x".to_owned(), "y".to_owned()];
        assert_eq!(aligned(&header, &rows), "  x    y\n  가나   1\n  b   10\n");
    }
}
