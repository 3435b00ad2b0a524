//! Settings: defaults, then a TOML file, then environment variables, then flags.
//!
//! Every key is also the variable `LEDGERLENS_` and its path in capitals (`kafka.brokers` is `LEDGERLENS_KAFKA_BROKERS`).
//! docs/configuration.md lists them; a test compares it with [`KEYS`](crate::setting_names::KEYS).

use std::collections::BTreeMap;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use domain::time::Zones;
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};

use crate::cli::StoreArgs;
use crate::failure::Failure;
use crate::setting_names::{key_of, refuse_misspelt, sentence};

/// All settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) data_dir: PathBuf,
    pub(crate) listen: String,
    pub(crate) time_zone: TimeZone,
    pub(crate) kafka: Kafka,
    pub(crate) ledger: Ledger,
    pub(crate) index: Index,
    pub(crate) batch: Batch,
    pub(crate) settlement: Settlement,
    pub(crate) api: Api,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimeZone {
    pub(crate) default: String,
    pub(crate) merchants: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kafka {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) brokers: Option<String>,
    pub(crate) topics: Topics,
    pub(crate) group: String,
    pub(crate) discovery_interval_seconds: u64,
    pub(crate) continue_after_loss: bool,
    pub(crate) options: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Topics {
    pub(crate) payments: String,
    pub(crate) cancellations: String,
    pub(crate) settlements: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ledger {
    pub(crate) memory_mb: u64,
    pub(crate) threads: u32,
    pub(crate) wal_mb: u64,
    pub(crate) spill_mb: u64,
    pub(crate) row_cache_mb: u64,
    pub(crate) events_max: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Index {
    pub(crate) memory_mb: u64,
    pub(crate) commit_interval_ms: u64,
    pub(crate) recent_max: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Batch {
    pub(crate) messages_max: usize,
    pub(crate) mb_max: usize,
    pub(crate) age_max_ms: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settlement {
    pub(crate) overdue_days: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Api {
    pub(crate) answer_seconds_max: NonZeroU64,
    pub(crate) pages_at_once_max: NonZeroUsize,
    pub(crate) reports_at_once_max: NonZeroUsize,
    pub(crate) exports_at_once_max: NonZeroUsize,
    pub(crate) export_seconds_max: u64,
    pub(crate) export_stall_seconds_max: u64,
    pub(crate) export_temp_mb_max: u64,
    pub(crate) lookups_per_second_max: u32,
    pub(crate) lists_per_second_max: u32,
    pub(crate) reports_per_second_max: u32,
    pub(crate) exports_per_second_max: u32,
    pub(crate) ready_lag_ms_max: u64,
    pub(crate) metrics_need_key: bool,
}

impl Default for Config {
    fn default() -> Self {
        let topic = str::to_owned;
        Config {
            data_dir: PathBuf::from("ledgerlens-data"),
            listen: "127.0.0.1:8080".to_owned(),
            time_zone: TimeZone {
                default: "Asia/Seoul".to_owned(),
                merchants: BTreeMap::new(),
            },
            kafka: Kafka {
                brokers: None,
                topics: Topics {
                    payments: topic("payments"),
                    cancellations: topic("cancellations"),
                    settlements: topic("settlements"),
                },
                group: "ledgerlens".to_owned(),
                discovery_interval_seconds: 30,
                continue_after_loss: false,
                options: BTreeMap::new(),
            },
            ledger: Ledger {
                memory_mb: 640,
                threads: 1,
                wal_mb: 64,
                spill_mb: 10_240,
                row_cache_mb: 192,
                events_max: 10_000_000,
            },
            index: Index {
                memory_mb: 128,
                commit_interval_ms: 1_000,
                recent_max: 200_000,
            },
            batch: Batch {
                messages_max: 20_000,
                mb_max: 32,
                age_max_ms: 200,
            },
            settlement: Settlement { overdue_days: 7 },
            api: Api {
                answer_seconds_max: const { NonZeroU64::new(30).unwrap() },
                pages_at_once_max: const { NonZeroUsize::new(8).unwrap() },
                reports_at_once_max: const { NonZeroUsize::new(2).unwrap() },
                exports_at_once_max: const { NonZeroUsize::new(2).unwrap() },
                export_seconds_max: 3_600,
                export_stall_seconds_max: 60,
                export_temp_mb_max: 4_096,
                lookups_per_second_max: 1_000,
                lists_per_second_max: 500,
                reports_per_second_max: 200,
                exports_per_second_max: 20,
                ready_lag_ms_max: 10_000,
                metrics_need_key: false,
            },
        }
    }
}

impl Config {
    /// Reads the settings of a command.
    ///
    /// # Errors
    /// One sentence that names the file or the key.
    pub(crate) fn load(args: &StoreArgs) -> Result<Self, Failure> {
        let mut config = Self::read(args.config.as_ref())?;
        if let Some(dir) = &args.data_dir {
            config.data_dir.clone_from(dir);
        }
        Ok(config)
    }

    pub(crate) fn read(file: Option<&PathBuf>) -> Result<Self, Failure> {
        let mut figment = Figment::from(Serialized::defaults(Config::default()));
        if let Some(file) = file {
            if let Err(cause) = std::fs::read_to_string(file) {
                return Err(Failure::usage(format!(
                    "the configuration file {} cannot be read: {cause}",
                    file.display()
                )));
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        refuse_misspelt(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()))?;
        let known = Env::prefixed("LEDGERLENS_")
            .filter_map(|name| Some(key_of(name.as_str())?.into()))
            .split(".");
        let config: Config = figment
            .merge(known)
            .extract()
            .map_err(|error| Failure::usage(sentence(error)))?;
        config.zones()?;
        Ok(config)
    }

    /// The time zones, checked.
    pub(crate) fn zones(&self) -> Result<Zones, Failure> {
        let zone = |key: &str, name: &str| {
            name.parse().map_err(|_| {
                Failure::usage(format!(
                    "the setting {key} is {name:?}, which is no time zone such as \"Asia/Seoul\""
                ))
            })
        };
        let merchants = self.time_zone.merchants.iter().map(|(merchant, name)| {
            Ok((
                merchant.clone(),
                zone(&format!("time_zone.merchants.{merchant}"), name)?,
            ))
        });
        Ok(Zones {
            default: zone("time_zone.default", &self.time_zone.default)?,
            merchants: merchants.collect::<Result<_, Failure>>()?,
        })
    }

    pub(crate) fn topics(&self) -> [String; 3] {
        let topics = &self.kafka.topics;
        [
            topics.payments.clone(),
            topics.cancellations.clone(),
            topics.settlements.clone(),
        ]
    }

    pub(crate) fn ledger_options(&self) -> ledger::Options {
        ledger::Options {
            memory_bytes: self.ledger.memory_mb << 20,
            threads: self.ledger.threads,
            spill_bytes: self.ledger.spill_mb << 20,
            wal_bytes: self.ledger.wal_mb << 20,
            row_cache_bytes: self.ledger.row_cache_mb << 20,
            events_max: self.ledger.events_max,
            ..ledger::Options::default()
        }
    }

    pub(crate) fn index_limits(&self) -> projector::index_keeper::IndexLimits {
        let memory_bytes = usize::try_from(self.index.memory_mb << 20).unwrap_or(usize::MAX);
        projector::index_keeper::IndexLimits {
            commit_interval: Duration::from_millis(self.index.commit_interval_ms),
            recent_max: self.index.recent_max,
            writer: search::Options {
                memory_bytes,
                ..search::Options::default()
            },
            ..projector::index_keeper::IndexLimits::default()
        }
    }

    pub(crate) fn api_limits(&self) -> api::Limits {
        let api = &self.api;
        api::Limits {
            pages_max: api.pages_at_once_max.get(),
            reports_max: api.reports_at_once_max.get(),
            exports_max: api.exports_at_once_max.get(),
            export_within: Duration::from_secs(api.export_seconds_max),
            export_stall: Duration::from_secs(api.export_stall_seconds_max),
            export_temp_bytes_max: api.export_temp_mb_max << 20,
            rates: api::Rates {
                lookups: api.lookups_per_second_max,
                lists: api.lists_per_second_max,
                reports: api.reports_per_second_max,
                exports: api.exports_per_second_max,
            },
            answer_within: Duration::from_secs(api.answer_seconds_max.get()),
            ready_lag_ms_max: api.ready_lag_ms_max,
            metrics_need_key: api.metrics_need_key,
            ..api::Limits::default()
        }
    }

    pub(crate) fn batch_limits(&self) -> projector::batch::BatchLimits {
        projector::batch::BatchLimits {
            messages_max: self.batch.messages_max.max(1),
            bytes_max: self.batch.mb_max.max(1) << 20,
            age_max: Duration::from_millis(self.batch.age_max_ms),
            ..projector::batch::BatchLimits::default()
        }
    }
}
