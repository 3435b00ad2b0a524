//! The name that was probably meant.

/// The candidate most like `written`, if one is like it at all. Letter case does not count.
///
/// Jaro-Winkler weighs a common beginning, which suits names that are mistyped at the end or cut short (`order` for
/// `order_id`); of very short names it sees nothing, so the number of edits counts as well (`ge` for `gte`). Below both
/// thresholds a suggestion would mislead more than help; the list of what is allowed stands in the error anyway.
pub fn nearest<'c>(written: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    const COMMON: f64 = 0.8;
    const EDITED: f64 = 0.6;
    // Comparing costs length times length, and no name is this long.
    let written: String = written.chars().take(64).collect::<String>().to_lowercase();
    let mut best: Option<(f64, &'c str)> = None;
    for candidate in candidates {
        let lower = candidate.to_lowercase();
        let common = strsim::jaro_winkler(&written, &lower);
        let edited = strsim::normalized_damerau_levenshtein(&written, &lower);
        let likeness = common.max(edited);
        if (common >= COMMON || edited >= EDITED) && best.is_none_or(|(most, _)| likeness > most) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn suggests_what_was_meant_or_nothing() {
        let names = [
            "status",
            "settlement_status",
            "order_id",
            "order_name",
            "amount",
            "flag",
        ];
        for (written, expected) in [
            ("stauts", Some("status")),
            ("STATUS", Some("status")),
            ("order", Some("order_id")),
            ("ammount", Some("amount")),
            ("flags", Some("flag")),
            ("flga", Some("flag")),
            ("zzz", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, names), expected, "{written}");
        }
    }
}
