//! `cargo msk dlq show`.

use std::process::ExitCode;

use bytes::Bytes;
use serde_json::{Value, json};

use super::letter::{Content, Event, Letter};
use super::source::Found;
use super::{flags, list};
use crate::fault::{Fault, note, print, print_document};
use crate::flags::variable;
use crate::function::payloads::{self, Reader, Unread};
use crate::text::columns::shown;
use crate::text::style::BOLD;

/// So many letters of an ambiguous id are named.
const NAMED_MAX: usize = 5;

/// Show one letter.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo msk dlq show --from file:dead-letters.ndjson 3f9c
  cargo msk dlq show --from s3://given-up/orders 3f9c --payload | jq '.records[0].value'

Exit codes: 0 shown; 2 no such letter, wrong arguments, or the source failed.")]
pub(crate) struct Args {
    #[command(flatten)]
    from: flags::From,
    /// The letter's id, as `list` prints it, or the beginning of it.
    #[arg(value_name = "ID")]
    id: String,
    /// Show the records too: keys and values as JSON or text where they are that or a schema makes it of them, else as base64.
    #[arg(long)]
    payload: bool,
    /// Set a variable of the function: LAMBDA_MSK_SCHEMA_REGISTRY and LAMBDA_MSK_SCHEMA_REGISTRY_AUTH name the schemas by which typed keys and values are shown as JSON.
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = variable::parse)]
    env: Vec<(String, String)>,
    /// Write one JSON document to standard output.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: &Args) -> Result<ExitCode, Fault> {
    let (mut source, read) = super::look::look(&args.from).await?;
    source.close().await?;
    let (found, letter) = pick(&read.found, &args.id)?;
    let mut event = match &letter.content {
        Content::Event(event) => Some(event.clone()),
        _ => None,
    };
    let reached = super::reached::of(&args.from, source.brokers(), std::iter::once(letter)).await?;
    let state = reached.state(letter);
    if let Some(state) = state {
        event.clone_from(&state.event);
    }
    if args.payload
        && let Content::Elsewhere(url) = &letter.content
    {
        event = Some(super::redrive::elsewhere(url).await?);
    }
    let mut document = list::row(found, letter);
    if let Some(state) = state {
        document["topic"] = json!(state.text());
    }
    if args.payload {
        let event = event.ok_or_else(|| nothing(letter))?;
        document["payload"] = payload(&event, &Reader::of(&args.env, None)).await?;
    }
    if args.json || args.payload {
        print_document(format!("{document:#}\n").as_bytes())?;
    } else {
        print(&text(&document))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn nothing(letter: &Letter) -> Fault {
    Fault::new(format!("the letter {} holds only coordinates", letter.id))
        .at(letter.place())
        .help(
            "give --bootstrap HOST:PORT to read its records from their topic, if it still has them",
        )
}

/// The one letter whose id begins so. The same letter may lie there twice.
pub(crate) fn pick<'f>(found: &'f [Found], id: &str) -> Result<(&'f Found, &'f Letter), Fault> {
    let (letters, others) = list::parted(found);
    let mut fitting: Vec<_> = letters
        .into_iter()
        .filter(|(_, letter)| letter.id.starts_with(id))
        .collect();
    fitting.sort_by(|one, other| one.1.id.cmp(&other.1.id));
    fitting.dedup_by(|one, other| one.1.id == other.1.id);
    match fitting[..] {
        [one] => Ok(one),
        [] => {
            let others: usize = others.values().map(Vec::len).sum();
            Err(Fault::new(format!(
                "expected a letter with the id `{}`, found none among {}",
                shown(id),
                list::count(found.len() - others, "letter")
            ))
            .help("list prints the ids: cargo msk dlq list --from …"))
        }
        _ => {
            let fault = Fault::new(format!(
                "expected one letter whose id begins with `{}`, found {}",
                shown(id),
                fitting.len()
            ));
            let fault = fitting
                .iter()
                .take(NAMED_MAX)
                .fold(fault, |fault, (_, it)| {
                    fault.at(format!("{}  {}", it.id, shown(&it.place())))
                });
            Err(fault.help("give more of the id"))
        }
    }
}

fn text(document: &Value) -> String {
    let mut text = String::new();
    for (name, value) in document.as_object().into_iter().flatten() {
        let value = match value {
            Value::Null => continue,
            Value::String(value) => shown(value),
            other => other.to_string(),
        };
        text += &format!("{BOLD}{name:<18}{BOLD:#} {value}\n");
    }
    text
}

/// Says why typed payloads are shown as bytes.
fn say(unread: &Unread) {
    let (reason, help) = match unread {
        Unread::NoRegistry => (
            "no registry is named",
            "name the function's registry with --env LAMBDA_MSK_SCHEMA_REGISTRY=…, or in the shell",
        ),
        Unread::Because(reason) => (&**reason, ""),
    };
    let what = format!("typed payloads are shown as base64: {}", shown(reason));
    note(&what, help);
}

/// The records with their bytes as what they are.
async fn payload(event: &Event, reader: &Reader) -> Result<Value, Fault> {
    let decoded = lambda_msk::testing::Event::from(event.json(None)).records();
    let records = decoded.map_err(|error| Fault::from_error(&error))?;
    let typed = payloads::typed(&records, reader).await;
    if let Some(unread) = &typed.unread {
        say(unread);
    }
    let parts = typed.keys.iter().zip(&typed.values);
    let one = |(record, (key, value)): (&lambda_msk::Record, (&Option<Bytes>, &Option<Bytes>))| {
        let headers = record.headers();
        let headers: Vec<Value> = headers
            .iter()
            .map(|(name, value)| json!({"name": name, "value": bytes(value)}))
            .collect();
        json!({
            "topic": record.topic(),
            "partition": record.partition(),
            "offset": record.offset(),
            "timestamp": record.timestamp_millis(),
            "key": part(key.as_deref(), record.key()),
            "value": part(value.as_deref(), record.value()),
            "headers": headers,
        })
    };
    Ok(json!({
        "eventSource": event.source,
        "eventSourceArn": event.arn,
        "bootstrapServers": event.brokers,
        "records": records.iter().zip(parts).map(one).collect::<Vec<_>>(),
    }))
}

/// What a schema makes of a key or a value, else its bytes.
fn part(typed: Option<&[u8]>, given: Option<&[u8]>) -> Value {
    let typed = typed.and_then(|json| serde_json::from_slice(json).ok());
    typed.unwrap_or_else(|| bytes(given))
}

/// JSON as JSON, text as text, other bytes as `{"base64": …}`.
fn bytes(bytes: Option<&[u8]>) -> Value {
    use base64::Engine;

    let Some(bytes) = bytes else {
        return Value::Null;
    };
    if let Ok(json @ (Value::Object(_) | Value::Array(_))) = serde_json::from_slice(bytes) {
        return json;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => json!(text),
        _ => json!({"base64": base64::engine::general_purpose::STANDARD.encode(bytes)}),
    }
}
