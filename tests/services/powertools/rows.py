"""Powertools for AWS Lambda as a function that writes a batch of orders to Postgres: started by a bench, with the Python that `tests/services/run` exports as POWERTOOLS_PYTHON.

A line of standard input is an event as Lambda sends it, a line of standard output the milliseconds that the handler took. The argument is the database's address.
The records are decoded by Powertools' `kafka_consumer`, and written as one multi-row INSERT and one for the balances, in one transaction, as our example does; nothing
keeps a record that is redelivered from being written twice.
"""

import json
import sys
import time

import psycopg
from aws_lambda_powertools.utilities.kafka import ConsumerRecords, SchemaConfig, kafka_consumer

INSERT_ORDERS = """
INSERT INTO orders (order_id, customer_id, amount_cents, kafka_partition, kafka_offset)
SELECT * FROM unnest(%s::int8[], %s::text[], %s::int8[], %s::int4[], %s::int8[])
"""
ADD_TO_BALANCES = """
INSERT INTO balances AS b (customer_id, orders, amount_cents)
SELECT customer_id, count(*), sum(amount_cents) FROM unnest(%s::text[], %s::int8[]) AS o (customer_id, amount_cents)
GROUP BY customer_id ORDER BY customer_id COLLATE "C"
ON CONFLICT (customer_id) DO UPDATE SET orders = b.orders + excluded.orders, amount_cents = b.amount_cents + excluded.amount_cents
"""

connection = psycopg.connect(sys.argv[1])


@kafka_consumer(schema_config=SchemaConfig(value_schema_type="JSON"))
def handler(event: ConsumerRecords, context):
    ids, customers, cents, partitions, offsets = [], [], [], [], []
    for record in event.records:
        order = record.value
        ids.append(order["order_id"])
        customers.append(order["customer_id"])
        cents.append(order["amount_cents"])
        partitions.append(record.partition)
        offsets.append(record.offset)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(INSERT_ORDERS, (ids, customers, cents, partitions, offsets))
        cursor.execute(ADD_TO_BALANCES, (customers, cents))


for line in sys.stdin:
    # As the runtime has it: the event is decoded before the handler is called, and ours decodes it within.
    began = time.perf_counter()
    handler(json.loads(line), None)
    print((time.perf_counter() - began) * 1000, flush=True)
