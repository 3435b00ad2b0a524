//! What a filter asks of the terms of a payment: a condition that everything which satisfies the filter satisfies too.
//!
//! The index only narrows down, the recheck of the row decides. So whatever the terms cannot tell (amounts, days,
//! statuses, anything under a NOT) becomes [`TermQuery::All`], which an AND ignores and an OR cannot.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::scope::Scope;
use query::{Filter, IdentField, KeywordField, Word};

use crate::term::{self, Class};
use crate::terms::Terms;
use crate::values::StableKeyword;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TermQuery {
    /// The terms say nothing: every payment may satisfy it.
    All,
    /// No payment satisfies it.
    None,
    /// One term equals this.
    Term(String),
    /// One term begins with this.
    Prefix(String),
    /// It is one of these payments, ascending and distinct: what a question for terms of another part than the payment's has come to.
    /// No question begins with it.
    OneOf(Arc<[u64]>),
    /// Two members or more, no `And`, `All` or `None` among them.
    And(Vec<TermQuery>),
    /// Two members or more, no `Or`, `All` or `None` among them.
    Or(Vec<TermQuery>),
}

/// What the terms of a payment must satisfy if `scope` sees it and it satisfies `filter`.
pub fn term_query(filter: &Filter, scope: &Scope) -> TermQuery {
    TermQuery::all_of([of_scope(scope), of_filter(filter)])
}

fn of_scope(scope: &Scope) -> TermQuery {
    match scope {
        Scope::All => TermQuery::All,
        Scope::Merchants(merchants) => TermQuery::any_of(
            merchants
                .iter()
                .map(|merchant| TermQuery::Term(Class::Merchant.term(merchant))),
        ),
    }
}

fn of_filter(filter: &Filter) -> TermQuery {
    match filter {
        Filter::And(members) => TermQuery::all_of(members.iter().map(of_filter)),
        Filter::Or(members) => TermQuery::any_of(members.iter().map(of_filter)),
        Filter::Word(word) => of_word(word),
        Filter::Ident { field, value, prefix } => of_identifier(classes_of(*field), value, *prefix),
        Filter::Text { needle, .. } => of_text(needle),
        Filter::Metadata { key, value } => TermQuery::Term(term::metadata(key, value)),
        Filter::Keyword { field, value } => of_keyword(*field, value),
        Filter::All | Filter::Not(_) | Filter::Amount { .. } | Filter::Day { .. } | Filter::Time { .. } => {
            TermQuery::All
        }
    }
}

fn of_word(word: &Word) -> TermQuery {
    let identifier = word
        .ident
        .as_ref()
        .map(|ident| of_identifier(IDENTIFIERS, ident, word.prefix));
    let last4 = word
        .last4
        .as_ref()
        .map(|last4| TermQuery::Term(Class::Last4.term(last4)));
    let text = (!word.prefix).then(|| of_text(&word.text));
    TermQuery::any_of([identifier, last4, text].into_iter().flatten())
}

/// Of whatever identifier a word may be.
const IDENTIFIERS: &[Class] = &[Class::Identifier, Class::Line, Class::Payout];

/// What an identifier's terms are, which [`values::identifiers`](crate::values::identifiers) decides.
fn classes_of(field: IdentField) -> &'static [Class] {
    match field {
        IdentField::SettlementId => &[Class::Line],
        IdentField::PayoutId => &[Class::Payout],
        IdentField::CancellationId => &[Class::Identifier, Class::Line],
        IdentField::PaymentKey
        | IdentField::OrderId
        | IdentField::TransactionKey
        | IdentField::ApproveNo
        | IdentField::AccountNumber
        | IdentField::Email
        | IdentField::Phone => &[Class::Identifier],
    }
}

fn of_identifier(classes: &[Class], normal: &str, prefix: bool) -> TermQuery {
    TermQuery::any_of(classes.iter().map(|class| match prefix {
        true => TermQuery::Prefix(class.term(normal)),
        false => TermQuery::Term(class.term(normal)),
    }))
}

/// What the terms of a payment must satisfy if `scope` sees it and one of its identifiers has this normal form.
pub fn identifier_query(normal: &str, scope: &Scope) -> TermQuery {
    TermQuery::all_of([of_scope(scope), of_identifier(IDENTIFIERS, normal, false)])
}

/// A text that contains the needle has all its bigrams. A needle without any says nothing.
fn of_text(needle: &str) -> TermQuery {
    let pairs: BTreeSet<&str> = term::pairs(needle).collect();
    TermQuery::all_of(pairs.into_iter().map(|pair| TermQuery::Term(Class::Bigram.term(pair))))
}

fn of_keyword(field: KeywordField, value: &str) -> TermQuery {
    let class = match field {
        KeywordField::MerchantId => Class::Merchant,
        KeywordField::Last4 => StableKeyword::Last4.class(),
        KeywordField::Issuer => StableKeyword::Issuer.class(),
        KeywordField::Provider => StableKeyword::Provider.class(),
        KeywordField::Bank => StableKeyword::Bank.class(),
        KeywordField::ReasonCode => StableKeyword::ReasonCode.class(),
        KeywordField::Channel => StableKeyword::Channel.class(),
        KeywordField::Status
        | KeywordField::SettlementStatus
        | KeywordField::Method
        | KeywordField::Currency
        | KeywordField::Flag
        | KeywordField::Kind => return TermQuery::All,
    };
    TermQuery::Term(class.term(value))
}

impl TermQuery {
    /// Every member holds; `All` of no members.
    pub fn all_of(parts: impl IntoIterator<Item = TermQuery>) -> TermQuery {
        let mut members = Vec::new();
        for part in parts {
            match part {
                TermQuery::All => {}
                TermQuery::None => return TermQuery::None,
                TermQuery::And(inner) => members.extend(inner),
                other => members.push(other),
            }
        }
        match members.len() {
            0 => TermQuery::All,
            1 => members.remove(0),
            _ => TermQuery::And(members),
        }
    }

    /// At least one member holds; `None` of no members.
    pub fn any_of(parts: impl IntoIterator<Item = TermQuery>) -> TermQuery {
        let mut members = Vec::new();
        for part in parts {
            match part {
                TermQuery::All => return TermQuery::All,
                TermQuery::None => {}
                TermQuery::Or(inner) => members.extend(inner),
                other => members.push(other),
            }
        }
        match members.len() {
            0 => TermQuery::None,
            1 => members.remove(0),
            _ => TermQuery::Or(members),
        }
    }

    /// Those of its payments that have not arrived and whose entries name several merchants. One who sees some of these
    /// merchants only sees such a payment at another time than the document's hour says, so whoever pages through a
    /// scope reads these few first and skips them in the walk.
    pub fn of_several_merchants(self) -> TermQuery {
        TermQuery::all_of([TermQuery::Term(Class::SeveralMerchants.term("")), self])
    }

    /// True when the terms narrow nothing down.
    pub fn is_all(&self) -> bool {
        matches!(self, TermQuery::All)
    }

    /// Whether a payment with these terms may satisfy the question.
    pub fn matches(&self, terms: &Terms) -> bool {
        match self {
            TermQuery::All => true,
            TermQuery::None => false,
            TermQuery::Term(term) => terms.contains(term),
            TermQuery::Prefix(prefix) => terms.any_begins_with(prefix),
            // Terms do not say whose they are.
            TermQuery::OneOf(_) => true,
            TermQuery::And(members) => members.iter().all(|member| member.matches(terms)),
            TermQuery::Or(members) => members.iter().any(|member| member.matches(terms)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, scope: &Scope, expect: &str) {
        let filter = query::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(shown(&term_query(&filter, scope)), expect, "{text}");
    }

    fn shown(query: &TermQuery) -> String {
        let joined = |members: &[TermQuery], with: &str| {
            format!("({})", members.iter().map(shown).collect::<Vec<_>>().join(with))
        };
        match query {
            TermQuery::All => "ALL".to_owned(),
            TermQuery::None => "NONE".to_owned(),
            TermQuery::Term(term) => term.clone(),
            TermQuery::Prefix(prefix) => format!("{prefix}*"),
            TermQuery::OneOf(seqs) => format!("{seqs:?}"),
            TermQuery::And(members) => joined(members, " & "),
            TermQuery::Or(members) => joined(members, " | "),
        }
    }

    #[test]
    fn a_filter_becomes_what_its_terms_can_say() {
        let all = &Scope::All;
        check("아메리", all, "(i아메리 | s아메리 | o아메리 | (g메리 & g아메))");
        check("4242", all, "(i4242 | s4242 | o4242 | l4242 | (g24 & g42))");
        check("order_id:ORD-2026*", all, "iord2026*");
        check("ord-2026*", all, "(iord2026* | sord2026* | oord2026*)");
        check("payout_id:PO-1", all, "opo1");
        check("settlement_id:S-1", all, "ss1");
        check("cancellation_id:C-1", all, "(ic1 | sc1)");
        check("metadata.store:Ｓ12", all, "kstore\u{1F}s12");
        check(
            "bank:우리 issuer:BC provider:toss reason_code:R01 channel:API last4:0005",
            all,
            "(b우리 & uBC & ptoss & rR01 & cAPI & l0005)",
        );
        check("status:DONE amount:>=10 currency:KRW event_day:2026-01-01", all, "ALL");
        check("-payout_id:po1", all, "ALL");
        check("merchant_id:m1 OR status:DONE", all, "ALL");
        check(
            "merchant_id:m1 (email:a@b.c OR phone:010-1) status:DONE",
            all,
            "(mm1 & (ia@b.c | i0101))",
        );
        check("reason:aaaa", all, "gaa");
    }

    #[test]
    fn a_scope_is_a_condition_like_any_other() {
        let merchants = |ids: &[&str]| Scope::Merchants(ids.iter().map(|id| (*id).to_owned()).collect());
        check("status:DONE", &merchants(&["m1"]), "mm1");
        check("status:DONE", &merchants(&["m1", "m2"]), "(mm1 | mm2)");
        check("payout_id:po1", &merchants(&["m1", "m2"]), "((mm1 | mm2) & opo1)");
        check("payout_id:po1", &merchants(&[]), "NONE");
    }

    #[test]
    fn terms_in_memory_match_as_the_index_would() {
        let terms: Terms = ["g아메", "iord20260001", "iord20260002", "mm1"].into_iter().collect();
        let holds = |query: TermQuery| query.matches(&terms);
        assert!(holds(TermQuery::Prefix("iord2026".to_owned())));
        assert!(holds(TermQuery::Prefix("iord20260002".to_owned())));
        assert!(!holds(TermQuery::Prefix("iord20260003".to_owned())));
        assert!(!holds(TermQuery::Prefix("z".to_owned())));
        assert!(!holds(TermQuery::Term("iord2026".to_owned())));
        assert!(holds(TermQuery::And(vec![
            TermQuery::Term("mm1".to_owned()),
            TermQuery::Term("g아메".to_owned())
        ])));
    }
}
