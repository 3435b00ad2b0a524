//! Every row of a report, as of one position of the ledger, without the limit that an answer in one piece has.

use domain::scope::Scope;
use ledger::reports::{ReportRequest, ReportRow};
use ledger::{Head, Joint};

use crate::error::LookupError;
use crate::lookup::Lookup;

/// Rows that are held at once, about 200 bytes each. For each such piece the cells are added up again, so it is large.
const PIECE_ROWS: usize = 50_000;

/// Rows of a report; see [`Lookup::report_stream`].
pub struct ReportStream {
    joint: Joint,
    request: ReportRequest,
    scope: Scope,
    skip: usize,
    ended: bool,
}

impl ReportStream {
    /// The position that every row is of.
    pub fn head(&self) -> &Head {
        self.joint.head()
    }

    /// Finished cancellations that have no sale day yet.
    pub fn orphans_left_out(&self) -> Result<i64, LookupError> {
        Ok(self.joint.orphans_left_out(&self.request, &self.scope)?)
    }

    /// The next rows; `None` at the end.
    pub fn next_rows(&mut self) -> Result<Option<Vec<ReportRow>>, LookupError> {
        if self.ended {
            return Ok(None);
        }
        let rows = self
            .joint
            .report_rows(&self.request, &self.scope, self.skip, PIECE_ROWS)?;
        self.ended = rows.len() < PIECE_ROWS;
        self.skip += rows.len();
        Ok(Some(rows))
    }
}

impl Lookup {
    /// All rows of a report. The stream holds a read connection for as long as it lives.
    pub fn report_stream(&self, request: ReportRequest, scope: &Scope) -> Result<ReportStream, LookupError> {
        Ok(ReportStream {
            joint: self.reader.joint()?,
            request,
            scope: scope.clone(),
            skip: 0,
            ended: false,
        })
    }
}
