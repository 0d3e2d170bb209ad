//! Clients that do not read what they are sent, or rest for long.

use super::*;
use crate::limits::{KEEP_ALIVE_MS_MAX, WRITE_STALL_MS};

const DOCUMENT: &str = "GET /openapi.json HTTP/1.1\r\nHost: h\r\n\r\n";

/// Virtual time passes, and nothing else happens.
async fn pass(time: Duration) {
    let _ = timeout(time, std::future::pending::<()>()).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_is_let_go_after_its_time_and_few_of_its_requests_are_worked_on() {
    const ASKED: usize = 60;
    let started = Instant::now();
    let mut peer = Peer::new();
    peer.send(&DOCUMENT.repeat(ASKED)).await;
    // What the pipe took before anything was read is all that comes.
    pass(Duration::from_millis(WRITE_STALL_MS + 1)).await;
    let mut rest = Vec::new();
    let ended = peer.stream.read_to_end(&mut rest).await;
    assert!(ended.is_ok() && rest.len() <= 64 * 1024, "{} bytes", rest.len());
    assert_eq!(started.elapsed().as_secs(), WRITE_STALL_MS / 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_slowly_gets_all_of_its_answers() {
    const ASKED: usize = 5;
    let mut peer = Peer::new();
    peer.send(&DOCUMENT.repeat(ASKED - 1)).await;
    peer.send(&DOCUMENT.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")).await;
    let (mut answers, mut piece) = (Vec::new(), vec![0; 16 * 1024]);
    loop {
        pass(Duration::from_millis(WRITE_STALL_MS / 4)).await;
        match peer.stream.read(&mut piece).await.unwrap() {
            0 => break,
            read => answers.extend_from_slice(&piece[..read]),
        }
    }
    let text = String::from_utf8(answers).unwrap();
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), ASKED);
}

#[tokio::test(start_paused = true)]
async fn a_connection_may_rest_as_long_as_is_set_and_a_head_is_no_slower_for_it() {
    let started = Instant::now();
    let mut peer = Peer::resting(Duration::from_millis(KEEP_ALIVE_MS_MAX / 4));
    assert!(peer.lives().await);
    pass(Duration::from_millis(KEEP_ALIVE_MS_MAX / 4 - 1_000)).await;
    assert!(peer.lives().await);
    peer.send("GET /livez HTTP/1.1\r\nHo").await;
    let began = Instant::now();
    assert_eq!(peer.rest().await, "");
    assert_eq!(began.elapsed().as_secs(), HEADER_TIMEOUT_MS / 1_000);
    assert!(started.elapsed().as_millis() > (KEEP_ALIVE_MS_MAX / 4).into());
}
