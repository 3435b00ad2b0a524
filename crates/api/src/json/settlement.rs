//! Settlement lines and what they add up to.

use chrono::NaiveDate;
use domain::derive::SettlementSums;
use domain::money::Currency;
use domain::record::{Charge, Metadata, SettlementRecord};
use serde::Serialize;

use super::money;
use super::payment::Cut;

#[derive(Serialize)]
pub(crate) struct SettlementSumsJson {
    gross: String,
    fee: String,
    vat: String,
    payout: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    net_profit: Option<String>,
}

impl SettlementSumsJson {
    pub(super) fn of(sums: &SettlementSums, currency: Currency, cut: &Cut) -> Self {
        let print = |minor: i128| money(minor, currency);
        SettlementSumsJson {
            gross: print(sums.gross),
            fee: print(sums.fee),
            vat: print(sums.vat),
            payout: print(sums.payout),
            cost: cut.provider_figures.then(|| print(sums.cost)),
            net_profit: cut.provider_figures.then(|| print(sums.net_profit())),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct SettlementJson<'a> {
    settlement_id: &'a str,
    of: &'static str,
    cancellation_id: Option<&'a str>,
    status: &'static str,
    currency: &'static str,
    amount: String,
    fees: Vec<ChargeJson<'a>>,
    fee: String,
    vat: String,
    payout_amount: String,
    /// Left out for merchants; null where none were sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    costs: Option<Option<Vec<ChargeJson<'a>>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<String>,
    sold_on: NaiveDate,
    paid_out_on: Option<NaiveDate>,
    payout_id: Option<&'a str>,
    contract: Option<ContractJson<'a>>,
    metadata: Option<&'a Metadata>,
    version: u64,
}

#[derive(Serialize)]
struct ChargeJson<'a> {
    r#type: &'a str,
    amount: String,
}

#[derive(Serialize)]
struct ContractJson<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fee_rate: Option<&'a str>,
}

impl<'a> SettlementJson<'a> {
    pub(super) fn of(record: &'a SettlementRecord, cut: &Cut) -> Self {
        let currency = record.currency;
        let charges = |charges: &'a [Charge]| charges.iter().map(|charge| charge_json(charge, currency)).collect();
        SettlementJson {
            settlement_id: &record.settlement_id,
            of: record.of.as_str(),
            cancellation_id: record.cancellation_id.as_deref(),
            status: record.status.as_str(),
            currency: currency.code(),
            amount: money(record.amount, currency),
            fees: charges(&record.fees),
            fee: money(record.fee(), currency),
            vat: money(record.vat, currency),
            payout_amount: money(record.payout_amount, currency),
            costs: cut.provider_figures.then(|| record.costs.as_deref().map(charges)),
            cost: cut.provider_figures.then(|| money(record.cost(), currency)),
            sold_on: record.sold_on,
            paid_out_on: record.paid_out_on,
            payout_id: record.payout_id.as_deref(),
            contract: record.contract.as_ref().map(|contract| ContractJson {
                id: &contract.id,
                fee_rate: contract.fee_rate.as_deref(),
            }),
            metadata: record.metadata.as_ref(),
            version: record.version,
        }
    }
}

fn charge_json(charge: &Charge, currency: Currency) -> ChargeJson<'_> {
    ChargeJson {
        r#type: &charge.charge_type,
        amount: money(charge.amount, currency),
    }
}
