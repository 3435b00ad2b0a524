//! `forget-position`: the way out where a topic was deleted and created anew.

use std::process::ExitCode;

use domain::position::PartitionId;

use crate::cli::ForgetPositionArgs;
use crate::config::Config;
use crate::failure::Failure;
use crate::stores::Stores;
use crate::telemetry;

#[expect(clippy::print_stdout, reason = "what was done is printed")]
pub(crate) fn run(args: &ForgetPositionArgs) -> Result<ExitCode, Failure> {
    telemetry::start_logs("warn");
    let config = Config::load(&args.store)?;
    let mut stores = Stores::open_existing(&config)?;
    let held: Vec<PartitionId> = stores.writer.positions().iter().map(|(id, _)| id.clone()).collect();
    let mut chosen = Vec::new();
    for name in &args.partitions {
        let matching: Vec<&PartitionId> = held.iter().filter(|id| is_named(id, name)).collect();
        if matching.is_empty() {
            return Err(Failure::usage(format!(
                "nothing was applied of {name}; a partition is written TOPIC/NUMBER, and a TOPIC alone means all of its \
                 partitions"
            )));
        }
        chosen.extend(matching);
    }
    for partition in chosen {
        stores.writer.forget_position(partition)?;
        println!("{partition} is read from the beginning of its log at the next start; what was applied stays");
    }
    Ok(ExitCode::SUCCESS)
}

fn is_named(id: &PartitionId, name: &str) -> bool {
    match id {
        PartitionId::Kafka { topic, .. } => topic == name || id.to_string() == name,
        PartitionId::File { .. } => false,
    }
}
