"""Orders in a real topic, made by Confluent's and Glue's own serializers with a real registry. Run by tests/tests/kafka/typed.rs.

    produce.py BOOTSTRAP orders AVRO_TOPIC PROTOBUF_TOPIC JSON_TOPIC
    produce.py BOOTSTRAP keys AVRO_TOPIC PROTOBUF_TOPIC
    produce.py BOOTSTRAP writers TOPIC SCHEMAS RECORDS PARTITIONS
    produce.py BOOTSTRAP glue TOPIC REGISTRY

Writes a line of JSON for each record: where it stands, and `posted`, which a function that reads it has to post, or `code`, with which it has to reject it.
"""

import json
import os
import pathlib
import sys
import tempfile
import uuid

from confluent_kafka import Producer
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient, header_schema_id_serializer, topic_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from grpc_tools import protoc

HERE = pathlib.Path(__file__).parent
SCHEMAS = HERE.parent.parent.parent / "examples" / "typed" / "schemas"
U63 = 2**63 - 1
U64 = 2**64 - 1

PLAIN = {"order_id": 1, "customer_id": "c-1", "amount_cents": 4999, "currency": "EUR", "channel": "WEB"}
NOTED = {"order_id": 2, "customer_id": "Zoë 🦀", "amount_cents": 0, "currency": "CHF", "note": "the bell\n\"is\" broken", "channel": "STORE"}
OLD = {"order_id": 3, "customer_id": "c-3", "amount_cents": 7}

CHANNEL = {"type": "enum", "name": "Channel", "namespace": "shop", "symbols": ["UNKNOWN", "WEB", "STORE"], "default": "UNKNOWN"}
CUSTOMER_KEY = {"type": "record", "name": "CustomerKey", "namespace": "shop", "fields": [{"name": "customer_id", "type": "string"}, {"name": "region", "type": "int"}]}
# Its messages have other places in their file than [0], and other files have an Order too.
GIFT = 'syntax = "proto3"; package shop; message Gift { string to = 1; }'
NEWER = """
syntax = "proto3";
package shop;
import "gift.proto";
message Refund { uint64 order_id = 1; }
message Order {
  enum Channel { UNKNOWN = 0; WEB = 1; STORE = 2; APP = 3; }
  message Line { string sku = 1; int32 count = 2; }
  uint64 order_id = 1;
  string customer_id = 2;
  uint64 amount_cents = 3;
  string currency = 4;
  optional string note = 5;
  Channel channel = 6;
  Gift gift = 7;
  repeated Line lines = 8;
}
message CustomerKey { string customer_id = 1; sint32 region = 2; }
"""
OLDER = 'syntax = "proto3"; package shop; message Order { uint64 order_id = 1; string customer_id = 2; uint64 amount_cents = 3; }'


def avro_order(changed={}, left_out=(), first=()):
    """The schema of examples/typed with other fields."""
    schema = json.loads((SCHEMAS / "order.avsc").read_text())
    fields = [changed.get(field["name"], field) for field in schema["fields"] if field["name"] not in left_out]
    return {**schema, "fields": [*first, *fields]}


def messages(**files):
    """The messages of these .proto files, in a pool of their own. Of the last one, by their full names."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            pathlib.Path(folder, f"{name}.proto").write_text(text)
        last = [*files][-1]
        if protoc.main(["protoc", f"-I{folder}", "--include_imports", f"--descriptor_set_out={folder}/set", f"{last}.proto"]):
            sys.exit("protoc failed")
        found = descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(folder, "set").read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in found.file:
        pool.Add(file)
    return lambda name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def id_in_header(payload, context, schema_id):
    """The other form of the header, which the Python client reads and does not write."""
    name = "__key_schema_id" if context.field == MessageField.KEY else "__value_schema_id"
    context.headers.append((name, schema_id.id_to_bytes()))
    return payload


def guid_in_header(payload, context, schema_id):
    """Apicurio gives no GUIDs: the test's own proxy answers for these, whose last four bytes are the id."""
    schema_id.guid = uuid.UUID(int=(0x5C << 120) | schema_id.id)
    return header_schema_id_serializer(payload, context, schema_id)


class Topics:
    """What is written, and what has to come of it."""

    def __init__(self, bootstrap):
        self.registry = SchemaRegistryClient({"url": os.environ["LAMBDA_MSK_APICURIO"]}) if "LAMBDA_MSK_APICURIO" in os.environ else None
        self.producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0})

    def bytes_of(self, topic, field, make, value, headers, framing=None):
        conf = {"subject.name.strategy": topic_subject_name_strategy}
        if framing:
            conf["schema.id.serializer"] = framing
        return make(self.registry, conf)(value, SerializationContext(topic, field, headers))

    def write(self, topic, value, outcome, key=None, headers=(), partition=0):
        def told(error, message):
            if error:
                sys.exit(f"{topic}: {error}")
            place = {"topic": topic, "partition": message.partition(), "offset": message.offset()}
            print(json.dumps({**place, **outcome}))

        self.producer.produce(topic, value, key, partition, headers=list(headers), on_delivery=told)

    def order(self, topic, make, value, outcome, framing=None):
        headers = [("source", b"checkout")]
        self.write(topic, self.bytes_of(topic, MessageField.VALUE, make, value, headers, framing), outcome, key=b"c-1", headers=headers)


def avro(schema, references=()):
    text = json.dumps(schema)
    schema = Schema(text, "AVRO", list(references)) if references else text
    return lambda registry, conf: AvroSerializer(registry, schema, conf=conf)


def json_schema(schema, references=()):
    schema = Schema(json.dumps(schema), "JSON", list(references)) if references else json.dumps(schema)
    return lambda registry, conf: JSONSerializer(schema, registry, conf=conf)


def protobuf(type):
    return lambda registry, conf: ProtobufSerializer(type, registry, conf)


def registered(topics, subject, schema, kind):
    """A schema of a subject of its own."""
    topics.registry.register_schema(subject, Schema(json.dumps(schema), kind))
    return SchemaReference(subject, subject, 1)


def avro_orders(topics, topic):
    current, older = avro(avro_order()), {"type": "record", "name": "Order", "namespace": "shop", "fields": [
        {"name": "amount_cents", "type": "int"}, {"name": "customer", "type": "string"}, {"name": "order_id", "type": "long"},
    ]}
    newer = avro_order(
        {"note": {"name": "note", "type": "string"}, "channel": {"name": "channel", "type": {**CHANNEL, "symbols": ["APP", "STORE", "WEB"], "default": "WEB"}}},
        first=[{"name": "gifts", "type": {"type": "array", "items": {"type": "map", "values": "double"}}}],
    )
    topics.order(topic, current, {"note": None, **PLAIN}, {"posted": PLAIN})
    topics.order(topic, current, NOTED, {"posted": NOTED})
    largest = {**PLAIN, "order_id": U63, "amount_cents": U63}
    topics.order(topic, current, {"note": None, **largest}, {"posted": largest})
    topics.order(topic, avro(older), {"order_id": 3, "customer": "c-3", "amount_cents": 7}, {"posted": {**OLD, "currency": "EUR", "channel": "UNKNOWN"}})
    for number, (symbol, read) in enumerate([("APP", "UNKNOWN"), ("STORE", "STORE")]):
        order = {**NOTED, "order_id": 10 + number, "channel": symbol}
        topics.order(topic, avro(newer), {**order, "gifts": [{"a": 0.5}, {}]}, {"posted": {**order, "channel": read}})
    named = registered(topics, "shop.Channel", CHANNEL, "AVRO")
    referring = avro_order({"channel": {"name": "channel", "type": "shop.Channel"}})
    topics.order(topic, avro(referring, [named]), {**NOTED, "order_id": 20}, {"posted": {**NOTED, "order_id": 20}})
    for number, framing in enumerate([id_in_header, guid_in_header]):
        order = {**NOTED, "order_id": 30 + number}
        topics.order(topic, current, order, {"posted": order}, framing)
    topics.write(topic, None, {"code": "reject.tombstone"}, key=b"c-1")


def protobuf_orders(topics, topic):
    current = messages(order=(SCHEMAS / "order.proto").read_text())("shop.Order")
    older = messages(order=OLDER)("shop.Order")
    newer = messages(gift=GIFT, newer=NEWER)("shop.Order")

    def message(type, order, outcome, framing=None):
        topics.order(topic, protobuf(type), json_format.ParseDict(order, type()), outcome, framing)

    message(current, PLAIN, {"posted": PLAIN})
    message(current, NOTED, {"posted": NOTED})
    largest = {**PLAIN, "order_id": U64, "amount_cents": U64}
    message(current, largest, {"posted": largest})
    message(older, OLD, {"posted": {**OLD, "currency": "", "channel": "UNKNOWN"}})
    # Behind another message of its file, with one of another file in it.
    order = {**NOTED, "order_id": 10}
    message(newer, {**order, "gift": {"to": "Bob"}, "lines": [{"sku": "a", "count": 2}]}, {"posted": order})
    message(newer, {**order, "channel": "APP"}, {"code": "order.unknown_channel"})
    for number, (type, framing) in enumerate([(current, id_in_header), (newer, id_in_header), (current, guid_in_header), (newer, guid_in_header)]):
        order = {**NOTED, "order_id": 30 + number}
        message(type, order, {"posted": order}, framing)
    # Another message of the file: nobody reads it as an order.
    refund = messages(gift=GIFT, newer=NEWER)("shop.Refund")
    message(refund, {"order_id": 1}, {"code": "reject.protobuf"})
    topics.write(topic, None, {"code": "reject.tombstone"}, key=b"c-1")


def json_orders(topics, topic):
    schema = json.loads((SCHEMAS / "order.schema.json").read_text())
    of = lambda names: {**schema, "properties": {name: schema["properties"][name] for name in names}}
    current, older = json_schema(schema), json_schema(of(OLD))
    channel = registered(topics, "channel.json", {"$schema": schema["$schema"], "type": "string", "enum": ["UNKNOWN", "WEB", "STORE", "APP"]}, "JSON")
    newer = {**schema, "properties": {**schema["properties"], "channel": {"$ref": "channel.json"}, "gift": {"type": "boolean"}}}
    newer = json_schema(newer, [channel])
    topics.order(topic, current, PLAIN, {"posted": PLAIN})
    topics.order(topic, current, NOTED, {"posted": NOTED})
    topics.order(topic, current, {**PLAIN, "note": None}, {"posted": PLAIN})
    largest = {**PLAIN, "order_id": U64, "amount_cents": U64}
    topics.order(topic, current, largest, {"posted": largest})
    topics.order(topic, older, OLD, {"posted": {**OLD, "currency": "EUR", "channel": "UNKNOWN"}})
    order = {**NOTED, "order_id": 10}
    topics.order(topic, newer, {**order, "gift": True}, {"posted": order})
    topics.order(topic, newer, {**order, "channel": "APP"}, {"code": "reject.json"})
    for number, framing in enumerate([id_in_header, guid_in_header]):
        order = {**NOTED, "order_id": 30 + number}
        topics.order(topic, current, order, {"posted": order}, framing)
    # A value that the serializer would not have written.
    framed = topics.bytes_of(topic, MessageField.VALUE, current, PLAIN, [])
    topics.write(topic, framed[:5] + json.dumps({**PLAIN, "customer_id": ""}).encode(), {"code": "reject.json_schema"})
    topics.write(topic, None, {"code": "reject.tombstone"}, key=b"c-1")


def orders(topics, avro_topic, protobuf_topic, json_topic):
    avro_orders(topics, avro_topic)
    protobuf_orders(topics, protobuf_topic)
    json_orders(topics, json_topic)


def keys(topics, avro_topic, protobuf_topic):
    """Records whose keys have schemas too, their ids before the bytes and in headers; and tombstones, which a function that takes them posts as null."""
    of = messages(gift=GIFT, newer=NEWER)
    key_type, line_type = of("shop.CustomerKey"), of("shop.Order.Line")
    for number, framing in enumerate([None, id_in_header, guid_in_header]):
        key, line = {"customer_id": f"c-{number}", "region": number - 1}, {"sku": f"s-{number}", "count": 300 * number - 1}
        for topic, key_of, key_value, value_of, value in [
            (avro_topic, avro(CUSTOMER_KEY), key, avro(avro_order()), {**NOTED, "order_id": number}),
            (protobuf_topic, protobuf(key_type), key_type(**key), protobuf(line_type), line_type(**line)),
        ]:
            headers = []
            key_bytes = topics.bytes_of(topic, MessageField.KEY, key_of, key_value, headers, framing)
            topics.write(topic, None, {"posted": {"key": key, "value": None}}, key_bytes, headers)
            posted = {"key": key, "value": value if topic == avro_topic else line}
            value_bytes = topics.bytes_of(topic, MessageField.VALUE, value_of, value, headers, framing)
            topics.write(topic, value_bytes, {"posted": posted}, key_bytes, headers)


def writers(topics, topic, schemas, records, partitions):
    """Orders in Avro, by so many writers in turn, each with a schema of its own and, as far as there are some, a partition of its own."""
    schemas, records, partitions = int(schemas), int(records), int(partitions)
    serializers = [avro(avro_order(first=[{"name": f"of_writer_{number}", "type": "int"}])) for number in range(schemas)]
    serializers = [make(topics.registry, {"subject.name.strategy": topic_subject_name_strategy}) for make in serializers]
    written = []
    for record in range(records):
        number = record % schemas
        order = {**NOTED, "order_id": record, "amount_cents": record * 7}
        context = SerializationContext(topic, MessageField.VALUE, [])
        written.append((number, order, serializers[number]({**order, f"of_writer_{number}": -record}, context)))
    # At once, when the registry has all schemas: they come in one batch.
    for number, order, value in written:
        topics.write(topic, value, {"posted": order}, partition=number % partitions)


def glue(topics, topic, registry):
    import boto3
    from aws_schema_registry import DataAndSchema, KafkaSerializer, SchemaRegistryClient as GlueClient
    from aws_schema_registry.avro import AvroSchema
    from aws_schema_registry.codec import encode

    client = boto3.client("glue")
    client.create_registry(RegistryName=registry)
    serializer = KafkaSerializer(GlueClient(client, registry_name=registry), compatibility_mode="NONE")
    older = avro_order(left_out=["note", "channel"])
    for number, schema in enumerate([avro_order(), older]):
        schema = AvroSchema(json.dumps(schema))
        order = {name: value for name, value in {**NOTED, "order_id": number}.items() if number == 0 or name not in ["note", "channel"]}
        posted = {"channel": "UNKNOWN", **order}
        framed = serializer.serialize(topic, DataAndSchema(order, schema))
        topics.write(topic, framed, {"posted": posted})
        # Its serializer never compresses; its codec does.
        topics.write(topic, encode(framed[18:], uuid.UUID(bytes=framed[2:18]), compression=True), {"posted": posted})
    topics.write(topic, None, {"code": "reject.tombstone"})


bootstrap, what, *arguments = sys.argv[1:]
topics = Topics(bootstrap)
{"orders": orders, "keys": keys, "writers": writers, "glue": glue}[what](topics, *arguments)
if topics.producer.flush(30):
    sys.exit("the broker did not take all records within 30 s")
