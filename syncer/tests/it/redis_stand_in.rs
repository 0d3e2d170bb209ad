//! A substitute for a Redis with the module, as far as the syncer uses it: it records what is acknowledged.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone, Default)]
pub(crate) struct RedisStandIn {
    acks: Arc<Mutex<Vec<String>>>,
    is_fenced: Arc<AtomicBool>,
}

impl RedisStandIn {
    /// Listens at `address`; gives the URL.
    pub(crate) async fn listen(&self, address: &str) -> String {
        let listener = TcpListener::bind(address).await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let stand_in = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(stand_in.clone().serve(stream));
            }
        });
        url
    }

    /// The last acknowledgement: `key epoch seq`.
    pub(crate) fn last_ack(&self) -> Option<String> {
        self.acks.lock().unwrap().last().cloned()
    }

    /// From now on one of its sales is fenced, or none.
    pub(crate) fn fence(&self, is_fenced: bool) {
        self.is_fenced.store(is_fenced, Ordering::Relaxed);
    }

    async fn serve(self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let command = read_command(&mut stream).await?;
            let answer = match command.first().map(String::as_str) {
                Some("FLASH.ACK") => {
                    self.acks.lock().unwrap().push(command[1..].join(" "));
                    format!("*2\r\n+ACKED\r\n:{}\r\n", command[3])
                }
                Some("FLASH.READY") if self.is_fenced.load(Ordering::Relaxed) => {
                    "*3\r\n+READY\r\n:1\r\n*1\r\n*7\r\n$10\r\nflash:drop\r\n:1\r\n:0\r\n:5\r\n:0\r\n:1\r\n:1\r\n"
                        .to_owned()
                }
                Some("FLASH.READY") => "*3\r\n+READY\r\n:1\r\n*0\r\n".to_owned(),
                _ => "+OK\r\n".to_owned(),
            };
            stream.get_mut().write_all(answer.as_bytes()).await?;
        }
    }
}

/// `*count`, and for each argument `$length` and its bytes.
async fn read_command(stream: &mut BufReader<TcpStream>) -> std::io::Result<Vec<String>> {
    let mut command = Vec::new();
    for _ in 0..read_number(stream).await? {
        let mut argument = vec![0; read_number(stream).await? + 2];
        stream.read_exact(&mut argument).await?;
        command.push(String::from_utf8_lossy(&argument).trim_end().to_owned());
    }
    Ok(command)
}

async fn read_number(stream: &mut BufReader<TcpStream>) -> std::io::Result<usize> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    line.trim_end().get(1..).and_then(|number| number.parse().ok()).ok_or(std::io::ErrorKind::UnexpectedEof.into())
}
