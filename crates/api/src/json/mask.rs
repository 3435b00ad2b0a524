//! Personal data as it is shown to a reader who has given no reason to see it in full. One `*` stands for each hidden
//! character, so that a reader on the telephone can tell how long the whole is.

/// Whether personal data is shown in part or in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Masking {
    Masked,
    /// To an operator who gave a reason, which is on the audit log.
    Unmasked,
}

impl Masking {
    /// A name: its first and last character; of two the first, of one none.
    pub(super) fn name(self, text: &str) -> String {
        let count = text.chars().count();
        let shown = |place: usize| count > 1 && (place == 0 || (count > 2 && place + 1 == count));
        self.masked(text, shown)
    }

    /// An e-mail address: the first character and the domain.
    pub(super) fn email(self, text: &str) -> String {
        let local = text.rsplit_once('@').map_or(text, |(local, _)| local);
        let count = local.chars().count();
        self.masked(text, |place| place == 0 || place >= count)
    }

    /// A telephone or account number: the last four characters, unless that is all there is.
    pub(super) fn last_four(self, text: &str) -> String {
        let count = text.chars().count();
        self.masked(text, |place| count > 4 && place + 4 >= count)
    }

    fn masked(self, text: &str, shown: impl Fn(usize) -> bool) -> String {
        text.chars()
            .enumerate()
            .map(|(place, character)| {
                if self == Masking::Unmasked || shown(place) {
                    character
                } else {
                    '*'
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_shows_what_it_may() {
        let masking = Masking::Masked;
        for (text, expect) in [
            ("", ""),
            ("김", "*"),
            ("김준", "김*"),
            ("김민준", "김*준"),
            ("Jo Ann", "J****n"),
        ] {
            assert_eq!(masking.name(text), expect);
            assert_eq!(Masking::Unmasked.name(text), text);
        }
        for (text, expect) in [
            ("kim@example.com", "k**@example.com"),
            ("k@example.com", "k@example.com"),
            ("@example.com", "@example.com"),
            ("a@b@c.kr", "a**@c.kr"),
            ("no-at", "n****"),
            ("", ""),
        ] {
            assert_eq!(masking.email(text), expect);
        }
        for (text, expect) in [
            ("", ""),
            ("1234", "****"),
            ("12345", "*2345"),
            ("010-1234-5678", "*********5678"),
        ] {
            assert_eq!(masking.last_four(text), expect);
        }
    }
}
