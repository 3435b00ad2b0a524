//! What the demo prints: its address, its keys and requests to copy, each with what it shows.

use std::time::Duration;

use api::keys::Role;
use domain::derive::Payment;
use domain::scope::Scope;
use ledger::Order;
use lookup::{Lookup, PageRequest};

use crate::failure::{Failure, chain};

/// A payment worth looking at, from the data that was just loaded.
pub(super) struct Example {
    pub(super) merchant_id: String,
    payment_key: String,
    last4: String,
    word: String,
}

impl Example {
    /// The newest card payment that was partly cancelled and paid out.
    pub(super) fn find(lookup: &Lookup) -> Result<Self, Failure> {
        let filter = query::compile("status:PARTIALLY_CANCELED method:CARD currency:KRW settlement_status:PAID")
            .map_err(|error| Failure::usage(error.to_string()))?;
        let request = PageRequest {
            scope: Scope::All,
            filter,
            order: Order::NewestFirst,
            after: None,
            limit: 50,
            total_until: None,
        };
        let page = lookup.page(&request).map_err(|error| Failure::Store(chain(&error)))?;
        let example = page.value.rows.iter().find_map(|dossier| {
            let payment = Payment::derive(dossier, &Scope::All)?;
            let record = payment.record?;
            Some(Example {
                merchant_id: record.merchant_id.clone(),
                payment_key: record.payment_key.clone(),
                last4: record.card.as_ref()?.last4.clone()?,
                word: record.order_name.as_ref()?.split_whitespace().next()?.to_owned(),
            })
        });
        example.ok_or_else(|| Failure::usage("the demo has too few payments to show anything; raise --payments"))
    }
}

/// The text that a visitor reads.
pub(super) fn text(address: &str, brokers: &str, keys: &[(Role, String)], example: &Example, took: Duration) -> String {
    let key = |role: Role| {
        keys.iter()
            .find(|(held, _)| *held == role)
            .map_or("", |(_, key)| key.as_str())
    };
    let (merchant, finance, operator) = (key(Role::Merchant), key(Role::Finance), key(Role::Operator));
    let base = format!("http://{address}");
    let (payment_key, merchant_id) = (&example.payment_key, &example.merchant_id);
    let today = super::present::today();
    let month = today - chrono::Days::new(60);
    let tomorrow = today + chrono::Days::new(1);
    let mut lines = vec![
        format!("\nLedgerlens answers at {base} (ready after {} s)\n", took.as_secs()),
        "Keys".to_owned(),
    ];
    for (role, key) in keys {
        let sees = if *role == Role::Merchant {
            format!("  (sees {merchant_id} only)")
        } else {
            String::new()
        };
        lines.push(format!("  {:<9} {key}{sees}", role.as_str()));
    }
    let mut request = |number: usize, shows: &str, curl: String| {
        lines.push(format!("\n{number}. {shows}\n   {curl}"));
    };
    request(
        1,
        "One payment from approval to net profit: cancellations, settlement lines, sums, flags",
        format!("curl -s -H 'Authorization: Bearer {finance}' '{base}/v1/payments/{payment_key}'"),
    );
    request(
        2,
        "The same payment as its merchant sees it: the provider's cost and profit are absent (personal data is masked in both)",
        format!("curl -s -H 'Authorization: Bearer {merchant}' '{base}/v1/payments/{payment_key}'"),
    );
    request(
        3,
        "Find payments by what the shopper reads out: the card's last four digits and a word of the item",
        format!(
            "curl -s -G -H 'Authorization: Bearer {merchant}' '{base}/v1/payments/search' --data-urlencode 'q=last4:{} \"{}\"'",
            example.last4, example.word
        ),
    );
    request(
        4,
        "A list by typed filters: partly cancelled payments of the last 60 days over 10000",
        format!(
            "curl -s -G -H 'Authorization: Bearer {finance}' '{base}/v1/payments' --data-urlencode status=PARTIALLY_CANCELED --data-urlencode 'amount[gte]=10000' --data-urlencode 'event_day[gte]={month}' --data-urlencode limit=5"
        ),
    );
    request(
        5,
        "Sums to trust: sales by method, added up while messages came in",
        format!(
            "curl -s -H 'Authorization: Bearer {finance}' '{base}/v1/reports/sales?basis=event_day&from={month}&to={tomorrow}&group_by=method'"
        ),
    );
    request(
        6,
        "What was refused and why, for the team that published it",
        format!("curl -s -H 'Authorization: Bearer {operator}' '{base}/v1/quarantine?limit=5'"),
    );
    let now = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%SZ");
    let event = format!(
        r#"{{"specversion":"1.0","id":"hello-1","source":"me","type":"payment.recorded.v1","time":"{now}","data":{{"payment_key":"pay_hello","merchant_id":"{merchant_id}","order_id":"ORD-HELLO","version":1,"status":"DONE","method":"CARD","currency":"KRW","amount":{{"total":"12345"}},"requested_at":"{now}","approved_at":"{now}","order_name":"Hello Ledgerlens"}}}}"#
    );
    lines.push(format!("\nPublish an event of your own (kcat, from Debian's package kcat):\n   echo '{event}' | kcat -P -b {brokers} -t payments -k pay_hello"));
    lines.push(format!(
        "and find it, a second later:\n   curl -s -H 'Authorization: Bearer {merchant}' '{base}/v1/payments/search?q=ORD-HELLO'"
    ));
    lines.push("\nCtrl-C ends the demo and removes its data.".to_owned());
    lines.join("\n")
}
