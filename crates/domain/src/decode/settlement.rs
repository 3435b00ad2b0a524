//! `settlement.recorded.v1`.

use crate::decode::code;
use crate::decode::fields::{Fields, IDENTIFIER_CHARS_MAX, MERCHANT_CHARS_MAX, Sign};
use crate::json::Json;
use crate::money::{Currency, format_minor};
use crate::record::{Charge, Contract, LineOf, LineStatus, SettlementRecord};
use crate::refusal::Refusal;

/// A kind of line that is reserved for later.
const ADJUSTMENT: &str = "ADJUSTMENT";

pub(super) fn decode(fields: &Fields<'_, '_>) -> Result<SettlementRecord, Refusal> {
    let payment_key = fields.identifier("payment_key", IDENTIFIER_CHARS_MAX)?;
    let settlement_id = fields.identifier("settlement_id", IDENTIFIER_CHARS_MAX)?;
    let merchant_id = fields.identifier("merchant_id", MERCHANT_CHARS_MAX)?;
    let version = fields.version()?;
    let deleted = fields.flag("deleted")?;
    if fields.text("of")? == ADJUSTMENT {
        let detail = format!("`{ADJUSTMENT}` in `of` is reserved and not specified yet");
        return Err(Refusal::new(code::RESERVED, fields.pointer("of"), detail));
    }
    let of = fields.one_of("of", LineOf::ALL, LineOf::parse)?;
    let cancellation_id = fields.optional_identifier("cancellation_id")?;
    if cancellation_id.is_none() && of == LineOf::Cancellation {
        let detail = "is required of a line that is for a CANCELLATION";
        return Err(fields.refuse(code::MISSING_FIELD, "cancellation_id", detail));
    }
    let status = fields.one_of("status", LineStatus::ALL, LineStatus::parse)?;
    let currency = fields.currency()?;
    check_payout_currency(fields, currency)?;
    let sign = match of {
        LineOf::Payment => Sign::NotNegative,
        LineOf::Cancellation => Sign::NotPositive,
    };
    let amount = fields.money("amount", currency, sign)?;
    let fees = fields
        .optional_objects("fees", |fee| charge(fee, currency))?
        .ok_or_else(|| fields.missing("fees"))?;
    let record = SettlementRecord {
        payment_key,
        settlement_id,
        merchant_id,
        version,
        deleted,
        of,
        cancellation_id,
        status,
        currency,
        amount,
        fees,
        vat: fields.money("vat", currency, Sign::Any)?,
        payout_amount: fields.money("payout_amount", currency, Sign::Any)?,
        costs: fields.optional_objects("costs", |cost| charge(cost, currency))?,
        sold_on: fields.date("sold_on")?,
        paid_out_on: fields.optional_date("paid_out_on")?,
        payout_id: fields.optional_identifier("payout_id")?,
        contract: fields.optional_object("contract", contract)?,
        metadata: fields.metadata()?,
    };
    check_payout(&record, fields)?;
    Ok(record)
}

/// A payout in another currency would need a rate of exchange, which no message has yet.
fn check_payout_currency(fields: &Fields<'_, '_>, currency: Currency) -> Result<(), Refusal> {
    match fields.optional_text("payout_currency")? {
        Some(payout_currency) if payout_currency != currency.code() => {
            let detail = "other than `currency` is reserved and not specified yet: leave it out";
            Err(fields.refuse(code::RESERVED, "payout_currency", detail))
        }
        _ => Ok(()),
    }
}

fn charge(charge: &Fields<'_, '_>, currency: Currency) -> Result<Charge, Refusal> {
    Ok(Charge {
        charge_type: charge.text("type")?.to_owned(),
        amount: charge.money("amount", currency, Sign::Any)?,
    })
}

fn contract(contract: &Fields<'_, '_>) -> Result<Contract, Refusal> {
    let id = contract.identifier("id", IDENTIFIER_CHARS_MAX)?;
    // A rate is shown and never used, so it is taken as a string or as a number and kept as it prints.
    let fee_rate = match contract.optional("fee_rate") {
        None => None,
        Some(Json::String(text)) => Some(text.to_string()),
        Some(number @ Json::Number(_)) => Some(crate::canonical::to_text(number)),
        Some(_) => return Err(contract.wrong_type("fee_rate", "a decimal string")),
    };
    Ok(Contract { id, fee_rate })
}

/// `payout_amount = amount - sum(fees) - vat`, in 128 bits, where it cannot overflow.
fn check_payout(record: &SettlementRecord, fields: &Fields<'_, '_>) -> Result<(), Refusal> {
    let payout = i128::from(record.amount) - record.fee() - i128::from(record.vat);
    let difference = i128::from(record.payout_amount) - payout;
    if difference == 0 {
        return Ok(());
    }
    let difference = format_minor(difference, record.currency);
    let detail = format_args!("must be `amount` less all `fees` less `vat`: it is off by {difference}");
    Err(fields.refuse(code::ARITHMETIC, "payout_amount", detail))
}
