//! Payloads by the schemas of a registry, read as the mapping reads them.

use bytes::Bytes;
use lambda_msk::Record;
use lambda_msk::record::SchemaMetadata;
use msk_mapping::event::Source;
use msk_mapping::machine::{
    Configuration, EventRecordFormat, SchemaRegistryConfig, StartingPosition, ValidatedAttribute,
    Validity,
};
use msk_mapping::record::{self, Header, TopicPartition};
use msk_mapping::schemas::{Checked, Registry, Validator};
use msk_schemas::confluent::Confluent;

use super::part::Part;
use super::unread::Unread;
use crate::flags::registry::{AUTH as AUTH_FLAG, NONE, Named};
use crate::function::dead_letters::variable;

/// The variables of the function that name its registry.
const REGISTRY: &str = "LAMBDA_MSK_SCHEMA_REGISTRY";
const AUTH: &str = "LAMBDA_MSK_SCHEMA_REGISTRY_AUTH";
/// The same, where the shell has credentials that are not sent.
const AUTH_HELD_BACK: &str = "--env LAMBDA_MSK_SCHEMA_REGISTRY_AUTH=… (those of the shell go only to the registry that the shell names)";

/// What was read of a record, or why it cannot be. None: it was not asked for.
type Read = Option<Result<Bytes, String>>;

/// Reads payloads by the schemas of a registry.
#[derive(Debug)]
pub(crate) struct Reader {
    /// Of keys and of values, or why there are none.
    validators: Result<Box<[Validator; 2]>, Unread>,
}

impl Reader {
    /// The reader of a function with these variables, behind a mapping with that registry, which goes first: the ids in its events are of it.
    pub(crate) fn of(env: &[(String, String)], named: Option<Named>) -> Self {
        let uri = variable(env, REGISTRY);
        // The function's credentials are for its own registry alone.
        let is_own = |named: &Named| uri.as_ref() == Some(&named.uri);
        let (auth, setting) = match &named {
            Some(named) if named.auth.is_some() || !is_own(named) => {
                (named.auth.clone(), AUTH_FLAG)
            }
            _ => auth_of(env, uri.as_deref()),
        };
        let uri = named.map(|named| named.uri).or(uri);
        let validators = match uri.filter(|uri| uri != NONE) {
            None => Err(Unread::NoRegistry),
            Some(uri) => Self::validators(&uri, auth.as_deref(), setting).map_err(Unread::Because),
        };
        Self { validators }
    }

    fn validators(
        uri: &str,
        auth: Option<&str>,
        setting: &'static str,
    ) -> Result<Box<[Validator; 2]>, String> {
        let validator = |attribute| {
            let registry = registry(uri, auth, setting)?;
            let source = Source::SelfManaged {
                bootstrap_servers: None,
            };
            let mut configuration =
                Configuration::new(source, "topic", StartingPosition::TrimHorizon);
            configuration.schema_registry_config = Some(SchemaRegistryConfig {
                uri: uri.to_owned(),
                event_record_format: Some(EventRecordFormat::Json),
                validated: vec![attribute],
            });
            Validator::of(&configuration, registry).ok_or_else(|| "no registry".to_owned())
        };
        let [key, value] = [ValidatedAttribute::Key, ValidatedAttribute::Value].map(validator);
        Ok(Box::new([key?, value?]))
    }

    /// Each record's part as JSON, or why it cannot be, and why none can be read.
    pub(super) async fn read(
        &self,
        records: &[&Record],
        part: Part,
    ) -> (Vec<Read>, Option<Unread>) {
        let [key, value] = match &self.validators {
            Ok(validators) => &**validators,
            Err(unread) => return (Vec::new(), Some(unread.clone())),
        };
        let validator = match part {
            Part::Key => key,
            Part::Value => value,
        };
        let mut asked: Vec<_> = records.iter().map(|record| framed(record, part)).collect();
        let others = records
            .iter()
            .enumerate()
            .flat_map(|(at, record)| others(record, part).map(move |other| (at, other)));
        let (of, others): (Vec<usize>, Vec<_>) = others.unzip();
        asked.extend(others);
        match validator.check(asked).await {
            Err(unavailable) => (
                Vec::new(),
                Some(Unread::Because(unavailable.reason.to_string())),
            ),
            Ok(mut checked) => {
                let others = checked.split_off(records.len());
                let is_there =
                    |other: &Checked| matches!(other.validated.validity, Validity::Valid { .. });
                let of = of.iter().zip(&others);
                let of: Vec<usize> = of
                    .filter(|(_, other)| is_there(other))
                    .map(|(at, _)| *at)
                    .collect();
                let read = checked.into_iter().enumerate().map(|(at, checked)| {
                    if of.contains(&at) && is_there(&checked) {
                        let reason = "nothing tells which message of the schema the value is";
                        return Some(Err(reason.to_owned()));
                    }
                    let record = checked.validated.record;
                    let bytes = match part {
                        Part::Key => record.key,
                        Part::Value => record.value,
                    };
                    match checked.validated.validity {
                        Validity::Valid { .. } => bytes.map(Ok),
                        _ => checked.reason.map(Err),
                    }
                });
                (read.collect(), None)
            }
        }
    }
}

/// The function's credentials for its registry, and what sets them. Those of the shell go to the shell's registry alone: another one that `--env` names is another
/// party.
fn auth_of(env: &[(String, String)], uri: Option<&str>) -> (Option<String>, &'static str) {
    let is_given = env.iter().any(|(name, _)| name == AUTH);
    let of_shell = variable(&[], REGISTRY);
    if is_given || uri == of_shell.as_deref() {
        return (variable(env, AUTH), AUTH);
    }
    let setting = match variable(&[], AUTH) {
        Some(_) => AUTH_HELD_BACK,
        None => AUTH,
    };
    (None, setting)
}

/// The registry, for who asks with these credentials, which come from that setting.
fn registry(
    uri: &str,
    auth: Option<&str>,
    setting: &'static str,
) -> Result<Box<dyn Registry>, String> {
    if uri.starts_with("arn:") {
        return glue(uri);
    }
    let client = Confluent::new(uri).map_err(|error| error.to_string())?;
    let client = client.auth_setting(setting);
    Ok(Box::new(match auth {
        None => client,
        Some(secret) if secret.starts_with('@') => {
            return Err(format!(
                "{setting} names a secret of AWS Secrets Manager, which this command does not read: give the credentials \
                 themselves"
            ));
        }
        Some(secret) => match secret.split_once(':') {
            Some((user, password)) => client.basic_auth(user, password),
            None => client.bearer(secret),
        },
    }))
}

#[cfg(feature = "aws")]
fn glue(arn: &str) -> Result<Box<dyn Registry>, String> {
    let client = msk_schemas::glue::Glue::new(arn).map_err(|error| error.to_string())?;
    Ok(Box::new(client))
}

#[cfg(not(feature = "aws"))]
fn glue(_: &str) -> Result<Box<dyn Registry>, String> {
    Err(
        "AWS Glue's schema registry needs the feature aws, which this build of cargo msk lacks"
            .to_owned(),
    )
}

/// The record as it may have been in the topic: the mapping has taken away the frame of what it has validated.
fn framed(record: &Record, part: Part) -> record::Record {
    let partition = TopicPartition::new(record.topic(), record.partition());
    let mut framed = record::Record::new(partition, record.offset());
    let metadata = match part {
        Part::Key => record.key_schema(),
        Part::Value => record.value_schema(),
    };
    let bytes = part.of(record).unwrap_or_default();
    let with_frame = metadata.and_then(|metadata| with_frame(metadata, bytes));
    if with_frame.is_none() {
        let name = part.header_name();
        let headers = record.headers();
        let of_name = headers.get_all(name).map(|value| Header {
            name: name.to_owned(),
            value: value.map(Bytes::copy_from_slice),
        });
        framed.headers = of_name.collect();
    }
    let bytes = with_frame.unwrap_or_else(|| Bytes::copy_from_slice(bytes));
    match part {
        Part::Key => framed.key = Some(bytes),
        Part::Value => framed.value = Some(bytes),
    }
    framed
}

/// What the record would be as other messages of its schema, without any field: only a schema without these has but one message. None, if the record itself says which message it is.
fn others(record: &Record, part: Part) -> impl Iterator<Item = record::Record> {
    let metadata = match part {
        Part::Key => record.key_schema(),
        Part::Value => record.value_schema(),
    };
    let bytes = part.of(record).unwrap_or_default();
    let metadata = metadata.filter(|metadata| is_first_assumed(metadata, bytes));
    let frame = metadata.and_then(frame);
    let partition = TopicPartition::new(record.topic(), record.partition());
    let offset = record.offset();
    frame.into_iter().flat_map(move |frame| {
        // Of Confluent's indexes the second message and one within the first; of Glue's the second place.
        let places: &[&[u8]] = match frame[0] {
            3 => &[&[1]],
            _ => &[&[2, 2], &[4, 0, 0]],
        };
        let partition = partition.clone();
        places.iter().map(move |place| {
            let bytes = Some(Bytes::from([&frame[..], place].concat()));
            let mut other = record::Record::new(partition.clone(), offset);
            match part {
                Part::Key => other.key = bytes,
                Part::Value => other.value = bytes,
            }
            other
        })
    })
}

/// Field number 0 does not exist: a first byte below 8 is that of the indexes. Without them the first message is assumed.
fn is_first_assumed(metadata: &SchemaMetadata, bytes: &[u8]) -> bool {
    let is_protobuf = metadata.data_format.as_deref() == Some("PROTOBUF");
    is_protobuf && bytes.first().is_none_or(|first| *first >= 8)
}

/// None: the id is no registry's.
fn with_frame(metadata: &SchemaMetadata, bytes: &[u8]) -> Option<Bytes> {
    let mut framed = frame(metadata)?;
    if is_first_assumed(metadata, bytes) {
        framed.push(0);
    }
    framed.extend(bytes);
    Some(framed.into())
}

/// None: the id is no registry's.
fn frame(metadata: &SchemaMetadata) -> Option<Vec<u8>> {
    let id = metadata.schema_id.as_deref()?;
    let mut framed = Vec::with_capacity(super::part::GLUE_BYTES + 1);
    if let Some(uuid) = uuid(id) {
        framed.extend([3, 0]);
        framed.extend(uuid);
    } else {
        framed.push(0);
        framed.extend(id.parse::<u32>().ok()?.to_be_bytes());
    }
    Some(framed)
}

/// The bytes of a UUID of 36 characters. None: it is none.
fn uuid(id: &str) -> Option<[u8; 16]> {
    if id.len() != 36 {
        return None;
    }
    let digits: String = id.chars().filter(|char| *char != '-').collect();
    if digits.len() != 32 || !digits.is_ascii() {
        return None;
    }
    Some(u128::from_str_radix(&digits, 16).ok()?.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use lambda_msk::testing::{Event, Sample};
    use msk_mapping::event::Source as EventSource;
    use msk_mapping::machine::{
        Configuration, EventRecordFormat, SchemaRegistryConfig, StartingPosition,
        ValidatedAttribute,
    };
    use msk_mapping::schemas::{Registry, Validator};
    use msk_schemas::id::{Format, SchemaId, Source};
    use msk_schemas::registry::Fetching;

    use super::{Part, Reader, uuid, with_frame};

    /// A registry with one schema.
    #[derive(Debug)]
    struct One(&'static str);

    impl Registry for One {
        fn fetch(&self, _: SchemaId) -> Fetching<'_> {
            let source = Source::new(Format::Protobuf, self.0);
            Box::pin(std::future::ready(Ok(source)))
        }

        fn place(&self) -> &str {
            "memory"
        }
    }

    fn reader(file: &'static str) -> Reader {
        let validator = |attribute| {
            let source = EventSource::SelfManaged {
                bootstrap_servers: None,
            };
            let mut configuration = Configuration::new(source, "t", StartingPosition::TrimHorizon);
            configuration.schema_registry_config = Some(SchemaRegistryConfig {
                uri: "memory".to_owned(),
                event_record_format: Some(EventRecordFormat::Json),
                validated: vec![attribute],
            });
            Validator::of(&configuration, Box::new(One(file))).unwrap()
        };
        let validators = [ValidatedAttribute::Key, ValidatedAttribute::Value].map(validator);
        Reader {
            validators: Ok(Box::new(validators)),
        }
    }

    #[tokio::test]
    async fn a_message_is_shown_only_if_it_is_the_schemas_one_or_is_named() {
        let one = r#"syntax = "proto3"; message A { uint64 x = 1; map<string, int32> m = 2; }"#;
        let second = r#"syntax = "proto3"; message A { uint64 x = 1; } message B {}"#;
        let within = r#"syntax = "proto3"; message A { uint64 x = 1; message B {} }"#;
        let uuid = "00000000-0000-0000-0000-0000000000ff";
        for (file, id, value, is_shown) in [
            (one, "7", &[8, 5][..], true),
            (second, "7", &[8, 5], false),
            (within, "7", &[8, 5], false),
            (second, "7", &[2, 2], true),
            (second, uuid, &[8, 5], false),
            (second, uuid, &[1], true),
        ] {
            let record = Sample::new("t", 0).value(value);
            let event = Event::msk().record(record.value_schema("PROTOBUF", id));
            let records = event.build().records().unwrap();

            let records: Vec<_> = records.iter().collect();
            let (read, _) = reader(file).read(&records, Part::Value).await;

            let Some(read) = &read[0] else {
                panic!("{file} {value:?}");
            };
            assert_eq!(read.is_ok(), is_shown, "{file} {value:?} {read:?}");
            if let Err(reason) = read {
                assert!(
                    reason.starts_with("nothing tells which message"),
                    "{reason}"
                );
            }
        }
    }

    #[test]
    fn an_id_of_36_characters_is_glues() {
        assert_eq!(
            uuid("00000000-0000-0000-0000-0000000000ff").unwrap()[15],
            255
        );
        assert_eq!(uuid("7"), None);
        assert_eq!(uuid("0000000000000000000000000000000000zz"), None);
    }

    #[test]
    fn what_the_mapping_took_away_stands_before_the_payload_again() {
        let event = r#"{"eventSource":"SelfManagedKafka","bootstrapServers":"b:9092","records":{"t-0":[{"topic":"t","partition":0,"offset":1,"timestamp":1,"timestampType":"CREATE_TIME","value":"CAE=","headers":[],"valueSchemaMetadata":{"dataFormat":"PROTOBUF","schemaId":"7"}}]}}"#;
        let records = Event::from(event).records().unwrap();
        let metadata = records[0].value_schema().unwrap();

        assert_eq!(
            with_frame(metadata, &[8, 1]).unwrap(),
            [0, 0, 0, 0, 7, 0, 8, 1].as_slice()
        );
        assert_eq!(
            with_frame(metadata, &[2, 2, 8, 1]).unwrap(),
            [0, 0, 0, 0, 7, 2, 2, 8, 1].as_slice()
        );
    }
}
