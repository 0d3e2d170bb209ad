//! One connection of the generator: a request out, its whole answer in.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use anyhow::{Context, bail, ensure};

/// The longest answer that is expected.
const ANSWER_BYTES_MAX: usize = 8 * 1024;

pub(crate) struct Line {
    stream: TcpStream,
    answer: Vec<u8>,
    filled: usize,
    /// When the request was to be sent whose answer is awaited, and when it was.
    pub(crate) asked: Option<Asked>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) due: Instant,
    pub(crate) sent: Instant,
}

impl Line {
    pub(crate) fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream, answer: vec![0; ANSWER_BYTES_MAX], filled: 0, asked: None })
    }

    pub(crate) const fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// So short a request always has room in the socket.
    pub(crate) fn ask(&mut self, request: &[u8], due: Instant) -> anyhow::Result<()> {
        self.stream.write_all(request)?;
        self.asked = Some(Asked { due, sent: Instant::now() });
        Ok(())
    }

    /// Reads what has come. Gives the status, once the answer is whole.
    pub(crate) fn read(&mut self) -> anyhow::Result<Option<u16>> {
        match self.stream.read(&mut self.answer[self.filled..]) {
            Ok(0) => bail!("the server closed a connection"),
            Ok(length) => self.filled += length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let Some(length) = whole(&self.answer[..self.filled])? else { return Ok(None) };
        ensure!(length == self.filled, "more came than was asked for");
        self.filled = 0;
        let status = std::str::from_utf8(&self.answer[9..12])?.parse().context("no status")?;
        Ok(Some(status))
    }

    /// The last answer, for an error message.
    pub(crate) fn text(&self) -> String {
        let end = self.answer.iter().position(|byte| *byte == 0).unwrap_or(ANSWER_BYTES_MAX);
        String::from_utf8_lossy(&self.answer[..end]).into_owned()
    }
}

/// The length of an answer that is there as a whole.
fn whole(bytes: &[u8]) -> anyhow::Result<Option<usize>> {
    const NAME: &[u8] = b"\r\ncontent-length: ";
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let named = bytes[..end].windows(NAME.len()).position(|window| window.eq_ignore_ascii_case(NAME));
    let value = &bytes[named.context("an answer without its length")? + NAME.len()..];
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit());
    let body = digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
    let length = end + 4 + body;
    ensure!(length <= ANSWER_BYTES_MAX, "an answer of {length} bytes");
    Ok((bytes.len() >= length).then_some(length))
}
