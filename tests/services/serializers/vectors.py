"""Bytes made by Confluent's and Glue's own serializers, in Python and Java, for schemas/tests/vectors.rs.

    tests/services/run serializers sh -c '$SERIALIZERS_PYTHON tests/services/serializers/vectors.py'

Writes schemas/tests/vectors/confluent.json and glue.json. Nothing in them depends on when or where it runs.
"""

import base64
import importlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import uuid

from grpc_tools import protoc

HERE = pathlib.Path(__file__).parent
OUT = HERE.parent.parent.parent / "schemas" / "tests" / "vectors"

# The registry in memory draws its GUIDs at random.
drawn = iter(range(1, 1000))
uuid.uuid4 = lambda: uuid.UUID(int=0x1000_0000_0000_4000_8000_0000_0000_0000 + next(drawn))

import aws_schema_registry.avro
import aws_schema_registry.codec
import aws_schema_registry.jsonschema
from confluent_kafka.schema_registry import SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

AVRO = json.dumps({
    "type": "record", "name": "Order", "namespace": "shop",
    "fields": [
        {"name": "order_id", "type": "string"},
        {"name": "note", "type": ["null", "string"], "default": None},
        {"name": "amount_cents", "type": "long"},
        {"name": "channel", "type": {"type": "enum", "name": "Channel", "symbols": ["WEB", "SHOP"]}},
    ],
})
ORDER = {"order_id": "o-1", "note": "bell is broken", "amount_cents": -4900, "channel": "SHOP"}
JSON_SCHEMA = json.dumps({
    "$schema": "http://json-schema.org/draft-07/schema#", "title": "Click", "type": "object",
    "properties": {"user": {"type": "string"}, "count": {"type": "integer"}}, "required": ["user"],
})
CLICK = {"user": "Ann", "count": 3}


def compiled():
    """The modules of the .proto files."""
    with tempfile.TemporaryDirectory() as folder:
        run(f"--python_out={folder}", "shop.proto", "money.proto")
        sys.path.insert(0, folder)
        return importlib.import_module("shop_pb2")


def run(*arguments):
    paths = [HERE, pathlib.Path(protoc.__file__).parent / "_proto"]
    if protoc.main(["protoc", *(f"-I{path}" for path in paths), *arguments]):
        sys.exit("protoc failed")


def descriptors():
    """glue.proto and what it imports."""
    with tempfile.TemporaryDirectory() as folder:
        run("--include_imports", f"--descriptor_set_out={folder}/set", "glue.proto")
        return pathlib.Path(folder, "set").read_bytes()


def messages(shop):
    order = shop.Order(order_id="o-1", counts={"a": 1}, lines=[shop.Order.Line(sku="a", count=2, notes={"k": "v"})])
    order.total.amount_cents = -5
    order.at.seconds = 1767323045
    zebra = shop.Zebra()
    zebra.before["x"].yes = True
    return [
        order,
        shop.Order.Line(sku="b", count=150),
        shop.Order.Line.Gift(to="Bob"),
        zebra,
        shop.Zebra.Before(yes=True),
        shop.Zebra.After(yes=True),
        shop.Apple(big=2**64 - 1),
        shop.Apple(),
    ]


def schema_of(client, registered):
    """A schema with its references, as lambda-msk has it."""
    return {
        "text": registered.schema_str,
        "references": [
            {"name": reference.name, **schema_of(client, client.get_version(reference.subject, reference.version).schema)}
            for reference in registered.references or []
        ],
    }


def confluent(shop):
    vectors = []

    def add(format, name, make, value, plain, message=None):
        """The value in a record's value and its key, framed before the bytes and in a header."""
        client = SchemaRegistryClient.new_client({"url": "mock://"})
        for place in ["value", "key"]:
            for framing in ["prefix", "header"]:
                conf = {"schema.id.serializer": header_schema_id_serializer} if framing == "header" else {}
                headers = []
                context = SerializationContext("orders", MessageField.VALUE if place == "value" else MessageField.KEY, headers)
                written = make(client, conf)(value, context)
                found = client.lookup_schema(f"orders-{place}", client.get_latest_version(f"orders-{place}").schema)
                vectors.append({
                    "format": format, "name": name, "place": place, "framing": framing, "message": message,
                    "id": found.schema_id, "guid": found.guid, "schema": schema_of(client, found.schema),
                    "bytes": written.hex(), "headers": [[key, value.hex()] for key, value in headers], "value": plain,
                })

    add("AVRO", "order", lambda client, conf: AvroSerializer(client, AVRO, conf=conf), ORDER, ORDER)
    add("JSON", "click", lambda client, conf: JSONSerializer(JSON_SCHEMA, client, conf=conf), CLICK, CLICK)
    for message in messages(shop):
        name = message.DESCRIPTOR.full_name
        make = lambda client, conf: ProtobufSerializer(type(message), client, {"use.deprecated.format": False, **conf})
        plain = json_format.MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
        add("PROTOBUF", name, make, message, plain, name)
    return vectors


def glue():
    vectors = []
    avro = aws_schema_registry.avro.AvroSchema(AVRO)
    click = aws_schema_registry.jsonschema.JsonSchema(JSON_SCHEMA)
    for format, text, written, value in [("AVRO", AVRO, avro.write(ORDER), ORDER), ("JSON", JSON_SCHEMA, click.write(CLICK), CLICK)]:
        for compressed in [False, True]:
            version = uuid.uuid4()
            framed = aws_schema_registry.codec.encode(written, version, compression=compressed)
            vectors.append({
                "format": format, "compressed": compressed, "version": str(version),
                "schema": {"text": text, "references": []}, "bytes": framed.hex(), "value": value,
            })
    return vectors + glue_protobuf()


def glue_protobuf():
    """The Java serializer's: Python's has no Protobuf. It reads no imports but Protobuf's own, so the file is another; pools of descriptors are kept apart."""
    files = descriptors()
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(files).file:
        pool.Add(file)
    given = [
        ("shop.Order", {"order_id": "o-1", "counts": {"a": 1}, "lines": [{"sku": "a", "count": 2}], "at": "2026-01-02T03:04:05Z"}),
        ("shop.Order.Line", {"sku": "b", "count": 150}),
        ("shop.Order.Line.Gift", {"to": "Bob"}),
        ("shop.Zebra", {"before": {"x": {"yes": True}}}),
        ("shop.Zebra.Before", {"yes": True}),
        ("shop.Zebra.After", {"yes": True}),
        ("shop.Apple", {"big": str(2**64 - 1)}),
        ("shop.Apple", {}),
    ]
    asked = []
    for name, value in given:
        type = message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
        written = json_format.ParseDict(value, type()).SerializeToString()
        for compressed in [False, True]:
            asked.append({
                "files": base64.b64encode(files).decode(), "message": name, "bytes": written.hex(),
                "version": str(uuid.uuid4()), "compressed": compressed, "value": value,
            })
    lines = "".join(json.dumps(one) + "\n" for one in asked)
    java = ["java", "-cp", os.environ["SERIALIZERS_CLASSPATH"], str(HERE / "Frames.java")]
    answers = subprocess.run(java, input=lines, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    vectors = []
    for one, answer in zip(asked, map(json.loads, answers), strict=True):
        vectors.append({
            "format": "PROTOBUF", "message": one["message"], "compressed": one["compressed"], "version": one["version"],
            "schema": {"text": answer["schema"], "references": []}, "bytes": answer["bytes"], "payload": one["bytes"], "value": one["value"],
        })
    return vectors


shop = compiled()
OUT.mkdir(exist_ok=True)
for name, vectors in [("confluent", confluent(shop)), ("glue", glue())]:
    lines = ",\n".join(json.dumps(vector) for vector in vectors)
    (OUT / f"{name}.json").write_text(f"[\n{lines}\n]\n")
    print(f"{len(vectors)} vectors in {OUT / name}.json")
