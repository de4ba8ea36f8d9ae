//! The Runtime API and the Extensions API, request by request.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "support/function.rs"]
#[expect(dead_code, reason = "the function itself runs in another test")]
mod function;

use std::time::Duration;

use function::{Reply, request, request_with};
use msk_mapping::{
    Answer, Delivered, Error, FunctionError, Identity, Invocation, Readiness, RuntimeApi,
};
use tokio::task::spawn_blocking;

const SECONDS_MAX: Duration = Duration::from_secs(20);
const NEXT: &str = "/2018-06-01/runtime/invocation/next";
const ID: &str = "Lambda-Runtime-Aws-Request-Id";

async fn served() -> RuntimeApi {
    RuntimeApi::bind(Identity::new("orders", "eu-west-1"))
        .await
        .unwrap()
}

/// A request from a thread of its own: the support code blocks.
async fn send(
    api: &RuntimeApi,
    method: &'static str,
    path: &str,
    headers: &'static str,
    body: &'static str,
) -> Reply {
    let (address, path) = (api.address().to_string(), path.to_owned());
    spawn_blocking(move || {
        request_with(&address, method, &path, headers, body).expect("the API is served")
    })
    .await
    .unwrap()
}

async fn next(api: &RuntimeApi) -> Reply {
    send(api, "GET", NEXT, "", "").await
}

async fn respond(api: &RuntimeApi, id: &str) -> Reply {
    send(
        api,
        "POST",
        &format!("/2018-06-01/runtime/invocation/{id}/response"),
        "",
        "{}",
    )
    .await
}

fn error_type(reply: &Reply) -> String {
    let error: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    assert!(!error["errorMessage"].as_str().unwrap().is_empty());
    error["errorType"].as_str().unwrap().to_owned()
}

fn event(timeout: Duration) -> Invocation {
    Invocation::new(r#"{"records":{}}"#, timeout)
}

/// Hands over one event and answers it.
async fn exchanged(api: &RuntimeApi) -> (Delivered, String) {
    let function = async {
        let event = next(api).await;
        let id = event.headers[ID].clone();
        assert_eq!(
            (event.status, event.body.as_str()),
            (200, r#"{"records":{}}"#)
        );
        assert_eq!(event.headers["Content-Type"], "application/json");
        let reply = respond(api, &id).await;
        assert_eq!(
            (reply.status, reply.body.as_str()),
            (202, r#"{"status":"OK"}"#)
        );
        id
    };
    let event = event(SECONDS_MAX);
    let (delivered, id) = tokio::join!(api.invoke(&event), function);
    (delivered.unwrap(), id)
}

#[tokio::test]
async fn an_event_is_handed_over_and_its_answer_taken() {
    let api = served().await;

    let (delivered, id) = exchanged(&api).await;

    assert_eq!(delivered.request_id, id);
    assert_eq!(delivered.answer, Answer::Response("{}".into()));
}

#[tokio::test]
async fn a_second_answer_is_refused() {
    let api = served().await;
    let (_, id) = exchanged(&api).await;

    let reply = respond(&api, &id).await;

    assert_eq!(
        (reply.status, error_type(&reply).as_str()),
        (403, "InvalidStateTransition")
    );
}

#[tokio::test]
async fn an_answer_for_an_unknown_event_is_refused() {
    let api = served().await;

    let reply = respond(&api, "7d9c1f6e-0000-4000-8000-000000000000").await;

    assert_eq!(
        (reply.status, error_type(&reply).as_str()),
        (400, "InvalidRequestID")
    );
}

#[tokio::test]
async fn a_late_answer_gets_410_and_changes_nothing() {
    let api = served().await;
    let event = event(Duration::from_millis(50));
    let (delivered, taken) = tokio::join!(api.invoke(&event), next(&api));
    let id = taken.headers[ID].clone();

    let reply = respond(&api, &id).await;

    assert_eq!(delivered.unwrap().answer, Answer::TimedOut { taken: true });
    assert_eq!(
        (reply.status, error_type(&reply).as_str()),
        (410, "InvocationGone")
    );
    let (delivered, other) = exchanged(&api).await;
    assert_eq!(delivered.answer, Answer::Response("{}".into()));
    assert_ne!(other, id);
}

#[tokio::test]
async fn an_event_that_nobody_takes_times_out_and_is_not_handed_over_later() {
    let api = served().await;

    let delivered = api.invoke(&event(Duration::from_millis(20))).await.unwrap();

    assert_eq!(delivered.answer, Answer::TimedOut { taken: false });
    let (_, id) = exchanged(&api).await;
    assert_ne!(id, delivered.request_id);
}

#[tokio::test]
async fn an_event_whose_caller_has_gone_takes_no_answer() {
    let api = served().await;
    let event = event(SECONDS_MAX);
    let taken = tokio::select! {
        _ = api.invoke(&event) => unreachable!("nobody answers"),
        taken = next(&api) => taken,
    };

    assert_eq!(respond(&api, &taken.headers[ID]).await.status, 410);
}

#[tokio::test]
async fn two_requests_at_once_get_two_events() {
    let api = served().await;
    let function = || async {
        let id = next(&api).await.headers[ID].clone();
        respond(&api, &id).await.status
    };
    let event = event(SECONDS_MAX);

    let (a, b, c, d) = tokio::join!(
        api.invoke(&event),
        api.invoke(&event),
        function(),
        function()
    );

    assert_eq!([c, d], [202, 202]);
    assert_ne!(a.unwrap().request_id, b.unwrap().request_id);
}

#[tokio::test]
async fn wrong_paths_and_methods_are_refused_with_what_is_allowed() {
    let api = served().await;

    let path = send(&api, "GET", "/2018-06-01/runtime/invocation", "", "").await;
    let get = send(&api, "POST", NEXT, "", "").await;
    let post = send(
        &api,
        "GET",
        "/2018-06-01/runtime/invocation/x/response",
        "",
        "",
    )
    .await;

    assert_eq!(
        (path.status, error_type(&path).as_str()),
        (404, "InvalidPath")
    );
    assert_eq!((get.status, get.headers["Allow"].as_str()), (405, "GET"));
    assert_eq!((post.status, post.headers["Allow"].as_str()), (405, "POST"));
}

#[tokio::test]
async fn an_init_error_is_taken_once_and_only_before_the_first_event() {
    let api = served().await;
    let post = "/2018-06-01/runtime/init/error";
    let header = "Lambda-Runtime-Function-Error-Type: Config.Missing\r\n";

    assert_eq!(
        send(&api, "POST", post, header, r#"{"errorMessage":"no URL"}"#)
            .await
            .status,
        202
    );
    assert_eq!(send(&api, "POST", post, header, "{}").await.status, 403);

    let Readiness::Failed(FunctionError {
        error_type,
        message,
        ..
    }) = api.ready(Duration::ZERO).await
    else {
        panic!()
    };
    assert_eq!(
        (error_type.as_str(), message.as_str()),
        ("Config.Missing", "no URL")
    );
}

#[tokio::test]
async fn a_snapstart_function_is_restored_at_once_and_is_ready_when_it_asks_for_an_event() {
    let api = served().await;

    let restored = send(&api, "GET", "/2018-06-01/runtime/restore/next", "", "").await;

    assert_eq!((restored.status, restored.body.as_str()), (200, ""));
    assert_eq!(api.ready(Duration::ZERO).await, Readiness::Starting);
    exchanged(&api).await;
    assert_eq!(api.ready(Duration::ZERO).await, Readiness::Ready);
}

#[tokio::test]
async fn a_restore_that_fails_is_an_init_error() {
    let api = served().await;
    let post = "/2018-06-01/runtime/restore/error";

    let reply = send(&api, "POST", post, "", r#"{"errorType":"Hook"}"#).await;

    assert_eq!(reply.status, 202);
    assert!(
        matches!(api.ready(Duration::ZERO).await, Readiness::Failed(error) if error.error_type == "Hook")
    );
}

#[tokio::test]
async fn an_extension_that_subscribes_to_nothing_waits() {
    let api = served().await;
    let name = "Lambda-Extension-Name: helper\r\n";
    let register = "/2020-01-01/extension/register";

    let registered = send(&api, "POST", register, name, r#"{"events":[]}"#).await;
    let again = send(&api, "POST", register, name, r#"{"events":[]}"#).await;
    let nameless = send(&api, "POST", register, "", r#"{"events":[]}"#).await;
    let shutdown = send(
        &api,
        "POST",
        register,
        "Lambda-Extension-Name: b\r\n",
        r#"{"events":["SHUTDOWN"]}"#,
    )
    .await;

    assert_eq!(registered.status, 200);
    assert_eq!(registered.headers["Lambda-Extension-Identifier"].len(), 36);
    assert!(
        registered.body.contains(r#""functionName":"orders""#),
        "{}",
        registered.body
    );
    assert_eq!(
        [again.status, nameless.status, shutdown.status],
        [403, 403, 403]
    );
}

#[tokio::test]
async fn an_extension_that_asks_for_it_is_told_of_each_event() {
    let api = served().await;
    let name = "Lambda-Extension-Name: flush\r\n";
    let registered = send(
        &api,
        "POST",
        "/2020-01-01/extension/register",
        name,
        r#"{"events":["INVOKE"]}"#,
    )
    .await;
    let id = registered.headers["Lambda-Extension-Identifier"].clone();
    let address = api.address().to_string();
    let header = format!("Lambda-Extension-Identifier: {id}\r\n");
    let path = "/2020-01-01/extension/event/next";
    let told = spawn_blocking(move || request_with(&address, "GET", path, &header, "").unwrap());

    let (_, request_id) = exchanged(&api).await;

    let told = told.await.unwrap();
    let told: serde_json::Value = serde_json::from_str(&told.body).unwrap();
    assert_eq!(told["eventType"], "INVOKE");
    assert_eq!(told["requestId"], request_id);
    assert_eq!(
        send(&api, "GET", path, "Lambda-Extension-Identifier: x\r\n", "")
            .await
            .status,
        403
    );
}

#[tokio::test]
async fn a_dropped_api_serves_nobody() {
    let api = served().await;
    let address = api.address().to_string();
    drop(api);

    // The task is aborted at its next turn.
    tokio::task::yield_now().await;

    let reply = spawn_blocking(move || request(&address, "GET", NEXT, ""))
        .await
        .unwrap();
    assert!(reply.is_none());
}

#[tokio::test]
async fn other_machines_are_not_served() {
    let error = RuntimeApi::bind_to(([0, 0, 0, 0], 0).into(), Identity::new("f", "r"))
        .await
        .unwrap_err();

    assert!(matches!(error, Error::NotLoopback { .. }), "{error}");
}

#[tokio::test]
async fn a_time_out_that_lambda_does_not_have_is_refused() {
    let api = served().await;
    for timeout in [Duration::ZERO, Duration::from_secs(5_401)] {
        let error = api.invoke(&event(timeout)).await.unwrap_err();

        assert!(matches!(error, Error::Timeout { .. }), "{error}");
    }
}
