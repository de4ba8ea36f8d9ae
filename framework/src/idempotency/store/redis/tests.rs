//! Redis as a store, beside real servers. `tests/services/run` starts them.

mod nodes;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use redis::IntoConnectionInfo;
use tokio::net::TcpListener;

use self::nodes::Nodes;
use super::RedisStore;
use crate::failure::error_text;
use crate::idempotency::store::tests::cut::{Cutter, check_lost_answers};
use crate::idempotency::store::tests::server::Server;
use crate::idempotency::store::tests::{self, until_it_answers};
use crate::idempotency::store::{Change, Expect, IdempotencyStore, StoreError, Swap, Swapped};
use crate::limits::REDIS_TRY_MS_MAX;
use crate::testing::store::check;

/// In the year 2100.
const NEVER_S: u64 = 4_102_444_800;

fn variable(name: &str) -> String {
    std::env::var(name).expect("run by tests/services/run")
}

fn store(variable_name: &str) -> RedisStore {
    RedisStore::new(&variable(variable_name)).unwrap()
}

fn put(id: &str) -> Swap {
    tests::put(id, NEVER_S)
}

fn fresh(name: &str) -> String {
    format!("{name}/{:016x}", fastrand::u64(..))
}

async fn ask(command: &str, arguments: &[&str]) -> redis::Value {
    let info = variable("LAMBDA_MSK_REDIS").into_connection_info().unwrap();
    let client = redis::Client::open(info).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut command = redis::cmd(command);
    command.arg(arguments);
    command.query_async(&mut connection).await.unwrap()
}

#[tokio::test]
#[ignore = "needs Redis: make services"]
async fn a_real_server_is_a_store() {
    check(store("LAMBDA_MSK_REDIS")).await;
}

#[tokio::test]
#[ignore = "needs a cluster: make services"]
async fn a_real_cluster_is_a_store_by_the_address_of_one_of_its_servers() {
    check(store("LAMBDA_MSK_REDIS_CLUSTER")).await;
}

#[tokio::test]
#[ignore = "needs Redis: make services"]
async fn a_server_that_has_forgotten_the_script_is_given_it_again() {
    let store = store("LAMBDA_MSK_REDIS");
    let (first, second) = (put(&fresh("script")), put(&fresh("script")));

    store.swap(&first).await.unwrap();
    ask("SCRIPT", &["FLUSH"]).await;
    let swapped = store.swap(&second).await.unwrap();

    assert!(matches!(swapped, Swapped::Applied(Some(_))));
}

#[tokio::test]
#[ignore = "needs Redis: make services"]
async fn each_key_that_is_written_expires_a_minute_after_its_item() {
    let store = store("LAMBDA_MSK_REDIS");
    let id = fresh("expiry");
    let hold = Change::Hold {
        owner: "a".into(),
        raise: 7,
        held_until_ms: 1,
        expires_s: NEVER_S + 1_000,
    };

    store.swap(&put(&id)).await.unwrap();
    let key = format!("lambda-msk:{id}");
    let of_put = ask("EXPIRETIME", &[&key]).await;
    let free = Expect::Free { at_ms: 2 };
    store.swap(&Swap::new(id.into(), free, hold)).await.unwrap();
    let of_hold = ask("EXPIRETIME", &[&key]).await;

    let expiry = |at_s: u64| redis::Value::Int(i64::try_from(at_s).unwrap());
    assert_eq!(of_put, expiry(NEVER_S + 60));
    assert_eq!(of_hold, expiry(NEVER_S + 1_060));
}

#[tokio::test]
#[ignore = "needs Redis: make services"]
async fn a_write_whose_answer_is_lost_is_made_once() {
    let server = variable("LAMBDA_MSK_REDIS").replace("redis://", "");
    let cutter = Cutter::before(&server).await;
    let store = RedisStore::new(&format!("redis://{}", cutter.address)).unwrap();

    check_lost_answers(&store, &cutter).await;
}

#[tokio::test]
#[ignore = "needs Redis: make services"]
async fn another_programs_key_is_left_alone_with_an_error_that_says_so() {
    let store = store("LAMBDA_MSK_REDIS");
    let id = fresh("foreign");
    ask("SET", &[&format!("lambda-msk:{id}"), "secret"]).await;

    let read = store.read(&id).await.unwrap_err();
    let swapped = store.swap(&put(&id)).await.unwrap_err();

    for error in [read, swapped] {
        assert!(!error.is_transient());
        let text = error_text(&error);
        assert!(
            text.contains("WRONGTYPE") && !text.contains("secret"),
            "{text}"
        );
    }
}

#[tokio::test]
#[ignore = "needs Redis: make services"]
async fn a_wrong_password_is_told_for_good_and_not_shown() {
    let address = variable("LAMBDA_MSK_REDIS").replace("redis://", "redis://nobody:hunter2@");
    let store = RedisStore::new(&address).unwrap();

    let error = store.read("a").await.unwrap_err();

    let text = error_text(&error);
    assert!(!error.is_transient(), "{text}");
    assert!(text.contains("check user and password"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[tokio::test]
#[ignore = "needs Redis: make services"]
async fn a_user_without_the_commands_is_told_which_it_needs() {
    let user = format!("u{:x}", fastrand::u32(..));
    ask("ACL", &["SETUSER", &user, "on", ">pw", "~*", "+@read"]).await;
    let address = variable("LAMBDA_MSK_REDIS").replace("redis://", &format!("redis://{user}:pw@"));
    let store = RedisStore::new(&address).unwrap();

    // INFO is refused too, and that is no reason to fail.
    let read = store.read(&fresh("acl")).await;
    let error = store.swap(&put(&fresh("acl"))).await.unwrap_err();

    assert_eq!(read.unwrap(), None);
    let text = error_text(&error);
    assert!(
        !error.is_transient() && text.contains("needs the commands EVALSHA"),
        "{text}"
    );
}

/// This test once more, in a process of its own: the system's authorities are those of its environment.
#[tokio::test]
#[ignore = "needs Redis: make services"]
async fn a_server_with_tls_is_a_store_where_its_authority_is_known() {
    const NAME: &str = "a_server_with_tls_is_a_store_where_its_authority_is_known";
    let authority = variable("LAMBDA_MSK_REDIS_CA");
    if std::env::var("SSL_CERT_FILE").is_ok_and(|file| file == authority) {
        check(store("LAMBDA_MSK_REDIS_TLS")).await;
        return;
    }
    let store = store("LAMBDA_MSK_REDIS_TLS");

    let unknown = store.read("a").await.unwrap_err();
    let known = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", NAME])
        .env("SSL_CERT_FILE", &authority)
        .output()
        .unwrap();

    let text = error_text(&unknown);
    assert!(
        !unknown.is_transient() && text.contains("SSL_CERT_FILE"),
        "{text}"
    );
    let said = String::from_utf8_lossy(&known.stdout).into_owned();
    assert!(
        known.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

/// Writes each command to its file before it answers.
fn server(folder: &Path, port: u16) -> Command {
    std::fs::create_dir_all(folder).unwrap();
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"]);
    command.args(["--appendfsync", "always", "--port", &port.to_string()]);
    command.arg("--dir").arg(folder);
    command
}

#[tokio::test]
#[ignore = "needs Redis: make services"]
async fn a_server_that_is_killed_and_started_again_has_what_it_confirmed() {
    let mut server = Server::start("redis", server).await;
    let store = RedisStore::new(&format!("redis://127.0.0.1:{}", server.port)).unwrap();
    assert_eq!(until_it_answers(&store, "a").await, Ok(None));
    let Swapped::Applied(written) = store.swap(&put("a")).await.unwrap() else {
        panic!("nothing stood there");
    };

    server.kill();
    let meanwhile: StoreError = store.swap(&put("b")).await.unwrap_err();
    server.restart();

    assert!(meanwhile.is_transient(), "{meanwhile}");
    assert_eq!(until_it_answers(&store, "a").await, Ok(written));
    let swapped = store.swap(&put("b")).await.unwrap();
    assert!(matches!(swapped, Swapped::Applied(Some(_))));
}

/// Real sockets, so real time: both tries go by.
#[tokio::test]
async fn a_server_that_accepts_and_never_answers_is_left_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!(
        "redis://127.0.0.1:{}",
        listener.local_addr().unwrap().port()
    );
    let store = RedisStore::new(&address).unwrap();
    let began = tokio::time::Instant::now();

    let error = store.read("a").await.unwrap_err();

    assert!(error.is_transient(), "{error}");
    assert!(began.elapsed() < Duration::from_millis(REDIS_TRY_MS_MAX * 2 + 500));
}

#[tokio::test]
async fn a_server_that_is_not_there_may_come_and_its_password_is_not_shown() {
    let store = RedisStore::new("redis://user:hunter2@127.0.0.1:1").unwrap();

    let error = store.read("a").await.unwrap_err();

    let text = error_text(&error);
    assert!(error.is_transient(), "{text}");
    assert!(
        text.starts_with("no request reached redis:127.0.0.1:1/0, or no response came back"),
        "{text}"
    );
    assert!(!format!("{text} {error:?} {store:?}").contains("hunter2"));
}

/// Real sockets, so real time: few milliseconds go by.
#[tokio::test]
async fn first_requests_to_a_cluster_at_once_all_follow_to_the_node_with_the_key() {
    let nodes = Nodes::start().await;
    let store = RedisStore::new(&nodes.address(0)).unwrap();

    let (first, second) = tokio::join!(store.read("a"), store.read("b"));

    assert!(nodes.redirections() >= 2);
    assert_eq!((first.unwrap(), second.unwrap()), (None, None));
}

/// Real sockets, so real time: less than one try goes by.
#[tokio::test]
async fn a_cluster_is_found_again_without_the_node_that_the_address_names() {
    let nodes = Nodes::start().await;
    let store = RedisStore::new(&nodes.address(0)).unwrap();
    let (first, second) = tokio::join!(store.read("a"), store.read("b"));
    assert_eq!((first.unwrap(), second.unwrap()), (None, None));

    nodes.end_the_first();
    nodes.cut_all();

    assert_eq!(store.read("a").await.unwrap(), None);
}
