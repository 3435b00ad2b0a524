//! What the index holds of a payment: its terms, and the time by which candidates are walked.
//!
//! Nothing in a document changes with a status, a sum or a flag: the row decides those. So most messages of a payment
//! leave its document as it is, and [`Document::digest`] tells cheaply which ones do not.

use domain::derive::Payment;
use domain::dossier::Dossier;
use domain::scope::Scope;
use query::{IdentField, TextField};
use xxhash_rust::xxh3::Xxh3;

use crate::part::Part;
use crate::term::{self, Class};
use crate::terms::{Terms, TermsBuilder};
use crate::values::{self, Holder, StableKeyword};
use crate::when::When;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The payment's number in the ledger.
    pub seq: u64,
    /// Of the payment as one who sees every merchant sees it.
    pub when: When,
    pub terms: Terms,
}

impl Document {
    /// The document of a payment; none while it has no live entry, since then it is not found.
    pub fn of(seq: u64, dossier: &Dossier) -> Option<Document> {
        let payment = Payment::derive(dossier, &Scope::All)?;
        Some(Document {
            seq,
            when: When::of(payment.occurred_at, payment.event_day),
            terms: terms_of(&payment),
        })
    }

    /// A hash of a part's content (not of `seq`) that stays the same across builds and machines. Those of other parts than the
    /// payment's take 32 bits, because they are many; there are none where the part has no terms.
    pub fn digest(&self, part: Part) -> Option<u64> {
        let mut hash = Xxh3::new();
        let mut is_empty = part != Part::Payment;
        if part == Part::Payment {
            hash.update(&self.when.packed().to_le_bytes());
        }
        for term in self.terms_of(part) {
            // The length keeps two lists with the same letters apart.
            hash.update(&(term.len() as u64).to_le_bytes());
            hash.update(term.as_bytes());
            is_empty = false;
        }
        let digest = match part {
            Part::Payment => hash.digest(),
            Part::Lines | Part::Payouts => hash.digest() >> 32,
        };
        (!is_empty).then_some(digest)
    }

    pub(crate) fn terms_of(&self, part: Part) -> impl Iterator<Item = &str> {
        self.terms.iter().filter(move |term| Part::of_term(term) == part)
    }
}

/// The terms of a payment with a live entry; `None` if it has none.
pub fn terms(dossier: &Dossier) -> Option<Terms> {
    Payment::derive(dossier, &Scope::All).map(|payment| terms_of(&payment))
}

fn terms_of(payment: &Payment<'_>) -> Terms {
    let mut terms = TermsBuilder::default();
    let mut add_identifier = |class: Class, sent: &str| {
        let normal = query::ident(sent);
        if !normal.is_empty() {
            add(&mut terms, class, &normal);
        }
    };
    for field in IdentField::ALL {
        values::identifiers(payment, field, |holder, sent| {
            let class = match (holder, field) {
                (_, IdentField::PayoutId) => Class::Payout,
                (Holder::Line, _) => Class::Line,
                (Holder::Other, _) => Class::Identifier,
            };
            add_identifier(class, sent);
        });
    }
    for field in TextField::ALL {
        values::texts(payment, field, |sent| add_bigrams(&mut terms, &query::fold(sent)));
    }
    values::metadata(payment, |key, sent| {
        let value = query::fold(sent);
        terms.add(|out| out.push_str(&term::metadata(key, &value)));
        add_bigrams(&mut terms, &value);
    });
    for field in StableKeyword::ALL {
        values::keywords(payment, field, |sent| add(&mut terms, field.class(), sent));
    }
    let (mut first, mut are_several) = (None, false);
    values::merchants(payment, |merchant| {
        are_several |= *first.get_or_insert(merchant) != merchant;
        add(&mut terms, Class::Merchant, merchant);
    });
    if are_several {
        add(&mut terms, Class::SeveralMerchants, "");
    }
    terms.finish()
}

fn add(terms: &mut TermsBuilder, class: Class, text: &str) {
    terms.add(|out| class.write(text, out));
}

fn add_bigrams(terms: &mut TermsBuilder, normal: &str) {
    for pair in term::pairs(normal) {
        add(terms, Class::Bigram, pair);
    }
}

impl StableKeyword {
    pub(crate) fn class(self) -> Class {
        match self {
            StableKeyword::Last4 => Class::Last4,
            StableKeyword::Issuer => Class::Issuer,
            StableKeyword::Provider => Class::Provider,
            StableKeyword::Bank => Class::Bank,
            StableKeyword::ReasonCode => Class::ReasonCode,
            StableKeyword::Channel => Class::Channel,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::when::SaleDay;

    #[test]
    fn the_digest_is_pinned_because_it_is_stored() {
        let at = |minute| When {
            minute,
            sale_day: SaleDay::Same,
        };
        let document = |terms: &[&str]| Document {
            seq: 1,
            when: at(493_000),
            terms: terms.iter().collect(),
        };
        let digest = |document: Document| document.digest(Part::Payment).unwrap_or_default();
        assert_eq!(digest(document(&["ia", "mb"])), PINNED);
        assert_eq!(digest(document(&["ia", "mb", "sc", "od"])), PINNED);
        assert_eq!(document(&["ia", "od"]).digest(Part::Lines), None);
        assert_eq!(document(&["ia", "sc", "od"]).digest(Part::Lines), Some(PINNED_LINES));
        assert_ne!(digest(document(&["iam", "b"])), PINNED);
        assert_eq!(
            digest(Document {
                seq: 2,
                ..document(&["ia", "mb"])
            }),
            PINNED
        );
        assert_ne!(
            digest(Document {
                when: at(493_001),
                ..document(&["ia", "mb"])
            }),
            PINNED
        );
    }

    /// If this must change, so must the format of the position: every stored digest is then another.
    const PINNED: u64 = 1_997_521_882_119_796_722;
    const PINNED_LINES: u64 = 2_901_292_832;
}
