//! A request whose answer is discarded: the connection is closed after it, at once or when the answer has come.

use anyhow::Result;
use tokio::io::AsyncWriteExt;

use super::endpoint::Endpoint;

/// When the client goes away.
#[derive(Debug, Clone, Copy)]
pub(super) enum Leaves {
    /// As soon as the request is sent.
    AtOnce,
    /// When the answer is there, without reading it.
    Answered,
}

/// Sends it, without a token.
///
/// # Errors
/// When it may not have been sent.
pub(super) async fn send(endpoint: &Endpoint, path: &str, body: &[u8], leaves: Leaves) -> Result<()> {
    let mut stream = endpoint.connect_plain().await?;
    let (host, length) = (&endpoint.authority, body.len());
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), body].concat()).await?;
    if matches!(leaves, Leaves::Answered) {
        stream.readable().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;

    async fn check(leaves: Leaves) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Endpoint::read(&format!("http://{}", listener.local_addr().unwrap()), None).unwrap();
        let sent = tokio::spawn(async move { send(&endpoint, "/v1/x", b"{}", leaves).await });
        let (mut peer, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        let ended = if matches!(leaves, Leaves::Answered) {
            asked.resize(1024, 0);
            let length = peer.read(&mut asked).await.unwrap();
            asked.truncate(length);
            peer.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            // What was not read is thrown away by the kernel, which tells the peer so.
            peer.read(&mut [0; 1]).await
        } else {
            peer.read_to_end(&mut asked).await
        };
        let asked = String::from_utf8(asked).unwrap();
        assert!(
            asked.starts_with("POST /v1/x HTTP/1.1\r\n") && asked.ends_with("Content-Length: 2\r\n\r\n{}"),
            "{asked}"
        );
        assert!(ended.is_err() == matches!(leaves, Leaves::Answered), "{leaves:?}: {ended:?}");
        sent.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn the_request_is_sent_whole_and_its_answer_is_not_read() {
        check(Leaves::AtOnce).await;
        check(Leaves::Answered).await;
    }
}
