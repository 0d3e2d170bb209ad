//! What a body may say of a payment.

use super::*;

fn external(reference: &str) -> PaymentWish<'_> {
    PaymentWish::External(ReportedPayment { reference: reference.into(), amount: None, currency: None, buyer: None })
}

fn check(json: &str, want: &PaymentWish<'_>) {
    assert_eq!(PaymentWish::read(json.as_bytes()).as_ref(), Ok(want), "{json}");
}

fn check_bad(json: &str, pointer: &str, detail: &str) {
    let error = FieldError { pointer: pointer.to_owned(), detail: detail.to_owned() };
    assert_eq!(PaymentWish::read(json.as_bytes()), Err(error.into()), "{json}");
}

#[test]
fn a_payment_is_of_the_balance_or_elsewhere_with_what_is_known_of_it() {
    check(r#"{"payment":"balance"}"#, &PaymentWish::Balance);
    check(r#"{"payment":"external","reference":"pi_1"}"#, &external("pi_1"));
    let told = ReportedPayment {
        reference: "pi 2".into(),
        amount: Some(300),
        currency: Some("EUR".to_owned()),
        buyer: Some("ada".into()),
    };
    let json = r#"{"payment":"external","reference":"pi 2","amount":300,"currency":"EUR","buyer":"ada"}"#;
    check(json, &PaymentWish::External(told));
    check_bad("{}", "/payment", "payment must be given");
    check_bad(r#"{"payment":"cash"}"#, "/payment", "payment must be balance or external");
    check_bad(r#"{"payment":"external"}"#, "/reference", "reference must be given");
    for field in ["reference", "amount", "currency", "buyer"] {
        let json = format!(r#"{{"payment":"balance","{field}":1}}"#);
        check_bad(&json, &format!("/{field}"), &format!("{field} is allowed only with external"));
    }
    let external = |more: &str| format!(r#"{{"payment":"external","reference":"a",{more}}}"#);
    const AMOUNT: &str = "amount must be a whole number, 0 to 1000000000000000000";
    for amount in ["-1", "1.5", "\"1\"", "99999999999999999999"] {
        check_bad(&external(&format!("\"amount\":{amount}")), "/amount", AMOUNT);
    }
    check_bad(&external("\"amount\":1000000000000000001"), "/amount", "amount must be 0 to 1000000000000000000");
    check_bad(
        &external("\"currency\":\"eur\""),
        "/currency",
        "currency must be a currency's code, three capital letters",
    );
    check_bad(&external("\"buyer\":\"\""), "/buyer", "buyer must be 1 to 128 bytes");
}

#[test]
fn a_reference_keeps_the_rule_of_names() {
    let json = |reference: &str| format!(r#"{{"payment":"external","reference":"{reference}"}}"#);
    for good in ["a", "pi_3OqX", "a b", "\u{e4}/\u{fc}", "\u{1f600}", "RF18 5390 0754 7034", "\u{65e5}\u{672c}"] {
        check(&json(good), &external(good));
    }
    check(&json(&"a".repeat(256)), &external(&"a".repeat(256)));
    const SIZE: &str = "reference must be 1 to 256 bytes";
    const CONTROL: &str = "reference must not contain control characters";
    const UNSEEN: &str = "reference must not contain characters that cannot be seen (format characters, fillers, line \
                          separators)";
    const SPACE: &str = "reference must not begin or end with white space";
    for (bad, detail) in [("", SIZE), ("\\u0000", CONTROL), ("a\\n", CONTROL), ("a\\u200bb", UNSEEN), ("a ", SPACE)] {
        check_bad(&json(bad), "/reference", detail);
    }
    check_bad(&json(&"a".repeat(257)), "/reference", SIZE);
}
