//! What the command line takes.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand};

/// One true answer about every payment: messages in from Kafka or files, answers out over REST.
#[derive(Debug, Parser)]
#[command(name = "ledgerlens", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Answer questions over REST, and read Kafka if brokers are named
    #[command(
        after_help = "Example:\n  ledgerlens serve --data-dir /var/lib/ledgerlens --listen 127.0.0.1:8080 --kafka 127.0.0.1:9092"
    )]
    Serve(ServeArgs),
    /// Everything embedded on seeded data that keeps flowing; Ctrl-C ends it and removes its data
    #[command(after_help = "Example:\n  ledgerlens demo --listen 127.0.0.1:8080")]
    Demo(DemoArgs),
    /// Write a seeded stream of messages to a file or to Kafka
    #[command(
        after_help = "Examples:\n  ledgerlens generate --payments 10000 --out messages.ndjson.zst --expect expected.json\n  ledgerlens generate --payments 1000000 --kafka 127.0.0.1:9092 --rate 5000"
    )]
    Generate(Box<GenerateArgs>),
    /// Read message files into the ledger: NDJSON, plain, gzip or zstd
    #[command(
        after_help = "Example:\n  ledgerlens backfill --data-dir /var/lib/ledgerlens 2025-*.ndjson.zst\n  zstdcat old.zst | ledgerlens backfill --data-dir /var/lib/ledgerlens -\n\nWhen it succeeds, the last line of standard output is JSON: messages read and how many had which verdict."
    )]
    Backfill(BackfillArgs),
    /// Say of message files what the ledger would refuse, and why
    #[command(after_help = "Example:\n  ledgerlens check messages.ndjson")]
    Check(CheckArgs),
    /// Recompute everything that is derived and name each difference
    #[command(after_help = "Example:\n  ledgerlens verify --data-dir /var/lib/ledgerlens")]
    Verify(StoreArgs),
    /// Make the search index again from the ledger, also beside a running server
    #[command(after_help = "Example:\n  ledgerlens rebuild-index --data-dir /var/lib/ledgerlens")]
    RebuildIndex(StoreArgs),
    /// Copy the ledger, the keys and the secrets, also from a running server
    #[command(after_help = "Example:\n  ledgerlens backup --data-dir /var/lib/ledgerlens /backup/2026-11-21")]
    Backup(BackupArgs),
    /// Make a new data directory from a backup
    #[command(after_help = "Example:\n  ledgerlens restore --data-dir /var/lib/ledgerlens-new /backup/2026-11-21")]
    Restore(BackupArgs),
    /// Read a Kafka partition from the beginning of its log at the next start
    #[command(
        after_help = "Example:\n  ledgerlens forget-position --data-dir /var/lib/ledgerlens payments/3 settlements\n\nFor a topic that was deleted and created anew: its partitions are stopped, because their offsets mean other\nmessages now. What was applied stays, and repeats change nothing. Stop the server before."
    )]
    ForgetPosition(ForgetPositionArgs),
    /// Make, list, revoke and rotate the keys that clients ask with
    #[command(
        after_help = "Example:\n  ledgerlens keys create --data-dir /var/lib/ledgerlens --role merchant --merchant m1"
    )]
    Keys(KeysArgs),
    /// Check the log of who saw or did what is not everybody's
    #[command(after_help = "Example:\n  ledgerlens audit verify --data-dir /var/lib/ledgerlens")]
    Audit(AuditArgs),
}

/// Flags that every command with a store has.
#[derive(Clone, Debug, Args)]
pub(crate) struct StoreArgs {
    /// The directory of the stores [default: ledgerlens-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// A TOML file with settings; docs/configuration.md has them all
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<String>,
    /// Kafka brokers; without them no Kafka is read
    #[arg(long, value_name = "BROKERS")]
    pub(crate) kafka: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,
    /// Payments of the last 90 days
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub(crate) payments: u64,
    /// Another seed makes other payments
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Where its directory is made, and removed at the end [default: the system's temporary directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// A TOML file with settings; those of the data directory, of Kafka's brokers and of where to listen are its own
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// Payments in the whole span
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub(crate) payments: u64,
    /// The same seed and flags give the same bytes
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Merchants, with shares by Zipf
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    pub(crate) merchants: u32,
    /// full: about 4 messages a payment; lean: about 1.3
    #[arg(long, value_name = "full|lean", default_value = "full")]
    pub(crate) mix: generator::Mix,
    /// Length of the span
    #[arg(long, value_name = "DAYS", default_value_t = 1_096)]
    pub(crate) days: u32,
    /// The span's last day [default: 2026-09-30]
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<NaiveDate>,
    /// Time zone of business days in the ground truth; that of the ledger's configuration
    #[arg(long, value_name = "ZONE", default_value = "Asia/Seoul")]
    pub(crate) zone: chrono_tz::Tz,
    /// Share of payments that are cancelled
    #[arg(long, value_name = "SHARE", default_value = "8%")]
    pub(crate) cancellations: generator::Rate,
    /// Share of messages on payments over a year old
    #[arg(long, value_name = "SHARE", default_value = "1%")]
    pub(crate) late: generator::Rate,
    /// Share of messages delivered twice
    #[arg(long, value_name = "SHARE", default_value = "0%")]
    pub(crate) duplicates: generator::Rate,
    /// Share of messages delivered out of order
    #[arg(long, value_name = "SHARE", default_value = "0%")]
    pub(crate) disorder: generator::Rate,
    /// Share of payments with two contents under one version
    #[arg(long, value_name = "SHARE", default_value = "0%")]
    pub(crate) conflicts: generator::Rate,
    /// Share of cancelled or settled payments whose own message never comes, or months later
    #[arg(long, value_name = "SHARE", default_value = "0%")]
    pub(crate) orphans: generator::Rate,
    /// Share of payments of which an entry is deleted
    #[arg(long, value_name = "SHARE", default_value = "0%")]
    pub(crate) tombstones: generator::Rate,
    /// Share of payments of which an entry names another merchant or currency
    #[arg(long, value_name = "SHARE", default_value = "0%")]
    pub(crate) mismatches: generator::Rate,
    /// Broken messages, as a share of the sound ones
    #[arg(long, value_name = "SHARE", default_value = "0%")]
    pub(crate) poison: generator::Rate,
    /// Every disturbance at once; the shares above then do not count
    #[arg(long)]
    pub(crate) hostile: bool,
    /// The file to write; its ending (.gz, .zst) says how it is compressed; - is standard output
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "kafka",
        conflicts_with = "kafka"
    )]
    pub(crate) out: Option<PathBuf>,
    /// Produce to these brokers instead
    #[arg(long, value_name = "BROKERS")]
    pub(crate) kafka: Option<String>,
    /// Messages a second into Kafka [default: as fast as it takes them]
    #[arg(long, value_name = "N", requires = "kafka")]
    pub(crate) rate: Option<u64>,
    /// Write the ground truth to this file: counts and sums that a store must answer with
    #[arg(long, value_name = "FILE")]
    pub(crate) expect: Option<PathBuf>,
    /// A TOML file with settings: the names of the topics count here
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Accepted for uniformity; generating needs no store
    #[arg(long, value_name = "DIR", hide = true)]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct BackfillArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Files of one CloudEvent a line; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// The directory of the backup; `backup` wants a new or an empty one
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ForgetPositionArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// TOPIC/PARTITION, or TOPIC for all of its partitions
    #[arg(required = true, value_name = "PARTITION")]
    pub(crate) partitions: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Files of one CloudEvent a line, plain, gzip or zstd; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Accepted for uniformity; checking needs no store
    #[arg(long, value_name = "DIR", hide = true)]
    pub(crate) data_dir: Option<PathBuf>,
    /// Accepted for uniformity; checking needs no settings
    #[arg(long, value_name = "FILE", hide = true)]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    pub(crate) command: KeysCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key and print it, once, alone on standard output
    #[command(after_help = "Example:\n  ledgerlens keys create --role merchant --merchant m1 --merchant m2")]
    Create {
        #[command(flatten)]
        store: StoreArgs,
        /// merchant, finance, operator or admin
        #[arg(long)]
        role: String,
        /// A merchant that the key may see; repeat for more. Only with the role merchant
        #[arg(long = "merchant", value_name = "ID")]
        merchants: Vec<String>,
    },
    /// List the keys, without their secrets
    #[command(after_help = "Example:\n  ledgerlens keys list")]
    List {
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Refuse a key from now on
    #[command(after_help = "Example:\n  ledgerlens keys revoke --data-dir /var/lib/ledgerlens key_1a2b3c4d5e6f")]
    Revoke {
        #[command(flatten)]
        store: StoreArgs,
        /// The key's id, as `keys list` shows it
        key_id: String,
    },
    /// Make a new key with the same rights, print it, and refuse the old one
    #[command(
        after_help = "Examples:\n  ledgerlens keys rotate key_1a2b3c4d5e6f\n  ledgerlens keys rotate key_1a2b3c4d5e6f --grace 3600"
    )]
    Rotate {
        #[command(flatten)]
        store: StoreArgs,
        /// The key's id, as `keys list` shows it
        key_id: String,
        /// How long the old key still works, up to 30 days: for clients that cannot change at once
        #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=2_592_000))]
        grace: u32,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    pub(crate) command: AuditCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Follow the chain of the audit log from its beginning and name the first broken link
    #[command(after_help = "Example:\n  ledgerlens audit verify --data-dir /var/lib/ledgerlens")]
    Verify {
        #[command(flatten)]
        store: StoreArgs,
    },
}
