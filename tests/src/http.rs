//! A plain HTTP client: one connection, one request after another, nothing hidden.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// An answer that takes longer is none.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A connection to a gateway.
#[derive(Debug)]
pub struct Http<S = TcpStream> {
    stream: BufReader<S>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// Its JSON; null where there is none.
    pub body: Value,
}

impl Answer {
    /// A header by its name in small letters.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The id of the reservation that it is about.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.body["id"].as_str()
    }

    /// The number in front of that id: what PostgreSQL and the module call the reservation.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.id().and_then(number)
    }

    /// The last part of the problem's type.
    #[must_use]
    pub fn problem(&self) -> &str {
        self.body["type"].as_str().and_then(|kind| kind.strip_prefix("/problems/")).unwrap_or_default()
    }
}

/// The number in front of a reservation's id.
#[must_use]
pub fn number(id: &str) -> Option<u64> {
    id.split_once('-')?.0.parse().ok()
}

impl Http {
    /// Connects; an answer may take ten seconds.
    ///
    /// # Errors
    /// When the connection breaks, or no answer comes in time.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        Self::connect_with(address, TIMEOUT)
    }

    /// Connects; an answer may take as long as that.
    ///
    /// # Errors
    /// When nothing listens there.
    pub fn connect_with(address: SocketAddr, timeout: Duration) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, timeout)?;
        stream.set_read_timeout(Some(timeout))?;
        stream.set_nodelay(true)?;
        Ok(Self::over(stream))
    }
}

impl<S: Read + Write> Http<S> {
    /// Over a connection that is there.
    pub fn over(stream: S) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    /// Asks for a page.
    ///
    /// # Errors
    /// When the connection breaks, or no answer comes in time.
    pub fn get(&mut self, path: &str) -> io::Result<Answer> {
        self.send("GET", path, &[], "")
    }

    /// Sends JSON.
    ///
    /// # Errors
    /// When the connection breaks, or no answer comes in time.
    pub fn post(&mut self, path: &str, body: &str) -> io::Result<Answer> {
        self.send("POST", path, &[("content-type", "application/json")], body)
    }

    /// Sends a request, and waits for the answer.
    ///
    /// # Errors
    /// When the connection breaks, or no answer comes in time.
    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> io::Result<Answer> {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nflash-request: 1\r\n{headers}content-length: {length}\r\n\r\n{body}"
        );
        self.exchange(request.as_bytes())
    }

    /// Sends bytes as they are, and waits for an answer to them.
    ///
    /// # Errors
    /// When the connection breaks, or no answer comes in time.
    pub fn exchange(&mut self, bytes: &[u8]) -> io::Result<Answer> {
        self.stream.get_mut().write_all(bytes)?;
        self.answer()
    }

    fn answer(&mut self) -> io::Result<Answer> {
        let broken = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| broken("status line"))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(": ") else { break };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = length.and_then(|(_, length)| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body)? };
        Ok(Answer { status, headers, body })
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}
