//! The wire in both directions: what one side writes, the other reads as the same.

use std::fmt::Debug;

use flash_sale::Fact;

use crate::*;

mod recover;
mod status;

use recover::rebuilt;

/// What WARM says to a word that it does not know.
const WARM_OPTIONS: &str = "option must be one of SKU (first), LIMIT, HOLD, OPENS, CLOSES, JOURNAL, EPOCH, AFTER, TERM, \
                            INSTANCE, CLOSED, FORGOTTEN, TOTAL, TOTALS";

fn check_args<'a, T: PartialEq + Debug>(
    args: &'a [&'a str],
    want: Result<T, &str>,
    parse: impl Fn(&[&'a [u8]]) -> Result<T, ArgError>,
) {
    let bytes: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
    let got = parse(&bytes).map_err(|error| error.to_string());
    assert_eq!(got, want.map_err(str::to_owned), "{args:?}");
}

fn reserve<'a>(buyer: &'a str, wanted: Wanted<'a>, request: Option<&'a str>, data: Option<&'a str>) -> Reserve<'a> {
    Reserve { buyer, wanted, details: Details { request, data }, is_new: false }
}

#[test]
fn reserve_takes_what_it_documents_and_nothing_else() {
    use Wanted::{Items, Quantity};
    let check = |args: &[&str], want: Result<Reserve, &str>| check_args(args, want, Reserve::parse);
    check(&["ada"], Ok(reserve("ada", Quantity(1), None, None)));
    check(&["ada", "qty", "3", "ID", "r", "DATA", ""], Ok(reserve("ada", Quantity(3), Some("r"), Some(""))));
    check(&["ada", "SKU", "s", "1", "SKU", "m", "2"], Ok(reserve("ada", Items(vec![("s", 1), ("m", 2)]), None, None)));
    check(&[], Err("wrong number of arguments"));
    check(&["ada", "QTY"], Err("wrong number of arguments"));
    check(&["ada", "SKU", "s"], Err("wrong number of arguments"));
    check(&[""], Err("buyer must be 1 to 128 bytes"));
    check(&["ada", "QTY", "0"], Err("quantity must be 1 to 1000000000"));
    check(&["ada", "QTY", "-1"], Err("quantity must be a whole number, 1 to 1000000000"));
    check(&["ada", "QTY", ""], Err("quantity must be a whole number, 1 to 1000000000"));
    check(&["ada", "QTY", "99999999999999999999"], Err("quantity must be a whole number, 1 to 1000000000"));
    check(&["ada", "QTY", "1", "QTY", "1"], Err("quantity must be given once"));
    check(&["ada", "QTY", "1", "SKU", "s", "1"], Err("quantity must not stand beside SKU"));
    check(&["ada", "ID", ""], Err("id must be 1 to 128 bytes"));
    check(&["ada", "FOO"], Err("option must be one of QTY, SKU, ID, KEY, DATA"));
    let known_as_new = Reserve { is_new: true, ..reserve("ada", Quantity(1), Some("r"), None) };
    check(&["ada", "ID", "r", "key", "new"], Ok(known_as_new));
    check(&["ada", "ID", "r", "KEY", "OLD"], Err("key must be NEW"));
    check(&["ada", "KEY", "NEW"], Err("key must stand beside ID"));
    let many = ["SKU", "s", "1"].repeat(65);
    let many: Vec<&str> = std::iter::once("ada").chain(many).collect();
    check(&many, Err("SKU must be given at most 64 times"));
}

#[test]
fn warm_takes_what_it_documents_and_nothing_else() {
    let check = |args: &[&str], want: Result<Warm, &str>| check_args(args, want, Warm::parse);
    let sku = |name: &str, total| SkuTerms { name: name.to_owned(), total };
    let bare = Terms { skus: vec![sku("s", 5), sku("m", 6)], ..Terms::simple(1) };
    let terms = Terms {
        limit: 2,
        hold_ms: Some(60_000),
        opens_at_ms: Some(1),
        closes_at_ms: Some(2),
        journal_events_max: Some(9),
        ..bare.clone()
    };
    check(&["100"], Ok(Warm::first(Terms::simple(100))));
    check(
        &[
            "SKU", "s", "5", "sku", "m", "6", "LIMIT", "2", "HOLD", "60000", "OPENS", "1", "CLOSES", "2", "JOURNAL",
            "9", "EPOCH", "4", "AFTER", "7",
        ],
        Ok(Warm { epoch: 4, after: 7, ..Warm::first(terms.clone()) }),
    );
    check(&[], Err("wrong number of arguments"));
    check(&["0"], Err("total must be 1 to 1000000000"));
    check(&["x"], Err("total must be a whole number, 1 to 1000000000"));
    check(&["SKU", "s", "1", "SKU", "s", "1"], Err("SKU must not name the same SKU twice"));
    check(&["1", "LIMIT", "0"], Err("limit must be 1 to 1000000000"));
    check(&["1", "HOLD", "5", "HOLD", "5"], Err("hold must be given once"));
    check(&["1", "OPENS", "9", "CLOSES", "9"], Err("closes must be later than opens"));
    check(&["1", "SKU", "s", "1"], Err(WARM_OPTIONS));
}

fn throttle(terms: ThrottleTerms, cost: u64) -> Throttle {
    Throttle { terms, cost }
}

#[test]
fn throttle_takes_what_it_documents_and_nothing_else() {
    use ThrottleTerms::{Bucket, Burst, Daily, Sliding, Strict};
    let check = |args: &[&str], want: Result<Throttle, &str>| check_args(args, want, Throttle::parse);
    let window = WindowTerms { limit: 10, window_ms: 1_000 };
    let bucket = Bucket(BucketTerms { rate: 10, period_ms: 1_000, burst: 20 });
    check(&["BUCKET", "10", "1000", "20"], Ok(throttle(bucket, 1)));
    check(&["bucket", "10", "1000", "20", "cost", "0"], Ok(throttle(bucket, 0)));
    let burst = Burst(BurstTerms { limit: 10, window_ms: 1_000, extra: 50, period_ms: 60_000 });
    check(&["BURST", "10", "1000", "50", "60000", "COST", "60"], Ok(throttle(burst, 60)));
    check(&["STRICT", "10", "1000"], Ok(throttle(Strict(window), 1)));
    check(&["SLIDING", "10", "1000", "COST", "10"], Ok(throttle(Sliding(window), 10)));
    for offset_minutes in [-720, 0, 840] {
        let (daily, offset) = (DailyTerms { limit: 10, offset_minutes, change: None }, offset_minutes.to_string());
        check(&["DAILY", "10", &offset], Ok(throttle(Daily(daily), 1)));
        let change = Some(OffsetChange { at_ms: 7.try_into().unwrap(), offset_minutes: 60 });
        let changes = throttle(Daily(DailyTerms { change, ..daily }), 2);
        check(&["DAILY", "10", &offset, "then", "7", "60", "COST", "2"], Ok(changes));
    }
    for args in [&[][..], &["BUCKET", "10", "1000"], &["DAILY", "10"], &["DAILY", "10", "0", "THEN", "7"]] {
        check(args, Err("wrong number of arguments"));
    }
    check(&["STRICT", "10", "1000", "COST", "1", "cost", "1"], Err("cost must be given once"));
    check(&["LEAKY", "10", "1000"], Err("strategy must be one of BUCKET, BURST, STRICT, SLIDING, DAILY"));
    check(&["STRICT", "10", "1000", "5"], Err("option must be one of COST"));
    check(&["STRICT", "10", "1000", "COST", "11"], Err("cost must be 0 to 10"));
    check(&["STRICT", "10", "1000", "COST", "-1"], Err("cost must be a whole number, 0 to 10"));
    check(&["STRICT", "0", "1000"], Err("limit must be 1 to 1000000000"));
    check(&["STRICT", "1", "2592000001"], Err("window must be 1 to 2592000000"));
    check(&["BUCKET", "6000", "1000", "1"], Err("burst must be at least 6, which is the rate for a millisecond"));
    for offset in ["-721", "841", "-", "+", "", "1.5", "--1", "-99999999999999999999"] {
        check(&["DAILY", "10", offset], Err("offset must be a whole number, -720 to 840"));
        check(&["DAILY", "10", "0", "THEN", "7", offset], Err("offset must be a whole number, -720 to 840"));
    }
}

#[test]
fn the_other_commands_take_what_they_document_and_nothing_else() {
    let pull = Pull { relay: "r", lease_ms: 500, after: Some(7), count: 10 };
    check_args(&["r", "LEASE", "500", "AFTER", "7", "COUNT", "10"], Ok(pull), Pull::parse);
    check_args(&["r"], Err("option must be one of LEASE (required, behind the relay)"), Pull::parse);
    check_args(&["r", "LEASE", "60001"], Err("lease must be 0 to 60000"), Pull::parse);
    check_args(&["r", "LEASE", "1", "COUNT", "0"], Err("count must be 1 to 1000"), Pull::parse);
    check_args(&["1", "5"], Ok(Ack { epoch: 1, seq: 5 }), Ack::parse);
    check_args(&["1"], Err("wrong number of arguments"), Ack::parse);
    check_args(&["1", "5", "6"], Err("wrong number of arguments"), Ack::parse);
    check_args(&["COUNT", "3"], Ok(Reap { count: 3 }), Reap::parse);
    check_args(&["COUNT", "3", "x"], Err("option must be one of COUNT"), Ready::parse);
    check_args(&["ID", "7"], Ok(Status::Id(7)), Status::parse);
    check_args(&["ID", "0"], Err("id must be 1 to 1099511627775"), Status::parse);
    check_args(&["SKU"], Err("option must be one of BUYER, ID"), Status::parse);
    check_args(&["7"], Ok(EndHold { id: 7 }), EndHold::parse);
    check_args(&["-5"], Ok(Restock { sku: None, delta: -5 }), Restock::parse);
    check_args(&["SKU", "s", "+5"], Ok(Restock { sku: Some("s"), delta: 5 }), Restock::parse);
    for bad in ["0", "-0", "+", "-", "", "1.5", "--5", "1000000001", "-99999999999999999999"] {
        check_args(&[bad], Err("delta must be a whole number, -1000000000 to 1000000000, and not 0"), Restock::parse);
    }
    check_args(&["SKU", "s"], Err("wrong number of arguments"), Restock::parse);
    check_args(&["5", "6"], Err("wrong number of arguments"), Restock::parse);
    check_args(&["7", "8"], Err("wrong number of arguments"), EndHold::parse);
}

fn round_trip_args<T: PartialEq + Debug>(
    value: &T,
    args: impl Fn(&T, &mut Vec<Vec<u8>>),
    parse: impl Fn(&[&[u8]]) -> Option<T>,
) {
    let mut written = Vec::new();
    args(value, &mut written);
    let written: Vec<&[u8]> = written.iter().map(Vec::as_slice).collect();
    assert_eq!(parse(&written).as_ref(), Some(value), "{written:?}");
}

#[test]
fn commands_read_back() {
    let attempt = Some(Attempt { term: 3, instance: INSTANCE_MAX });
    let later = Life { totals: vec![0], is_closed: true, forgotten_seq: 6, terms: Terms::simple(3) };
    for warm in [
        Warm::first(Terms::simple(3)),
        Warm { epoch: 9, after: 8, ..Warm::first(Terms { hold_ms: Some(5), ..Terms::simple(3) }) },
        Warm { life: later, attempt, ..Warm::first(Terms::simple(3)) },
    ] {
        round_trip_args(&warm, |warm, out| warm.args(out), |args| Warm::parse(args).ok());
    }
    for status in [Status::Sale, Status::Id(3)] {
        round_trip_args(
            &status,
            |status, out| status.args(out),
            |args| (Status::parse(args) == Ok(status)).then_some(status),
        );
    }
    for fence in [Fence { term: None }, Fence { term: Some(3) }] {
        round_trip_args(&fence, |fence, out| fence.args(out), |args| Fence::parse(args).ok());
    }
    let skus = vec![ExpectedSku { name: "s".to_owned(), total: 9, taken: 3 }];
    let content = Content { reservations: 3, digest: digest::DIGEST_MAX };
    let expected = Some(Expected { content, is_closed: true, skus });
    let next = Some(NextEpoch { epoch: 3, after: 20 });
    for unfence in [
        Unfence { epoch: 2, seq: 9, next: None, attempt: None, expected: None },
        Unfence { epoch: 2, seq: 9, next, attempt, expected },
    ] {
        round_trip_args(&unfence, |unfence, out| unfence.args(out), |args| Unfence::parse(args).ok());
    }
    let active = Active { after: 5, count: 1_000 };
    round_trip_args(&active, |active, out| active.args(out), |args| Active::parse(args).ok());
    let window = WindowTerms { limit: 9, window_ms: 1_000 };
    for terms in [
        ThrottleTerms::Bucket(BucketTerms { rate: 1, period_ms: 2, burst: 3 }),
        ThrottleTerms::Burst(BurstTerms { limit: 1, window_ms: 2, extra: 3, period_ms: 4 }),
        ThrottleTerms::Strict(window),
        ThrottleTerms::Sliding(window),
        ThrottleTerms::Daily(DailyTerms { limit: 9, offset_minutes: -60, change: None }),
    ] {
        for cost in [0, 1, 3] {
            let throttle = throttle(terms, cost);
            round_trip_args(&throttle, |throttle, out| throttle.args(out), |args| Throttle::parse(args).ok());
        }
    }
    let mut written = Vec::new();
    let reserve = reserve("ada", Wanted::Items(vec![("s", 1), ("m", 2)]), Some("r"), Some("{}"));
    let reserve = Reserve { is_new: true, ..reserve };
    reserve.args(&mut written);
    let written: Vec<&[u8]> = written.iter().map(Vec::as_slice).collect();
    assert_eq!(Reserve::parse(&written), Ok(reserve));
}

fn check_reply<T: Answer + PartialEq + Debug>(outcome: Outcome<T>) {
    let mut tree = Tree::default();
    reply::write(&outcome, &mut tree);
    let value = tree.finish().expect("a reply is one whole value");
    assert_eq!(reply::read::<T>(value), Ok(outcome));
}

#[test]
fn replies_read_back() {
    check_reply(Ok(ReserveAnswer { id: 7, expires_at_ms: Some(9), available: 0 }));
    check_reply(Ok(ReserveAnswer { id: 7, expires_at_ms: None, available: 5 }));
    check_reply(Ok(WarmAnswer::Warmed { epoch: 1 }));
    check_reply(Ok(WarmAnswer::Exists { epoch: 2 }));
    check_reply(Ok(EndHoldAnswer::Confirmed { id: 7 }));
    check_reply(Ok(EndHoldAnswer::Released { id: 7 }));
    check_reply(Ok(RestockAnswer { total: 9, available: 3 }));
    check_reply(Ok(FenceAnswer { epoch: 2, seq: 9, instance: INSTANCE_MAX }));
    check_reply(Ok(UnfenceAnswer { epoch: 2, seq: 9 }));
    check_reply::<UnfenceAnswer>(Err(Refusal::Fenced));
    check_reply::<FenceAnswer>(Err(Refusal::Fenced));
    check_reply(Ok(RebuildAnswer { rebuilt: 5 }));
    check_reply(Ok(ActiveAnswer { epoch: 2, reservations: vec![rebuilt(None), rebuilt(Some("r"))] }));
    check_reply(Ok(SwitchAnswer::Opened));
    check_reply(Ok(SwitchAnswer::Closed));
    check_reply(Ok(ReapAnswer { expired: 3 }));
    check_reply(Ok(AckAnswer { acked: 3 }));
    check_reply(Ok(ReadyAnswer { generation: 5, sales: Vec::new() }));
    let sale = ReadySale {
        key: b"flash:\xff".to_vec(),
        epoch: 1,
        acked: 2,
        head: 3,
        due: true,
        fenced: false,
        oldest_at_ms: 4,
    };
    check_reply(Ok(ReadyAnswer { generation: 5, sales: vec![sale] }));
    let events = vec![b"\x00\xff".to_vec(), Vec::new()];
    check_reply(Ok(PullAnswer { epoch: 1, head: 9, skus: vec!["s".to_owned()], events }));
}

#[test]
fn a_rate_limit_s_answer_is_five_numbers() {
    let standing = Standing { limit: 10, remaining: 9, reset_ms: 100 };
    let allowed = ThrottleAnswer { retry_after_ms: None, standing };
    let refused = ThrottleAnswer { retry_after_ms: Some(5), standing };
    check_reply(Ok(allowed));
    check_reply(Ok(refused));
    let mut tree = Tree::default();
    allowed.write(&mut tree);
    let int = Value::Int;
    assert_eq!(tree.finish(), Some(Value::Array(vec![int(1), int(10), int(9), Value::Null, int(100)])));
    for retry_after in [Value::Null, int(-1)] {
        let contradiction = Value::Array(vec![int(0), int(10), int(9), retry_after, int(100)]);
        assert!(reply::read::<ThrottleAnswer>(contradiction).is_err());
    }
}

#[test]
fn every_refusal_reads_back() {
    // Each has what its fields need at their places.
    let facts = [Fact::Number(7), Fact::Nothing, Fact::State(State::Confirmed)];
    let read = |row: &flash_sale::Row| Refusal::read(row.code, facts).expect("its fields").expect("its code");
    let refusals: Vec<_> = Refusal::TABLE.iter().map(read).collect();
    assert!(refusals.iter().enumerate().all(|(place, refusal)| refusal.place() == place));
    let refusals = refusals.into_iter().chain([
        Refusal::LimitExceeded { existing: None },
        Refusal::Replayed { id: 7, expires_at_ms: Some(5), state: State::Expired },
    ]);
    for refusal in refusals {
        check_reply::<ReserveAnswer>(Err(refusal));
        check_reply::<SaleStatus>(Err(refusal));
    }
}

#[test]
fn an_answer_that_is_not_ours_is_unreadable_not_a_panic() {
    let code = |code: &str| Value::Bytes(code.as_bytes().to_vec());
    for value in [
        Value::Null,
        Value::Int(1),
        Value::Array(vec![]),
        Value::Array(vec![Value::Null]),
        Value::Array(vec![code("WHAT")]),
        Value::Array(vec![code("RESERVED"), Value::Int(-1), Value::Null, Value::Int(0)]),
        Value::Array(vec![code("RESERVED"), Value::Int(1)]),
        Value::Array(vec![code("NOT_STARTED")]),
        Value::Array(vec![code("NOT_STARTED"), Value::Int(-1)]),
        Value::Array(vec![code("LEASED"), Value::Null]),
        Value::Array(vec![code("REPLAYED"), Value::Int(1), Value::Null, code("asleep")]),
        Value::Array(vec![code("REPLAYED"), Value::Int(1), Value::Null, Value::Array(vec![])]),
    ] {
        assert!(reply::read::<ReserveAnswer>(value.clone()).is_err(), "{value:?}");
    }
}
