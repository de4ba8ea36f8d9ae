"""Powertools for AWS Lambda (Python) on the typed values of an event: reads it as its users do, and says how long that took and what came out.

Standard input is a request, standard output the answer; both are JSON objects. Started by a Rust bench, with the Python that `tests/services/run`
exports as DECODERS_PYTHON. Of the request:
  body    the event's JSON, as text
  format  AVRO or PROTOBUF
  schema  the schema's text, for Avro
  framed  whether Confluent's frame stands before each value
  turns   how often the event is read

The answer: {"nanoseconds": of the quickest turn, "values": [[order_id, customer_id, amount_cents], …] as texts, "error": the first record's, or null}.
A turn is what an invocation does: the body to a dictionary, then each record's value.
"""

import json
import sys
import time

from aws_lambda_powertools.utilities.kafka import ConsumerRecords, SchemaConfig, kafka_consumer
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


def payment():
    """The class of the bench's message, as protoc would generate it."""
    file = descriptor_pb2.FileDescriptorProto(name="payment.proto", package="shop", syntax="proto3")
    message = file.message_type.add(name="Payment")
    kinds = [
        ("order_id", message.field.add().TYPE_UINT64),
        ("customer_id", descriptor_pb2.FieldDescriptorProto.TYPE_STRING),
        ("amount_cents", descriptor_pb2.FieldDescriptorProto.TYPE_UINT64),
        ("currency", descriptor_pb2.FieldDescriptorProto.TYPE_STRING),
        ("note", descriptor_pb2.FieldDescriptorProto.TYPE_STRING),
        ("channel", descriptor_pb2.FieldDescriptorProto.TYPE_INT32),
    ]
    del message.field[:]
    for number, (name, kind) in enumerate(kinds, start=1):
        message.field.add(name=name, number=number, type=kind, label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Payment"))


def main():
    request = json.load(sys.stdin)
    framed = request["framed"]
    if request["format"] == "AVRO":
        config = SchemaConfig(
            value_schema_type="AVRO",
            value_schema=request["schema"],
            value_schema_wire_format="CONFLUENT" if framed else None,
        )
    else:
        config = SchemaConfig(value_schema_type="PROTOBUF", value_schema=payment())

    @kafka_consumer(schema_config=config)
    def handler(records: ConsumerRecords, context):
        return [record.value for record in records.records]

    best, values, error = None, [], None
    for _ in range(request["turns"]):
        start = time.perf_counter_ns()
        try:
            values = handler(json.loads(request["body"]), None)
        except Exception as failed:
            error = type(failed).__name__
            break
        took = time.perf_counter_ns() - start
        best = took if best is None else min(best, took)
    names = ["order_id", "customer_id", "amount_cents"]
    values = [[str(value.get(name, "")) for name in names] for value in values]
    json.dump({"nanoseconds": best, "values": values, "error": error}, sys.stdout)


main()
