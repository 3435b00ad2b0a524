//! Reading the text that `/metrics` answers with.

/// The sum of all series of `name` whose labels contain `label` (`outcome="written"`; empty: all of them). A metric that
/// nothing was counted in is absent, so absent is 0.
pub(crate) fn value(text: &str, name: &str, label: &str) -> f64 {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' '))
        .filter(|(series, _)| {
            let (found, labels) = series.split_once('{').unwrap_or((series, ""));
            found == name && labels.contains(label)
        })
        .filter_map(|(_, value)| value.parse::<f64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_found_by_name_and_label() {
        let text = "# TYPE a counter\na{x=\"1\"} 2\na{x=\"2\",y=\"1\"} 3\nab 7\nb_sum 0.5\n";
        assert_eq!(value(text, "a", ""), 5.0);
        assert_eq!(value(text, "a", "x=\"2\""), 3.0);
        assert_eq!(value(text, "b_sum", ""), 0.5);
        assert_eq!(value(text, "c", ""), 0.0);
    }
}
