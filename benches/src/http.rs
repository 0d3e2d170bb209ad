//! One request on a connection of its own.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::ensure;

/// Whether the answer to a GET is 200.
///
/// # Errors
/// When there is no answer.
pub fn is_ok(address: &str, path: &str) -> anyhow::Result<bool> {
    let answer = send(address, &format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"))?;
    Ok(answer.starts_with("HTTP/1.1 200 "))
}

/// Has something created.
///
/// # Errors
/// When there is no answer, or it is another one.
pub fn create(address: &str, path: &str, body: &str) -> anyhow::Result<()> {
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    let answer = send(address, &request)?;
    ensure!(answer.starts_with("HTTP/1.1 201 "), "{path} {body}: {answer}");
    Ok(())
}

fn send(address: &str, request: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
