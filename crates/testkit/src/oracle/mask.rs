//! Personal data as it is shown to a reader who has given no reason to see it in full.

/// The masked text of a personal field; `None` when the field is not personal.
pub(crate) fn masked(group: &str, member: &str, text: &str) -> Option<String> {
    match (group, member) {
        ("customer", "name") | ("virtual_account", "depositor") => Some(name(text)),
        ("customer", "email") => Some(email(text)),
        ("customer", "phone") | ("virtual_account", "account_number") => Some(last_four(text)),
        _ => None,
    }
}

/// First and last character; of two only the first; of one none.
fn name(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    match chars.as_slice() {
        [] => String::new(),
        [_] => "*".into(),
        [first, _] => format!("{first}*"),
        [first, hidden @ .., last] => format!("{first}{}{last}", "*".repeat(hidden.len())),
    }
}

/// First character and domain.
fn email(text: &str) -> String {
    let (local, domain) = match text.rsplit_once('@') {
        Some((local, domain)) => (local, format!("@{domain}")),
        None => (text, String::new()),
    };
    let mut chars = local.chars();
    let first = chars.next().map(String::from).unwrap_or_default();
    format!("{first}{}{domain}", "*".repeat(chars.count()))
}

/// The last four characters, unless that is all there is.
fn last_four(text: &str) -> String {
    let count = text.chars().count();
    let hidden = if count > 4 { count - 4 } else { count };
    text.chars()
        .enumerate()
        .map(|(place, c)| if place < hidden { '*' } else { c })
        .collect()
}
