//! The stable codes of refusals. `docs/producers.md` explains each; a test fails when one is missing there.

/// Declares the codes and the list of them all.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)+) => {
        $($(#[$doc])* pub const $name: &str = $text;)+

        /// Every code that a decoder can answer with.
        pub const ALL: &[&str] = &[$($name),+];
    };
}

codes! {
    /// Over 1 MiB.
    TOO_LARGE = "too_large";
    /// Not UTF-8 or not one JSON text.
    NOT_JSON = "not_json";
    /// Nested deeper than 32 levels.
    TOO_DEEP = "too_deep";
    /// One name twice in one object, or one header twice.
    DUPLICATE_NAME = "duplicate_name";
    /// An escape that names half of a surrogate pair.
    LONE_SURROGATE = "lone_surrogate";
    /// A number that no double can hold.
    NUMBER_OUT_OF_RANGE = "number_out_of_range";
    /// A required field or attribute is absent or null.
    MISSING_FIELD = "missing_field";
    /// A field has another JSON type than the contract says.
    WRONG_TYPE = "wrong_type";
    /// `data_base64` instead of `data`.
    BINARY_DATA = "binary_data";
    /// A binary-mode header is not UTF-8.
    BAD_HEADER = "bad_header";
    /// A message type that is not part of the contract.
    UNKNOWN_TYPE = "unknown_type";
    /// Reserved for later: a type, value or field that is not specified yet.
    RESERVED = "reserved";
    /// A value outside its closed list.
    BAD_VALUE = "bad_value";
    /// An empty string where one character is the least.
    EMPTY = "empty";
    /// More characters than allowed.
    TOO_LONG = "too_long";
    /// More members than allowed.
    TOO_MANY = "too_many";
    /// Not an integer from 1 to 2^53-1.
    BAD_VERSION = "bad_version";
    /// Not a whole number from 0.
    BAD_INTEGER = "bad_integer";
    /// Not an RFC 3339 time with an offset.
    BAD_TIME = "bad_time";
    /// Not a date.
    BAD_DATE = "bad_date";
    /// Not an ISO 4217 currency with a minor unit.
    UNKNOWN_CURRENCY = "unknown_currency";
    /// Not a decimal string.
    BAD_MONEY = "bad_money";
    /// More fraction digits than the currency has.
    TOO_MANY_DIGITS = "too_many_digits";
    /// Beyond 64-bit minor units.
    AMOUNT_OUT_OF_RANGE = "amount_out_of_range";
    /// A negative amount where none may be, or the other way round.
    WRONG_SIGN = "wrong_sign";
    /// A card number with fewer than four hidden digits.
    CARD_NOT_MASKED = "card_not_masked";
    /// The payout is not what amount, fees and VAT come to.
    ARITHMETIC = "arithmetic";
}
