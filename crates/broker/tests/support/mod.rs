//! A link to RabbitMQ that is slow at one point.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep_until};

/// `basic.consume-ok`, as a method's frame begins: class 60, method 21.
const CONSUME_OK: [u8; 4] = [0, 60, 0, 21];

/// Listens on a port of its own, and passes connections on to `port`. What RabbitMQ says from its first answer to a
/// consumer on comes so much later.
pub(crate) async fn answers_consumers_late(port: u16, late: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near_port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let (mut near_reader, near_writer) = near.into_split();
            let (far_reader, mut far_writer) = far.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut near_reader, &mut far_writer).await });
            tokio::spawn(pass_late(far_reader, near_writer, late));
        }
    });
    near_port
}

async fn pass_late(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    late: Duration,
) -> std::io::Result<()> {
    let mut bytes = vec![0; 64 * 1024];
    let mut is_late = false;
    loop {
        let count = from.read(&mut bytes).await?;
        if count == 0 {
            return to.shutdown().await;
        }
        if !is_late && bytes[..count].windows(CONSUME_OK.len()).any(|part| part == CONSUME_OK) {
            is_late = true;
            // The link is slow here; the test itself waits for a message.
            sleep_until(Instant::now() + late).await;
        }
        to.write_all(&bytes[..count]).await?;
    }
}
