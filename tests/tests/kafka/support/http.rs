//! Servers of HTTP on loopback, which end with the test's runtime.

use std::error::Error;

use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Answers every request. One that ends in an error has its connection closed.
pub(crate) async fn serve<F, A, B, E>(listener: TcpListener, answer: F)
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = Result<Response<B>, E>> + Send + 'static,
    B: Body<Data: Send, Error: Error + Send + Sync + 'static> + Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let _ = stream.set_nodelay(true);
        let connection = hyper::server::conn::http1::Builder::new();
        let connection =
            connection.serve_connection(TokioIo::new(stream), service_fn(answer.clone()));
        tokio::spawn(connection);
    }
}
