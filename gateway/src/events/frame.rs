//! What watchers are sent.

use bytes::Bytes;
use flash_wire::{SaleStatus, SkuStatus};
use hyper::header::HeaderValue;
use serde::Serialize;

/// A comment: a connection on which nothing was sent for long is cut by somebody on the way.
pub(super) const PING: Bytes = Bytes::from_static(b":\n\n");

/// The head of the answer, with what a browser is to wait before it comes again. The body ends with the connection.
pub(super) fn head(now: std::time::SystemTime, origin: Option<&HeaderValue>, retry_ms: u64) -> Bytes {
    let date = httpdate::fmt_http_date(now);
    let allowed = origin.and_then(|origin| origin.to_str().ok());
    let allowed = allowed.map(|origin| format!("access-control-allow-origin: {origin}\r\nvary: origin\r\n"));
    let allowed = allowed.unwrap_or_default();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\nx-accel-buffering: no\r\n\
         {allowed}connection: close\r\ndate: {date}\r\n\r\nretry: {retry_ms}\n\n"
    );
    head.into()
}

/// A sale's stock as one event.
pub(super) fn stock(sale: &str, status: &SaleStatus) -> Bytes {
    #[derive(Serialize)]
    struct View<'a> {
        sale: &'a str,
        epoch: u64,
        seq: u64,
        phase: &'a str,
        #[serde(flatten)]
        units: Units,
        skus: Vec<Sku<'a>>,
    }
    #[derive(Serialize)]
    struct Sku<'a> {
        sku: &'a str,
        #[serde(flatten)]
        units: Units,
    }
    #[derive(Serialize)]
    struct Units {
        total: u64,
        available: u64,
        held: u64,
        confirmed: u64,
    }
    let units = |sku: &SkuStatus| Units {
        total: sku.total,
        available: sku.available,
        held: sku.held,
        confirmed: sku.confirmed,
    };
    let view = View {
        sale,
        epoch: status.epoch,
        seq: status.seq,
        phase: &status.phase,
        units: units(&status.sums()),
        skus: status.skus.iter().map(|sku| Sku { sku: &sku.name, units: units(sku) }).collect(),
    };
    // Strings, numbers and lists into memory: nothing here can fail.
    let data = serde_json::to_string(&view).unwrap_or_default();
    format!("id: {}-{}\nevent: stock\ndata: {data}\n\n", status.epoch, status.seq).into()
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn stock_is_one_event_of_one_line() {
        let sku = SkuStatus { name: "m".into(), total: 9, available: 4, held: 2, confirmed: 3 };
        let status = SaleStatus {
            epoch: 2,
            seq: 7,
            acked: 1,
            phase: "open".into(),
            limit: 1,
            hold_ms: None,
            opens_at_ms: None,
            closes_at_ms: None,
            journal_events: 6,
            journal_events_max: None,
            relay: None,
            lease_until_ms: None,
            is_closed: false,
            was_open: true,
            term: 0,
            instance: 1,
            reservations: 0,
            digest: 0,
            skus: vec![sku],
        };
        let units = r#""total":9,"available":4,"held":2,"confirmed":3"#;
        let data =
            format!(r#"{{"sale":"drop","epoch":2,"seq":7,"phase":"open",{units},"skus":[{{"sku":"m",{units}}}]}}"#);
        assert_eq!(stock("drop", &status), format!("id: 2-7\nevent: stock\ndata: {data}\n\n"));
    }

    #[test]
    fn the_head_says_how_long_the_body_is_and_when_to_come_again() {
        let head = head(SystemTime::UNIX_EPOCH, None, 1_500);
        let head = std::str::from_utf8(&head).unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"), "{head}");
        assert!(head.contains("\r\nconnection: close\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n"), "{head}");
        assert!(head.ends_with("\r\n\r\nretry: 1500\n\n"), "{head}");
        let origin = HeaderValue::from_static("https://shop.example");
        let allowed = super::head(SystemTime::UNIX_EPOCH, Some(&origin), 1_500);
        let allowed = std::str::from_utf8(&allowed).unwrap();
        assert!(
            allowed.contains("\r\naccess-control-allow-origin: https://shop.example\r\nvary: origin\r\n"),
            "{allowed}"
        );
    }
}
