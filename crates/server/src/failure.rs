//! Why a command ended: one sentence for its user, and the exit code.

use ledger::LedgerError;
use projector::error::SourceError;
use projector::pipeline::PipelineError;
use search::SearchError;

/// The exit codes 1, 2, 3 and 130 as situations.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something is wrong with the data.
    Data(String),
    /// The command was used wrongly, or what it needs is not there.
    Use(String),
    /// The store cannot be used: locked, corrupt, full.
    Store(String),
    /// Ended by a signal before it was done; 130 is what shells call that.
    Interrupted(String),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Failure::Data(_) => 1,
            Failure::Use(_) => 2,
            Failure::Store(_) => 3,
            Failure::Interrupted(_) => 130,
        }
    }

    /// Prints the sentence on standard error.
    #[expect(clippy::print_stderr, reason = "the one place where a command says why it ended")]
    pub(crate) fn report(&self) {
        eprintln!("ledgerlens: {}", self.sentence());
    }

    /// What is said to the user.
    pub(crate) fn sentence(&self) -> &str {
        match self {
            Failure::Data(sentence)
            | Failure::Use(sentence)
            | Failure::Store(sentence)
            | Failure::Interrupted(sentence) => sentence,
        }
    }

    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Failure::Use(sentence.into())
    }
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string().replace('\n', " ");
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        let way_out = match &error {
            LedgerError::Locked(_) => "; stop that process, or give another --data-dir",
            LedgerError::Absent(_) => {
                "; check --data-dir: `serve`, `backfill` and `keys create` make a store, nothing else does"
            }
            LedgerError::Foreign { .. } => "; give an empty or a new directory with --data-dir",
            LedgerError::Directory { .. } => "; check its owner, its rights and the space on its disk",
            LedgerError::Engine { .. } | LedgerError::Rows { .. } | LedgerError::Bodies { .. } => {
                "; check the disk's space and health, then start again"
            }
            LedgerError::Thread(_) => "; allow this user more threads (`ulimit -u`)",
            LedgerError::Damaged(_) => "; restore a backup",
            LedgerError::ReportTooLarge { .. } => "",
        };
        Failure::Store(format!("{}{way_out}", chain(&error)))
    }
}

impl From<SearchError> for Failure {
    fn from(error: SearchError) -> Self {
        Failure::Store(format!(
            "{}; `ledgerlens rebuild-index` makes the index again",
            chain(&error)
        ))
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let sentence = chain(&error);
        match error {
            SourceError::Unreachable { .. } => Failure::Use(format!("{sentence}; start the broker or correct --kafka")),
            SourceError::Option { .. } | SourceError::Client { .. } => Failure::Use(sentence),
            SourceError::Open { .. } => Failure::Use(sentence),
            SourceError::Broken { .. } | SourceError::Read { .. } | SourceError::Changed { .. } => {
                Failure::Data(sentence)
            }
        }
    }
}

impl From<PipelineError> for Failure {
    fn from(error: PipelineError) -> Self {
        match error {
            PipelineError::Ledger(error) => error.into(),
            PipelineError::Search(error) => error.into(),
            PipelineError::Source(error) => error.into(),
            PipelineError::IndexDiffers { .. } => Failure::Data(format!(
                "{}; the index in use is unchanged; run `ledgerlens verify`",
                chain(&error)
            )),
            PipelineError::IndexEnded
            | PipelineError::IndexNotCommitted
            | PipelineError::IndexDistrusted
            | PipelineError::RowsDamaged
            | PipelineError::Thread(_) => Failure::Store(chain(&error)),
        }
    }
}

/// Threads that the operating system does not give.
pub(crate) fn no_threads(error: impl std::fmt::Display) -> Failure {
    Failure::Store(format!(
        "threads cannot be started: {error}; allow this user more of them (`ulimit -u`)"
    ))
}
