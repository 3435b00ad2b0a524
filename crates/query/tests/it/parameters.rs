//! Typed filter parameters.

use query::{ParamError, ParamSet, code, filter_from_params};

use crate::notation::notation;

const LIST: ParamSet = ParamSet::PAYMENTS.with_others(&["limit", "cursor", "order"]);

fn pairs(query: &str) -> Vec<(&str, &str)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect()
}

#[track_caller]
fn check(allowed: ParamSet, query: &str, expected: &str) {
    match filter_from_params(pairs(query), allowed) {
        Ok(filter) => assert_eq!(notation(&filter), expected, "{query}"),
        Err(errors) => panic!("{query}: {errors:?}"),
    }
}

#[track_caller]
fn refuse(allowed: ParamSet, query: &str) -> Vec<ParamError> {
    match filter_from_params(pairs(query), allowed) {
        Ok(filter) => panic!("{query} was understood: {filter:?}"),
        Err(errors) => errors,
    }
}

#[test]
fn parameters_become_filters() {
    for (query, expected) in [
        ("", "all"),
        ("limit=5&cursor=x&order=asc", "all"),
        ("status=DONE", "Status=DONE"),
        ("status=DONE&status=CANCELED", "(Status=DONE | Status=CANCELED)"),
        ("status=DONE&status=DONE", "Status=DONE"),
        ("status=DONE&method=CARD", "(Status=DONE & Method=CARD)"),
        (
            "status=DONE&limit=5&method=CARD&status=CANCELED",
            "((Status=DONE | Status=CANCELED) & Method=CARD)",
        ),
        ("status=UNKNOWN&method=UNKNOWN", "(Status=UNKNOWN & Method=UNKNOWN)"),
        ("merchant_id=m 1*", "MerchantId=m 1*"),
        ("merchant_id= ", "MerchantId= "),
        ("order_id=ORD-2026 0042", "OrderId=ord20260042"),
        ("payout_id=po1", "PayoutId=po1"),
        ("flag=over_canceled", "Flag=over_canceled"),
        ("currency=KRW&currency=USD", "(Currency=KRW | Currency=USD)"),
        ("amount[gte]=10.50", "Amount[10.5..*)"),
        ("amount[gt]=10&amount[lt]=20", "Amount(10..20)"),
        (
            "amount[lte]=20&status=DONE&amount[gte]=10",
            "(Amount[10..20] & Status=DONE)",
        ),
        ("amount[gte]=20&amount[lt]=10", "Amount[20..10)"),
        ("amount[gte]=10&amount[gte]=15&amount[gt]=15", "Amount(15..*)"),
        ("amount=15000", "Amount[15000..15000]"),
        ("amount=10.50&amount=10.5", "Amount[10.5..10.5]"),
        ("amount=1&amount=2", "(Amount[1..1] | Amount[2..2])"),
        ("balance_amount[gt]=0", "BalanceAmount(0..*)"),
        (
            "event_day[gte]=2026-11-01&event_day[lt]=2026-12-01",
            "EventDay[2026-11-01..2026-12-01)",
        ),
        ("event_day=2026-11-01", "EventDay[2026-11-01..2026-11-01]"),
        (
            "event_day=2026-11-01&event_day=2026-11-02&event_day[gte]=2026-11-02",
            "(EventDay[2026-11-02..2026-11-01] | EventDay[2026-11-02..2026-11-02])",
        ),
        ("sale_day[lte]=2026-11-01", "SaleDay(*..2026-11-01]"),
        ("sold_on[lte]=2026-11-01", "SoldOn(*..2026-11-01]"),
        ("paid_out_on[gt]=2026-11-01", "PaidOutOn(2026-11-01..*)"),
        (
            "approved_at[gte]=2026-11-01T00:00:00+09:00",
            "ApprovedAt[2026-10-31T15:00:00Z..*)",
        ),
        (
            "canceled_at[lt]=2026-11-01T00:00:00Z",
            "CanceledAt(*..2026-11-01T00:00:00Z)",
        ),
        ("q=", "all"),
        ("q=커피 OR tea", "(word(커피 커피) | word(tea tea))"),
        ("q=aa bb&status=DONE", "(Status=DONE & word(aa aa) & word(bb bb))"),
        ("q=aa OR bb&status=DONE", "(Status=DONE & (word(aa aa) | word(bb bb)))"),
    ] {
        check(LIST, query, expected);
    }
}

#[test]
fn each_endpoint_knows_its_own() {
    check(
        ParamSet::ENTRIES,
        "kind=payment&status=PENDING&amount[lt]=0",
        "(Kind=payment & Status=PENDING & Amount(*..0))",
    );
    check(
        ParamSet::ENTRIES,
        "sale_day=2026-03-01",
        "SaleDay[2026-03-01..2026-03-01]",
    );
    check(
        ParamSet::SALES_REPORT,
        "merchant_id=m1&method=CARD&currency=KRW",
        "(MerchantId=m1 & Method=CARD & Currency=KRW)",
    );
    check(
        ParamSet::SETTLEMENTS_REPORT,
        "status=PAID&status=HELD",
        "(Status=PAID | Status=HELD)",
    );
    for (allowed, query, code) in [
        (ParamSet::ENTRIES, "q=aa", code::UNKNOWN_PARAMETER),
        (ParamSet::ENTRIES, "flag=conflict", code::UNKNOWN_PARAMETER),
        (ParamSet::ENTRIES, "status=PARTIALLY_CANCELED", code::UNKNOWN_VALUE),
        (ParamSet::ENTRIES, "kind=PAYMENT", code::UNKNOWN_VALUE),
        (ParamSet::SALES_REPORT, "status=DONE", code::UNKNOWN_PARAMETER),
        (ParamSet::SETTLEMENTS_REPORT, "status=DONE", code::UNKNOWN_VALUE),
        (ParamSet::PAYMENTS, "limit=5", code::UNKNOWN_PARAMETER),
        (ParamSet::PAYMENTS, "kind=payment", code::UNKNOWN_PARAMETER),
    ] {
        assert_eq!(refuse(allowed, query)[0].code, code, "{query}");
    }
}

#[track_caller]
fn check_mistake(query: &str, parameter: &str, code: &str, suggestion: Option<&str>) {
    let errors = refuse(LIST, query);
    assert_eq!(errors.len(), 1, "{query}: {errors:?}");
    let error = &errors[0];
    assert_eq!(
        (error.parameter.as_str(), error.code),
        (parameter, code),
        "{query}: {error:?}"
    );
    if suggestion.is_some() {
        assert_eq!(error.suggestion.as_deref(), suggestion, "{query}: {error:?}");
    }
    assert_eq!(error.position, None, "{query}");
}

#[test]
fn mistakes_are_named_with_what_was_meant() {
    for (query, parameter, code, suggestion) in [
        ("stauts=DONE", "stauts", code::UNKNOWN_PARAMETER, Some("status")),
        (
            "ammount[gte]=5",
            "ammount[gte]",
            code::UNKNOWN_PARAMETER,
            Some("amount[gte]"),
        ),
        ("amount[gte=5", "amount[gte", code::UNKNOWN_PARAMETER, Some("amount")),
        ("limt=5", "limt", code::UNKNOWN_PARAMETER, Some("limit")),
        ("limit[gte]=5", "limit[gte]", code::UNKNOWN_PARAMETER, Some("limit")),
        ("=5", "", code::UNKNOWN_PARAMETER, None),
        ("zzz=5", "zzz", code::UNKNOWN_PARAMETER, None),
        ("payment_key=P", "payment_key", code::UNKNOWN_PARAMETER, None),
        (
            "amount[ge]=5",
            "amount[ge]",
            code::UNKNOWN_OPERATOR,
            Some("amount[gte]"),
        ),
        ("amount[eq]=5", "amount[eq]", code::UNKNOWN_OPERATOR, None),
        ("amount[]=5", "amount[]", code::UNKNOWN_OPERATOR, None),
        (
            "status[gte]=DONE",
            "status[gte]",
            code::OPERATOR_NOT_ALLOWED,
            Some("status"),
        ),
        ("status=done", "status", code::UNKNOWN_VALUE, Some("DONE")),
        ("status=", "status", code::BAD_VALUE, None),
        ("status=DONE,CANCELED", "status", code::UNKNOWN_VALUE, Some("DONE")),
        ("currency=won", "currency", code::UNKNOWN_VALUE, None),
        ("order_id=", "order_id", code::BAD_VALUE, None),
        ("amount[gte]=", "amount[gte]", code::BAD_VALUE, None),
        ("amount[gte]=1,000", "amount[gte]", code::BAD_VALUE, Some("1000")),
        ("amount[gte]=*", "amount[gte]", code::BAD_VALUE, None),
        (
            "event_day[gte]=2026-11-01T00:00:00Z",
            "event_day[gte]",
            code::BAD_VALUE,
            Some("2026-11-01"),
        ),
        (
            "approved_at[gte]=2026-11-01",
            "approved_at[gte]",
            code::BAD_VALUE,
            Some("2026-11-01T00:00:00Z"),
        ),
        (
            "approved_at[gte]=2026-11-01T00:00:00 09:00",
            "approved_at[gte]",
            code::BAD_VALUE,
            Some("2026-11-01T00:00:00+09:00"),
        ),
        ("q=aa&q=bb", "q", code::REPEATED_PARAMETER, None),
    ] {
        check_mistake(query, parameter, code, suggestion);
    }
}

#[test]
fn all_mistakes_are_reported_at_once_in_their_order() {
    let errors = refuse(LIST, "status=done&foo=1&amount[gte]=x&q=커피 (&amount[lt]=5&q=aa");
    let named: Vec<(&str, &str, Option<usize>)> = errors
        .iter()
        .map(|error| (error.parameter.as_str(), error.code, error.position))
        .collect();
    assert_eq!(
        named,
        [
            ("status", code::UNKNOWN_VALUE, None),
            ("foo", code::UNKNOWN_PARAMETER, None),
            ("amount[gte]", code::BAD_VALUE, None),
            ("q", code::UNEXPECTED, Some(4)),
            ("q", code::REPEATED_PARAMETER, None),
        ]
    );
}

#[test]
fn values_of_one_parameter_are_bounded() {
    let values: Vec<String> = (0..1001).map(|n| format!("m{n}")).collect();
    let params = |count: usize| values[..count].iter().map(|value| ("merchant_id", value.as_str()));
    assert!(filter_from_params(params(1000), LIST).is_ok());
    assert!(
        filter_from_params(params(1000).chain(params(10)), LIST).is_ok(),
        "repeats of a value are one value"
    );
    let errors = filter_from_params(params(1001), LIST).expect_err("too many");
    assert_eq!(errors[0].code, code::TOO_MANY_VALUES);
    let errors = filter_from_params(std::iter::repeat_n(("foo", "1"), 5000), LIST).expect_err("unknown");
    assert_eq!(errors.len(), 100);
}
