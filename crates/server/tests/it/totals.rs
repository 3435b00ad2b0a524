//! Totals of lists and searches, which are of all pages whichever asks for them.

use std::time::Duration;

use testkit::histories::History;
use testkit::oracle::Reader;

use crate::compare::{encoded, key_of};
use crate::feeding::zones;
use crate::product::{Product, index_limits};

#[test]
fn every_page_tells_the_same_total_while_the_index_has_nothing() {
    let mut product = Product::new(zones(), index_limits(Duration::from_secs(3600)));
    let messages: Vec<Vec<u8>> = (3..8).flat_map(|seed| History::random(seed).messages).collect();
    product.deliver_again(&messages);
    let key = key_of(&mut product, &Reader::finance());
    let all = product.get(&key, "/v1/payments?limit=4").body;
    let keys = all["data"].as_array().expect("a list").iter();
    let keys: Vec<String> = keys
        .map(|row| format!("payment_key:{}", row["payment_key"].as_str().expect("a key")))
        .collect();
    let question = encoded(&keys.join(" OR "));
    for address in [format!("/v1/payments/search?q={question}"), "/v1/payments?".to_owned()] {
        let base = format!("{address}&limit=1&total=true");
        let mut page = product.get(&key, &base).body;
        let total = page["total"].clone();
        let mut pages = 1;
        while let Some(next) = page["next_cursor"].as_str() {
            page = product.get(&key, &format!("{base}&cursor={next}")).body;
            pages += 1;
            assert_eq!(page["total"], total, "page {pages} of {base}");
        }
        assert!(pages > 2, "{base}: {pages} pages");
        assert_eq!(total["count"], pages, "{base}");
    }
}
