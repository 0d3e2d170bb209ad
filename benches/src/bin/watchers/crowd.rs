//! Many who watch one sale. They read what comes and throw it away, on a thread of their own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Watchers that connect at once.
const CONNECTING_MAX: usize = 256;

pub(crate) struct Crowd {
    events: Arc<AtomicU64>,
    /// Dropped, it sends the crowd home.
    _stop: oneshot::Sender<()>,
}

impl Crowd {
    /// Comes back when all of them watch.
    pub(crate) fn watch(gateway: &str, sale: &str, watchers: u32) -> anyhow::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = std::sync::mpsc::channel();
        let crowd = Self { events: Arc::default(), _stop: stop };
        let (events, gateway) = (crowd.events.clone(), gateway.to_owned());
        let request = format!("GET /v1/sales/{sale}/events HTTP/1.1\r\nhost: localhost\r\n\r\n");
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async move {
                let streams = connect(&gateway, &request, watchers).await;
                let mut reading = JoinSet::new();
                let came = streams.map(|streams| {
                    streams.into_iter().for_each(|stream| drop(reading.spawn(read(stream, events.clone()))));
                });
                let _ = ready.send(came);
                let _ = stopped.await;
                io::Result::Ok(())
            })
        });
        is_ready.recv().context("the watchers' thread panicked")??;
        Ok(crowd)
    }

    /// Events that came to all of them together.
    pub(crate) fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }
}

/// Each of them has been told something when this is over.
async fn connect(gateway: &str, request: &str, watchers: u32) -> io::Result<Vec<TcpStream>> {
    let (mut streams, mut connecting) = (Vec::new(), JoinSet::new());
    for _ in 0..watchers {
        if connecting.len() == CONNECTING_MAX
            && let Some(stream) = connecting.join_next().await
        {
            streams.push(stream??);
        }
        let (gateway, request) = (gateway.to_owned(), request.to_owned());
        connecting.spawn(async move {
            let mut stream = TcpStream::connect(gateway).await?;
            stream.write_all(request.as_bytes()).await?;
            stream.readable().await?;
            io::Result::Ok(stream)
        });
    }
    while let Some(stream) = connecting.join_next().await {
        streams.push(stream??);
    }
    Ok(streams)
}

async fn read(mut stream: TcpStream, events: Arc<AtomicU64>) {
    let mut buffer = [0; 1024];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        // Every event is one line of data.
        let count = buffer[..length].windows(5).filter(|window| window == b"data:").count();
        events.fetch_add(count as u64, Ordering::Relaxed);
    }
}
