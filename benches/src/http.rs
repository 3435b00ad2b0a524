//! Asking over HTTP with a key.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// Longer than any answer may take; what takes longer counts as failed.
const PATIENCE: Duration = Duration::from_secs(60);
const BODY_BYTES_MAX: u64 = 1 << 30;

/// One kept connection (or several, if it is shared by threads).
#[derive(Clone)]
pub(crate) struct Client {
    agent: ureq::Agent,
    base: String,
    authorization: String,
}

/// A request that can be sent again and again.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Get(String),
    Post(String, Value),
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Client {
    /// `base` is `http://host:port`.
    pub(crate) fn new(base: &str, key: &str) -> Self {
        Client {
            agent: agent(),
            base: base.to_owned(),
            authorization: format!("Bearer {key}"),
        }
    }

    /// The same key over connections of its own.
    pub(crate) fn apart(&self) -> Self {
        Client {
            agent: agent(),
            ..self.clone()
        }
    }

    pub(crate) fn send(&self, request: &Request) -> Result<Answer> {
        let mut response = match request {
            Request::Get(path) => self
                .agent
                .get(format!("{}{path}", self.base))
                .header("authorization", &self.authorization)
                .call()?,
            Request::Post(path, body) => self
                .agent
                .post(format!("{}{path}", self.base))
                .header("authorization", &self.authorization)
                .send_json(body)?,
        };
        let body = response.body_mut().with_config().limit(BODY_BYTES_MAX).read_to_vec()?;
        Ok(Answer {
            status: response.status().as_u16(),
            body,
        })
    }

    pub(crate) fn get(&self, path: &str) -> Result<Answer> {
        self.send(&Request::Get(path.to_owned()))
    }

    /// The body of an answer that must be 200.
    pub(crate) fn text(&self, path: &str) -> Result<String> {
        let answer = self.get(path).with_context(|| format!("asking {path}"))?;
        let text = String::from_utf8(answer.body).with_context(|| format!("the answer to {path}"))?;
        if answer.status != 200 {
            bail!("{path} was answered with {}: {text}", answer.status);
        }
        Ok(text)
    }

    pub(crate) fn json(&self, path: &str) -> Result<Value> {
        serde_json::from_str(&self.text(path)?).with_context(|| format!("the answer to {path}"))
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .build()
        .new_agent()
}

/// A path with parameters, percent-encoded.
pub(crate) fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    format!("{path}?{}", pairs.join("&"))
}

/// Percent-encodes everything that has a meaning in an address.
pub(crate) fn encoded(text: &str) -> String {
    let one = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(one).collect()
}
