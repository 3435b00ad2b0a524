//! `keys`: who may ask.

use std::path::Path;
use std::process::ExitCode;

use api::keys::{KeyError, KeyStore, Role};
use chrono::Utc;
use ledger::data_dir;

use crate::cli::{KeysArgs, KeysCommand, StoreArgs};
use crate::config::Config;
use crate::failure::{Failure, chain};

/// The key file in a data directory.
pub(crate) const FILE: &str = "keys.json";

/// Opens the keys of a directory, which a server may be running on.
pub(crate) fn open(data_dir: &Path) -> Result<KeyStore, Failure> {
    data_dir::prepare(data_dir)?;
    KeyStore::open(data_dir.join(FILE)).map_err(|error| refused(&error))
}

fn store(args: &StoreArgs) -> Result<KeyStore, Failure> {
    open(&Config::load(args)?.data_dir)
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
    match args.command {
        KeysCommand::Create {
            store: args,
            role,
            merchants,
        } => {
            let role: Role = role.parse().map_err(|error| refused(&error))?;
            let made = store(&args)?
                .create(role, &merchants, Utc::now())
                .map_err(|error| refused(&error))?;
            println!("{}", made.key);
        }
        KeysCommand::List { store: args } => {
            for key in store(&args)?.list().map_err(|error| refused(&error))? {
                let merchants: Vec<&str> = key.merchants.iter().map(String::as_str).collect();
                let state = key
                    .revoked_at
                    .map_or("active".to_owned(), |at| format!("revoked {}", at.format("%F %T")));
                println!(
                    "{}\t{}\t{}\t{}\t{state}",
                    key.id,
                    key.role,
                    merchants.join(","),
                    key.created_at.format("%F %T")
                );
            }
        }
        KeysCommand::Revoke { store: args, key_id } => {
            store(&args)?
                .revoke(&key_id, Utc::now())
                .map_err(|error| refused(&error))?;
        }
        KeysCommand::Rotate { store: args, key_id } => {
            let made = store(&args)?
                .rotate(&key_id, Utc::now())
                .map_err(|error| refused(&error))?;
            println!("{}", made.key);
        }
    }
    Ok(ExitCode::SUCCESS)
}
