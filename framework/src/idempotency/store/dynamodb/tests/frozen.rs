//! A connection that died while Lambda had frozen the process. Between two `block_on` nothing of the client runs, as in a freeze.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use tokio::runtime::Builder;
use tokio::time::Instant;

use super::stub::{TABLE, config};
use super::{item, put};
use crate::idempotency::store::dynamodb::DynamoDbStore;
use crate::idempotency::store::{IdempotencyStore, StoreError, Swapped};
use crate::limits::DYNAMODB_CALL_MS_MAX;

/// What becomes of the first connection in the freeze.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meanwhile {
    /// The server keeps it.
    Kept,
    /// The server closes it, as one does with idle connections.
    Closed,
    /// A device on the way forgets it: what is sent on it is lost.
    Forgotten,
}

fn answer_one(socket: &mut TcpStream) {
    let mut bytes = Vec::new();
    let is_whole = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let (_, len) = head.split_once("content-length: ")?;
        let len: usize = len.lines().next()?.parse().ok()?;
        Some(body.len() >= len)
    };
    while is_whole(&bytes) != Some(true) {
        let mut some = [0; 4096];
        let count = socket.read(&mut some).unwrap();
        assert!(count > 0, "the client has closed it");
        bytes.extend_from_slice(&some[..count]);
    }
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
    socket.write_all(answer.as_bytes()).unwrap();
}

/// A write before the freeze and one after it. Gives the second one's result and time, and how many connections the two took.
fn after_a_freeze(meanwhile: Meanwhile) -> (Result<Swapped, StoreError>, Duration, usize) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (is_frozen, frozen) = mpsc::channel();
    let (is_dead, dead) = mpsc::channel();
    let server = thread::spawn(move || {
        let (mut first, _) = listener.accept().unwrap();
        answer_one(&mut first);
        frozen.recv().unwrap();
        let kept = (meanwhile != Meanwhile::Closed).then_some(first);
        is_dead.send(()).unwrap();
        if let (Meanwhile::Kept, Some(mut first)) = (meanwhile, kept) {
            answer_one(&mut first);
            return 1;
        }
        let (mut second, _) = listener.accept().unwrap();
        answer_one(&mut second);
        2
    });
    let client = Client::from_conf(config().endpoint_url(&endpoint).build());
    let store = DynamoDbStore::with_client(client, TABLE).unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();

    runtime.block_on(store.swap(&put())).unwrap();
    is_frozen.send(()).unwrap();
    dead.recv().unwrap();
    let (swapped, took) = runtime.block_on(async {
        let began = Instant::now();
        (store.swap(&put()).await, began.elapsed())
    });

    (swapped, took, server.join().unwrap())
}

#[test]
fn a_connection_that_outlasts_a_freeze_is_used_again() {
    let (swapped, _, connections) = after_a_freeze(Meanwhile::Kept);

    assert_eq!(swapped.unwrap(), Swapped::Applied(Some(item())));
    assert_eq!(connections, 1);
}

#[test]
fn a_connection_that_was_closed_in_a_freeze_costs_no_error() {
    let (swapped, took, connections) = after_a_freeze(Meanwhile::Closed);

    assert_eq!(swapped.unwrap(), Swapped::Applied(Some(item())));
    assert_eq!(connections, 2);
    assert!(
        took < Duration::from_millis(DYNAMODB_CALL_MS_MAX),
        "{took:?}"
    );
}

/// Real sockets, so real time: one try's [`DYNAMODB_TRY_MS_MAX`](crate::limits::DYNAMODB_TRY_MS_MAX) goes by.
#[test]
fn a_connection_that_was_forgotten_in_a_freeze_costs_one_try() {
    let (swapped, took, connections) = after_a_freeze(Meanwhile::Forgotten);

    assert_eq!(swapped.unwrap(), Swapped::Applied(Some(item())));
    assert_eq!(connections, 2);
    assert!(
        took < Duration::from_millis(DYNAMODB_CALL_MS_MAX),
        "{took:?}"
    );
}
