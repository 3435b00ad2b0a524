//! `check`: what the ledger would refuse, offline.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::decode::{decode, too_large};
use domain::position::Positions;
use domain::refusal::Refusal;
use projector::file::{FileSource, Progress};
use projector::source::{Budget, Content, Polled, RawMessage, Source};

use crate::cli::CheckArgs;
use crate::failure::Failure;

pub(crate) fn run(args: &CheckArgs) -> Result<ExitCode, Failure> {
    let mut refused = 0u64;
    let mut read = 0u64;
    let mut hint = "";
    for file in &args.files {
        let mut source = FileSource::open(file, &Positions::default(), &Arc::new(Progress::default()))?;
        let mut messages = Vec::new();
        loop {
            let until = Instant::now() + Duration::from_secs(1);
            let polled = source.poll(
                &Budget {
                    messages: 10_000,
                    bytes: 16 << 20,
                    until,
                },
                &mut messages,
            )?;
            for message in messages.drain(..) {
                read += 1;
                if let Some(reason) = reason(&message) {
                    refused += 1;
                    if is_opening(&message) {
                        hint = "; each line is one message: put an event that is printed over several lines into one (`jq -c .` does)";
                    }
                    say(&format!("{}:{}: {reason}", file.display(), message.position + 1))?;
                }
            }
            if polled == Polled::Ended {
                break;
            }
        }
    }
    if refused > 0 {
        return Err(Failure::Data(format!(
            "{refused} of {read} messages would be refused{hint}"
        )));
    }
    say(&format!("{read} messages, none would be refused"))?;
    Ok(ExitCode::SUCCESS)
}

/// Whether a line is the first of an event printed over several.
fn is_opening(message: &RawMessage) -> bool {
    matches!(&message.content, Content::Value { bytes, .. } if bytes.trim_ascii() == b"{")
}

fn reason(message: &RawMessage) -> Option<String> {
    match &message.content {
        Content::Null => None,
        Content::Oversize(_) => Some(told(&too_large())),
        Content::Value { bytes, .. } => {
            let refusal = decode(bytes, message.encoding().as_encoding()).err()?;
            Some(told(&refusal))
        }
    }
}

fn told(refusal: &Refusal) -> String {
    format!("{} {:?}: {}", refusal.code, refusal.pointer, refusal.detail)
}

fn say(line: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").map_err(|cause| Failure::usage(format!("standard output cannot be written: {cause}")))
}
