//! `audit verify`: whether the audit log is as it was written.

use std::process::ExitCode;

use api::audit;
use ledger::data_dir;

use crate::cli::{AuditArgs, AuditCommand};
use crate::config::Config;
use crate::failure::Failure;

#[expect(clippy::print_stdout, reason = "the result is printed")]
pub(crate) fn run(args: &AuditArgs) -> Result<ExitCode, Failure> {
    let AuditCommand::Verify { store } = &args.command;
    let dir = Config::load(store)?.data_dir;
    data_dir::expect(&dir)?;
    let path = dir.join(audit::FILE);
    let verified = audit::verify(&path)
        .map_err(|cause| Failure::Store(format!("the audit log {} cannot be read: {cause}", path.display())))?;
    match verified {
        Ok(links) => {
            println!("{links} links, none broken");
            Ok(ExitCode::SUCCESS)
        }
        Err(broken) => Err(Failure::Data(format!(
            "the audit log {} is broken at line {}: {}",
            path.display(),
            broken.line,
            broken.reason
        ))),
    }
}
