//! `cargo msk event`.

mod schema;
mod template;
mod value;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use lambda_msk::record::check_topic_name;
use lambda_msk::testing::{Event, Sample};

use self::schema::{Encoded, Encoder, HEADER, SchemaArgs};
use self::template::{Context, Template};
use self::value::{Kind, kinds, sized};
use crate::fault::{Fault, print_document, warn};
use crate::files::document;
use crate::files::source;

/// The most records Lambda puts in one event (the mapping's `BatchSize`).
const RECORDS_MAX: usize = 10_000;
/// One value at most: an event of Lambda holds no longer one.
const VALUE_BYTES_MAX: usize = msk_mapping::limits::EVENT_BYTES_MAX;
/// All values of an event, and the file they are from: far more than Lambda sends, and little enough for memory.
const VALUES_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Past any cluster's; it bounds what a slip of the finger costs.
const PARTITIONS_MAX: i32 = 10_000;
/// The first record's time when a seed is given: 2026-01-01T00:00:00Z.
const SEEDED_TIMESTAMP_MS: i64 = 1_767_225_600_000;

/// Write an event as Lambda sends it from Kafka.
///
/// Records are spread over the partitions in turn; each partition's offsets begin at 0.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Placeholders in --value, --key and --header:
  {i}          the record's number in the event, from 0
  {partition}  its partition
  {offset}     its offset
  {timestamp}  its time, in milliseconds since 1970
  {random}     a number from 0 to 999999, a new one at each place
Other braces stay as they are, so JSON needs no escapes.

Lines of --from: each line is one JSON value and becomes the value of one record, byte for byte
(an object with a `key` or `headers` field is a value like any other). Empty lines are skipped.

Examples:
  cargo msk event --topic orders --records 6 --partitions 2 > event.json
  cargo msk event --topic orders --records 100 --poison 3 --seed 7 | cargo msk invoke --event -
  cargo msk event --topic clicks --value '{\"user\":\"u-{random}\"}' --key '{i}' --header source=web
  cargo msk event --topic orders --from orders.ndjson --source self-managed
  cargo msk event --topic orders --avro order.avsc --schema-id 17
  cargo msk event --topic orders --protobuf order.proto --message shop.Order --framing header --from orders.ndjson

Exit codes: 0 written, 2 wrong arguments or files.")]
pub(crate) struct Args {
    /// Topic of the records.
    #[arg(long)]
    topic: String,
    /// Number of partitions in the event.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=i64::from(PARTITIONS_MAX)))]
    partitions: i32,
    /// Number of records in all. Default: 10, or with --from every line.
    #[arg(long, value_name = "N")]
    records: Option<usize>,
    /// Value of each record. Default: an order, {"order_id":…,"customer_id":…,"amount_cents":…}.
    #[arg(long, value_name = "TEMPLATE", conflicts_with = "from")]
    value: Option<Template>,
    /// Take the values from the lines of this file (`-`: standard input).
    #[arg(long, value_name = "FILE.ndjson")]
    from: Option<PathBuf>,
    /// Key of each record, as text. Default: none.
    #[arg(long, value_name = "TEMPLATE")]
    key: Option<Template>,
    /// Add a header to each record; repeatable, order and repeated names are kept.
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = header)]
    headers: Vec<(String, Template)>,
    /// Kind of cluster.
    #[arg(long, value_enum, default_value_t = Source::Msk)]
    source: Source,
    /// Number of records whose value is not JSON, or does not fit the schema.
    #[arg(long, default_value_t = 0, value_name = "N")]
    poison: usize,
    /// Number of records without a value.
    #[arg(long, default_value_t = 0, value_name = "N")]
    tombstones: usize,
    /// Pad each value to N bytes: JSON objects with a field `padding`, others with spaces.
    #[arg(long, value_name = "N")]
    bytes: Option<usize>,
    /// Seed: the same seed and arguments give the same event. Default: random.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    #[command(flatten)]
    schema: SchemaArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Source {
    /// Amazon MSK.
    Msk,
    /// A cluster of your own.
    SelfManaged,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Fault> {
    let lines = args.from.as_deref().map(lines).transpose()?;
    let text = event(args, lines.as_deref(), now())?;
    if text.len() > msk_mapping::limits::EVENT_BYTES_MAX {
        warn(&format!(
            "the event has {} bytes; Lambda sends at most {}",
            text.len(),
            msk_mapping::limits::EVENT_BYTES_MAX
        ));
    }
    print_document((text + "\n").as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The event's text: from the arguments alone if they give a seed.
fn event(args: &Args, lines: Option<&[String]>, now: i64) -> Result<String, Fault> {
    let count = records(args, lines)?;
    let mut rng = args
        .seed
        .map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
    let first = if args.seed.is_some() {
        SEEDED_TIMESTAMP_MS
    } else {
        now
    };
    let builder = match args.source {
        Source::Msk => Event::msk(),
        Source::SelfManaged => Event::self_managed(),
    };
    let encoder = args.schema.encoder()?;
    let default = Template::order();
    let kinds = kinds(count, args.poison, args.tombstones, &mut rng);
    // Partitions take turns; the count was checked, so all these numbers are small.
    let turns = (0_i64..).flat_map(|offset| (0..args.partitions).map(move |of| (of, offset)));
    let mut samples = Vec::with_capacity(count);
    for ((i, kind), (partition, offset)) in kinds.into_iter().enumerate().zip(turns) {
        let context = Context {
            i,
            partition,
            offset,
            timestamp: first.saturating_add(i64::try_from(i).unwrap_or(i64::MAX)),
        };
        if let Some(encoder) = &encoder {
            let line = lines.map(|lines| lines[i].as_str());
            let encoded = encoded(encoder, kind, line, i, &mut rng)?;
            samples.push(by_schema(sample(args, &context, None, &mut rng), encoded));
            continue;
        }
        let value = match lines {
            Some(lines) => lines[i].clone(),
            None => args
                .value
                .as_ref()
                .unwrap_or(&default)
                .render(&context, &mut rng),
        };
        let value = match kind {
            Kind::Good => Some(value),
            Kind::Poison => Some(format!("not JSON: {i}")),
            Kind::Tombstone => None,
        };
        let value = value.map(|value| sized(value, args.bytes)).transpose();
        let value = value.map_err(|bytes| too_short(args, i, bytes))?;
        samples.push(sample(args, &context, value, &mut rng));
    }
    Ok(builder.records(samples).to_json())
}

/// *None: a tombstone.*
fn encoded(
    encoder: &Encoder,
    kind: Kind,
    line: Option<&str>,
    i: usize,
    rng: &mut fastrand::Rng,
) -> Result<Option<Encoded>, Fault> {
    match (kind, line) {
        (Kind::Tombstone, _) => Ok(None),
        (Kind::Poison, _) => Ok(Some(encoder.poison())),
        (Kind::Good, Some(line)) => encoder.line(line, i).map(Some),
        (Kind::Good, None) => encoder.made_up(rng).map(Some),
    }
}

fn by_schema(sample: Sample, encoded: Option<Encoded>) -> Sample {
    let Some(Encoded { value, header }) = encoded else {
        return sample;
    };
    let sample = sample.value(value);
    match header {
        Some(header) => sample.header(HEADER, header),
        None => sample,
    }
}

fn sample(
    args: &Args,
    context: &Context,
    value: Option<String>,
    rng: &mut fastrand::Rng,
) -> Sample {
    let mut sample = Sample::new(&args.topic, context.partition)
        .offset(context.offset)
        .timestamp(context.timestamp);
    if let Some(key) = &args.key {
        sample = sample.key(key.render(context, rng));
    }
    if let Some(value) = value {
        sample = sample.value(value);
    }
    args.headers.iter().fold(sample, |sample, (name, value)| {
        sample.header(name, value.render(context, rng))
    })
}

/// The number of records; every argument that cannot be is named here.
fn records(args: &Args, lines: Option<&[String]>) -> Result<usize, Fault> {
    check_topic(&args.topic)?;
    let count = args.records.or(lines.map(<[String]>::len)).unwrap_or(10);
    if count > RECORDS_MAX {
        return Err(Fault::new(format!(
            "expected at most {RECORDS_MAX} records, found {count}"
        ))
        .help(format!(
            "Lambda puts at most {RECORDS_MAX} in one event: lower --records"
        )));
    }
    if let Some(lines) = lines
        && lines.len() < count
    {
        return Err(Fault::new(format!(
            "expected {count} lines for --records {count}, found {}",
            lines.len()
        ))
        .help("leave --records out to use every line"));
    }
    if let Some(bytes) = args.bytes {
        let all = bytes.saturating_mul(count);
        if bytes > VALUE_BYTES_MAX || all > VALUES_BYTES_MAX {
            return Err(Fault::new(format!(
                "expected at most {VALUE_BYTES_MAX} bytes a value and {VALUES_BYTES_MAX} in all, found --bytes {bytes} for {count} records"
            ))
            .help(format!(
                "lower --bytes or --records: Lambda sends events of at most {VALUE_BYTES_MAX} bytes"
            )));
        }
    }
    if args.poison.saturating_add(args.tombstones) > count {
        return Err(Fault::new(format!(
            "expected at most {count} poison records and tombstones, found --poison {} and --tombstones {}",
            args.poison, args.tombstones
        ))
        .help("a record is one or the other: raise --records"));
    }
    Ok(count)
}

/// Whether Kafka allows a topic of that name.
pub(crate) fn check_topic(name: &str) -> Result<(), Fault> {
    check_topic_name(name).map_err(|reason| {
        Fault::new(format!("expected the name of a topic, found {name:?}")).help(reason)
    })
}

fn too_short(args: &Args, i: usize, bytes: usize) -> Fault {
    Fault::new(format!(
        "expected a value of at most {} bytes, found record {i} with {bytes}",
        args.bytes.unwrap_or_default()
    ))
    .help("--bytes only pads values: give a larger number, or a shorter --value")
}

fn lines(path: &Path) -> Result<Vec<String>, Fault> {
    let name = source::name(path);
    let read = source::read(path, VALUES_BYTES_MAX).and_then(|bytes| {
        if bytes.len() > VALUES_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        String::from_utf8(bytes).map_err(io::Error::other)
    });
    let text = read.map_err(|error| {
        Fault::new(format!("cannot read {name}"))
            .at(error.to_string())
            .help("give --from a text file with one JSON value a line")
    })?;
    let mut lines = Vec::new();
    for (number, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        if let Some(document::Foreign { what, .. }) = document::foreign(line.as_bytes()) {
            return Err(
                Fault::new(format!("line {} of {name} is not JSON", number + 1))
                    .at(format!("the line {what}"))
                    .help("each line is one JSON value; for values that are not JSON use --poison"),
            );
        }
        lines.push(line.to_owned());
    }
    Ok(lines)
}

fn header(text: &str) -> Result<(String, Template), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    if name.is_empty() {
        return Err("the name is empty".to_owned());
    }
    Ok((name.to_owned(), value.parse()?))
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use lambda_msk::testing::Event;

    use super::{Args, event};

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn args(line: &str) -> Args {
        Line::parse_from(std::iter::once("event").chain(line.split_whitespace())).args
    }

    fn text(line: &str) -> String {
        event(&args(line), None, 0).unwrap()
    }

    #[test]
    fn each_record_is_as_the_arguments_say() {
        let text = text(
            "--topic orders --records 3 --partitions 2 --value {i} --key k --header t=é --seed 1",
        );

        let records = Event::from(text).records().unwrap();

        let places: Vec<String> = records.iter().map(ToString::to_string).collect();
        let values: Vec<_> = records
            .iter()
            .map(|record| record.value().unwrap())
            .collect();
        assert_eq!(places, ["orders-0@0", "orders-0@1", "orders-1@0"]);
        assert_eq!(values, [b"0", b"2", b"1"]);
        for record in &records {
            assert_eq!(record.key(), Some(&b"k"[..]));
            assert_eq!(record.headers().get("t"), Some("é".as_bytes()));
        }
    }

    #[test]
    fn a_seed_gives_the_same_event_and_another_seed_another() {
        let line =
            "--topic orders --records 50 --partitions 3 --poison 5 --tombstones 5 --bytes 200";

        assert_eq!(
            text(&format!("{line} --seed 7")),
            text(&format!("{line} --seed 7"))
        );
        assert_ne!(
            text(&format!("{line} --seed 7")),
            text(&format!("{line} --seed 8"))
        );
    }

    #[test]
    fn a_self_managed_event_names_no_cluster() {
        let text = text("--topic orders --records 0 --source self-managed");

        assert!(
            text.starts_with(r#"{"eventSource":"SelfManagedKafka","bootstrapServers":"#),
            "{text}"
        );
        assert!(text.ends_with(r#","records":{}}"#), "{text}");
    }

    #[test]
    fn poison_and_tombstones_are_as_many_as_asked() {
        let text = text("--topic orders --records 20 --poison 3 --tombstones 2");

        // "not JSON:" in base64 begins so.
        assert_eq!(text.matches("bm90IEpTT046").count(), 3);
        assert_eq!(text.matches(r#""value":null"#).count(), 2);
    }

    #[cfg(feature = "schemas")]
    mod by_schema {
        use lambda_msk::testing::Event;
        use msk_schemas::avro;
        use msk_schemas::frame::glue_message;
        use serde_json::{Value, json};

        use super::{args, event, text};

        const SCHEMAS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/typed/schemas");

        fn values(text: &str) -> Vec<Vec<u8>> {
            let records = Event::from(text).records().unwrap();
            let values = records
                .iter()
                .map(|record| record.value().unwrap().to_vec());
            values.collect()
        }

        fn order(bytes: &[u8]) -> Value {
            let schema = std::fs::read_to_string(format!("{SCHEMAS}/order.avsc")).unwrap();
            let schema = avro::Schema::parse(&schema).unwrap();
            avro::to_json(schema.plan(), bytes).unwrap()
        }

        #[test]
        fn values_are_made_up_from_the_schema_and_framed() {
            let line = format!(
                "--topic orders --records 20 --seed 1 --avro {SCHEMAS}/order.avsc --schema-id 17"
            );

            let values = values(&text(&line));

            for value in &values {
                assert_eq!(value[..5], [0, 0, 0, 0, 17]);
                assert!(order(&value[5..])["order_id"].is_u64());
            }
            assert_ne!(values[0], values[1]);
        }

        #[test]
        fn lines_are_written_by_the_schema_with_its_defaults() {
            let line = format!("--topic orders --avro {SCHEMAS}/order.avsc");
            let lines = [r#"{"order_id": 7, "customer_id": "c-1", "amount_cents": 5}"#.to_owned()];

            let text = event(&args(&line), Some(&lines), 0).unwrap();

            let expected = json!({"order_id": 7, "customer_id": "c-1", "amount_cents": 5,
                "currency": "EUR", "note": null, "channel": "UNKNOWN"});
            assert_eq!(order(&values(&text)[0][5..]), expected);
        }

        #[test]
        fn a_line_of_json_is_written_as_it_stands_in_the_file() {
            let line = format!("--topic orders --json-schema {SCHEMAS}/order.schema.json");
            let text = r#"{"order_id": 7,  "customer_id": "c\u002d1", "amount_cents": 5, "currency": "EUR", "a": 1.50, "channel": "WEB"}"#;

            let event = event(&args(&line), Some(&[text.to_owned()]), 0).unwrap();

            let value = &values(&event)[0];
            assert_eq!(std::str::from_utf8(&value[5..]), Ok(text));
        }

        #[test]
        fn a_schema_without_any_value_is_refused_and_nothing_panics() {
            let path = std::env::temp_dir().join(format!("enum-{}.avsc", std::process::id()));
            std::fs::write(&path, r#"{"type": "enum", "name": "E", "symbols": []}"#).unwrap();

            let line = format!("--topic orders --avro {}", path.display());
            let made = event(&args(&line), None, 0);

            std::fs::remove_file(&path).unwrap();
            let fault = made.unwrap_err().text();
            assert!(fault.contains("has no symbols"), "{fault}");
        }

        #[test]
        fn the_id_of_a_schema_stands_where_the_framing_has_it() {
            let uuid = "0f8fad5b-d9cb-469f-a165-70867728950e";
            let protobuf = format!(
                "--topic orders --records 1 --seed 1 --protobuf {SCHEMAS}/order.proto --message shop.Order"
            );

            let glue = values(&text(&format!(
                "{protobuf} --framing glue --schema-id {uuid}"
            )));
            let header = text(&format!("{protobuf} --framing header --schema-id {uuid}"));
            let plain = values(&text(&format!("{protobuf} --framing none")));

            assert_eq!(glue[0][..4], [3, 0, 0x0F, 0x8F]);
            assert_eq!(glue_message(&glue[0][18..]).unwrap().1, plain[0]);
            let records = Event::from(header).records().unwrap();
            let id = records[0].header("__value_schema_id").unwrap();
            assert_eq!((id[0], id.len(), id[17]), (1, 18, 0));
            assert_eq!(records[0].value().unwrap(), plain[0]);
        }

        #[test]
        fn poison_does_not_fit_and_a_tombstone_has_no_value() {
            let line = format!(
                "--topic orders --records 2 --poison 1 --tombstones 1 --json-schema {SCHEMAS}/order.schema.json"
            );

            let records = Event::from(text(&line)).records().unwrap();

            let values: Vec<_> = records.iter().filter_map(|record| record.value()).collect();
            assert_eq!(values.len(), 1);
            assert!(serde_json::from_slice::<Value>(&values[0][5..]).is_err());
        }

        #[test]
        fn what_does_not_fit_the_schema_is_refused_with_the_place_and_not_shown() {
            for (line, value, expected) in [
                (
                    "--avro {}/order.avsc",
                    r#"{"order_id": "hunter2"}"#,
                    "`order_id`",
                ),
                ("--avro {}/order.proto", "{}", "expected a schema of Avro"),
                (
                    "--avro {}/order.avsc --framing glue",
                    "{}",
                    "expected the UUID",
                ),
                (
                    "--avro {}/order.avsc --schema-id x",
                    "{}",
                    "expected a number",
                ),
                (
                    "--protobuf {}/order.proto --message Order",
                    "{}",
                    "shop.Order",
                ),
                (
                    "--protobuf {}/order.proto --message shop.Order",
                    r#"{"order_id": "hunter2"}"#,
                    "$.order_id",
                ),
                (
                    "--json-schema {}/order.schema.json",
                    r#"{"order_id": "hunter2"}"#,
                    "does not fit",
                ),
                ("--framing header", "{}", "expected a schema beside"),
            ] {
                let line = format!("--topic orders {}", line.replace("{}", SCHEMAS));
                let lines = [value.to_owned()];

                let text = event(&args(&line), Some(&lines), 0).unwrap_err().text();

                assert!(
                    text.contains(expected) && text.contains("help"),
                    "{line}: {text}"
                );
                assert!(!text.contains("hunter"), "{text}");
            }
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_a_remedy() {
        for (line, expected) in [
            ("--topic a/b", "expected the name of a topic"),
            ("--topic a --records 10001", "found 10001"),
            (
                "--topic a --records 1 --poison 1 --tombstones 1",
                "expected at most 1 poison records",
            ),
            ("--topic a --records 1 --bytes 3", "at most 3 bytes, found"),
            (
                "--topic a --bytes 99999999999",
                "--bytes 99999999999 for 10 records",
            ),
            (
                "--topic a --records 10000 --bytes 6000000",
                "for 10000 records",
            ),
        ] {
            let text = event(&args(line), None, 0).unwrap_err().text();

            assert!(
                text.contains(expected) && text.contains("help"),
                "{line}: {text}"
            );
        }
    }
}
