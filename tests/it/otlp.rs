//! With the feature `otlp`: a collector gets one trace from the gateway to the syncer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::support::program::Program;
use crate::support::wait;
use crate::support::world::World;

const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;
const NOT_SAMPLED: u128 = TRACE + 1;

/// Takes whatever is sent to it, as it came.
#[derive(Clone)]
struct Collector {
    address: SocketAddr,
    came: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let collector = Self { address: listener.local_addr().expect("an address"), came: Arc::default() };
        let of_thread = collector.clone();
        thread::spawn(move || listener.incoming().flatten().for_each(|stream| of_thread.take(stream)));
        collector
    }

    fn take(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(reader.read_line(&mut head).expect("a line") > 0, "{head}");
        }
        assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.expect("a length")];
        reader.read_exact(&mut body).expect("a body");
        self.came.lock().expect("whole").push(body);
        let answer =
            "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        reader.get_mut().write_all(answer.as_bytes()).expect("it waits for the answer");
    }

    /// Whether a span of this name came, in one message with this trace's id. (In protobuf both stand as they are.)
    fn has(&self, name: &str, trace: u128) -> bool {
        let has = |body: &[u8], part: &[u8]| body.windows(part.len()).any(|window| window == part);
        let came = self.came.lock().expect("whole");
        came.iter().any(|body| has(body, name.as_bytes()) && has(body, &trace.to_be_bytes()))
    }
}

#[test]
fn a_trace_is_exported_from_the_gateway_to_the_syncer() {
    let collector = Collector::start();
    let to = format!("http://{}", collector.address);
    let mut world = World::start_without_syncer();
    world.create_sale(r#"{"sale":"drop","total":1000000}"#);
    world.stop_gateway();
    world.start_gateway_with(&["--otlp-endpoint", &to]);
    let syncer = Program::start(&["syncer", "--otlp-endpoint", &to], &world.environment());
    let mut buyers = 0;
    // A relay may be quicker than the answer that it is to learn the trace with.
    wait::until("all three spans", || {
        buyers += 1;
        for (trace, flags) in [(NOT_SAMPLED, "00"), (TRACE, "01")] {
            let traceparent = format!("00-{trace:032x}-00f067aa0ba902b7-{flags}");
            let headers = [("content-type", "application/json"), ("traceparent", traceparent.as_str())];
            let body = format!(r#"{{"buyer":"buyer-{buyers}-{flags}"}}"#);
            let answer = world.http().send("POST", "/v1/sales/drop/reservations", &headers, &body);
            assert_eq!(answer.expect("an answer").status, 201);
        }
        ["reserve", "publish", "write"].iter().all(|name| collector.has(name, TRACE)).then_some(())
    });
    drop(syncer);
    world.stop_gateway();
    assert!(!collector.has("reserve", NOT_SAMPLED), "whoever began the trace did not want it");
}
