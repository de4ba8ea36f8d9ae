//! A proxy before a real server, which loses an answer: the request arrives, and the connection breaks. For tests.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::idempotency::store::{Change, Expect, IdempotencyStore, Item, Swap, Swapped, Version};

const NOW_MS: u64 = 1_767_225_600_000;

/// In the year 2100: a store may delete what has expired.
const NEVER_S: u64 = 4_102_444_800;

/// What stands between a store and its server.
pub(in crate::idempotency::store) struct Cutter {
    pub(in crate::idempotency::store) address: SocketAddr,
    cut: Arc<AtomicBool>,
    answers_lost: Arc<AtomicUsize>,
}

impl Cutter {
    pub(in crate::idempotency::store) async fn before(server: &str) -> Self {
        let server: SocketAddr = server.parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let cutter = Self {
            address: listener.local_addr().unwrap(),
            cut: Arc::default(),
            answers_lost: Arc::default(),
        };
        let (cut, lost) = (Arc::clone(&cutter.cut), Arc::clone(&cutter.answers_lost));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (cut, lost) = (Arc::clone(&cut), Arc::clone(&lost));
                tokio::spawn(async move {
                    let server = TcpStream::connect(server).await.unwrap();
                    carry(client, server, &cut, &lost).await;
                });
            }
        });
        cutter
    }

    /// The next answer is lost, with its connection.
    pub(in crate::idempotency::store) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    pub(in crate::idempotency::store) fn answers_lost(&self) -> usize {
        self.answers_lost.load(Ordering::SeqCst)
    }
}

async fn carry(mut client: TcpStream, mut server: TcpStream, cut: &AtomicBool, lost: &AtomicUsize) {
    let (mut asked, mut said) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => match read {
                Ok(count @ 1..) => if server.write_all(&asked[..count]).await.is_err() { return },
                _ => return,
            },
            read = server.read(&mut said) => match read {
                Ok(count @ 1..) => {
                    if cut.swap(false, Ordering::SeqCst) {
                        lost.fetch_add(1, Ordering::SeqCst);
                        return;
                    }
                    if client.write_all(&said[..count]).await.is_err() { return }
                }
                _ => return,
            },
        }
    }
}

/// The writes of one holder whose answers are lost, by any store behind the proxy: each is applied once, and its repetition is refused with what it wrote.
pub(in crate::idempotency::store) async fn check_lost_answers(
    store: &impl IdempotencyStore,
    cutter: &Cutter,
) {
    let id: Arc<str> = format!("cut/{:016x}", fastrand::u64(..)).into();
    let swap = |expect, change| Swap::new(Arc::clone(&id), expect, change);
    let version = |seq| Version {
        owner: "a".into(),
        seq,
    };
    let free = Expect::Free { at_ms: NOW_MS };
    let hold = Change::Hold {
        owner: "a".into(),
        raise: 7,
        held_until_ms: NOW_MS + 10_000,
        expires_s: NEVER_S,
    };
    let mut taken = Item::new(Some(version(7)), NEVER_S);
    taken.held_until_ms = NOW_MS + 10_000;
    let mut written = Item::new(Some(version(8)), NEVER_S);
    written.data = vec![0, 255].into();
    assert_eq!(store.read(&id).await.unwrap(), None);

    cutter.cut();
    let held = store.swap(&swap(free, hold)).await.unwrap();
    cutter.cut();
    let put = swap(Expect::Version(version(7)), Change::Put(written.clone()));
    let put = store.swap(&put).await.unwrap();
    cutter.cut();
    let read = store.read(&id).await.unwrap();
    cutter.cut();
    let delete = swap(Expect::Version(version(8)), Change::Delete);
    let deleted = store.swap(&delete).await.unwrap();

    assert_eq!(held, Swapped::Refused(Some(taken)));
    assert_eq!(put, Swapped::Refused(Some(written.clone())));
    assert_eq!(read, Some(written));
    assert_eq!(deleted, Swapped::Refused(None));
    assert_eq!(cutter.answers_lost(), 4);
}
