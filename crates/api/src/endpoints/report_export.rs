//! What the exports of both reports have in common.

use domain::scope::Scope;
use ledger::reports::{ReportRequest, ReportRow};

use crate::app::App;
use crate::export::{Rows, Stop};
use crate::report_params::source_name;
use crate::rows_url::RowsUrls;

/// Hands over the report's rows by `write`. The totals of the report are the manifest's control sums.
pub(super) fn write_report(
    app: &App,
    request: ReportRequest,
    scope: &Scope,
    rows: &mut Rows,
    mut write: impl FnMut(&mut Rows, &ReportRow, &RowsUrls<'_>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let source = source_name(request.source);
    // They go out row by row, so nothing bounds how much they add up to.
    let urls = RowsUrls::new(&request, 1)?;
    let mut stream = app.lookup.report_stream(request.clone(), scope)?;
    let orphans_left_out = stream.orphans_left_out()?;
    rows.start(app.as_of(stream.head()))?;
    rows.note("orphans_left_out", orphans_left_out);
    rows.note("source", source);
    while let Some(piece) = stream.next_rows()? {
        rows.look_around()?;
        for row in &piece {
            write(rows, row, &urls)?;
        }
    }
    Ok(())
}
