//! What a recovery says.

use super::*;

#[test]
fn a_later_life_is_warmed_by_an_attempt() {
    let check = |args: &[&str], want: Result<Warm, &str>| check_args(args, want, Warm::parse);
    let skus = [("s", 5), ("m", 6)].map(|(name, total)| SkuTerms { name: name.to_owned(), total });
    let terms = Terms { skus: skus.into(), ..Terms::simple(1) };
    let attempt = Some(Attempt { term: 3, instance: 8 });
    let life = Life { totals: vec![0, 7], is_closed: true, forgotten_seq: 6, terms: Terms { limit: 2, ..terms } };
    let words = "SKU s 5 SKU m 6 LIMIT 2 EPOCH 4 TERM 3 INSTANCE 8 CLOSED TOTALS 0 7 FORGOTTEN 6";
    let words: Vec<_> = words.split(' ').collect();
    check(&words, Ok(Warm { life, epoch: 4, after: 0, attempt }));
    let life = Life { totals: vec![0], ..Terms::simple(100).into() };
    check(&["100", "TERM", "3", "INSTANCE", "8", "TOTAL", "0"], Ok(Warm { life, epoch: 1, after: 0, attempt }));
    let without = "TERM must be given beside CLOSED, FORGOTTEN, TOTAL and TOTALS";
    for args in [&["1", "CLOSED"][..], &["1", "TOTAL", "0"], &["1", "FORGOTTEN", "5"]] {
        check(args, Err(without));
    }
    for args in [["1", "TERM", "3"], ["1", "INSTANCE", "3"]] {
        check(&args, Err("TERM must be given beside INSTANCE, and only there"));
    }
    check(&["1", "TERM", "0", "INSTANCE", "1"], Err("term must be 1 to 9223372036854775807"));
    check(&["1", "TERM", "1", "INSTANCE", "4611686018427387905"], Err("instance must be 1 to 4611686018427387904"));
    check(&["1", "TOTALS", "0", "1"], Err(WARM_OPTIONS));
    check(&["SKU", "s", "5", "SKU", "m", "6", "TOTALS", "0"], Err("wrong number of arguments"));
    check(&["SKU", "s", "5", "SKU", "m", "6", "TOTAL", "0"], Err(WARM_OPTIONS));
    check(&["1", "CLOSED", "CLOSED"], Err("CLOSED must be given once"));
}

pub(super) fn rebuilt(request: Option<&str>) -> RebuiltReservation<'_> {
    RebuiltReservation {
        id: 7,
        state: "held".into(),
        made: message::MessageReserved {
            buyer: "ada".into(),
            items: vec![message::MessageItem { sku: "s".into(), quantity: 2 }],
            expires_at_ms: Some(9),
            request: request.map(Into::into),
            ..message::MessageReserved::default()
        },
        fingerprint: request.map(|_| 5),
    }
}

#[test]
fn a_recoverys_commands_take_what_they_document_and_nothing_else() {
    check_args(&[], Ok(Fence { term: None }), Fence::parse);
    check_args(&["term", "7"], Ok(Fence { term: Some(7) }), Fence::parse);
    check_args(&["TERM"], Err("wrong number of arguments"), Fence::parse);
    check_args(&["TERM", "0"], Err("term must be 1 to 9223372036854775807"), Fence::parse);
    check_args(&["7"], Err("option must be one of TERM"), Fence::parse);
    check_args(&["TERM", "7", "8"], Err("wrong number of arguments"), Fence::parse);
    check_args(&["COUNT", "3"], Ok(Active { after: 0, count: 3 }), Active::parse);
    check_args(&["COUNT", "1001"], Err("count must be 1 to 1000"), Active::parse);
    check_args(&["AFTER", "1", "AFTER", "1"], Err("after must be given once"), Active::parse);
    check_args(&["1"], Err("option must be one of AFTER, COUNT"), Active::parse);
    let check = |args: &str, want: &str| {
        let args: Vec<_> = args.split(' ').collect();
        check_args(&args, Err(want), Unfence::parse);
    };
    check("2", "wrong number of arguments");
    check("2 9 EPOCH 3", "option must be one of AFTER (required, behind EPOCH)");
    check("2 9 TERM 3", "option must be one of INSTANCE (required, after TERM)");
    check("2 9 RESERVATIONS 3", "option must be one of DIGEST (required, after RESERVATIONS)");
    check("2 9 RESERVATIONS 3 DIGEST 9223372036854775808", "digest must be 0 to 9223372036854775807");
    check("2 9 RESERVATIONS 3 DIGEST 5", "option must be one of CLOSED (required, after DIGEST)");
    check("2 9 RESERVATIONS 3 DIGEST 5 CLOSED 2", "closed must be 0 to 1");
    check("2 9 RESERVATIONS 3 DIGEST 5 CLOSED 0 SKU s 1", "wrong number of arguments");
    let many = "2 9 RESERVATIONS 3 DIGEST 5 CLOSED 0".to_owned() + &" SKU s 1 1".repeat(65);
    check(&many, "SKU must be 1 to 64");
}

#[test]
fn a_rebuilt_reservation_is_strict_json() {
    let json = r#"{"id":7,"buyer":"ada","slot":0,"state":"held","items":[{"sku":"s","quantity":2}],"expires_at_ms":9}"#;
    let whole = rebuilt(None);
    let rebuild = Rebuild { epoch: 2, attempt: None, reservations: vec![whole.clone(), whole] };
    check_args(&["2", json, json], Ok(rebuild.clone()), Rebuild::parse);
    let mut written = Vec::new();
    rebuild.args(&mut written);
    let written: Vec<_> = written.iter().map(|arg: &Vec<u8>| std::str::from_utf8(arg).expect("text")).collect();
    check_args(&written, Ok(rebuild.clone()), Rebuild::parse);
    assert_eq!(written[1].len(), json.len(), "the order of the fields is not that of an AOF from before");
    check_args(&["2"], Err("wrong number of arguments"), Rebuild::parse);
    check_args(&["0", json], Err("epoch must be 1 to 9223372036854775807"), Rebuild::parse);
    let check = |from: &str, to: &str, want: &str| {
        let wrong = json.replace(from, to);
        check_args(&["2", json, &wrong], Err(want), Rebuild::parse);
    };
    check("\"id\":7", "\"id\":0", "id must be 1 to 1099511627775");
    check("ada", "", "buyer must be 1 to 128 bytes");
    check("\"slot\":0", "\"slot\":32", "slot must be 0 to 31");
    check("held", "released", "state must be held or confirmed");
    check("\"quantity\":2", "\"quantity\":0", "quantity must be 1 to 1000000000");
    check("[{\"sku\":\"s\",\"quantity\":2}]", "[]", "items must be 1 to 64");
    let attempt = Some(Attempt { term: 3, instance: 8 });
    check_args(&["2", "TERM", "3", "INSTANCE", "8", json, json], Ok(Rebuild { attempt, ..rebuild }), Rebuild::parse);
    let many = vec![json; REBUILD_RESERVATIONS_MAX + 1];
    check_args(&[&["2"], &many[..]].concat(), Err("reservations must be 1 to 256"), Rebuild::parse);
}
