//! Questions that try to get at other merchants' data: ids, cursors, filters and tokens of others, changed a little or not.

use serde_json::{Value, json};

use super::questions::{Facts, POINTERS, Question};
use crate::chance::Chance;
use crate::compare::encoded;

/// What was got hold of.
pub(crate) struct Loot {
    /// Of every merchant.
    pub(crate) facts: Vec<Facts>,
    /// Addresses of lists with the cursors that other keys were given for them.
    pub(crate) cursors: Vec<(String, String)>,
    /// Positions of the ledger.
    pub(crate) tokens: Vec<String>,
}

pub(crate) struct Mutator<'l> {
    loot: &'l Loot,
    chance: Chance,
}

const FIELDS: [&str; 12] = [
    "payment_key",
    "order_id",
    "cancellation_id",
    "settlement_id",
    "payout_id",
    "merchant_id",
    "email",
    "customer_name",
    "order_name",
    "reason",
    "transaction_key",
    "metadata.store",
];

impl<'l> Mutator<'l> {
    pub(crate) fn new(loot: &'l Loot, seed: u64) -> Self {
        Mutator {
            loot,
            chance: Chance::new(seed),
        }
    }

    /// A question for a key of `merchant`.
    pub(crate) fn question(&mut self, merchant: usize) -> Question {
        match self.chance.between(0, 9) {
            0 => self.by_path(merchant),
            1 => self.with_cursor(merchant),
            2 => self.with_token(merchant),
            3 | 4 => self.with_filters(merchant),
            5 | 6 => self.with_query(merchant),
            7 => self.looked_up(merchant),
            8 => self.report(merchant),
            _ => self.beyond_its_role(merchant),
        }
    }

    fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.chance.between(0, of.len() - 1)]
    }

    /// A value of another merchant, of one kind.
    fn stolen_from(&mut self, merchant: usize, pointer: &str) -> String {
        let count = self.loot.facts.len();
        let other = (merchant + self.chance.between(1, count - 1)) % count;
        let values = self.loot.facts[other].found.get(pointer).map_or(&[][..], Vec::as_slice);
        match values {
            [] => self.loot.facts[other].merchant.clone(),
            values => values[self.chance.between(0, values.len() - 1)].clone(),
        }
    }

    fn stolen(&mut self, merchant: usize) -> String {
        let pointer = self.pick(&POINTERS);
        self.stolen_from(merchant, pointer)
    }

    fn other(&mut self, merchant: usize) -> String {
        let count = self.loot.facts.len();
        let other = (merchant + self.chance.between(1, count - 1)) % count;
        self.loot.facts[other].merchant.clone()
    }

    /// The text, or something like it.
    fn mutated(&mut self, text: &str) -> String {
        let chars: Vec<char> = text.chars().collect();
        let at = self.chance.between(0, chars.len().saturating_sub(1));
        match self.chance.between(0, 13) {
            0 => text.to_uppercase(),
            1 => chars[..at].iter().collect(),
            2 => chars[at..].iter().collect(),
            3 => format!(
                "{text}{}",
                self.pick(&["%00", "\u{0}", " ", "/", "/..", "*", "\"", "\n", "'--", "\u{200b}"])
            ),
            4 => text.replace('-', ""),
            5 => text.replace('-', " "),
            6 => text
                .chars()
                .map(|c| if c.is_ascii_graphic() { wide(c) } else { c })
                .collect(),
            7 => format!("{}{text}", self.pick(&["../", "/", " ", "-", "(", "\\"])),
            8 => {
                let mut chars = chars;
                if let Some(c) = chars.get_mut(at) {
                    *c = char::from(b'0' + (self.chance.between(0, 74) as u8));
                }
                chars.into_iter().collect()
            }
            9 => encoded(text),
            _ => text.to_owned(),
        }
    }

    fn ask(&self, path: &str, pairs: &[(&str, String)]) -> Question {
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        let mark = if pairs.is_empty() { "" } else { "?" };
        Question {
            method: "GET",
            address: format!("{path}{mark}{}", pairs.join("&")),
            body: None,
            headers: Vec::new(),
            about: (path.to_owned(), "cursor".to_owned()),
        }
    }

    fn by_path(&mut self, merchant: usize) -> Question {
        let pointer = self.pick(&["/payment_key", "/payment_key", "/payout_id", "/order_id"]);
        let stolen = self.stolen_from(merchant, pointer);
        let id = encoded(&self.mutated(&stolen));
        let path = match self.chance.between(0, 3) {
            0 => format!("/v1/payments/{id}"),
            1 => format!("/v1/payments/{id}/timeline"),
            2 => format!("/v1/reports/payouts/{id}"),
            _ => format!("/v1/payments/{id}%2Ftimeline"),
        };
        self.ask(&path, &[])
    }

    /// A list with the place of another key's page, whole or changed.
    fn with_cursor(&mut self, merchant: usize) -> Question {
        let at = self.chance.between(0, self.loot.cursors.len() - 1);
        let (address, cursor) = &self.loot.cursors[at];
        let cursor = if self.chance.percent(50) {
            self.mutated(cursor)
        } else {
            cursor.clone()
        };
        let other = self.other(merchant);
        let mut pairs = vec![("cursor", cursor)];
        if self.chance.percent(30) {
            pairs.push(("merchant_id", other));
        }
        if address.contains('?') {
            let mut question = self.ask("", &pairs);
            question.address = format!("{address}&{}", &question.address[1..]);
            return question;
        }
        self.ask(address, &pairs)
    }

    fn with_token(&mut self, merchant: usize) -> Question {
        let path = self.pick(&["/v1/payments", "/v1/entries", "/v1/search/fields", "/v1/search/suggest"]);
        let stolen = self.stolen(merchant);
        let at = self.chance.between(0, self.loot.tokens.len() - 1);
        let token = self.loot.tokens[at].clone();
        let (one, two, three) = (self.mutated(&token), self.mutated(&stolen), self.chance.between(0, 3));
        let offset = self.chance.between(0, 3000);
        let mut question = match three {
            0 => self.ask(path, &[("wait_for", format!("event:{two}"))]),
            1 => self.ask(path, &[("wait_for", format!("payments/0@{offset}"))]),
            2 => self.ask(path, &[("wait_for", two)]),
            _ => self.ask(path, &[]),
        };
        if three == 3 {
            let plain: String = one.chars().filter(char::is_ascii_graphic).collect();
            question.headers.push(("ledger-min-as-of".to_owned(), plain));
        }
        question
    }

    fn with_filters(&mut self, merchant: usize) -> Question {
        let path = self.pick(&["/v1/payments", "/v1/payments/search", "/v1/entries"]);
        let mut pairs: Vec<(&str, String)> = Vec::new();
        for _ in 0..self.chance.between(1, 3) {
            let name = self.pick(&[
                "merchant_id",
                "merchant_id",
                "payout_id",
                "order_id",
                "amount",
                "amount[gte]",
                "sold_on[lte]",
                "flag",
                "status",
                "merchant_id[gte]",
                "payment_key",
            ]);
            let value = match name {
                "merchant_id" | "merchant_id[gte]" => self.other(merchant),
                "payout_id" => self.stolen_from(merchant, "/payout_id"),
                "amount" => self.stolen_from(merchant, "/amount/total"),
                "amount[gte]" => "-1".to_owned(),
                "sold_on[lte]" => self.stolen_from(merchant, "/sold_on"),
                "flag" => self.pick(&["quarantined", "conflict", "awaiting_payment"]).to_owned(),
                "status" => self.pick(&["DONE", "UNKNOWN", "PAID"]).to_owned(),
                _ => self.stolen(merchant),
            };
            let value = if self.chance.percent(20) {
                self.mutated(&value)
            } else {
                value
            };
            pairs.push((name, value));
        }
        if self.chance.percent(50) {
            pairs.push(("total", "true".to_owned()));
        }
        self.ask(path, &pairs)
    }

    fn clause(&mut self, merchant: usize) -> String {
        let stolen = self.stolen(merchant);
        let value = if self.chance.percent(40) {
            self.mutated(&stolen)
        } else {
            stolen
        };
        let quoted = format!("\"{}\"", value.replace(['"', '\\'], ""));
        let field = self.pick(&FIELDS);
        let merchant = self.other(merchant);
        match self.chance.between(0, 9) {
            0 => format!("merchant_id:{merchant}"),
            1 => format!("-merchant_id:{merchant}"),
            2 => format!("NOT ({field}:{quoted} OR merchant_id:{merchant})"),
            3 => format!("({quoted} OR -{quoted})"),
            4 | 5 => format!("{field}:{quoted}"),
            6 => format!(
                "{}*",
                value
                    .chars()
                    .filter(char::is_ascii_alphanumeric)
                    .take(12)
                    .collect::<String>()
            ),
            7 => value,
            _ => quoted,
        }
    }

    fn with_query(&mut self, merchant: usize) -> Question {
        let clauses: Vec<String> = (0..self.chance.between(1, 3)).map(|_| self.clause(merchant)).collect();
        let q = clauses.join(self.pick(&[" OR ", " ", " OR NOT "]));
        match self.chance.between(0, 4) {
            0 => self.ask("/v1/search/suggest", &[("q", q)]),
            1 => self.ask("/v1/payments", &[("q", q)]),
            2 => self.ask("/v1/payments/search", &[("q", q), ("total", "true".to_owned())]),
            _ => {
                let body = json!({"q": q, "limit": 100, "merchant_id": [self.other(merchant), self.loot.facts[merchant].merchant]});
                self.posted("/v1/payments/search", body)
            }
        }
    }

    fn posted(&self, path: &str, body: Value) -> Question {
        Question {
            method: "POST",
            body: Some(body),
            ..self.ask(path, &[])
        }
    }

    fn looked_up(&mut self, merchant: usize) -> Question {
        let ids: Vec<String> = (0..self.chance.between(1, 20))
            .map(|_| {
                let stolen = self.stolen(merchant);
                self.mutated(&stolen)
            })
            .collect();
        self.posted("/v1/lookup", json!({"ids": ids}))
    }

    fn report(&mut self, merchant: usize) -> Question {
        let (path, basis) = match self.chance.between(0, 3) {
            0 => ("/v1/reports/sales", "event_day"),
            1 => ("/v1/reports/sales", "sale_day"),
            2 => ("/v1/reports/settlements", "sold_on"),
            _ => ("/v1/reports/settlements", "paid_out_on"),
        };
        let mut pairs = vec![
            ("basis", basis.to_owned()),
            ("from", "2020-01-01".to_owned()),
            ("to", "2030-01-01".to_owned()),
            (
                "group_by",
                self.pick(&["merchant", "method", "day,merchant", "month"]).to_owned(),
            ),
            ("source", self.pick(&["rollup", "ledger"]).to_owned()),
        ];
        for _ in 0..self.chance.between(0, 3) {
            let other = self.other(merchant);
            pairs.push(("merchant_id", self.mutated(&other)));
        }
        self.ask(path, &pairs)
    }

    fn beyond_its_role(&mut self, merchant: usize) -> Question {
        let stolen = self.stolen_from(merchant, "/payment_key");
        let key = encoded(&stolen);
        match self.chance.between(0, 5) {
            0 => self.ask("/v1/quarantine", &[("payment_key", stolen)]),
            1 => self.ask("/v1/ingest/events/cross-1", &[]),
            2 => self.ask(&format!("/v1/payments/{key}"), &[("unmask", "curious".to_owned())]),
            3 => self.ask("/v1/quarantine/1", &[]),
            4 => self.posted("/v1/quarantine/replay", json!({})),
            _ => self.ask("/v1/ingest/status", &[]),
        }
    }
}

fn wide(c: char) -> char {
    char::from_u32(u32::from(c) - 0x20 + 0xff00).unwrap_or(c)
}
