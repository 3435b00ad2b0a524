//! Where a partition is read from, given where the ledger stands and what the log still holds.

use thiserror::Error;

use crate::kafka::landmark::Recognised;

/// The log of a partition as the broker sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Log {
    /// The oldest position that is left.
    pub(super) first: u64,
    /// The position after the last visible message.
    pub(super) end: u64,
}

/// Why a partition is not read. The texts are read by operators.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Stopped {
    #[error(
        "messages {next} to {last} were deleted from the log before they were read: bring them in with `backfill`, then \
         set `kafka.continue_after_loss` and start again",
        last = first - 1
    )]
    Lost { next: u64, first: u64 },
    #[error(
        "the log ends at {end} but {next} was reached before: the topic was deleted and created anew, or the broker lost \
         messages; publish to a topic of another name and set it in `kafka.topics`, or, to read this log from its \
         beginning, where repeats change nothing, stop the service and run `ledgerlens forget-position` for it"
    )]
    Beyond { next: u64, end: u64 },
    #[error(
        "the message at offset {position} is not the one that was applied from there: the topic was deleted and created \
         anew, or is another cluster's. Name the right brokers and topic; or, to read this log from its beginning, where \
         repeats change nothing, stop the service and run `ledgerlens forget-position` for it"
    )]
    Other { position: u64 },
    #[error(
        "the log ends at {end}, and offset {position} was applied from it before: the topic was deleted and created anew, \
         is another cluster's, or the broker lost messages. Name the right brokers and topic; or, to read this log from \
         its beginning, where repeats change nothing, stop the service and run `ledgerlens forget-position` for it"
    )]
    Ends { position: u64, end: u64 },
    #[error(
        "the cluster calls itself {cluster} now and the last message that was applied is deleted, so the log cannot be \
         recognised. Name the right brokers; or, to read this log from its beginning, where repeats change nothing, stop \
         the service and run `ledgerlens forget-position` for it"
    )]
    Foreign { cluster: String },
}

/// Refuses a log that is not the one that was read before.
pub(super) fn recognised(seen: &Recognised, log: Log) -> Result<(), Stopped> {
    match seen {
        Recognised::Unasked | Recognised::Same { .. } | Recognised::Deleted { moved: None } => Ok(()),
        Recognised::Other { position } => Err(Stopped::Other { position: *position }),
        Recognised::Ends { position } => Err(Stopped::Ends {
            position: *position,
            end: log.end,
        }),
        Recognised::Deleted { moved: Some(cluster) } => Err(Stopped::Foreign {
            cluster: cluster.clone(),
        }),
    }
}

/// Where to begin. `held` is the ledger's position, if it has one. A position beyond the end is not judged here: right
/// after its start a broker may not know its end yet, and it says so itself when it is asked for a position beyond.
pub(super) fn start(held: Option<u64>, log: Log, continue_after_loss: bool) -> Result<u64, Stopped> {
    match held {
        None => Ok(log.first),
        Some(next) if next >= log.first => Ok(next),
        Some(_) if continue_after_loss => Ok(log.first),
        Some(next) => Err(Stopped::Lost { next, first: log.first }),
    }
}

/// Where to go on after the broker has said that some partition cannot be read at its position.
pub(super) fn restart(held: Option<u64>, log: Log, continue_after_loss: bool) -> Result<u64, Stopped> {
    match held {
        Some(next) if next > log.end => Err(Stopped::Beyond { next, end: log.end }),
        _ => start(held, log, continue_after_loss),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_starts_where_the_ledger_stands_or_not_at_all() {
        let log = Log { first: 10, end: 20 };
        let lost = Err(Stopped::Lost { next: 9, first: 10 });
        let cases = [
            (None, false, Ok(10)),
            (Some(10), false, Ok(10)),
            (Some(15), false, Ok(15)),
            (Some(20), false, Ok(20)),
            (Some(21), false, Ok(21)),
            (Some(9), false, lost),
            (Some(9), true, Ok(10)),
            (Some(0), true, Ok(10)),
        ];
        for (held, continue_after_loss, expected) in cases {
            assert_eq!(
                start(held, log, continue_after_loss),
                expected,
                "{held:?} {continue_after_loss}"
            );
        }
    }

    #[test]
    fn a_log_that_is_another_one_is_refused() {
        let log = Log { first: 10, end: 20 };
        let moved = || Some("c2".to_owned());
        let cluster = "c2".to_owned();
        let cases = [
            (Recognised::Unasked, Ok(())),
            (Recognised::Same { moved: None }, Ok(())),
            (Recognised::Same { moved: moved() }, Ok(())),
            (Recognised::Deleted { moved: None }, Ok(())),
            (
                Recognised::Deleted { moved: moved() },
                Err(Stopped::Foreign { cluster }),
            ),
            (Recognised::Other { position: 14 }, Err(Stopped::Other { position: 14 })),
            (
                Recognised::Ends { position: 24 },
                Err(Stopped::Ends { position: 24, end: 20 }),
            ),
        ];
        for (seen, expected) in cases {
            assert_eq!(recognised(&seen, log), expected, "{seen:?}");
        }
    }

    #[test]
    fn after_a_refusal_a_position_beyond_the_end_stops() {
        let log = Log { first: 10, end: 20 };
        assert_eq!(restart(Some(20), log, false), Ok(20));
        assert_eq!(
            restart(Some(21), log, false),
            Err(Stopped::Beyond { next: 21, end: 20 })
        );
        assert_eq!(restart(Some(21), log, true), Err(Stopped::Beyond { next: 21, end: 20 }));
        assert_eq!(restart(Some(9), log, false), Err(Stopped::Lost { next: 9, first: 10 }));
        assert_eq!(restart(None, log, false), Ok(10));
    }
}
