//! What an answer took, where the search index is asked.

use testkit::histories::History;
use testkit::oracle::Reader;

use crate::compare::key_of;
use crate::feeding::{Way, fed};

#[test]
fn a_search_by_an_identifier_reads_the_index_and_hardly_any_row() {
    let history = History::random(3);
    let mut product = fed(&history.messages, 3, Way::Plain);
    let key = key_of(&mut product, &Reader::finance());
    let all = product.get(&key, "/v1/payments?limit=100").body;
    let payments = all["data"].as_array().expect("payments");
    let wanted = payments[0]["payment_key"].as_str().expect("a key");
    let address = format!("/v1/payments/search?q=payment_key:{wanted}&explain=true");
    let answer = product.get(&key, &address).body;
    let explain = &answer["explain"];
    assert_eq!(explain["plan"]["source"], "index", "{explain}");
    assert_eq!(
        explain["plan"]["looks"],
        serde_json::json!([]),
        "no table is asked: {explain}"
    );
    let number = |member: &str| explain[member].as_u64().expect("a number");
    assert!(number("rows_returned") >= 1, "{explain}");
    assert!(number("candidates") <= number("rows_returned") + 2, "{explain}");
    assert!(number("bytes_read") > 0, "{explain}");
}
