//! hyper alone, as the gateway uses it: what a request costs before anybody has looked at it.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{Domain, Socket, Type};

use crate::rivals::WORKERS;

/// As long as what the gateway answers when everything is sold.
const REFUSAL: &[u8] = br#"{"type":"/problems/sold-out","title":"Everything is sold","status":409,"code":"SOLD_OUT"}"#;
const BACKLOG: i32 = 1_024;

/// Serves for ever, and prints where.
pub(crate) fn serve() -> anyhow::Result<()> {
    let first = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let address = first.local_addr()?;
    let others = (1..WORKERS).map(|_| listen(address)).collect::<anyhow::Result<Vec<_>>>()?;
    println!("{address}");
    let threads = others.into_iter().chain([first]).map(|listener| thread::spawn(|| connections(listener)));
    threads.collect::<Vec<_>>().into_iter().try_for_each(|thread| thread.join().unwrap_or(Ok(())))
}

fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[tokio::main(flavor = "current_thread")]
async fn connections(listener: TcpListener) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).half_close(true);
        tokio::spawn(http.serve_connection(TokioIo::new(stream), service_fn(answer)));
    }
}

/// The same to all; a body is read first, as a user of it would.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.method() == Method::GET {
        return Ok(Response::new(Full::new(Bytes::from_static(b"ok\n"))));
    }
    // A body that breaks off ends the connection, and with it the measurement.
    let _ = request.into_body().collect().await;
    let mut response = Response::new(Full::new(Bytes::from_static(REFUSAL)));
    *response.status_mut() = StatusCode::CONFLICT;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    Ok(response)
}
