//! Where a rule is broken, as an RFC 6901 JSON pointer.
//!
//! While a message is read its place is a list on the stack; a pointer is printed only for a refusal.

use crate::redact::redact_text;

/// Names longer than this are left out of pointers, with what is below them: a name can be as long as a message.
const NAME_CHARS_MAX: usize = 200;

/// One step of a pointer.
#[derive(Clone, Debug)]
pub(crate) enum Segment {
    Name(String),
    Index(usize),
}

impl Segment {
    pub(crate) fn name(name: &str) -> Self {
        Segment::Name(name.to_owned())
    }

    /// Prints segments from the root down.
    pub(crate) fn pointer<'s>(segments: impl Iterator<Item = &'s Segment>) -> String {
        let mut pointer = String::new();
        for segment in segments {
            match segment {
                Segment::Name(name) if name.chars().count() > NAME_CHARS_MAX => break,
                Segment::Name(name) => {
                    let name = redact_text(name).unwrap_or_else(|| name.clone());
                    pointer.push('/');
                    pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                }
                Segment::Index(index) => {
                    pointer.push('/');
                    pointer.push_str(&index.to_string());
                }
            }
        }
        pointer
    }
}

/// A place in a message.
#[derive(Clone, Copy)]
pub(crate) enum Place<'p> {
    Root,
    Name(&'p Place<'p>, &'p str),
    Index(&'p Place<'p>, usize),
}

impl Place<'_> {
    pub(crate) fn pointer(&self) -> String {
        let mut segments = Vec::new();
        let mut place = self;
        loop {
            match place {
                Place::Root => break,
                Place::Name(parent, name) => {
                    segments.push(Segment::name(name));
                    place = parent;
                }
                Place::Index(parent, index) => {
                    segments.push(Segment::Index(*index));
                    place = parent;
                }
            }
        }
        Segment::pointer(segments.iter().rev())
    }
}
