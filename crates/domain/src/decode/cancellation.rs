//! `cancellation.recorded.v1`.

use crate::decode::code;
use crate::decode::fields::{Fields, IDENTIFIER_CHARS_MAX, MERCHANT_CHARS_MAX, Sign};
use crate::record::{CancellationRecord, CancellationStatus, Channel, RequestedBy};
use crate::refusal::Refusal;

pub(super) fn decode(fields: &Fields<'_, '_>) -> Result<CancellationRecord, Refusal> {
    let payment_key = fields.identifier("payment_key", IDENTIFIER_CHARS_MAX)?;
    let cancellation_id = fields.identifier("cancellation_id", IDENTIFIER_CHARS_MAX)?;
    let merchant_id = fields.identifier("merchant_id", MERCHANT_CHARS_MAX)?;
    let version = fields.version()?;
    let deleted = fields.flag("deleted")?;
    let status = fields.one_of("status", CancellationStatus::ALL, CancellationStatus::parse)?;
    let currency = fields.currency()?;
    let (total, tax_free) = fields.object("amount", |amount| {
        let total = amount.money("total", currency, Sign::Positive)?;
        Ok((total, amount.optional_money("tax_free", currency, Sign::Any)?))
    })?;
    let reason = fields.optional_string("reason")?;
    let reason_code = fields.optional_string("reason_code")?;
    let requested_by = fields.optional_object("requested_by", requested_by)?;
    let requested_at = fields.optional_time("requested_at")?;
    let is_done = status == CancellationStatus::Done;
    if requested_at.is_none() && !is_done {
        return Err(fields.refuse(
            code::MISSING_FIELD,
            "requested_at",
            "is required unless the status is DONE",
        ));
    }
    let canceled_at = fields.optional_time("canceled_at")?;
    if canceled_at.is_none() && is_done {
        return Err(fields.refuse(code::MISSING_FIELD, "canceled_at", "is required of DONE"));
    }
    Ok(CancellationRecord {
        payment_key,
        cancellation_id,
        merchant_id,
        version,
        deleted,
        status,
        currency,
        total,
        tax_free,
        reason,
        reason_code,
        requested_by,
        requested_at,
        canceled_at,
        metadata: fields.metadata()?,
    })
}

fn requested_by(by: &Fields<'_, '_>) -> Result<RequestedBy, Refusal> {
    let channel = by.one_of("channel", Channel::ALL, Channel::parse)?;
    Ok(RequestedBy {
        channel: Some(channel),
        actor: by.optional_string("actor")?,
    })
}
