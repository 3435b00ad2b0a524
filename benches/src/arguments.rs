//! What the command line takes.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use generator::{Mix, Plan, Rate};

/// Measurements of Ledgerlens: a table, and one last line of JSON. Without a name: quick.
#[derive(Debug, Parser)]
#[command(name = "bench", disable_help_subcommand = true)]
pub(crate) struct Bench {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// All of it at small size, in under five minutes
    Quick(QuickLoad),
    /// Messages that already lie in a real Kafka, end to end into ledger and index; then all questions, then the ceiling
    Ingest(Load),
    /// The same load, then payments by key and by other identifiers
    Lookup(Load),
    /// The same load, then search pages and lists
    Search(Load),
    /// The same load, then reports
    Report(Load),
    /// Decoding, the ledger and the index each alone, in this process: what the machine could do at most
    Parts(PartsLoad),
    /// The same load, then from publishing an event to seeing it in a search answer
    Fresh(LiveLoad),
    /// The same load, then how soon the server is ready again after a stop and after a kill, and `rebuild-index`
    Start(LiveLoad),
    /// Whether an event costs at the end what it cost at the beginning
    Scale(ScaleLoad),
    /// Every question of a store that `scale --ask --keep` left, while payments of the days after it arrive
    Kept(KeptLoad),
    /// The same log and the same questions for PostgreSQL 15, answers compared for equality first
    Compare(CompareLoad),
}

impl Command {
    /// What is done where no benchmark is named.
    pub(crate) fn quick() -> Self {
        Command::Quick(QuickLoad {
            payments: QUICK_PAYMENTS,
            seconds: QUICK_SPAN,
        })
    }
}

const QUICK_PAYMENTS: u64 = 20_000;
const QUICK_SPAN: Duration = Duration::from_secs(1);

/// What to load, and how to ask.
#[derive(Clone, Debug, Args)]
pub(crate) struct Load {
    #[command(flatten)]
    pub(crate) store: StoreLoad,
    /// Seconds for which each kind of question is asked at its rate
    #[arg(long, value_name = "S", default_value = "10", value_parser = span)]
    pub(crate) seconds: Duration,
    /// Events a second that go on arriving while questions are asked; 0: none
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    pub(crate) live_rate: u64,
    /// Payments on which the ceiling is measured after the run; 0 leaves it out [default: those of the run]
    #[arg(long, value_name = "N")]
    pub(crate) ceiling_payments: Option<u64>,
    /// At the end let `ledgerlens verify` recompute everything; minutes for each million payments
    #[arg(long)]
    pub(crate) verify: bool,
}

/// The payments of a store.
#[derive(Clone, Debug, Args)]
pub(crate) struct StoreLoad {
    /// Payments to load; a full mix has about 4 messages for each
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub(crate) payments: u64,
    /// Another seed makes other payments
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// full: about 4 messages a payment; lean: about 1.3
    #[arg(long, value_name = "full|lean", default_value = "full")]
    pub(crate) mix: Mix,
    /// Where stores and broker lie while it runs: a directory on the disk that is to be measured [default: the system's
    /// temporary directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) scratch: Option<PathBuf>,
}

/// What to load, and what goes on arriving.
#[derive(Clone, Debug, Args)]
pub(crate) struct LiveLoad {
    #[command(flatten)]
    pub(crate) store: StoreLoad,
    /// Events a second that go on arriving
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    pub(crate) live_rate: u64,
    /// Seconds to measure for, where the measurement has no length of its own
    #[arg(long, value_name = "S", default_value = "60", value_parser = span)]
    pub(crate) seconds: Duration,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ScaleLoad {
    #[command(flatten)]
    pub(crate) store: StoreLoad,
    /// kafka: produced while it is read, with 5 GiB of retention; pipe: into `ledgerlens backfill -`
    #[arg(long, value_enum, default_value_t = Through::Kafka)]
    pub(crate) through: Through,
    /// Through Kafka: then ask every question while 5,000 events a second arrive, kill and start the server, and make its index anew
    #[arg(long)]
    pub(crate) ask: bool,
    /// At the end let `ledgerlens verify` recompute everything; minutes for each million payments
    #[arg(long)]
    pub(crate) verify: bool,
    /// At the end move the store here, for `kept`; a path beside --scratch that does not exist yet
    #[arg(long, value_name = "DIR", requires = "ask")]
    pub(crate) keep: Option<PathBuf>,
}

/// A store that was kept, and how to ask.
#[derive(Clone, Debug, Args)]
pub(crate) struct KeptLoad {
    /// What `scale` was told of the store
    #[command(flatten)]
    pub(crate) store: StoreLoad,
    /// The store that `scale --ask --keep` left; what arrives stays in it
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: PathBuf,
    /// Seconds for which each kind of question is asked at its rate
    #[arg(long, value_name = "S", default_value = "10", value_parser = span)]
    pub(crate) seconds: Duration,
    /// Events a second that go on arriving while questions are asked; 0: none
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    pub(crate) live_rate: u64,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct CompareLoad {
    #[command(flatten)]
    pub(crate) store: StoreLoad,
    /// Seconds for which each kind of question is asked of each
    #[arg(long, value_name = "S", default_value = "10", value_parser = span)]
    pub(crate) seconds: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Through {
    Kafka,
    Pipe,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct PartsLoad {
    /// Payments to put through each part
    #[arg(long, value_name = "N", default_value_t = 50_000)]
    pub(crate) payments: u64,
    /// Another seed makes other payments
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// full: about 4 messages a payment; lean: about 1.3
    #[arg(long, value_name = "full|lean", default_value = "full")]
    pub(crate) mix: Mix,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct QuickLoad {
    /// Payments to load
    #[arg(long, value_name = "N", default_value_t = QUICK_PAYMENTS)]
    pub(crate) payments: u64,
    /// Seconds for which each kind of question is asked at its rate
    #[arg(long, value_name = "S", default_value = "1", value_parser = span)]
    pub(crate) seconds: Duration,
}

/// Seconds, also parts of one.
fn span(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "write a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(span) if !span.is_zero() => Ok(span),
        _ => Err("write a number of seconds above 0".to_owned()),
    }
}

/// The load of every benchmark: an orderly company, with 2 % of its messages delivered twice and 1 % about payments over
/// a year old.
pub(crate) fn plan(payments: u64, seed: u64, mix: Mix) -> Plan {
    Plan {
        payments,
        seed,
        mix,
        duplicates: Rate::percent(2),
        late: Rate::percent(1),
        oversize: false,
        ..Plan::default()
    }
}

/// Messages to a payment, about; to reckon how many payments a time is worth.
pub(crate) fn messages_a_payment(mix: Mix) -> f64 {
    match mix {
        Mix::Full => 4.1,
        Mix::Lean => 1.3,
    }
}
