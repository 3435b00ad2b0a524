//! `keys`: who may ask.

use std::path::Path;
use std::process::ExitCode;

use api::audit::Act;
use api::keys::{KeyError, KeyRecord, KeyStore, NewKey, Role};
use chrono::{DateTime, TimeDelta, Utc};
use ledger::data_dir;

use crate::audited;
use crate::cli::{KeysArgs, KeysCommand, StoreArgs};
use crate::config::Config;
use crate::failure::{Failure, chain};
use crate::telemetry;

/// The key file in a data directory.
pub(crate) const FILE: &str = "keys.json";

/// Opens the keys of a directory, which a server may be running on.
pub(crate) fn open(data_dir: &Path) -> Result<KeyStore, Failure> {
    data_dir::prepare(data_dir)?;
    KeyStore::open(data_dir.join(FILE)).map_err(|error| refused(&error))
}

/// The keys of a store that is there.
fn store(args: &StoreArgs) -> Result<KeyStore, Failure> {
    let dir = Config::load(args)?.data_dir;
    data_dir::expect(&dir)?;
    open(&dir)
}

/// Keys can be made before the first message: where there is no store yet, one is made, and said so.
fn store_or_new(args: &StoreArgs) -> Result<KeyStore, Failure> {
    let dir = Config::load(args)?.data_dir;
    let is_new = !dir.join(data_dir::MARKER).exists();
    let keys = open(&dir)?;
    if is_new {
        tracing::warn!(data_dir = %dir.display(), "there was no store here: a new one was made");
    }
    Ok(keys)
}

fn refused(error: &KeyError) -> Failure {
    let sentence = chain(error);
    match error {
        KeyError::File { .. } | KeyError::Damaged { .. } | KeyError::NoRandomness(_) => Failure::Store(sentence),
        KeyError::UnknownRole(_)
        | KeyError::MerchantMissing
        | KeyError::MerchantNotAllowed(_)
        | KeyError::BadMerchant(_)
        | KeyError::UnknownKey(_)
        | KeyError::Revoked(_) => Failure::Use(sentence),
    }
}

#[expect(clippy::print_stdout, reason = "keys are printed")]
pub(crate) fn run(args: KeysArgs) -> Result<ExitCode, Failure> {
    telemetry::start_logs("warn");
    match args.command {
        KeysCommand::Create {
            store: args,
            role,
            merchants,
        } => {
            let role: Role = role.parse().map_err(|error| refused(&error))?;
            let keys = store_or_new(&args)?;
            let made = keys
                .create(role, &merchants, Utc::now())
                .map_err(|error| refused(&error))?;
            // A key that is not on the log is never shown, so nobody can use it.
            log(&keys, Act::CreateKey, &made.key_id)?;
            print(&made);
        }
        KeysCommand::List { store: args } => {
            let now = Utc::now();
            for key in store(&args)?.list().map_err(|error| refused(&error))? {
                println!("{}", line_of(&key, now));
            }
        }
        KeysCommand::Revoke { store: args, key_id } => {
            let keys = store(&args)?;
            keys.revoke(&key_id, Utc::now()).map_err(|error| refused(&error))?;
            log(&keys, Act::RevokeKey, &key_id)?;
        }
        KeysCommand::Rotate {
            store: args,
            key_id,
            grace,
        } => {
            let keys = store(&args)?;
            let made = keys
                .rotate(&key_id, Utc::now(), TimeDelta::seconds(i64::from(grace)))
                .map_err(|error| refused(&error))?;
            log(&keys, Act::RotateKey, &format!("{key_id} to {}", made.key_id))?;
            print(&made);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The key alone on standard output, for scripts; beside it, what `revoke` and `rotate` call it.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "keys are printed")]
fn print(made: &NewKey) {
    eprintln!("{}", made.key_id);
    println!("{}", made.key);
}

fn line_of(key: &KeyRecord, now: DateTime<Utc>) -> String {
    let merchants: Vec<&str> = key.merchants.iter().map(String::as_str).collect();
    let state = match key.revoked_at {
        None => "active".to_owned(),
        Some(end) if key.works_at(now) => format!("active until {}", end.format("%F %T")),
        Some(end) => format!("revoked {}", end.format("%F %T")),
    };
    format!(
        "{}\t{}\t{}\t{}\t{state}",
        key.id,
        key.role,
        merchants.join(","),
        key.created_at.format("%F %T")
    )
}

/// Puts a key act on the audit log of the directory that the keys are of.
fn log(keys: &KeyStore, act: Act, target: &str) -> Result<(), Failure> {
    audited::record(keys.path().parent().unwrap_or(Path::new(".")), act, target)
}
