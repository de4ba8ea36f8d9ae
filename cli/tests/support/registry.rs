//! A schema registry with Confluent's API.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use serde_json::json;

/// A registry that has one schema: an order in Avro, with the id 1.
pub fn registry(status: u16) -> String {
    registry_after(0, status)
}

/// One that cannot answer the first requests.
pub fn registry_after(failures: usize, status: u16) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut head = BufReader::new(stream.try_clone().unwrap()).lines();
            let first = head.next().unwrap().unwrap();
            let authorized = head
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty())
                .any(|line| {
                    line.to_ascii_lowercase()
                        .starts_with("authorization: basic dtpw")
                });
            let schema =
                r#"{"type":"record","name":"Order","fields":[{"name":"n","type":"long"}]}"#;
            let status = if number < failures { 503 } else { status };
            let (status, body) = match status {
                401 if authorized => (200, json!({ "schema": schema })),
                200 if first.contains("/schemas/ids/1 ") => (200, json!({ "schema": schema })),
                200 => (404, json!({"error_code": 40403, "message": "no schema"})),
                other => (other, json!({"error_code": 40101})),
            };
            let body = body.to_string();
            let head = format!(
                "HTTP/1.1 {status} S\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all((head + &body).as_bytes()).unwrap();
        }
    });
    url
}
