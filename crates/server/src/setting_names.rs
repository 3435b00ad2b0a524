//! The names of settings, and what is said of those that are none.

use crate::failure::Failure;

/// Every key by its path, for the environment and the documentation.
pub(crate) const KEYS: &[&str] = &[
    "data_dir",
    "listen",
    "time_zone.default",
    "time_zone.merchants",
    "kafka.brokers",
    "kafka.topics.payments",
    "kafka.topics.cancellations",
    "kafka.topics.settlements",
    "kafka.group",
    "kafka.discovery_interval_seconds",
    "kafka.continue_after_loss",
    "kafka.options",
    "ledger.memory_mb",
    "ledger.threads",
    "ledger.wal_mb",
    "ledger.spill_mb",
    "ledger.row_cache_mb",
    "ledger.events_max",
    "index.memory_mb",
    "index.commit_interval_ms",
    "index.recent_max",
    "batch.messages_max",
    "batch.mb_max",
    "batch.age_max_ms",
    "settlement.overdue_days",
    "api.answer_seconds_max",
    "api.pages_at_once_max",
    "api.reports_at_once_max",
    "api.exports_at_once_max",
    "api.export_seconds_max",
    "api.export_stall_seconds_max",
    "api.export_temp_mb_max",
    "api.lookups_per_second_max",
    "api.lists_per_second_max",
    "api.reports_per_second_max",
    "api.exports_per_second_max",
    "api.ready_lag_ms_max",
    "api.metrics_need_key",
];

/// Variables with our prefix that are no settings: of the log, and of the scripts around the program.
const OTHER_VARIABLES: [&str; 4] = ["LOG", "LOG_FORMAT", "KAFKA_HOME", "BIN"];

/// So few wrong letters make a misspelt setting; what is further away belongs to somebody else's program.
const MISSPELT_MAX: usize = 3;

/// A variable that is almost a setting is refused, any other with our prefix is named in the log.
pub(crate) fn refuse_misspelt(names: impl Iterator<Item = String>) -> Result<(), Failure> {
    for name in names {
        let Some(rest) = name.strip_prefix("LEDGERLENS_") else {
            continue;
        };
        if key_of(rest).is_some() || OTHER_VARIABLES.contains(&rest) {
            continue;
        }
        let near = KEYS
            .iter()
            .map(|key| key.replace('.', "_").to_ascii_uppercase())
            .min_by_key(|key| strsim::damerau_levenshtein(key, rest))
            .filter(|key| strsim::damerau_levenshtein(key, rest) <= MISSPELT_MAX);
        match near {
            Some(near) => {
                return Err(Failure::usage(format!(
                    "the variable {name} is no setting; the nearest is LEDGERLENS_{near}"
                )));
            }
            None => tracing::warn!(variable = name, "this variable is no setting and is not used"),
        }
    }
    Ok(())
}

/// The path of the key that a variable (without its prefix) sets.
pub(crate) fn key_of(variable: &str) -> Option<String> {
    let wanted = variable.to_ascii_lowercase();
    KEYS.iter()
        .find(|key| key.replace('.', "_") == wanted)
        .map(|key| (*key).to_owned())
}

/// figment's error as one sentence that names the key and where it stands.
pub(crate) fn sentence(error: figment::Error) -> String {
    use figment::error::Kind;
    let place = error
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.source.as_ref())
        .map(ToString::to_string);
    let place = place.map(|place| format!(" ({place})")).unwrap_or_default();
    let path = error.path.join(".");
    match &error.kind {
        Kind::UnknownField(name, _) => {
            let mut key = error.path.clone();
            if key.last().map(String::as_str) != Some(name) {
                key.push(name.clone());
            }
            let key = key.join(".");
            let nearest = KEYS.iter().min_by_key(|known| strsim::damerau_levenshtein(known, &key));
            let nearest = nearest
                .map(|known| format!("; the nearest setting is {known}"))
                .unwrap_or_default();
            format!("there is no setting {key}{place}{nearest}")
        }
        kind if path.is_empty() => format!("the configuration cannot be read{place}: {kind}").replace('\n', " "),
        kind => format!("the setting {path} cannot be used{place}: {kind}").replace('\n', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn every_key_exists_and_is_documented() {
        let documented = include_str!("../../../docs/configuration.md");
        let defaults = serde_json::to_value(Config::default()).unwrap_or_default();
        for key in KEYS {
            let pointer = format!("/{}", key.replace('.', "/"));
            let optional = *key == "kafka.brokers";
            assert!(optional || defaults.pointer(&pointer).is_some(), "{key} is no setting");
            assert!(
                documented.contains(&format!("`{key}`")),
                "{key} is not in docs/configuration.md"
            );
        }
    }

    #[test]
    fn a_variable_that_is_almost_a_setting_is_refused() {
        for (name, refused) in [
            ("LEDGERLENS_LEDGER_MEMORY", true),
            ("LEDGERLENS_LISTN", true),
            ("LEDGERLENS_LEDGER_MEMORY_MB", false),
            ("LEDGERLENS_KAFKA_HOME", false),
            ("LEDGERLENS_API_KEY", false),
            ("HOME", false),
        ] {
            let judged = refuse_misspelt(std::iter::once(name.to_owned()));
            assert_eq!(judged.is_err(), refused, "{name}");
        }
    }

    #[test]
    fn variables_name_keys() {
        assert_eq!(key_of("KAFKA_BROKERS").as_deref(), Some("kafka.brokers"));
        assert_eq!(key_of("TIME_ZONE_DEFAULT").as_deref(), Some("time_zone.default"));
        assert_eq!(key_of("KAFKA_HOME"), None);
    }
}
