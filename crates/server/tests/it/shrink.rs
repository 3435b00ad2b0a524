//! Making a failing run small enough to be read.

/// Drops messages while the run still fails, the largest runs first; returns what is left.
///
/// Each try costs a whole product, so it goes over ever smaller pieces instead of all subsets.
pub(crate) fn shrunk(messages: &[Vec<u8>], fails: &mut dyn FnMut(&[Vec<u8>]) -> bool) -> Vec<Vec<u8>> {
    let mut left = messages.to_vec();
    let mut piece = left.len() / 2;
    while piece > 0 {
        let mut at = 0;
        let mut dropped = false;
        while at < left.len() {
            let end = (at + piece).min(left.len());
            let tried: Vec<Vec<u8>> = left[..at].iter().chain(&left[end..]).cloned().collect();
            if fails(&tried) {
                left = tried;
                dropped = true;
            } else {
                at = end;
            }
        }
        if piece > 1 || !dropped {
            piece /= 2;
        }
    }
    left
}

/// The messages as a text, one a line.
pub(crate) fn printed(messages: &[Vec<u8>]) -> String {
    let lines: Vec<_> = messages
        .iter()
        .map(|message| String::from_utf8_lossy(message))
        .collect();
    lines.join("\n")
}
