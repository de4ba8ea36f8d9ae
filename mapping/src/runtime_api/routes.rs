//! The paths of the Runtime API and of the Extensions API, as one function from request to response.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderMap};
use hyper::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::identity::ACCOUNT;
use super::shared::Shared;
use super::state::{ExtensionRefusal, Posted, Refusal};
use crate::clock;
use crate::invocation::FunctionError;
use crate::limits::{DISCARD_BYTES_MAX, RESPONSE_BYTES_MAX};

type HttpResponse = Response<Full<Bytes>>;

const ERROR_TYPE: &str = "lambda-runtime-function-error-type";
const EXTENSION_NAME: &str = "lambda-extension-name";
const EXTENSION_ID: &str = "lambda-extension-identifier";

pub(super) async fn serve(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<HttpResponse, Infallible> {
    let (head, body) = request.into_parts();
    let parts: Vec<&str> = head.uri.path().split('/').skip(1).collect();
    let get = head.method == Method::GET;
    let post = head.method == Method::POST;
    let answer = match parts.as_slice() {
        ["2018-06-01", "runtime", "invocation", "next"] if get => next(&shared).await,
        ["2018-06-01", "runtime", "invocation", id, "response"] if post => {
            response(&shared, id, body).await
        }
        ["2018-06-01", "runtime", "invocation", id, "error"] if post => {
            error(&shared, id, &head.headers, body).await
        }
        ["2018-06-01", "runtime", "init" | "restore", "error"] if post => {
            init_error(&shared, &head.headers, body).await
        }
        // SnapStart: Lambda answers once a snapshot is restored. Here there is none, so the function is restored at once.
        ["2018-06-01", "runtime", "restore", "next"] if get => finish(Response::builder(), ""),
        ["2020-01-01", "extension", "register"] if post => {
            register(&shared, &head.headers, body).await
        }
        ["2020-01-01", "extension", "event", "next"] if get => {
            extension_next(&shared, &head.headers).await
        }
        ["2020-01-01", "extension", "init" | "exit", "error"] if post => accepted(),
        ["2018-06-01", "runtime", "invocation" | "restore", "next"]
        | ["2020-01-01", "extension", "event", "next"] => wrong_method(&head.method, "GET"),
        [
            "2018-06-01",
            "runtime",
            "invocation",
            _,
            "response" | "error",
        ]
        | ["2018-06-01", "runtime", "init" | "restore", "error"]
        | ["2020-01-01", "extension", "register"]
        | ["2020-01-01", "extension", "init" | "exit", "error"] => {
            wrong_method(&head.method, "POST")
        }
        _ => refuse(
            StatusCode::NOT_FOUND,
            "InvalidPath",
            &format!("no such path: {}", head.uri.path()),
        ),
    };
    Ok(answer)
}

/// Waits for the next event. The function waits here while Lambda has frozen it; if it goes, hyper drops the wait.
async fn next(shared: &Shared) -> HttpResponse {
    shared.function_is_ready();
    loop {
        let offered = shared.offered.notified();
        let taken = shared.state().take(Instant::now());
        if let Some((id, body, timeout)) = taken {
            return hand_over(shared, &id, body, timeout);
        }
        offered.await;
    }
}

fn hand_over(shared: &Shared, id: &str, body: Bytes, timeout: Duration) -> HttpResponse {
    let now = clock::since_epoch();
    let deadline_ms = (now + timeout).as_millis();
    let trace = clock::trace_id(now);
    let arn = shared.identity.arn();
    let told = json!({
        "eventType": "INVOKE",
        "deadlineMs": u64::try_from(deadline_ms).unwrap_or(u64::MAX),
        "requestId": id,
        "invokedFunctionArn": arn,
        "tracing": {"type": "X-Amzn-Trace-Id", "value": trace},
    });
    shared
        .state()
        .tell_extensions(&Bytes::from(told.to_string()));
    shared.told.notify_waiters();
    let head = Response::builder()
        .header("Lambda-Runtime-Aws-Request-Id", id)
        .header("Lambda-Runtime-Deadline-Ms", deadline_ms.to_string())
        .header("Lambda-Runtime-Invoked-Function-Arn", arn)
        .header("Lambda-Runtime-Trace-Id", trace);
    finish(head, body)
}

async fn response(shared: &Shared, id: &str, body: Incoming) -> HttpResponse {
    // Asked before the body is read as well: a stale answer of 6 MB is refused at once.
    if let Err(refusal) = shared.state().expects(id) {
        return refused(id, refusal);
    }
    let (posted, too_large) = match read(body).await {
        Body::Whole(bytes) => (Posted::Response(bytes), false),
        Body::TooLarge => {
            let message = format!(
                "Response payload size exceeded maximum allowed payload size ({RESPONSE_BYTES_MAX} bytes)."
            );
            (
                Posted::Error(FunctionError::new("Function.ResponseSizeTooLarge", message)),
                true,
            )
        }
        Body::Broken => return broken(),
    };
    let outcome = shared.state().post(id, posted);
    match outcome {
        Ok(()) if too_large => entity_too_large(),
        Ok(()) => accepted(),
        Err(refusal) => refused(id, refusal),
    }
}

async fn error(shared: &Shared, id: &str, headers: &HeaderMap, body: Incoming) -> HttpResponse {
    if let Err(refusal) = shared.state().expects(id) {
        return refused(id, refusal);
    }
    let error = match read(body).await {
        Body::Whole(bytes) => FunctionError::read(&bytes, text(headers, ERROR_TYPE)),
        Body::TooLarge => return entity_too_large(),
        Body::Broken => return broken(),
    };
    let outcome = shared.state().post(id, Posted::Error(error));
    match outcome {
        Ok(()) => accepted(),
        Err(refusal) => refused(id, refusal),
    }
}

/// Of the init, or of the restore (SnapStart) that follows it.
async fn init_error(shared: &Shared, headers: &HeaderMap, body: Incoming) -> HttpResponse {
    let error = match read(body).await {
        Body::Whole(bytes) => FunctionError::read(&bytes, text(headers, ERROR_TYPE)),
        Body::TooLarge => return entity_too_large(),
        Body::Broken => return broken(),
    };
    if shared.function_has_failed(error) {
        accepted()
    } else {
        refuse(
            StatusCode::FORBIDDEN,
            "InvalidStateTransition",
            "the init is over: the function has asked for an event",
        )
    }
}

async fn register(shared: &Shared, headers: &HeaderMap, body: Incoming) -> HttpResponse {
    #[derive(Deserialize)]
    struct Wire {
        #[serde(default)]
        events: Vec<String>,
    }

    let Some(name) = text(headers, EXTENSION_NAME).filter(|name| !name.is_empty()) else {
        return refuse(
            StatusCode::FORBIDDEN,
            "Extension.InvalidExtensionName",
            "no Lambda-Extension-Name header",
        );
    };
    let Body::Whole(bytes) = read(body).await else {
        return broken();
    };
    let Ok(wire) = serde_json::from_slice::<Wire>(&bytes) else {
        return refuse(
            StatusCode::BAD_REQUEST,
            "InvalidRequestFormat",
            "expected {\"events\": [..]}",
        );
    };
    if let Some(event) = wire.events.iter().find(|event| *event != "INVOKE") {
        // Lambda refuses SHUTDOWN to internal extensions, and an extension that we serve lives in the function's process.
        let message = format!("an internal extension cannot subscribe to {event}");
        return refuse(
            StatusCode::FORBIDDEN,
            "ShutdownEventNotSupportedForInternalExtension",
            &message,
        );
    }
    let id = clock::uuid();
    let outcome = shared
        .state()
        .register(id.clone(), name, !wire.events.is_empty());
    match outcome {
        Ok(()) => {
            let told = json!({
                "functionName": shared.identity.name(),
                "functionVersion": "$LATEST",
                "handler": "bootstrap",
                "accountId": ACCOUNT,
            });
            finish(
                Response::builder().header("Lambda-Extension-Identifier", id),
                told.to_string(),
            )
        }
        Err(ExtensionRefusal::TooMany) => refuse(
            StatusCode::FORBIDDEN,
            "Extension.TooManyExtensions",
            "Lambda allows 10 extensions",
        ),
        Err(ExtensionRefusal::NameTaken) => refuse(
            StatusCode::FORBIDDEN,
            "Extension.AlreadyRegistered",
            &format!("{name} is registered already"),
        ),
    }
}

async fn extension_next(shared: &Shared, headers: &HeaderMap) -> HttpResponse {
    let Some(id) = text(headers, EXTENSION_ID) else {
        return refuse(
            StatusCode::FORBIDDEN,
            "Extension.MissingExtensionIdentifier",
            "no Lambda-Extension-Identifier header",
        );
    };
    loop {
        let told = shared.told.notified();
        tokio::pin!(told);
        // `notify_waiters` reaches only those that wait already.
        told.as_mut().enable();
        let event = shared.state().extension_event(id);
        match event {
            None => {
                return refuse(
                    StatusCode::FORBIDDEN,
                    "Extension.UnknownExtensionIdentifier",
                    "register first",
                );
            }
            Some(None) => told.await,
            Some(Some(event)) => {
                return finish(
                    Response::builder().header("Lambda-Extension-Event-Identifier", clock::uuid()),
                    event,
                );
            }
        }
    }
}

enum Body {
    Whole(Bytes),
    TooLarge,
    /// The function closed the connection in the middle.
    Broken,
}

async fn read(mut body: Incoming) -> Body {
    let mut kept = BytesMut::new();
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Body::Broken;
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        seen += data.len();
        if seen > DISCARD_BYTES_MAX {
            return Body::TooLarge;
        }
        if seen <= RESPONSE_BYTES_MAX {
            kept.extend_from_slice(&data);
        }
    }
    if seen > RESPONSE_BYTES_MAX {
        Body::TooLarge
    } else {
        Body::Whole(kept.freeze())
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn accepted() -> HttpResponse {
    finish(
        Response::builder().status(StatusCode::ACCEPTED),
        r#"{"status":"OK"}"#,
    )
}

fn refused(id: &str, refusal: Refusal) -> HttpResponse {
    match refusal {
        Refusal::Unknown => refuse(
            StatusCode::BAD_REQUEST,
            "InvalidRequestID",
            &format!("{id} is no request id of a running invocation"),
        ),
        Refusal::Answered => refuse(
            StatusCode::FORBIDDEN,
            "InvalidStateTransition",
            &format!("{id} has been answered already"),
        ),
        Refusal::Stale => refuse(
            StatusCode::GONE,
            "InvocationGone",
            &format!("{id} has timed out: the answer changes nothing"),
        ),
    }
}

fn broken() -> HttpResponse {
    refuse(
        StatusCode::BAD_REQUEST,
        "InvalidRequestFormat",
        "the body is broken off",
    )
}

fn entity_too_large() -> HttpResponse {
    refuse(
        StatusCode::PAYLOAD_TOO_LARGE,
        "RequestEntityTooLarge",
        &format!("Exceeded maximum allowed payload size ({RESPONSE_BYTES_MAX} bytes)."),
    )
}

fn wrong_method(method: &Method, allowed: &'static str) -> HttpResponse {
    let mut answer = refuse(
        StatusCode::METHOD_NOT_ALLOWED,
        "InvalidMethod",
        &format!("{method} is not allowed here: use {allowed}"),
    );
    answer
        .headers_mut()
        .insert(ALLOW, hyper::header::HeaderValue::from_static(allowed));
    answer
}

fn refuse(status: StatusCode, error_type: &str, message: &str) -> HttpResponse {
    let body = json!({"errorType": error_type, "errorMessage": message}).to_string();
    finish(Response::builder().status(status), body)
}

fn finish(head: hyper::http::response::Builder, body: impl Into<Bytes>) -> HttpResponse {
    head.header(CONTENT_TYPE, "application/json")
        .body(Full::new(body.into()))
        .expect("names are constants; values are ours: ids, numbers, and an ARN that was checked")
}
