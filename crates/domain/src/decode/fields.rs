//! Reading one field of an object, with the refusal that names it.
//!
//! `null` in an optional field means absent; in a required one it is as if the field were missing. A detail says what
//! the field must hold and never what it held.

use std::fmt::Display;

use chrono::{DateTime, NaiveDate, Utc};

use crate::decode::code;
use crate::decode::pointer::Place;
use crate::json::{Json, Object};
use crate::money::{Currency, MoneyError, parse_minor};
use crate::record::Metadata;
use crate::refusal::Refusal;
use crate::time::{parse_date, parse_time};

/// How long an identifier may be where nothing else is said.
pub(super) const IDENTIFIER_CHARS_MAX: usize = 200;
/// How long `merchant_id` may be.
pub(super) const MERCHANT_CHARS_MAX: usize = 64;
/// The greatest `version`, 2^53-1: every integer up to here is exact in every JSON reader.
const INTEGER_MAX: i64 = 9_007_199_254_740_991;

const METADATA_PAIRS_MAX: usize = 50;
const METADATA_NAME_CHARS_MAX: usize = 40;
const METADATA_VALUE_CHARS_MAX: usize = 500;

/// What a sign rule asks of an amount.
#[derive(Clone, Copy)]
pub(super) enum Sign {
    Any,
    NotNegative,
    NotPositive,
    Positive,
}

/// The members of one object and its place in the message.
#[derive(Clone, Copy)]
pub(super) struct Fields<'j, 'a> {
    object: &'j Object<'a>,
    place: Place<'j>,
}

impl<'j, 'a> Fields<'j, 'a> {
    pub(super) fn new(object: &'j Object<'a>, place: Place<'j>) -> Self {
        Self { object, place }
    }

    pub(super) fn pointer(&self, name: &str) -> String {
        Place::Name(&self.place, name).pointer()
    }

    pub(super) fn refuse(&self, code: &'static str, name: &str, detail: impl Display) -> Refusal {
        Refusal::new(code, self.pointer(name), format!("`{name}` {detail}"))
    }

    pub(super) fn missing(&self, name: &str) -> Refusal {
        self.refuse(code::MISSING_FIELD, name, "is required")
    }

    pub(super) fn wrong_type(&self, name: &str, expected: &str) -> Refusal {
        self.refuse(code::WRONG_TYPE, name, format_args!("must be {expected}"))
    }

    /// The value of an optional field; `null` means absent.
    pub(super) fn optional(&self, name: &str) -> Option<&'j Json<'a>> {
        self.object.get(name).filter(|value| !matches!(value, Json::Null))
    }

    pub(super) fn optional_text(&self, name: &str) -> Result<Option<&'j str>, Refusal> {
        match self.optional(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong_type(name, "a string")),
        }
    }

    pub(super) fn text(&self, name: &str) -> Result<&'j str, Refusal> {
        self.optional_text(name)?.ok_or_else(|| self.missing(name))
    }

    /// Free text of any length.
    pub(super) fn optional_string(&self, name: &str) -> Result<Option<String>, Refusal> {
        Ok(self.optional_text(name)?.map(str::to_owned))
    }

    pub(super) fn identifier(&self, name: &str, chars_max: usize) -> Result<String, Refusal> {
        let text = self.text(name)?;
        check_identifier(text, name, chars_max, || self.pointer(name))?;
        Ok(text.to_owned())
    }

    pub(super) fn optional_identifier(&self, name: &str) -> Result<Option<String>, Refusal> {
        match self.optional_text(name)? {
            None => Ok(None),
            Some(text) => {
                check_identifier(text, name, IDENTIFIER_CHARS_MAX, || self.pointer(name))?;
                Ok(Some(text.to_owned()))
            }
        }
    }

    /// A value of a closed list.
    pub(super) fn optional_one_of<T: Copy + Display>(
        &self,
        name: &str,
        all: &[T],
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let Some(text) = self.optional_text(name)? else {
            return Ok(None);
        };
        parse(text).map(Some).ok_or_else(|| {
            let values: Vec<String> = all.iter().map(T::to_string).collect();
            self.refuse(
                code::BAD_VALUE,
                name,
                format_args!("must be one of {}", values.join(", ")),
            )
        })
    }

    pub(super) fn one_of<T: Copy + Display>(
        &self,
        name: &str,
        all: &[T],
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Refusal> {
        self.optional_one_of(name, all, parse)?
            .ok_or_else(|| self.missing(name))
    }

    pub(super) fn optional_time(&self, name: &str) -> Result<Option<DateTime<Utc>>, Refusal> {
        let Some(text) = self.optional_text(name)? else {
            return Ok(None);
        };
        parse_time(text).map(Some).ok_or_else(|| {
            let detail = "must be an RFC 3339 time with an offset, such as 2026-03-01T10:00:00+09:00";
            self.refuse(code::BAD_TIME, name, detail)
        })
    }

    pub(super) fn optional_date(&self, name: &str) -> Result<Option<NaiveDate>, Refusal> {
        let Some(text) = self.optional_text(name)? else {
            return Ok(None);
        };
        parse_date(text)
            .map(Some)
            .ok_or_else(|| self.refuse(code::BAD_DATE, name, "must be a date such as 2026-03-01"))
    }

    pub(super) fn date(&self, name: &str) -> Result<NaiveDate, Refusal> {
        self.optional_date(name)?.ok_or_else(|| self.missing(name))
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.optional(name) {
            None => Ok(false),
            Some(Json::Bool(value)) => Ok(*value),
            Some(_) => Err(self.wrong_type(name, "true or false")),
        }
    }

    /// A count: a whole number from zero that every JSON reader holds exactly.
    pub(super) fn optional_count(&self, name: &str) -> Result<Option<i64>, Refusal> {
        match self.optional(name) {
            None => Ok(None),
            Some(Json::Number(number)) => exact_integer(*number)
                .filter(|count| *count >= 0)
                .map(Some)
                .ok_or_else(|| self.refuse(code::BAD_INTEGER, name, "must be a whole number from 0 to 2^53-1")),
            Some(_) => Err(self.wrong_type(name, "a number")),
        }
    }

    pub(super) fn version(&self) -> Result<u64, Refusal> {
        let name = "version";
        match self.optional(name).ok_or_else(|| self.missing(name))? {
            Json::Number(number) => exact_integer(*number)
                .and_then(|version| u64::try_from(version).ok())
                .filter(|version| *version > 0)
                .ok_or_else(|| self.refuse(code::BAD_VERSION, name, "must be a whole number from 1 to 2^53-1")),
            _ => Err(self.wrong_type(name, "a number")),
        }
    }

    /// The currency of every amount in the message.
    pub(super) fn currency(&self) -> Result<Currency, Refusal> {
        Currency::parse(self.text("currency")?).ok_or_else(|| {
            let detail = "must be an ISO 4217 code of three capital letters that has a minor unit, such as KRW";
            self.refuse(code::UNKNOWN_CURRENCY, "currency", detail)
        })
    }

    pub(super) fn optional_money(&self, name: &str, currency: Currency, sign: Sign) -> Result<Option<i64>, Refusal> {
        let text = match self.optional(name) {
            None => return Ok(None),
            Some(Json::String(text)) => text,
            Some(_) => return Err(self.wrong_type(name, "a decimal string in major units, such as \"15000\"")),
        };
        let minor = parse_minor(text, currency).map_err(|error| {
            let code = match error {
                MoneyError::Shape => code::BAD_MONEY,
                MoneyError::TooManyDigits { .. } => code::TOO_MANY_DIGITS,
                MoneyError::OutOfRange => code::AMOUNT_OUT_OF_RANGE,
            };
            self.refuse(code, name, error)
        })?;
        let expected = match sign {
            Sign::NotNegative if minor < 0 => "must not be negative",
            Sign::NotPositive if minor > 0 => "must not be positive",
            Sign::Positive if minor <= 0 => "must be greater than zero",
            _ => return Ok(Some(minor)),
        };
        Err(self.refuse(code::WRONG_SIGN, name, expected))
    }

    pub(super) fn money(&self, name: &str, currency: Currency, sign: Sign) -> Result<i64, Refusal> {
        self.optional_money(name, currency, sign)?
            .ok_or_else(|| self.missing(name))
    }

    /// Reads an object with `read`, which gets its fields.
    pub(super) fn optional_object<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Fields<'_, 'a>) -> Result<T, Refusal>,
    ) -> Result<Option<T>, Refusal> {
        match self.optional(name) {
            None => Ok(None),
            Some(Json::Object(object)) => read(&Fields::new(object, Place::Name(&self.place, name))).map(Some),
            Some(_) => Err(self.wrong_type(name, "an object")),
        }
    }

    pub(super) fn object<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Fields<'_, 'a>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.optional_object(name, read)?.ok_or_else(|| self.missing(name))
    }

    /// Reads an array of objects with `read`, which gets the fields of each.
    pub(super) fn optional_objects<T>(
        &self,
        name: &str,
        read: impl Fn(&Fields<'_, 'a>) -> Result<T, Refusal>,
    ) -> Result<Option<Vec<T>>, Refusal> {
        let items = match self.optional(name) {
            None => return Ok(None),
            Some(Json::Array(items)) => items,
            Some(_) => return Err(self.wrong_type(name, "an array of objects")),
        };
        let array = Place::Name(&self.place, name);
        let read_item = |(index, item): (usize, &Json<'a>)| {
            let place = Place::Index(&array, index);
            match item {
                Json::Object(object) => read(&Fields::new(object, place)),
                _ => Err(Refusal::new(
                    code::WRONG_TYPE,
                    place.pointer(),
                    format!("each item of `{name}` must be an object"),
                )),
            }
        };
        items
            .iter()
            .enumerate()
            .map(read_item)
            .collect::<Result<Vec<T>, Refusal>>()
            .map(Some)
    }

    pub(super) fn metadata(&self) -> Result<Option<Metadata>, Refusal> {
        self.optional_object("metadata", |pairs| {
            if pairs.object.members().len() > METADATA_PAIRS_MAX {
                let detail = format_args!("must have at most {METADATA_PAIRS_MAX} pairs");
                return Err(self.refuse(code::TOO_MANY, "metadata", detail));
            }
            let mut metadata = Metadata::new();
            for (name, value) in pairs.object.members() {
                // A pair is the merchant's own, not a field, so `null` does not make it absent.
                let Json::String(value) = value else {
                    return Err(pairs.wrong_type(name, "a string"));
                };
                check_length(name, "a name in `metadata`", METADATA_NAME_CHARS_MAX, || {
                    pairs.pointer(name)
                })?;
                check_length(value, "a value in `metadata`", METADATA_VALUE_CHARS_MAX, || {
                    pairs.pointer(name)
                })?;
                metadata.insert(name.to_string(), value.to_string());
            }
            Ok(metadata)
        })
    }
}

/// The integer that a double is, if every JSON reader agrees on it.
fn exact_integer(number: f64) -> Option<i64> {
    let integer = number as i64;
    (number.fract() == 0.0 && (-INTEGER_MAX..=INTEGER_MAX).contains(&integer)).then_some(integer)
}

pub(super) fn check_not_empty(text: &str, name: &str, pointer: impl FnOnce() -> String) -> Result<(), Refusal> {
    if text.is_empty() {
        return Err(Refusal::new(
            code::EMPTY,
            pointer(),
            format!("`{name}` must not be empty"),
        ));
    }
    Ok(())
}

pub(super) fn check_identifier(
    text: &str,
    name: &str,
    chars_max: usize,
    pointer: impl FnOnce() -> String,
) -> Result<(), Refusal> {
    if text.is_empty() {
        return check_not_empty(text, name, pointer);
    }
    check_length(text, &format!("`{name}`"), chars_max, pointer)
}

/// A character is a Unicode scalar value. Bytes are never fewer, so most texts are settled by their length.
fn check_length(text: &str, what: &str, chars_max: usize, pointer: impl FnOnce() -> String) -> Result<(), Refusal> {
    if text.len() > chars_max && text.chars().count() > chars_max {
        let detail = format!("{what} must have at most {chars_max} characters");
        return Err(Refusal::new(code::TOO_LONG, pointer(), detail));
    }
    Ok(())
}
