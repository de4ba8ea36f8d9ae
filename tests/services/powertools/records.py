"""Powertools for AWS Lambda on a table of ours: does what it is asked, line by line, and says what happened.

A line of standard input is a request, a line of standard output its answer; both are JSON objects. Started by Rust tests and benches, with the Python
that `tests/services/run` exports as POWERTOOLS_PYTHON. Only what Powertools offers its users is called: `idempotent_function`, a `DynamoDBPersistenceLayer`,
an `IdempotencyConfig`.

Of each request:
  table       the table's name
  payload     what the function is given; hashed whole as the key, unless `key` says what of it
  prefix      what stands before `#` in the item's id
  key         a JMESPath into the payload (`event_key_jmespath`)
  validate    a JMESPath into the payload (`payload_validation_jmespath`)
  expires_s   seconds until the item expires (default 3600)
  left_ms     milliseconds that the invocation has left; without it Powertools sets no in_progress_expiration
  ends        how the function ends: `returns` (default), `raises`, or `killed`: then Powertools neither completes nor releases the claim
  returns     what it returns (default: true)
  takes_ms    how long it takes (default: 0)

The answer: {"ran": whether the function was called, "response": what came back, "error": the name of the exception's class, or null}.

A request with `payloads` instead of `payload` is a batch: one call a payload, one after the other, as Powertools' batch processor makes them. Its answer:
{"ran": calls, "milliseconds": of the whole, "requests": sent to DynamoDB, "write_units": as DynamoDB answered, "refused": writes whose condition did not
hold: AWS charges them too, and no answer says so}.
"""

import json
import sys
import time
import warnings

import boto3
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)

# Without `left_ms` it warns, which is as asked.
warnings.filterwarnings("ignore", module="aws_lambda_powertools")


class Killed(BaseException):
    """Not an Exception: Powertools does not catch it, as it does not see a process's end."""


class Context:
    """Of Lambda's context, what Powertools asks for."""

    def __init__(self, left_ms):
        self.left_ms = left_ms

    def get_remaining_time_in_millis(self):
        return self.left_ms


class Counted:
    """A DynamoDB client whose requests and capacity are counted."""

    def __init__(self):
        self.client = boto3.client("dynamodb")
        self.zero()
        events = self.client.meta.events
        events.register("before-parameter-build.dynamodb", self.ask)
        events.register("before-send.dynamodb", self.sent)
        events.register("after-call.dynamodb", self.answered)

    def zero(self):
        self.requests = self.write_units = self.refused = 0

    def ask(self, params, **_):
        params["ReturnConsumedCapacity"] = "TOTAL"

    def sent(self, **_):
        self.requests += 1

    def answered(self, parsed, **_):
        self.refused += "Error" in parsed
        self.write_units += parsed.get("ConsumedCapacity", {}).get("CapacityUnits", 0)


COUNTED = Counted()


class Function:
    """An idempotent function as a user writes it, which notes whether it was called."""

    def __init__(self, request):
        self.ran = 0
        self.ends = request.get("ends", "returns")
        self.returns = request.get("returns", True)
        self.takes_s = request.get("takes_ms", 0) / 1000
        config = IdempotencyConfig(
            event_key_jmespath=request.get("key", ""),
            payload_validation_jmespath=request.get("validate", ""),
            expires_after_seconds=request.get("expires_s", 3600),
        )
        if "left_ms" in request:
            config.register_lambda_context(Context(request["left_ms"]))
        self.call = idempotent_function(
            self.body,
            data_keyword_argument="payload",
            persistence_store=DynamoDBPersistenceLayer(table_name=request["table"], boto3_client=COUNTED.client),
            config=config,
            key_prefix=request.get("prefix"),
        )

    def body(self, payload):
        self.ran += 1
        if self.takes_s:
            time.sleep(self.takes_s)
        if self.ends == "killed":
            raise Killed
        if self.ends == "raises":
            raise ValueError("the function failed, as it was told")
        return self.returns


def one(request):
    function = Function(request)
    response = error = None
    try:
        response = function.call(payload=request["payload"])
    except (Exception, Killed) as raised:
        error = type(raised).__name__
    return {"ran": function.ran == 1, "response": response, "error": error}


def batch(request):
    function = Function(request)
    COUNTED.zero()
    start = time.perf_counter()
    for payload in request["payloads"]:
        function.call(payload=payload)
    took = time.perf_counter() - start
    return {
        "ran": function.ran,
        "milliseconds": took * 1000,
        "requests": COUNTED.requests,
        "write_units": COUNTED.write_units,
        "refused": COUNTED.refused,
    }


for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps(batch(asked) if "payloads" in asked else one(asked)), flush=True)
