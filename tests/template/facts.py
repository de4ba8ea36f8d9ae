"""What has to be true of template.yaml once SAM has translated it. Each fact is a function that raises AssertionError.

The same holds for the template.yaml of a project that `cargo msk new` makes, but for the names of `FUNCTION`.
"""

import json
import re
from pathlib import Path

from cloudformation import Stack

TEMPLATE_ROOT = Path(__file__).parents[2]
CLUSTER = "arn:aws:kafka:eu-central-1:111122223333:cluster/shop/8f6d3a52-5"
ACCOUNT_OF_CLUSTER = "arn:aws:kafka:eu-central-1:111122223333"
# The same cluster from another account. The two UUIDs have nothing to do with each other.
CONNECTION = "arn:aws:kafka:eu-central-1:444455556666:vpc-connection/111122223333/shop/0a1b2c3d-7"

# The function that the template is for: its binary, the variable for its topic, the parameter and variable for the URL that
# it posts to (None: it posts nowhere), and what its role may do besides; what is given for parameters of its own, and whether it exports spans.
FUNCTION = {"binary": "handler", "topic": "ORDERS_TOPIC", "url": ("FulfilmentUrl", "FULFILMENT_URL"), "also": {}, "given": {}, "traces": False}
QUEUE = "arn:aws:sqs:eu-central-1:123456789012:orders"
READ_QUEUE = {action: QUEUE for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")}
FILES = {"FilesBucket": "my-files", "FilesPrefix": "a/b"}
WRITE_FILES = {action: "arn:aws:s3:::my-files/a/b/*" for action in ("s3:PutObject", "s3:GetObject")}

# A function that writes to OpenSearch, by how its requests are signed.
DOMAIN = "arn:aws:es:eu-central-1:123456789012:domain/search"
COLLECTION = "arn:aws:aoss:eu-central-1:123456789012:collection/a1b2c3"
SEARCH = {
    "es": {"given": {"OpenSearchUrl": "https://x", "OpenSearchArn": DOMAIN}, "also": {"es:ESHttpPost": f"{DOMAIN}/orders/_bulk"}},
    "aoss": {"given": {"OpenSearchUrl": "https://x", "OpenSearchArn": COLLECTION}, "also": {"aoss:APIAccessAll": COLLECTION}},
    "none": {"given": {"OpenSearchUrl": "https://x"}, "also": {}},
}

# Every action that the role allows, and on what. AWS knows no resource for kafka:GetBootstrapBrokers and the ec2:Describe
# actions; the cluster's subnets, which the other two are about, are not known to the template.
ALLOWED = {
    "logs:CreateLogStream": "<FunctionLogGroup.Arn>",
    "logs:PutLogEvents": "<FunctionLogGroup.Arn>",
    "kafka:DescribeClusterV2": CLUSTER,
    "kafka:GetBootstrapBrokers": "*",
    "ec2:CreateNetworkInterface": "*",
    "ec2:DeleteNetworkInterface": "*",
    "ec2:DescribeNetworkInterfaces": "*",
    "ec2:DescribeSecurityGroups": "*",
    "ec2:DescribeSubnets": "*",
    "ec2:DescribeVpcs": "*",
    "kafka-cluster:Connect": CLUSTER,
    "kafka-cluster:DescribeClusterDynamicConfiguration": CLUSTER,
    "kafka-cluster:DescribeTopic": f"{ACCOUNT_OF_CLUSTER}:topic/shop/8f6d3a52-5/orders",
    "kafka-cluster:ReadData": f"{ACCOUNT_OF_CLUSTER}:topic/shop/8f6d3a52-5/orders",
    "kafka-cluster:AlterGroup": f"{ACCOUNT_OF_CLUSTER}:group/shop/8f6d3a52-5/stack",
    "kafka-cluster:DescribeGroup": f"{ACCOUNT_OF_CLUSTER}:group/shop/8f6d3a52-5/stack",
    "s3:PutObject": "<GivenUpBucket.Arn>/*",
    "s3:ListBucket": "<GivenUpBucket.Arn>",
    "sqs:SendMessage": "<DeadLetterQueue.Arn>",
    "dynamodb:GetItem": "<IdempotencyTable.Arn>",
    "dynamodb:PutItem": "<IdempotencyTable.Arn>",
    "dynamodb:UpdateItem": "<IdempotencyTable.Arn>",
    "dynamodb:DeleteItem": "<IdempotencyTable.Arn>",
}


# Over the connection, the cluster's UUID is not known; the rest is the same.
ALLOWED_OVER_CONNECTION = {
    action: resource.replace("/8f6d3a52-5", "/*") for action, resource in ALLOWED.items()
} | {"kafka:DescribeVpcConnection": CONNECTION}


# The metrics of the framework, with the dimensions Consumer and Topic.
EMITTED = frozenset(Path(__file__).with_name("emitted.txt").read_text().split())

# The metrics that AWS documents, by namespace and dimension, as far as they concern a mapping for Kafka and what the stack has.
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html#event-source-mapping-metrics
DOCUMENTED = {
    ("AWS/Lambda", "EventSourceMappingUUID"): {
        "PolledEventCount", "FilteredOutEventCount", "InvokedEventCount", "FailedInvokeEventCount", "DroppedEventCount",
        "OnFailureDestinationDeliveredEventCount", "CommittedEventCount", "PollingErrorCount", "InvokeErrorCount",
        "OnFailureDestinationDeliveryErrorCount", "SchemaRegistryErrorCount", "CommitErrorCount", "MaxOffsetLag", "SumOffsetLag",
        "ProvisionedPollers", "EventPollerUnit", "EventPollerThroughputInBytes",
    },
    ("AWS/Lambda", "FunctionName"): {"Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions", "OffsetLag"},
    ("AWS/SQS", "QueueName"): {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"},
    ("AWS/DynamoDB", "TableName"): {"WriteThrottleEvents", "ReadThrottleEvents"},
}

RUNBOOK = Path(__file__).parents[2] / "docs/src/operating.md"


def stack(template, **given):
    if "SourceQueueArn" in template["Parameters"]:
        given = {"SourceQueueArn": QUEUE, **given}
    if "FilesBucket" in template["Parameters"]:
        given = {**FILES, **given}
    return Stack(template, **{"ClusterArn": CLUSTER, **FUNCTION["given"], **given})


def only(things):
    (thing,) = things.values()
    return thing


def function(s):
    return only(s.of_type("AWS::Lambda::Function"))


def mapping(s):
    mappings = s.of_type("AWS::Lambda::EventSourceMapping")
    return only({name: m for name, m in mappings.items() if "Topics" in m})


def variables(s):
    return function(s)["Environment"]["Variables"]


def listed(value):
    return value if isinstance(value, list) else [value]


def statements(s, effect):
    role = only(s.of_type("AWS::IAM::Role"))
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] == effect:
                yield statement


def both_switches_agree(template):
    on, off = (stack(template, PartialBatchResponses=value) for value in ("on", "off"))
    assert stack(template).resources == on.resources, "the default is not on"
    assert variables(on)["LAMBDA_MSK_FAILURE_REPORTING"] == "partial", "function, on"
    assert mapping(on).get("FunctionResponseTypes") == ["ReportBatchItemFailures"], "mapping, on"
    assert variables(off)["LAMBDA_MSK_FAILURE_REPORTING"] == "whole-batch", "function, off"
    assert "FunctionResponseTypes" not in mapping(off), "mapping, off"


def one_switch_sets_both(template):
    allowed = template["Parameters"]["PartialBatchResponses"].get("AllowedValues")
    assert allowed == ["on", "off"], f"a value beside on and off: {allowed}"


def mapping_reads_the_topic_for_its_own_group(template):
    m = mapping(stack(template))
    assert m["EventSourceArn"] == CLUSTER, "cluster"
    assert m["Topics"] == ["orders"], "topic"
    assert m["FunctionName"] == "<Function>", "function"
    assert m["AmazonManagedKafkaEventSourceConfig"] == {"ConsumerGroupId": "stack"}, "group"
    m = mapping(stack(template, ConsumerGroup="existing", Topic="payments"))
    assert m["AmazonManagedKafkaEventSourceConfig"] == {"ConsumerGroupId": "existing"}, "given group"
    assert m["Topics"] == ["payments"], "given topic"


def mapping_runs_in_provisioned_mode(template):
    pollers = mapping(stack(template)).get("ProvisionedPollerConfig", {})
    assert 1 <= pollers.get("MinimumPollers", 0) <= pollers.get("MaximumPollers", 0), pollers


def mapping_outlasts_an_outage(template):
    m = mapping(stack(template))
    attempts = m.get("MaximumRetryAttempts")
    assert attempts is not None and attempts >= 1000, f"MaximumRetryAttempts: {attempts}"
    assert m.get("MaximumRecordAgeInSeconds") == -1, "gives up records for their age"
    assert m.get("BisectBatchOnFunctionError") is True, "does not bisect"


def mapping_keeps_payloads_in_the_bucket(template):
    destination = mapping(stack(template)).get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    assert destination == "<GivenUpBucket.Arn>", destination


# The dimensions of the framework's metrics, and what belongs to the stack of each dimension of AWS's.
OF_TOPIC = (("Consumer", "stack"), ("Topic", "orders"))
OWN = {
    "EventSourceMappingUUID": "<FunctionRecords>",
    "FunctionName": "<Function>",
    "QueueName": "<DeadLetterQueue.QueueName>",
    "TableName": "<IdempotencyTable>",
}


def mapping_reports_what_the_alarms_read(template):
    s = stack(template)
    metrics = set(mapping(s).get("MetricsConfig", {}).get("Metrics", []))
    assert metrics == {"EventCount", "ErrorCount", "KafkaMetrics"}, metrics
    alarms = {
        (a["Namespace"], a["MetricName"], d["Name"], d["Value"])
        for a in s.of_type("AWS::CloudWatch::Alarm").values()
        for d in a["Dimensions"]
    }
    assert alarms == {
        ("AWS/Lambda", "Errors", "FunctionName", "<Function>"),
        ("AWS/Lambda", "OffsetLag", "FunctionName", "<Function>"),
        ("AWS/Lambda", "DroppedEventCount", "EventSourceMappingUUID", "<FunctionRecords>"),
        ("AWS/Lambda", "FailedInvokeEventCount", "EventSourceMappingUUID", "<FunctionRecords>"),
        ("AWS/Lambda", "OnFailureDestinationDeliveryErrorCount", "EventSourceMappingUUID", "<FunctionRecords>"),
        ("AWS/Lambda", "Throttles", "FunctionName", "<Function>"),
        *(("lambda-msk", metric, *of) for metric in ("TimeLagMs", "OverlookedRecords", "Unhandled") for of in OF_TOPIC),
        ("AWS/Lambda", "OnFailureDestinationDeliveredEventCount", "EventSourceMappingUUID", "<FunctionRecords>"),
        ("AWS/DynamoDB", "WriteThrottleEvents", "TableName", "<IdempotencyTable>"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "<DeadLetterQueue.QueueName>"),
    }, alarms


def mapping_logs_its_warnings(template):
    assert mapping(stack(template)).get("LoggingConfig") == {"SystemLogLevel": "WARN"}


def widgets(s):
    return json.loads(only(s.of_type("AWS::CloudWatch::Dashboard"))["DashboardBody"])["widgets"]


def metrics(s):
    """Each metric that an alarm or a widget reads: the reader, the namespace, the name and the dimensions."""
    for name, alarm in s.of_type("AWS::CloudWatch::Alarm").items():
        yield name, alarm["Namespace"], alarm["MetricName"], {d["Name"]: d["Value"] for d in alarm["Dimensions"]}
    for widget in widgets(s):
        for metric in widget["properties"].get("metrics", []):
            parts = [part for part in metric if isinstance(part, str)]
            if parts:
                namespace, name, *pairs = parts
                yield widget["properties"]["title"], namespace, name, dict(zip(pairs[::2], pairs[1::2], strict=True))


def every_metric_is_written_or_documented(template):
    s = stack(template)
    (namespace,) = re.fullmatch(r"emf:(.{1,255})", variables(s)["LAMBDA_MSK_METRICS"]).groups()
    for reader, where, name, dimensions in metrics(s):
        if where == namespace:
            assert name in EMITTED, f"{reader}: the framework writes no {name}"
            assert tuple(dimensions.items()) == OF_TOPIC, f"{reader}: {name} of {dimensions}"
        else:
            assert len(dimensions) == 1, f"{reader}: {name} of {dimensions}"
            (dimension,) = dimensions
            assert name in DOCUMENTED.get((where, dimension), ()), f"{reader}: AWS documents no {name} of {dimension} in {where}"
            assert dimensions[dimension] == OWN[dimension], f"{reader}: {name} of {dimensions}"


def dashboard_shows_what_the_runbook_reads(template):
    s = stack(template)
    shown = {name for _, _, name, _ in metrics(s)}
    wanted = {"Done", "Skipped", "Rejected", "Failed", "Unreached", "Retried", "TimeLagMs", "HandlerMs", "MemoryMB", "OffsetLag",
              "ApproximateAgeOfOldestMessage", "ProvisionedPollers", "Duration", "PolledEventCount", "DroppedEventCount"}
    assert wanted <= shown, f"not shown: {sorted(wanted - shown)}"
    (log,) = [w["properties"] for w in widgets(s) if w["type"] == "log"]
    assert log["query"].startswith("SOURCE '<FunctionLogGroup>' |") and "by code" in log["query"], log["query"]
    # A hundred records an invocation have a line, and lines with a `code` may be of none: only what the framework says of records counts.
    said = (TEMPLATE_ROOT / "framework/src/log.rs").read_text() + (TEMPLATE_ROOT / "framework/src/log/records.rs").read_text()
    messages = re.findall(r"'([^'<]*)'(?=[,\]])", log["query"]) + re.findall(r"like /\^([^/]*)/", log["query"])
    assert len(messages) == 4 and all(f'"{message}' in said for message in messages), messages
    assert "coalesce(more, 1)" in log["query"] and "sum(" in log["query"], log["query"]


def widgets_do_not_overlap(template):
    taken = set()
    for widget in widgets(stack(template)):
        place = {(x, y) for x in range(widget["x"], widget["x"] + widget["width"]) for y in range(widget["y"], widget["y"] + widget["height"])}
        assert not place & taken and all(x < 24 for x, _ in place), widget["properties"]["title"]
        taken |= place


def each_alarm_says_what_to_do_and_where_that_is_explained(template):
    sections = {line[4:].strip().lower() for line in RUNBOOK.read_text().splitlines() if line.startswith("### ")}
    for name, alarm in stack(template, Runbook="https://page").of_type("AWS::CloudWatch::Alarm").items():
        text, page = alarm["AlarmDescription"].rsplit(" ", 1)
        assert page == f"https://page#{name.lower()}", f"{name}: {page}"
        assert name.lower() in sections, f"{name} has no section in {RUNBOOK.name}"
        assert text.count(". ") >= 1 and text.startswith("stack: "), f"{name}: {text}"


def alarms_notify_the_topic_they_are_given(template):
    for name, alarm in stack(template, AlarmTopicArn="topic").of_type("AWS::CloudWatch::Alarm").items():
        assert alarm.get("AlarmActions") == ["topic"], name
    for name, alarm in stack(template).of_type("AWS::CloudWatch::Alarm").items():
        assert "AlarmActions" not in alarm, name


def function_is_a_rust_binary_on_arm(template):
    f = function(stack(template))
    assert (f["Runtime"], f["Handler"], f["Architectures"]) == ("provided.al2023", "bootstrap", ["arm64"]), f
    metadata = only({n: r for n, r in template["Resources"].items() if r["Type"] == "AWS::Lambda::Function"})["Metadata"]
    assert metadata == {"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": FUNCTION["binary"]}}, metadata


def function_has_time_for_a_batch_and_not_too_much(template):
    parameter = template["Parameters"]["FunctionTimeout"]
    assert function(stack(template, FunctionTimeout=333))["Timeout"] == 333, "not the parameter"
    assert 120 <= parameter["MinValue"] <= parameter["Default"] <= parameter["MaxValue"] <= 840, parameter


def function_rejects_to_the_queue(template):
    assert variables(stack(template)).get("LAMBDA_MSK_ON_FAILURE") == "<DeadLetterQueue>"


SNS = "arn:aws:sns:eu-central-1:123456789012:dead"
TO_SNS = {"DeadLetters": "sns", "DeadLetterSnsTopic": "dead"}
TO_KAFKA = {
    "DeadLetters": "kafka",
    "DeadLetterKafkaTopic": "dead",
    "SubnetIds": "subnet-1",
    "SecurityGroupIds": "sg-1",
}
LETTERS_IN_BUCKET = "s3://<GivenUpBucket>/dead-letters"


def dead_letters_go_where_they_are_sent(template):
    for given, first, large in (
        ({}, "<DeadLetterQueue>", None),
        (TO_SNS, SNS, LETTERS_IN_BUCKET),
        ({"DeadLetters": "bucket"}, LETTERS_IN_BUCKET, None),
        (TO_KAFKA, "kafka://dead?security=iam", LETTERS_IN_BUCKET),
    ):
        v = variables(stack(template, **given))
        found = v.get("LAMBDA_MSK_ON_FAILURE"), v.get("LAMBDA_MSK_ON_FAILURE_LARGE")
        assert found == (first, large), f"{given}: {found}"


def dead_letters_without_a_place_are_refused(template):
    for given in (
        {"DeadLetters": "sns"},
        {"DeadLetters": "kafka"},
        TO_KAFKA | {"DeadLetterKafkaTopic": "orders"},
    ):
        assert stack(template, **given).broken_rules(), given
    for given in ({}, TO_SNS, {"DeadLetters": "bucket"}, TO_KAFKA):
        assert not stack(template, **given).broken_rules(), given


def role_allows_what_the_dead_letters_need(template):
    letters = "<GivenUpBucket.Arn>/dead-letters/*"
    bucket = {("s3:GetObject", letters), ("s3:PutObject", letters)}
    topic = "topic/shop/8f6d3a52-5/dead"
    kafka = {
        ("kafka-cluster:WriteDataIdempotently", CLUSTER),
        ("kafka-cluster:DescribeTopic", f"{ACCOUNT_OF_CLUSTER}:{topic}"),
        ("kafka-cluster:WriteData", f"{ACCOUNT_OF_CLUSTER}:{topic}"),
    }
    over_connection = {(action, on.replace("/8f6d3a52-5", "/*")) for action, on in kafka}
    for given, wanted in (
        ({}, {("sqs:SendMessage", "<DeadLetterQueue.Arn>")}),
        (TO_SNS, bucket | {("sns:Publish", SNS)}),
        ({"DeadLetters": "bucket"}, bucket),
        (TO_KAFKA, bucket | kafka),
        (TO_KAFKA | {"ClusterArn": CONNECTION}, bucket | over_connection),
    ):
        role = only(stack(template, **given).of_type("AWS::IAM::Role"))
        (policy,) = [p for p in role["Policies"] if p["PolicyName"] == "DeadLetters"]
        found = {
            (action, resource)
            for s in policy["PolicyDocument"]["Statement"]
            for action in listed(s["Action"])
            for resource in listed(s["Resource"])
        }
        assert found == wanted, f"{given}: {found ^ wanted}"


def function_remembers_in_the_table_under_the_stacks_name(template):
    v = variables(stack(template))
    assert v.get("LAMBDA_MSK_IDEMPOTENCY") == "dynamodb://<IdempotencyTable>", v.get("LAMBDA_MSK_IDEMPOTENCY")
    assert v.get("LAMBDA_MSK_NAMESPACE") == "stack", v.get("LAMBDA_MSK_NAMESPACE")


def function_takes_the_topic_that_the_mapping_reads(template):
    for given in ({}, {"Topic": "payments"}):
        s = stack(template, **given)
        assert variables(s).get(FUNCTION["topic"]) == mapping(s)["Topics"][0], "topic of the function"


def function_gets_a_url_only_if_there_is_one(template):
    if FUNCTION["url"] is None:
        assert not any(name.endswith(("Url", "_URL")) for name in [*template["Parameters"], *variables(stack(template))])
        return
    parameter, variable = FUNCTION["url"]
    assert parameter in FUNCTION["given"] or variable not in variables(stack(template))
    assert variables(stack(template, **{parameter: "https://x"}))[variable] == "https://x"


def spans_go_where_they_are_sent(template):
    none = stack(template)
    of = lambda s: {name: value for name, value in variables(s).items() if name.startswith("OTEL_") or name == "LAMBDA_MSK_TRACES"}
    if not FUNCTION["traces"]:
        assert of(none) == {} and "Layers" not in function(none)
        return
    assert of(none) == {"LAMBDA_MSK_TRACES": "sampled"} and "Layers" not in function(none)
    layer, collector = "arn:aws:lambda:eu-central-1:901920570463:layer:aws-otel-collector-arm64:1", "http://localhost:4318"
    assert stack(template, CollectorLayerArn=layer).broken_rules() == ["CollectorNeedsItsEndpoint"]
    given = stack(template, OtlpEndpoint=collector, CollectorLayerArn=layer, TracedRecords="all", TraceSampler="traceidratio", TraceSamplerArg="0.05")
    wanted = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector, "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.05", "LAMBDA_MSK_TRACES": "all"}
    assert of(given) == wanted and function(given)["Layers"] == [layer] and not given.broken_rules()
    # What the function would refuse at its start is refused before.
    for name, good, bad in [
        ("OtlpEndpoint", ["", collector, "https://otlp.example.com/otlp"], ["localhost:4318", "grpc://localhost:4317", "http:// "]),
        ("CollectorLayerArn", ["", layer], ["aws-otel-collector", layer.removesuffix(":1")]),
        ("TraceSamplerArg", ["0", "0.05", "1", "1.0"], ["", "5", "5%", "1.5"]),
    ]:
        pattern = template["Parameters"][name]["AllowedPattern"]
        assert all(re.fullmatch(pattern, value) for value in good), name
        assert not any(re.fullmatch(pattern, value) for value in bad), name
    assert template["Parameters"]["TracedRecords"]["AllowedValues"] == ["sampled", "all", "failed", "none"]


def function_is_in_a_vpc_only_if_asked(template):
    assert "VpcConfig" not in function(stack(template))
    both = stack(template, SubnetIds="subnet-1,subnet-2", SecurityGroupIds="sg-1")
    wanted = {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
    assert function(both)["VpcConfig"] == wanted and not both.broken_rules()


def half_a_vpc_is_refused(template):
    assert stack(template, SubnetIds="subnet-1").broken_rules(), "subnets alone"
    assert stack(template, SecurityGroupIds="sg-1").broken_rules(), "security groups alone"
    assert not stack(template).broken_rules(), "neither"


def role_is_the_one_written_here(template):
    s = stack(template)
    assert function(s)["Role"] == "<FunctionRole.Arn>", "SAM made a role"
    role = only(s.of_type("AWS::IAM::Role"))
    assert "ManagedPolicyArns" not in role, role["ManagedPolicyArns"]
    assert not s.of_type("AWS::IAM::Policy") and not s.of_type("AWS::IAM::ManagedPolicy"), "policies elsewhere"


def allows(s, wanted):
    allowed = {
        (action, resource)
        for statement in statements(s, "Allow")
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }
    wanted = set(wanted.items()) | set(FUNCTION["also"].items())
    assert allowed == wanted, f"too much {sorted(allowed - wanted)}, missing {sorted(wanted - allowed)}"


def role_allows_what_is_needed_and_no_more(template):
    allows(stack(template), ALLOWED)


def role_reaches_a_cluster_of_another_account(template):
    s = stack(template, ClusterArn=CONNECTION)
    assert mapping(s)["EventSourceArn"] == CONNECTION, "cluster"
    allows(s, ALLOWED_OVER_CONNECTION)


def cluster_is_named_by_its_arn_or_a_connections(template):
    pattern = re.compile(template["Parameters"]["ClusterArn"]["AllowedPattern"])
    for arn in (CLUSTER, CONNECTION):
        assert pattern.search(arn), f"refuses {arn}"
    for wrong in (
        CLUSTER.replace("/8f6d3a52-5", ""),
        CONNECTION.replace("/0a1b2c3d-7", ""),
        CONNECTION.replace("/111122223333", "/owner"),
        CLUSTER.replace("cluster/", "topic/"),
        CLUSTER.replace("kafka", "sqs"),
        CLUSTER + "/orders",
    ):
        assert not pattern.search(wrong), f"takes {wrong}"


def queue_of_the_function_is_read_with_partial_answers(template):
    mappings = stack(template).of_type("AWS::Lambda::EventSourceMapping").values()
    others = [m for m in mappings if "Topics" not in m]
    assert len(others) == (1 if FUNCTION["also"] == READ_QUEUE else 0), f"{len(others)} mappings beside Kafka's"
    for m in others:
        assert m["EventSourceArn"] == QUEUE and m["FunctionName"] == "<Function>", m
        assert m.get("FunctionResponseTypes") == ["ReportBatchItemFailures"], m


def role_follows_a_given_group(template):
    for arn, uuid in ((CLUSTER, "8f6d3a52-5"), (CONNECTION, "*")):
        for statement in statements(stack(template, ClusterArn=arn, ConsumerGroup="existing"), "Allow"):
            if "kafka-cluster:AlterGroup" in listed(statement["Action"]):
                assert statement["Resource"].endswith(f":group/shop/{uuid}/existing"), statement["Resource"]


def code_cannot_touch_the_network(template):
    (deny,) = statements(stack(template), "Deny")
    assert set(deny["Action"]) == {a for a in ALLOWED if a.startswith("ec2:")}, deny["Action"]
    condition = {"ArnLike": {"lambda:SourceFunctionArn": "arn:aws:lambda:eu-central-1:123456789012:function:*"}}
    assert deny["Resource"] == "*" and deny["Condition"] == condition, deny


def what_failed_is_encrypted_and_outlives_the_stack(template):
    s = stack(template)
    queue, bucket = only(s.of_type("AWS::SQS::Queue")), only(s.of_type("AWS::S3::Bucket"))
    assert queue.get("SqsManagedSseEnabled") is True, "queue is not encrypted"
    assert queue.get("MessageRetentionPeriod") == 14 * 24 * 3600, "queue retention"
    assert bucket.get("BucketEncryption"), "bucket is not encrypted"
    block = bucket.get("PublicAccessBlockConfiguration", {})
    assert len(block) == 4 and all(block.values()), "bucket may be made public"
    assert bucket["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] >= 14, "bucket retention"
    for kind in ("AWS::SQS::Queue", "AWS::S3::Bucket"):
        resource = only({n: r for n, r in s.resources.items() if r["Type"] == kind})
        kept = resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")
        assert kept == ("Retain", "Retain"), f"{kind} {kept}"


def queue_and_bucket_are_closed_without_tls(template):
    s = stack(template)
    for kind, target in (("AWS::SQS::QueuePolicy", "<DeadLetterQueue.Arn>"), ("AWS::S3::BucketPolicy", "<GivenUpBucket.Arn>")):
        (statement,) = only(s.of_type(kind))["PolicyDocument"]["Statement"]
        assert statement["Effect"] == "Deny" and target in listed(statement["Resource"]), kind
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}, kind


def table_is_as_the_store_needs_it(template):
    s = stack(template)
    table = only(s.of_type("AWS::DynamoDB::Table"))
    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}], table["KeySchema"]
    assert table["AttributeDefinitions"] == [{"AttributeName": "id", "AttributeType": "S"}], table["AttributeDefinitions"]
    ttl = table.get("TimeToLiveSpecification")
    assert ttl == {"AttributeName": "expiration", "Enabled": True}, f"never forgets: {ttl}"
    assert table.get("BillingMode") == "PAY_PER_REQUEST", "has a capacity to run out of"


def table_goes_with_the_stack(template):
    table = only({n: r for n, r in stack(template).resources.items() if r["Type"] == "AWS::DynamoDB::Table"})
    kept = table.get("DeletionPolicy"), table.get("UpdateReplacePolicy")
    assert kept == ("Delete", "Delete"), kept


def log_group_is_the_functions_and_ends(template):
    s = stack(template)
    assert function(s)["LoggingConfig"]["LogGroup"] == "<FunctionLogGroup>"
    assert only(s.of_type("AWS::Logs::LogGroup")).get("RetentionInDays") == 30


def every_parameter_says_what_it_is(template):
    for name, parameter in template["Parameters"].items():
        assert parameter.get("Description"), name


def parts(value):
    """A value, and all that is in it."""
    yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts(part)


def no_condition_asks_if(template):
    # CloudFormation refuses the function there, which no linter says.
    for name, condition in template["Conditions"].items():
        assert not any(isinstance(part, dict) and "Fn::If" in part for part in parts(condition)), name


FACTS = [
    no_condition_asks_if,
    both_switches_agree,
    one_switch_sets_both,
    mapping_reads_the_topic_for_its_own_group,
    mapping_runs_in_provisioned_mode,
    mapping_outlasts_an_outage,
    mapping_keeps_payloads_in_the_bucket,
    mapping_reports_what_the_alarms_read,
    mapping_logs_its_warnings,
    every_metric_is_written_or_documented,
    dashboard_shows_what_the_runbook_reads,
    widgets_do_not_overlap,
    each_alarm_says_what_to_do_and_where_that_is_explained,
    alarms_notify_the_topic_they_are_given,
    function_is_a_rust_binary_on_arm,
    function_has_time_for_a_batch_and_not_too_much,
    function_rejects_to_the_queue,
    dead_letters_go_where_they_are_sent,
    dead_letters_without_a_place_are_refused,
    function_remembers_in_the_table_under_the_stacks_name,
    function_takes_the_topic_that_the_mapping_reads,
    function_gets_a_url_only_if_there_is_one,
    spans_go_where_they_are_sent,
    function_is_in_a_vpc_only_if_asked,
    half_a_vpc_is_refused,
    role_is_the_one_written_here,
    role_allows_what_is_needed_and_no_more,
    role_reaches_a_cluster_of_another_account,
    role_allows_what_the_dead_letters_need,
    cluster_is_named_by_its_arn_or_a_connections,
    queue_of_the_function_is_read_with_partial_answers,
    role_follows_a_given_group,
    code_cannot_touch_the_network,
    what_failed_is_encrypted_and_outlives_the_stack,
    queue_and_bucket_are_closed_without_tls,
    table_is_as_the_store_needs_it,
    table_goes_with_the_stack,
    log_group_is_the_functions_and_ends,
    every_parameter_says_what_it_is,
]
