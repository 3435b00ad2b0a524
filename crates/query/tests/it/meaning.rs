//! What a search text means, case by case.

use query::{Filter, IdentField, compile};

use crate::notation::notation;

#[track_caller]
fn check(text: &str, expected: &str) {
    match compile(text) {
        Ok(filter) => assert_eq!(notation(&filter), expected, "{text}"),
        Err(error) => panic!("{text}: {error:?}"),
    }
}

#[track_caller]
fn check_all(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        check(text, expected);
    }
}

#[test]
fn a_word_is_an_identifier_a_text_or_the_last_four() {
    check_all(&[
        ("", "all"),
        (" \t\n\u{3000} ", "all"),
        ("coffee", "word(coffee coffee)"),
        ("Coffee", "word(coffee coffee)"),
        ("아메리카노", "word(아메리카노 아메리카노)"),
        ("커피", "word(커피 커피)"),
        ("コーヒー", "word(コーヒー コーヒー)"),
        ("ｶﾌｪ", "word(カフェ カフェ)"),
        ("Ｓｔａｒ", "word(star star)"),
        ("STRASSE", "word(strasse strasse)"),
        ("straße", "word(strasse strasse)"),
        ("ORD-2026-0042", "word(ord-2026-0042 ord20260042)"),
        ("ORD‐2026", "word(ord‐2026 ord2026)"),
        ("4242", "word(4242 4242 4242)"),
        ("４２４２", "word(4242 4242 4242)"),
        ("\"4242\"", "word(4242 4242 4242)"),
        ("\" 4242 \"", "word(4242 4242 4242)"),
        ("42-42", "word(42-42 4242)"),
        ("424", "word(424 424)"),
        ("42421", "word(42421 42421)"),
        ("4242*", "word(4242*)"),
    ]);
    check_all(&[
        ("kim@example.com", "word(kim@example.com kim@example.com)"),
        (
            "kim.min+shop@example.com",
            "word(kim.min+shop@example.com kim.min+shop@example.com)",
        ),
        ("+82-10-1234-5678", "word(+82-10-1234-5678 +821012345678)"),
        ("~home/user_1.txt", "word(~home/user_1.txt ~home/user_1.txt)"),
        ("a/b", "word(a/b a/b)"),
        ("a-", "word(a- a)"),
        ("R&D", "word(r&d r&d)"),
        ("50%", "word(50% 50%)"),
        ("#12,5!?", "word(#12,5!? #12,5!?)"),
        ("it's", "word(it's it's)"),
        ("a\\b", "word(a\\b a\\b)"),
        ("x=1", "word(x=1 x=1)"),
        (">=5", "word(>=5 >=5)"),
        ("\"--\"", "word(-- -)"),
        ("\"- -\"", "word(- - -)"),
    ]);
}

#[test]
fn quotes_only_keep_characters_together() {
    check_all(&[
        ("\"스타 커피\"", "word(스타 커피 스타커피)"),
        ("\"Wireless  Mouse\"", "word(wireless mouse wirelessmouse)"),
        ("\"coffee\"", "word(coffee coffee)"),
        ("\"ORD 2026\"", "word(ord 2026 ord2026)"),
        ("\"ORD 2026\"*", "word(ord2026*)"),
        ("\"AND\"", "word(and and)"),
        ("\"a OR b\"", "word(a or b aorb)"),
        ("\"status:DONE\"", "word(status:done status:done)"),
        ("\"say \\\"hi\\\"\"", "word(say \"hi\" say\"hi\")"),
        ("\"C:\\\\temp\"", "word(c:\\temp c:\\temp)"),
        ("\"C:\\temp\"", "word(c:\\temp c:\\temp)"),
        ("\"**** 1111\"", "word(**** 1111 ****1111)"),
        ("\"(특가) [1+1]\"", "word((특가) [1+1] (특가)[1+1])"),
        ("\"-minus\"", "word(-minus minus)"),
    ]);
}

#[test]
fn clauses_go_together() {
    check_all(&[
        ("aa bb", "(word(aa aa) & word(bb bb))"),
        ("aa AND bb", "(word(aa aa) & word(bb bb))"),
        ("aa AND bb cc", "(word(aa aa) & word(bb bb) & word(cc cc))"),
        ("aa OR bb", "(word(aa aa) | word(bb bb))"),
        ("aa OR bb OR cc", "(word(aa aa) | word(bb bb) | word(cc cc))"),
        ("aa OR bb cc", "(word(aa aa) | (word(bb bb) & word(cc cc)))"),
        (
            "aa bb OR cc dd",
            "((word(aa aa) & word(bb bb)) | (word(cc cc) & word(dd dd)))",
        ),
        ("aa AND bb OR cc", "((word(aa aa) & word(bb bb)) | word(cc cc))"),
        ("aa AND (bb OR cc)", "(word(aa aa) & (word(bb bb) | word(cc cc)))"),
        ("(aa OR bb) cc", "((word(aa aa) | word(bb bb)) & word(cc cc))"),
        (
            "(aa OR bb)(cc OR dd)",
            "((word(aa aa) | word(bb bb)) & (word(cc cc) | word(dd dd)))",
        ),
        ("aa(bb)", "(word(aa aa) & word(bb bb))"),
        ("((aa))", "word(aa aa)"),
        ("( aa )", "word(aa aa)"),
        ("(aa bb) cc", "(word(aa aa) & word(bb bb) & word(cc cc))"),
        ("(aa OR bb) OR cc", "(word(aa aa) | word(bb bb) | word(cc cc))"),
        ("-aa", "!word(aa aa)"),
        ("NOT aa", "!word(aa aa)"),
        ("NOT(aa)", "!word(aa aa)"),
        ("NOT\"aa\"", "!word(aa aa)"),
        ("aa -bb", "(word(aa aa) & !word(bb bb))"),
        ("aa-bb", "word(aa-bb aabb)"),
        ("aa NOT bb", "(word(aa aa) & !word(bb bb))"),
        ("aa AND NOT bb", "(word(aa aa) & !word(bb bb))"),
        ("aa OR -bb", "(word(aa aa) | !word(bb bb))"),
        ("-(aa bb)", "!(word(aa aa) & word(bb bb))"),
        ("-(aa OR bb)", "!(word(aa aa) | word(bb bb))"),
        ("-\"aa bb\"", "!word(aa bb aabb)"),
        ("--aa", "!!word(aa aa)"),
        ("NOT NOT aa", "!!word(aa aa)"),
        ("NOT -aa", "!!word(aa aa)"),
        ("NOT aa OR bb", "(!word(aa aa) | word(bb bb))"),
        ("NOT aa bb", "(!word(aa aa) & word(bb bb))"),
        ("aa or bb", "(word(aa aa) & word(or or) & word(bb bb))"),
        ("and not", "(word(and and) & word(not not))"),
        (
            "ORDER ANDROID NOTE",
            "(word(order order) & word(android android) & word(note note))",
        ),
        ("aa TO bb", "(word(aa aa) & word(to to) & word(bb bb))"),
        ("aa\u{3000}bb", "(word(aa aa) & word(bb bb))"),
        ("aa\tbb\ncc", "(word(aa aa) & word(bb bb) & word(cc cc))"),
    ]);
}

#[test]
fn identifiers_and_their_beginnings() {
    check_all(&[
        ("payment_key:P", "PaymentKey=p"),
        ("order_id:ORD-2026-0042", "OrderId=ord20260042"),
        ("order_id:\"ORD 2026 0042\"", "OrderId=ord20260042"),
        ("order_id:ORD-2026*", "OrderId=ord2026*"),
        ("order_id:\"ORD 2026\"*", "OrderId=ord2026*"),
        ("order_id:AND", "OrderId=and"),
        ("order_id:a:b", "OrderId=a:b"),
        ("order_id:-5", "OrderId=5"),
        ("ORD-2*", "word(ord2*)"),
        ("주문번호*", "word(주문번호*)"),
        ("OR-26*", "word(or26*)"),
        ("transaction_key:tx_1", "TransactionKey=tx_1"),
        ("cancellation_id:C1", "CancellationId=c1"),
        ("settlement_id:S1", "SettlementId=s1"),
        ("payout_id:po-1", "PayoutId=po1"),
        ("-payout_id:po1", "!PayoutId=po1"),
        ("approve_no:30412233", "ApproveNo=30412233"),
        ("account_number:110-234-567890", "AccountNumber=110234567890"),
        ("email:Kim@Example.COM", "Email=kim@example.com"),
        ("phone:\"010 1234 5678\"", "Phone=01012345678"),
        ("phone:+82-10-1234-5678", "Phone=+821012345678"),
    ]);
    // Inside quotes a star is a star: the value holds it.
    let literal = compile("order_id:\"ORD-2026*\"").expect("a literal star");
    let value = "ord2026*".to_owned();
    assert_eq!(
        literal,
        Filter::Ident {
            field: IdentField::OrderId,
            value,
            prefix: false
        }
    );
}

#[test]
fn texts_and_metadata() {
    check_all(&[
        ("order_name:아메리", "OrderName~아메리"),
        ("order_name:\"Wireless Mouse\"", "OrderName~wireless mouse"),
        ("customer_name:김민", "CustomerName~김민"),
        ("depositor:홍길동", "Depositor~홍길동"),
        ("reason:변심", "Reason~변심"),
        ("failure_message:한도", "FailureMessage~한도"),
        ("metadata.store:s12", "metadata.store=s12"),
        ("metadata.store:S12", "metadata.store=s12"),
        ("metadata.Store:s-12", "metadata.Store=s-12"),
        ("metadata.size:L", "metadata.size=l"),
        ("metadata.a.b:x", "metadata.a.b=x"),
        ("metadata.매장:강남", "metadata.매장=강남"),
        (
            "metadata.\"gift wrap\":\"Yes  please\"",
            "metadata.gift wrap=yes please",
        ),
        ("metadata.\"a:b\":c", "metadata.a:b=c"),
    ]);
}

#[test]
fn keywords() {
    check_all(&[
        ("merchant_id:M-1", "MerchantId=M-1"),
        ("status:DONE", "Status=DONE"),
        ("status:PARTIALLY_CANCELED", "Status=PARTIALLY_CANCELED"),
        ("status:UNKNOWN", "Status=UNKNOWN"),
        ("status:\"DONE\"", "Status=DONE"),
        ("settlement_status:PARTIALLY_PAID", "SettlementStatus=PARTIALLY_PAID"),
        ("method:CARD", "Method=CARD"),
        ("method:BRAND_NEW", "Method=BRAND_NEW"),
        ("method:card", "Method=card"),
        ("currency:KRW", "Currency=KRW"),
        ("flag:awaiting_payment", "Flag=awaiting_payment"),
        ("last4:4242", "Last4=4242"),
        ("last4:４２４２", "Last4=4242"),
        ("issuer:신한", "Issuer=신한"),
        ("provider:\"Kakao Pay\"", "Provider=Kakao Pay"),
        ("bank:KB", "Bank=KB"),
        ("reason_code:R01", "ReasonCode=R01"),
        ("channel:CONSOLE", "Channel=CONSOLE"),
    ]);
}

#[test]
fn amounts() {
    check_all(&[
        ("amount:15000", "Amount[15000..15000]"),
        ("amount:10.50", "Amount[10.5..10.5]"),
        ("amount:-5", "Amount[-5..-5]"),
        ("amount:-0", "Amount[0..0]"),
        ("amount:-0.00", "Amount[0..0]"),
        ("amount:\"5\"", "Amount[5..5]"),
        ("amount:>=10000", "Amount[10000..*)"),
        ("amount:>10000", "Amount(10000..*)"),
        ("amount:<=10000", "Amount(*..10000]"),
        ("amount:<10000", "Amount(*..10000)"),
        ("amount:>=\"10\"", "Amount[10..*)"),
        ("amount:[1 TO 5]", "Amount[1..5]"),
        ("amount:{1 TO 5}", "Amount(1..5)"),
        ("amount:[1 TO 5}", "Amount[1..5)"),
        ("amount:{1 TO 5]", "Amount(1..5]"),
        ("amount:[ 1  TO\t5 ]", "Amount[1..5]"),
        ("amount:[* TO 5]", "Amount(*..5]"),
        ("amount:{5 TO *}", "Amount(5..*)"),
        ("amount:[-5 TO -1]", "Amount[-5..-1]"),
        ("amount:[5 TO 1]", "Amount[5..1]"),
        ("balance_amount:{0 TO *]", "BalanceAmount(0..*)"),
        ("amount:1.00000000000000000000000000000000000000000000", "Amount[1..1]"),
        (
            "amount:79228162514264337593543950335",
            "Amount[79228162514264337593543950335..79228162514264337593543950335]",
        ),
    ]);
}

#[test]
fn days_and_times() {
    check_all(&[
        ("event_day:2026-11-01", "EventDay[2026-11-01..2026-11-01]"),
        (
            "event_day:[2026-11-01 TO 2026-11-20}",
            "EventDay[2026-11-01..2026-11-20)",
        ),
        ("sale_day:>=2026-03-01", "SaleDay[2026-03-01..*)"),
        ("sold_on:<2026-03-01", "SoldOn(*..2026-03-01)"),
        ("-paid_out_on:[* TO *]", "!PaidOutOn(*..*)"),
        (
            "approved_at:>=2026-11-01T00:00:00+09:00",
            "ApprovedAt[2026-10-31T15:00:00Z..*)",
        ),
        (
            "approved_at:2026-11-01T00:00:00Z",
            "ApprovedAt[2026-11-01T00:00:00Z..2026-11-01T00:00:00Z]",
        ),
        (
            "canceled_at:<2026-11-01T00:00:00.1234567Z",
            "CanceledAt(*..2026-11-01T00:00:00.123456Z)",
        ),
        (
            "canceled_at:<2026-06-30T23:59:60Z",
            "CanceledAt(*..2026-07-01T00:00:00Z)",
        ),
        (
            "approved_at:<1969-12-31T23:59:59.9999999Z",
            "ApprovedAt(*..1969-12-31T23:59:59.999999Z)",
        ),
        (
            "canceled_at:[2026-04-01T00:00:00Z TO \"2026-05-01T00:00:00+09:00\"}",
            "CanceledAt[2026-04-01T00:00:00Z..2026-04-30T15:00:00Z)",
        ),
    ]);
}

#[test]
fn the_example_of_the_reference() {
    check(
        "status:DONE amount:>=10000 currency:KRW \"스타 커피\" -flag:awaiting_payment event_day:[2026-11-01 TO 2026-11-20} last4:4242 metadata.store:s12 order_id:ORD-2026*",
        "(Status=DONE & Amount[10000..*) & Currency=KRW & word(스타 커피 스타커피) & !Flag=awaiting_payment & EventDay[2026-11-01..2026-11-20) & Last4=4242 & metadata.store=s12 & OrderId=ord2026*)",
    );
}
