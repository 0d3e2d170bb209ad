//! What Prometheus reads from the processes, and what `flash audit --watch` tells while it runs.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};

use crate::audit::sell;
use crate::support::wait;
use crate::support::world::{World, free_address};

/// The metrics at `address`; none while nothing listens there.
pub(crate) fn page(address: SocketAddr) -> Option<String> {
    page_with(address, "")
}

/// The same, asked for with more headers.
pub(crate) fn page_with(address: SocketAddr, headers: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    let request = format!("GET /metrics HTTP/1.1\r\nhost: localhost\r\n{headers}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("text/plain; version=0.0.4"), "{answer}");
    Some(answer)
}

/// The value of a line of them; none, while there is no such line.
pub(crate) fn metric(address: SocketAddr, line: &str) -> Option<f64> {
    let answer = page(address)?;
    let value = answer.lines().find_map(|of| of.strip_prefix(line)?.strip_prefix(' '))?;
    Some(value.parse().unwrap_or_else(|error| panic!("{line} {value}: {error}")))
}

/// Waits until the value of a line is as wanted.
pub(crate) fn wait_for(address: SocketAddr, line: &str, wanted: impl Fn(f64) -> bool) {
    wait::until(line, || metric(address, line).filter(|value| wanted(*value)));
}

#[test]
fn the_oldest_event_that_postgresql_lacks_ages_until_it_is_written() {
    let mut world = World::start_without_syncer();
    sell(&world, "drop");
    let gateway = world.address;
    wait_for(gateway, "flash_transport_up", |up| up == 1.0);
    wait_for(gateway, "flash_oldest_unpersisted_age_seconds", |age| age > 0.2);
    assert_eq!(metric(gateway, "flash_journal_events{sale=\"drop\"}"), Some(5.0));
    wait_for(gateway, "flash_confirm_seconds_count", |confirms| confirms >= 1.0);
    let syncer = world.start_measured_syncer();
    wait_for(syncer, "flash_syncer_batch_events_sum", |events| events >= 5.0);
    wait_for(syncer, "flash_syncer_batch_seconds_count", |batches| batches >= 1.0);
    wait_for(syncer, "flash_syncer_lag_seconds_sum", |lag| lag > 0.2);
    wait_for(gateway, "flash_oldest_unpersisted_age_seconds", |age| age == 0.0);
    wait_for(syncer, "flash_queue_messages", |messages| messages == 0.0);
    assert_eq!(metric(syncer, "flash_rejections_total"), Some(0.0));
    assert_eq!(metric(syncer, "flash_transport_up"), None, "it is the relay's");
    assert_eq!(metric(gateway, "flash_queue_messages"), None, "it is the syncer's");
    world.redis.redis.server.kill().expect("ours to kill");
    wait_for(gateway, "flash_redis_up", |up| up == 0.0);
    assert_eq!(metric(gateway, "flash_oldest_unpersisted_age_seconds"), None, "unknown is not zero");
}

#[test]
fn a_message_that_is_not_taken_is_counted_and_confirmed_later() {
    let world = World::start_without_syncer();
    let gateway = world.address;
    wait_for(gateway, "flash_transport_up", |up| up == 1.0);
    assert_eq!(metric(gateway, "flash_publishes_rejected_total"), Some(0.0));
    world.delete_queue();
    sell(&world, "drop");
    wait_for(gateway, "flash_publishes_rejected_total", |messages| messages >= 1.0);
    wait_for(gateway, "flash_publish_failures_total", |connections| connections >= 1.0);
    wait_for(gateway, "flash_confirm_seconds_count", |confirms| confirms >= 1.0);
}

#[test]
fn behind_a_paused_syncer_the_queue_grows_and_the_transport_is_blocked() {
    let world = World::start_direct("direct_metrics");
    let gateway = world.address;
    wait_for(gateway, "flash_queue_messages", |messages| messages == 0.0);
    assert_eq!(metric(gateway, "flash_transport_blocked"), Some(0.0));
    // A pause waits for the syncers that have said that they are there.
    wait::until("a syncer to wait for", || (world.rows("SELECT count(*) FROM syncers") == ["1"]).then_some(()));
    assert!(world.run(&["syncer", "pause"]).0.success());
    sell(&world, "drop");
    wait_for(gateway, "flash_queue_messages", |messages| messages >= 1.0);
    wait_for(gateway, "flash_transport_blocked", |blocked| blocked == 1.0);
    assert_eq!(metric(gateway, "flash_confirm_seconds_count"), Some(0.0));
    assert!(world.run(&["syncer", "resume"]).0.success());
    wait_for(gateway, "flash_confirm_seconds_count", |confirms| confirms >= 1.0);
    wait_for(gateway, "flash_queue_messages", |messages| messages == 0.0);
    wait_for(gateway, "flash_transport_blocked", |blocked| blocked == 0.0);
}

/// Prometheus' own linter, where it is installed. The CI installs it.
fn lint(page: &str) {
    let (_, body) = page.split_once("\r\n\r\n").expect("a head and a body");
    let mut promtool = match Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).spawn() {
        Ok(promtool) => promtool,
        Err(error) => return eprintln!("promtool does not run ({error}): the page is not linted"),
    };
    promtool.stdin.take().expect("piped").write_all(body.as_bytes()).expect("promtool reads");
    assert!(promtool.wait().expect("promtool ends").success(), "promtool finds fault with:\n{body}");
}

#[test]
fn requests_reservations_stock_and_the_process_are_counted() {
    let world = World::start();
    let mut http = world.http();
    let mut post = |path: &str, body: &str| http.post(path, body).expect("an answer").status;
    assert_eq!(post("/v1/sales", "{\"sale\":\"drop\",\"total\":1}"), 201);
    let reservations = "/v1/sales/drop/reservations";
    for (body, status) in [("{\"buyer\":\"ada\"}", 201), ("{\"buyer\":\"bob\"}", 409), ("{}", 422)] {
        assert_eq!(post(reservations, body), status, "{body}");
    }
    assert_eq!(post("/nowhere", "{}"), 404);
    world.wait_for_empty_journal("drop");
    let gateway = world.address;
    for (line, want) in [
        ("flash_http_requests_total{route=\"reserve\",status=\"2xx\"}", 1.0),
        ("flash_http_requests_total{route=\"reserve\",status=\"4xx\"}", 2.0),
        ("flash_http_requests_total{route=\"none\",status=\"4xx\"}", 1.0),
        ("flash_http_request_seconds_count{route=\"reserve\"}", 3.0),
        ("flash_reservations_total{outcome=\"reserved\"}", 1.0),
        ("flash_reservations_total{outcome=\"sold-out\"}", 1.0),
        // Also of a sale that has nothing to relay.
        ("flash_stock_units{sale=\"drop\",state=\"available\"}", 0.0),
        ("flash_stock_units{sale=\"drop\",state=\"confirmed\"}", 1.0),
    ] {
        assert_eq!(metric(gateway, line), Some(want), "{line}");
    }
    assert_eq!(metric(gateway, "flash_http_request_seconds_count{route=\"never\"}"), None);
    for line in ["process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"] {
        assert!(metric(gateway, line).is_some_and(|value| value > 0.0), "{line}");
    }
    let page = page(gateway).expect("the gateway answers");
    let build = page.lines().find(|line| line.starts_with("flash_build_info{version=\"0.")).expect("a version");
    assert!(build.ends_with("\"} 1") && !build.contains("commit=\"\""), "{build}");
    lint(&page);
}

#[test]
fn a_watching_audit_tells_what_changes_and_nothing_else() {
    let world = World::start();
    sell(&world, "drop");
    world.wait_for_empty_journal("drop");
    let metrics = free_address();
    let args = ["audit", "--watch", "--every-ms", "100", "--metrics-listen", &metrics.to_string()];
    let mut watch = world.start_flash(&args);
    let first = watch.line();
    assert_eq!(first["verdict"], "whole", "{first}");
    assert!(first["at"].as_str().is_some_and(|at| at.ends_with('Z')), "a line has its time: {first}");
    wait_for(metrics, "flash_drift{sale=\"drop\"}", |drift| drift == 0.0);
    world.sql("UPDATE skus SET sold = sold + 1");
    let second = watch.line();
    assert_eq!(second["findings"][0]["kind"], "miscounted", "{second}");
    wait_for(metrics, "flash_drift{sale=\"drop\"}", |drift| drift == 1.0);
    world.sql("UPDATE skus SET sold = sold - 1");
    let third = watch.line();
    assert_eq!(third["verdict"], "whole", "{third}");
    watch.interrupt();
    let (status, rest) = watch.wait();
    assert!(status.success() && rest.is_empty(), "{status} {rest}");
}
