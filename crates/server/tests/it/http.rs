//! Asking a running server over HTTP with one kept connection.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::program::run;

/// A client with a key.
pub(crate) struct Client {
    agent: ureq::Agent,
    base: String,
    key: String,
}

/// A page of a list as it came.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
    has_more: bool,
    next_cursor: Option<String>,
}

impl Client {
    pub(crate) fn new(base: &str, key: &str) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        Client {
            agent: config.new_agent(),
            base: base.to_owned(),
            key: key.to_owned(),
        }
    }

    /// The same key at another address: a server that was started again has a port of its own.
    pub(crate) fn at(&self, base: &str) -> Self {
        Client {
            agent: self.agent.clone(),
            base: base.to_owned(),
            key: self.key.clone(),
        }
    }

    /// Status and body; an error where there is no answer at all.
    pub(crate) fn try_get(&self, address: &str) -> Result<(u16, Vec<u8>), ureq::Error> {
        let request = self.agent.get(format!("{}{address}", self.base));
        let mut response = request.header("authorization", format!("Bearer {}", self.key)).call()?;
        let body = response.body_mut().with_config().limit(1 << 30).read_to_vec()?;
        Ok((response.status().as_u16(), body))
    }

    #[track_caller]
    pub(crate) fn get(&self, address: &str) -> (u16, Vec<u8>) {
        self.try_get(address)
            .unwrap_or_else(|error| panic!("{address}: {error}"))
    }

    /// The body of an answer that must be 200.
    #[track_caller]
    pub(crate) fn ok(&self, address: &str) -> Vec<u8> {
        let (status, body) = self.get(address);
        assert_eq!(status, 200, "{address}: {}", String::from_utf8_lossy(&body));
        body
    }

    #[track_caller]
    pub(crate) fn json(&self, address: &str) -> Value {
        serde_json::from_slice(&self.ok(address)).unwrap_or_else(|error| panic!("{address}: {error}"))
    }

    /// The rows of a list as they came, page by page, until there are `rows_max` or no more. True: there are more.
    #[track_caller]
    pub(crate) fn rows(&self, address: &str, rows_max: usize) -> (Vec<Box<RawValue>>, bool) {
        let separator = if address.contains('?') { '&' } else { '?' };
        let base = format!("{address}{separator}limit=100");
        let (mut rows, mut next) = (Vec::new(), base.clone());
        loop {
            let body = self.ok(&next);
            let page: Page<'_> = serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{next}: {error}"));
            assert_eq!(page.has_more, page.next_cursor.is_some(), "{next}");
            rows.extend(page.data.into_iter().map(RawValue::to_owned));
            match page.next_cursor {
                Some(cursor) if rows.len() < rows_max => next = format!("{base}&cursor={}", encoded(&cursor)),
                more => return (rows, more.is_some()),
            }
        }
    }
}

/// Makes a key with the command.
#[track_caller]
pub(crate) fn make_key(data_dir: &Path, role: &str, merchants: &[&str]) -> String {
    let dir = data_dir.to_str().expect("a readable path");
    let mut args = vec!["keys", "create", "--data-dir", dir, "--role", role];
    merchants
        .iter()
        .for_each(|merchant| args.extend(["--merchant", merchant]));
    run(args).with_code(0).stdout.trim().to_owned()
}

/// Percent-encodes everything that has a meaning in an address.
pub(crate) fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let one = |byte: u8| {
        if plain(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(one).collect()
}

/// A path with parameters.
pub(crate) fn address(path: &str, parameters: &[(String, String)]) -> String {
    let pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    if pairs.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", pairs.join("&"))
    }
}

/// An answer without its last member, `as_of`: the only one that may differ when the same is asked again.
#[track_caller]
pub(crate) fn without_as_of(body: &[u8]) -> Vec<u8> {
    let marker = b",\"as_of\":{";
    let at = body.windows(marker.len()).rposition(|window| window == marker);
    let at = at.unwrap_or_else(|| panic!("no as_of: {}", String::from_utf8_lossy(body)));
    let rest = &body[at + marker.len()..];
    let end = rest.iter().position(|byte| *byte == b'}').expect("as_of ends");
    [&body[..at], &rest[end + 1..]].concat()
}
