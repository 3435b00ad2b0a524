//! What a search text says, before any name in it has a meaning.
//!
//! The tree is kept in one shape per meaning: a list of one member is that member, `And` holds no `And` and `Or` no `Or`
//! directly. Printing such a tree and parsing the print gives the tree back (see `print.rs`).

/// A search text as read by [`parse`](crate::parse).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ast {
    /// All members hold. At least two members, none of them an `And`.
    And(Vec<Ast>),
    /// At least one member holds. At least two members, none of them an `Or`.
    Or(Vec<Ast>),
    Not(Box<Ast>),
    /// A word that names no field: an identifier, the last four digits of a card, or a part of a text.
    Word {
        text: String,
        /// Written in quotes, which keep characters together and change nothing else.
        quoted: bool,
        /// A `*` follows: the beginning of an identifier.
        prefix: bool,
        span: Span,
    },
    /// `field:condition`.
    Field {
        field: String,
        condition: Condition,
        /// Where the name stands.
        span: Span,
    },
}

/// What stands behind the colon of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `field:value`, also `field:value*`.
    Is(Value),
    /// `field:>=value` and its like.
    Compare(Comparison, Value),
    /// `field:[a TO b]`, `{` and `}` leaving the end itself out.
    Range { lower: RangeEnd, upper: RangeEnd },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    pub text: String,
    pub quoted: bool,
    pub prefix: bool,
    pub span: Span,
}

/// One end of a range; without a value (`*`) it is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeEnd {
    pub value: Option<Value>,
    pub inclusive: bool,
}

/// Where something stands in the text: from `start` up to `end`, counted in characters (Unicode scalar values) from 0.
///
/// All spans are equal to each other. Two trees are compared for what they say, not for where they say it, so that a tree
/// equals what is parsed from its print.
#[derive(Debug, Clone, Copy, Default)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl PartialEq for Span {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Span {}

impl Ast {
    /// All of these, in the one shape that means it.
    pub fn all_of(parts: Vec<Ast>) -> Option<Ast> {
        let mut members = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Ast::And(inner) => members.extend(inner),
                other => members.push(other),
            }
        }
        if members.len() > 1 {
            Some(Ast::And(members))
        } else {
            members.pop()
        }
    }

    /// Any of these, in the one shape that means it.
    pub fn any_of(parts: Vec<Ast>) -> Option<Ast> {
        let mut members = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Ast::Or(inner) => members.extend(inner),
                other => members.push(other),
            }
        }
        if members.len() > 1 {
            Some(Ast::Or(members))
        } else {
            members.pop()
        }
    }
}

impl Comparison {
    pub fn symbol(self) -> &'static str {
        match self {
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
        }
    }
}
