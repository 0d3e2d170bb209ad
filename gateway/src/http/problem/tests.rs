//! Each refusal and each fault has its one problem.

use flash_client::{Lack, Unanswered, Unavailable};
use http_body_util::BodyExt;

use super::*;
use crate::http::reply::json;

fn check(problem: impl Into<Problem>, status: u16, body: &str, headers: &[(&str, &str)]) {
    let reply = problem.into().reply();
    let found: Vec<_> = reply.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    let mut want = vec![("x-content-type-options", "nosniff"), ("content-type", "application/problem+json")];
    want.extend(headers);
    assert_eq!((reply.status().as_u16(), found), (status, want), "{body}");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let bytes = runtime.block_on(reply.into_body().collect()).unwrap().to_bytes();
    // The wait of the header is a member as well, for clients who get no header of another origin's.
    let wait = headers.iter().find(|(name, _)| *name == "retry-after").map(|(_, seconds)| seconds);
    let wait = wait.map(|seconds| format!(",\"retry_after_ms\":{seconds}000")).unwrap_or_default();
    let body = format!("{}{wait}}}", body.strip_suffix('}').unwrap());
    assert_eq!(std::str::from_utf8(&bytes).unwrap(), body);
}

fn body(slug: &str, title: &str, status: u16) -> String {
    format!("{{\"type\":\"/problems/{slug}\",\"title\":\"{title}\",\"status\":{status}}}")
}

#[test]
fn a_refusal_has_its_status_and_says_when_to_come_back() {
    let check = |refusal: Refusal, status, slug, title, headers: &[_]| {
        check(refusal, status, &body(slug, title, status), headers);
    };
    let again = &[("retry-after", "1")];
    check(Refusal::SoldOut, 409, "sold-out", "Not enough units are available", &[]);
    check(Refusal::LimitExceeded { existing: None }, 409, "limit-exceeded", "Limit per buyer exceeded", &[]);
    check(Refusal::Closed, 409, "closed", "The sale is closed", &[]);
    check(Refusal::Conflict, 409, "conflict", "Conflict with the current state", &[]);
    check(Refusal::Ended, 410, "ended", "The sale has ended", &[]);
    check(Refusal::Expired, 410, "expired", "The hold has expired", &[]);
    check(Refusal::NotWarmed, 404, "unknown-sale", "Sale not found", &[]);
    check(Refusal::Unknown, 404, "unknown-reservation", "Reservation not found", &[]);
    check(Refusal::Fenced, 503, "fenced", "The sale is being checked", again);
    check(Refusal::JournalFull, 503, "journal-full", "The sale waits for its orders to be written", again);
    check(Refusal::Leased { until_ms: 1 }, 500, "internal", "Internal error", &[]);
}

#[test]
fn a_sale_that_has_not_opened_says_how_long_to_wait() {
    let check = |wait_ms: u64, seconds| {
        let detail = format!("the sale opens at {} (Unix milliseconds)", 1_000 + wait_ms);
        let body = format!(
            "{{\"type\":\"/problems/not-started\",\"title\":\"The sale has not opened yet\",\"status\":409,\
             \"detail\":\"{detail}\",\"opens_at_ms\":{}}}",
            1_000 + wait_ms
        );
        check(Problem::not_started(1_000 + wait_ms, 1_000), 409, &body, &[("retry-after", seconds)]);
    };
    check(0, "1");
    check(1_000, "1");
    check(1_001, "2");
    check(30 * 24 * 60 * 60 * 1_000, "86400");
}

#[test]
fn a_fault_of_redis_says_whether_anything_was_changed() {
    let check = |error: CallError, status, slug, title, detail: Option<&str>| {
        let headers: &[_] = if status == 503 { &[("retry-after", "1")] } else { &[] };
        let mut body = body(slug, title, status);
        if let Some(detail) = detail {
            body.insert_str(body.len() - 1, &format!(",\"detail\":\"{detail}\""));
        }
        check(error, status, &body, headers);
    };
    const AWAY: &str = "Redis is unavailable; nothing was changed";
    const UNKNOWN: &str = "Outcome unknown";
    let again = Some("repeat the request with the same Idempotency-Key to get its outcome");
    let failed = CallError::Failed { code: "LOADING".to_owned(), detail: "of ada".to_owned() };
    check(CallError::Unavailable(Unavailable::NotConnectedYet), 503, "redis-away", AWAY, None);
    check(failed, 503, "redis-away", AWAY, Some("Redis is loading its data"));
    check(CallError::Unknown(Unanswered::Lost), 504, "outcome-unknown", UNKNOWN, again);
    let unreadable = flash_wire::Unreadable { what: "code" };
    check(CallError::Unreadable(unreadable), 504, "outcome-unknown", UNKNOWN, again);
    let invalid = CallError::Invalid { field: "id".to_owned(), rule: "must be 1 to 9".to_owned() };
    check(invalid, 422, "invalid", "Validation failed", Some("id must be 1 to 9"));
}

#[test]
fn a_fault_of_postgresql_says_whether_anything_was_changed() {
    let kind = |error: PostgresError| Problem::from(error).kind;
    assert_eq!(kind(PostgresError::Busy), Kind::Overloaded);
    assert_eq!(kind(PostgresError::Away), Kind::PostgresAway);
    assert_eq!(kind(PostgresError::ReadOnly), Kind::PostgresReadOnly);
    assert_eq!(kind(PostgresError::Unknown), Kind::OutcomeUnknown);
}

#[test]
fn a_lack_of_durability_says_whether_it_was_done() {
    let check = |error: DurableError, status, slug, title, detail, headers: &[_]| {
        let mut body = body(slug, title, status);
        body.insert_str(body.len() - 1, &format!(",\"detail\":\"{detail}\""));
        check(error, status, &body, headers);
    };
    let title = "Requested durability unavailable";
    let lacks = DurableError::Unavailable(Lack::Replicas { answering: 0, wanted: 1 });
    check(
        lacks,
        503,
        "durability-unavailable",
        title,
        "0 replicas answer, not 1: connect more, or ask for less",
        &[("retry-after", "1")],
    );
    let (title, again) =
        ("Done, but the requested durability is not confirmed", "repeat the request with the same Idempotency-Key");
    let detail = format!("{again} to wait again");
    check(DurableError::Short, 504, "durability-short", title, &detail, &[]);
    assert_eq!(
        Problem::from(DurableError::Call(CallError::Unavailable(Unavailable::NotConnectedYet))).kind,
        Kind::RedisAway
    );
}

#[test]
fn a_read_has_no_unknown_outcome() {
    assert_eq!(Problem::from(Kind::OutcomeUnknown).of_read().kind, Kind::TimedOut);
    assert_eq!(Problem::from(Kind::RedisAway).of_read().kind, Kind::RedisAway);
}

#[test]
fn a_broken_field_is_pointed_at() {
    check(
        Problem::field(&Invalid::new("limit", "must be 1 to 9")),
        422,
        "{\"type\":\"/problems/invalid\",\"title\":\"Validation failed\",\"status\":422,\
         \"errors\":[{\"pointer\":\"/limit\",\"detail\":\"limit must be 1 to 9\"}]}",
        &[],
    );
}

#[test]
fn all_broken_fields_are_pointed_at() {
    let error = |name: &str| FieldError { pointer: format!("/data/{name}"), detail: "is wrong".to_owned() };
    check(
        vec![error("a"), error("b")],
        422,
        "{\"type\":\"/problems/invalid\",\"title\":\"Validation failed\",\"status\":422,\"errors\":[\
         {\"pointer\":\"/data/a\",\"detail\":\"is wrong\"},{\"pointer\":\"/data/b\",\"detail\":\"is wrong\"}]}",
        &[],
    );
}

#[test]
fn a_rate_limited_answer_has_its_wait_and_its_policies() {
    let body = "{\"type\":\"/problems/rate-limited\",\"title\":\"Too many requests\",\"status\":429,\
                \"detail\":\"refused by buyers, sale: retry in 7 s\"}";
    let problem = Problem::rate_limited("buyers, sale", 7);
    check(problem, 429, body, &[("retry-after", "7")]);
}

#[test]
fn each_problem_of_the_table_is_answered_as_its_row_says() {
    for kind in Kind::ALL {
        let row = kind.row();
        let headers: &[_] = match row.status {
            StatusCode::SERVICE_UNAVAILABLE => &[("retry-after", "1")],
            StatusCode::UNAUTHORIZED => &[("www-authenticate", "Bearer")],
            _ => &[],
        };
        let status = row.status.as_u16();
        check(kind, status, &body(row.slug, row.title, status), headers);
    }
}

#[test]
fn a_wrong_method_is_refused_with_the_allowed_ones() {
    let body = body("method-not-allowed", "Method not allowed", 405);
    check(Problem::method_not_allowed("GET, HEAD".to_owned()), 405, &body, &[("allow", "GET, HEAD")]);
}

#[test]
fn a_problem_says_its_trace_and_nothing_else_does() {
    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let trace = TraceParent::parse(format!("00-{ID}-00f067aa0ba902b7-01").as_bytes());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let check = |reply: Reply, trace: Option<TraceParent>, want: &str| {
        let status = reply.status();
        let reply = of_trace(reply, trace);
        assert_eq!(reply.status(), status);
        let bytes = runtime.block_on(reply.into_body().collect()).unwrap().to_bytes();
        assert_eq!(std::str::from_utf8(&bytes).unwrap(), want);
    };
    let sold_out = body("sold-out", "Not enough units are available", 409);
    let with_trace = format!("{},\"trace_id\":\"{ID}\"}}", sold_out.trim_end_matches('}'));
    for _ in 0..2 {
        check(Problem::from(Kind::SoldOut).reply(), trace, &with_trace);
        check(Problem::from(Kind::SoldOut).reply(), None, &sold_out);
    }
    check(json(StatusCode::OK, &[1]), trace, "[1]");
}
