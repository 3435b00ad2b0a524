//! From the errors of the stores to what a client is told. No internal text goes out: the chain of causes is logged here,
//! once, and the problem has words of its own.

use ledger::LedgerError;
use lookup::LookupError;

use crate::problem::{Problem, kinds};

impl From<LookupError> for Problem {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Ledger(error) => of_ledger(error),
            LookupError::Search(error) => {
                log(&error, "the search index failed");
                let detail = "the search index cannot be read at the moment";
                Problem::new(&kinds::SEARCH_UNAVAILABLE, detail).retry_after(10)
            }
            LookupError::TotalTooSlow => Problem::new(
                &kinds::TIMED_OUT,
                "adding up the total took too long; narrow the filters, or leave total out",
            )
            .retry_after(5),
            LookupError::NoIndex => {
                let detail = "there is no search index at the moment; it is being made";
                Problem::new(&kinds::SEARCH_UNAVAILABLE, detail).retry_after(10)
            }
        }
    }
}

fn of_ledger(error: LedgerError) -> Problem {
    match error {
        LedgerError::ReportTooLarge { limit } => Problem::new(
            &kinds::REPORT_TOO_LARGE,
            format!(
                "the report has more than {limit} rows; take a shorter span, group by month instead of day, or filter by \
                 merchant_id, method or currency"
            ),
        ),
        LedgerError::Damaged(_) => {
            log(&error, "the ledger holds what was not written so");
            Problem::internal()
        }
        LedgerError::Locked(_)
        | LedgerError::Absent(_)
        | LedgerError::Foreign { .. }
        | LedgerError::Directory { .. }
        | LedgerError::Engine { .. }
        | LedgerError::Rows { .. }
        | LedgerError::Bodies { .. }
        | LedgerError::Thread(_) => {
            log(&error, "the ledger could not be read");
            Problem::new(&kinds::LEDGER_UNAVAILABLE, "the ledger could not be read").retry_after(1)
        }
    }
}

fn log(error: &dyn std::error::Error, what: &'static str) {
    let mut chain = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        chain.push_str(": ");
        chain.push_str(&inner.to_string());
        cause = inner.source();
    }
    tracing::error!(error = %chain, "{what}");
}
