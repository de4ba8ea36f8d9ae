"""Faults put into template.yaml on purpose, and the check that has to find each.

The path leads to the value in the SAM template; a dot parts the steps. `None` as the new value takes it out. A fault that goes
unnoticed fails the run: a check that cannot fail checks nothing.
"""

FUNCTION = "Resources.Function.Properties"
EVENT = FUNCTION + ".Events.Records.Properties"
ENVIRONMENT = FUNCTION + ".Environment.Variables"
POLICIES = "Resources.FunctionRole.Properties.Policies"
LOGS = POLICIES + ".0.PolicyDocument.Statement.0"
DEAD_LETTERS = POLICIES + ".2.PolicyDocument.Statement.0.Fn::If.1"
IDEMPOTENCY = POLICIES + ".3.PolicyDocument.Statement.0"
TABLE = "Resources.IdempotencyTable"

BODY = "Resources.Dashboard.Properties.DashboardBody"


class Change(tuple):
    """A text, and the text in its place: of a long one not all is written here again."""

    def __new__(cls, before, after):
        return super().__new__(cls, (before, after))

    def of(self, text):
        before, after = self
        assert text.count(before) == 1, f"not once in it: {before}"
        return text.replace(before, after)


def board(metric):
    """A dashboard with one widget, of this metric."""
    return {"Fn::Sub": '{"widgets": [{"type": "metric", "x": 0, "y": 0, "width": 24, "height": 6, "properties": {"title": "T", "metrics": [%s]}}]}' % metric}


# (what is wrong, where, the value put there, the check that finds it)
CONTROLS = [
    # The tools themselves: these show that translation and lint look inside the event.
    ("a property that MSK events do not have", EVENT + ".Bogus", 2, "translates"),
    ("a batch size that is a word", EVENT + ".BatchSize", "many", "translates"),
    ("a starting position that does not exist", EVENT + ".StartingPosition", "MIDDLE", "lints"),
    ("a number of pollers that is a word", EVENT + ".ProvisionedPollerConfig.MaximumPollers", "many", "lints"),
    ("a reference to nothing", ENVIRONMENT + ".X", {"Ref": "Nothing"}, "lints"),
    # The switches.
    ("partial in the function whatever the switch says", ENVIRONMENT + ".LAMBDA_MSK_FAILURE_REPORTING", "partial", "both_switches_agree"),
    ("whole batch in the function whatever the switch says", ENVIRONMENT + ".LAMBDA_MSK_FAILURE_REPORTING", "whole-batch", "both_switches_agree"),
    ("the function's switch left out", ENVIRONMENT + ".LAMBDA_MSK_FAILURE_REPORTING", None, "both_switches_agree"),
    ("partial in the mapping whatever the switch says", EVENT + ".FunctionResponseTypes", ["ReportBatchItemFailures"], "both_switches_agree"),
    ("the mapping's switch left out", EVENT + ".FunctionResponseTypes", None, "both_switches_agree"),
    ("a switch of which half is read", "Conditions.ReportsPartially", {"Fn::Equals": [{"Ref": "PartialBatchResponses"}, "off"]}, "both_switches_agree"),
    ("off as the default", "Parameters.PartialBatchResponses.Default", "off", "both_switches_agree"),
    ("a third value of the switch", "Parameters.PartialBatchResponses.AllowedValues", ["on", "off", "maybe"], "one_switch_sets_both"),
    ("a condition that asks another one", "Conditions.InVpc", {"Fn::Equals": [{"Fn::If": ["ReportsPartially", "a", "b"]}, "a"]}, "no_condition_asks_if"),
    # The mapping.
    ("another topic than the one given", EVENT + ".Topics", ["invoices"], "mapping_reads_the_topic_for_its_own_group"),
    ("a group that all stacks share", EVENT + ".ConsumerGroupId", "lambda", "mapping_reads_the_topic_for_its_own_group"),
    ("on-demand mode", EVENT + ".ProvisionedPollerConfig", None, "mapping_runs_in_provisioned_mode"),
    ("retry attempts left out", EVENT + ".MaximumRetryAttempts", None, "mapping_outlasts_an_outage"),
    ("three retry attempts", "Parameters.MaximumRetryAttempts.Default", 3, "mapping_outlasts_an_outage"),
    ("record age left out", EVENT + ".MaximumRecordAgeInSeconds", None, "mapping_outlasts_an_outage"),
    ("a record age of an hour", "Parameters.MaximumRecordAgeInSeconds.Default", 3600, "mapping_outlasts_an_outage"),
    ("no bisecting", EVENT + ".BisectBatchOnFunctionError", False, "mapping_outlasts_an_outage"),
    ("no destination of the mapping", EVENT + ".DestinationConfig", None, "mapping_keeps_payloads_in_the_bucket"),
    ("a destination that loses the payload", EVENT + ".DestinationConfig.OnFailure.Destination", {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}, "mapping_keeps_payloads_in_the_bucket"),
    ("no metrics of the mapping", EVENT + ".MetricsConfig", None, "mapping_reports_what_the_alarms_read"),
    ("no alarm for dropped records", "Resources.DroppedAlarm", None, "mapping_reports_what_the_alarms_read"),
    ("an alarm that watches another queue", "Resources.DeadLetterAlarm.Properties.Dimensions.0.Value", "other", "mapping_reports_what_the_alarms_read"),
    ("no alarm for throttled writes", "Resources.IdempotencyThrottledAlarm", None, "mapping_reports_what_the_alarms_read"),
    ("an alarm that tells nobody", "Resources.OffsetLagAlarm.Properties.AlarmActions", None, "alarms_notify_the_topic_they_are_given"),
    ("a mapping that logs nothing", EVENT + ".LoggingConfig", None, "mapping_logs_its_warnings"),
    ("an alarm on a metric that nobody writes", "Resources.TimeLagAlarm.Properties.MetricName", "IteratorAge", "mapping_reports_what_the_alarms_read"),
    ("an alarm on another consumer's metric", "Resources.TimeLagAlarm.Properties.Dimensions.0.Value", "other", "mapping_reports_what_the_alarms_read"),
    ("metrics in another namespace than the one that is read", ENVIRONMENT + ".LAMBDA_MSK_METRICS", "emf:shop", "every_metric_is_written_or_documented"),
    ("a widget with a metric that the framework does not write", BODY, board('["lambda-msk", "Lost", "Consumer", "${AWS::StackName}", "Topic", "${Topic}"]'), "every_metric_is_written_or_documented"),
    ("a widget with a metric of the mapping under another dimension", BODY, board('["AWS/Lambda", "MaxOffsetLag", "FunctionName", "${Function}"]'), "every_metric_is_written_or_documented"),
    ("a dashboard that shows one metric", BODY, board('["lambda-msk", "Done", "Consumer", "${AWS::StackName}", "Topic", "${Topic}"]'), "dashboard_shows_what_the_runbook_reads"),
    ("an alarm that says nothing of what to do", "Resources.DroppedAlarm.Properties.AlarmDescription", {"Fn::Sub": "${AWS::StackName}: records are lost ${Runbook}#droppedalarm"}, "each_alarm_says_what_to_do_and_where_that_is_explained"),
    ("an alarm with another alarm's page", "Resources.DroppedAlarm.Properties.AlarmDescription", {"Fn::Sub": "${AWS::StackName}: records are lost. Replay them. ${Runbook}#givenupalarm"}, "each_alarm_says_what_to_do_and_where_that_is_explained"),
    ("a widget upon another", BODY + ".Fn::Sub", Change('"x": 8, "y": 0', '"x": 0, "y": 0'), "widgets_do_not_overlap"),
    # The function.
    ("another architecture", FUNCTION + ".Architectures", ["x86_64"], "function_is_a_rust_binary_on_arm"),
    ("another binary", "Resources.Function.Metadata.BuildProperties.Binary", "cargo-msk", "function_is_a_rust_binary_on_arm"),
    ("a timeout of 900 s", FUNCTION + ".Timeout", 900, "function_has_time_for_a_batch_and_not_too_much"),
    ("a timeout that may be 900 s", "Parameters.FunctionTimeout.MaxValue", 900, "function_has_time_for_a_batch_and_not_too_much"),
    ("a timeout that may be 60 s", "Parameters.FunctionTimeout.MinValue", 60, "function_has_time_for_a_batch_and_not_too_much"),
    ("no destination of the function", ENVIRONMENT + ".LAMBDA_MSK_ON_FAILURE", None, "function_rejects_to_the_queue"),
    ("dead letters in the queue whatever is chosen", ENVIRONMENT + ".LAMBDA_MSK_ON_FAILURE", {"Ref": "DeadLetterQueue"}, "dead_letters_go_where_they_are_sent"),
    ("large letters without a place", ENVIRONMENT + ".LAMBDA_MSK_ON_FAILURE_LARGE", None, "dead_letters_go_where_they_are_sent"),
    ("no permission to publish", POLICIES + ".2.PolicyDocument.Statement.1.Fn::If.1.Action", "sns:Subscribe", "role_allows_what_the_dead_letters_need"),
    ("the whole bucket to read", POLICIES + ".2.PolicyDocument.Statement.2.Fn::If.1.Resource", {"Fn::Sub": "${GivenUpBucket.Arn}/*"}, "role_allows_what_the_dead_letters_need"),
    ("all topics of the cluster to write", POLICIES + ".2.PolicyDocument.Statement.4.Fn::If.1.Resource.Fn::If.2.Fn::Sub.0", "${Account}:topic/${Cluster}/${Uuid}/*", "role_allows_what_the_dead_letters_need"),
    ("dead letters to the topic that is read", "Rules.KafkaNeedsAnotherTopic.Assertions.1", {"Assert": {"Fn::Equals": ["1", "1"]}}, "dead_letters_without_a_place_are_refused"),
    ("dead letters to no topic of SNS", "Rules.SnsNeedsItsTopic", None, "dead_letters_without_a_place_are_refused"),
    ("a memory that ends with the process", ENVIRONMENT + ".LAMBDA_MSK_IDEMPOTENCY", "memory", "function_remembers_in_the_table_under_the_stacks_name"),
    ("an ARN where a store is named by its scheme", ENVIRONMENT + ".LAMBDA_MSK_IDEMPOTENCY", {"Fn::GetAtt": ["IdempotencyTable", "Arn"]}, "function_remembers_in_the_table_under_the_stacks_name"),
    ("keys that change with the function's name", ENVIRONMENT + ".LAMBDA_MSK_NAMESPACE", None, "function_remembers_in_the_table_under_the_stacks_name"),
    ("keys that all stacks share", ENVIRONMENT + ".LAMBDA_MSK_NAMESPACE", "orders", "function_remembers_in_the_table_under_the_stacks_name"),
    ("a function that takes one topic only", ENVIRONMENT + ".ORDERS_TOPIC", "orders", "function_takes_the_topic_that_the_mapping_reads"),
    ("an empty URL", ENVIRONMENT + ".FULFILMENT_URL", {"Ref": "FulfilmentUrl"}, "function_gets_a_url_only_if_there_is_one"),
    ("spans of a function that exports none", ENVIRONMENT + ".OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318", "spans_go_where_they_are_sent"),
    ("always in a VPC", "Conditions.InVpc", {"Fn::Equals": ["1", "1"]}, "function_is_in_a_vpc_only_if_asked"),
    ("subnets without security groups", "Rules.SubnetsNeedSecurityGroups", None, "half_a_vpc_is_refused"),
    ("security groups without subnets", "Rules.SecurityGroupsNeedSubnets", None, "half_a_vpc_is_refused"),
    # Permissions.
    ("a role made by SAM", FUNCTION + ".Role", None, "translates"),
    ("a managed policy", "Resources.FunctionRole.Properties.ManagedPolicyArns", ["arn:aws:iam::aws:policy/service-role/AWSLambdaMSKExecutionRole"], "role_is_the_one_written_here"),
    ("a wildcard action", DEAD_LETTERS + ".Action", "sqs:*", "role_allows_what_is_needed_and_no_more"),
    ("one action too many", LOGS + ".Action", ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "role_allows_what_is_needed_and_no_more"),
    ("one action too few", POLICIES + ".1.PolicyDocument.Statement.5.Action", ["kafka-cluster:ReadData"], "role_allows_what_is_needed_and_no_more"),
    ("a wildcard resource", DEAD_LETTERS + ".Resource", "*", "role_allows_what_is_needed_and_no_more"),
    ("reading the whole table", IDEMPOTENCY + ".Action", ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Scan"], "role_allows_what_is_needed_and_no_more"),
    ("no permission to hold", IDEMPOTENCY + ".Action", ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"], "role_allows_what_is_needed_and_no_more"),
    ("all tables of the account", IDEMPOTENCY + ".Resource", "*", "role_allows_what_is_needed_and_no_more"),
    ("all topics of the cluster", POLICIES + ".1.PolicyDocument.Statement.5.Resource.Fn::If.2.Fn::Sub.0", "${Account}:topic/${Cluster}/*", "role_allows_what_is_needed_and_no_more"),
    ("all topics of another account's cluster", POLICIES + ".1.PolicyDocument.Statement.5.Resource.Fn::If.1.Fn::Sub.0", "arn:aws:kafka:*:${Owner}:topic/${Cluster}/*", "role_reaches_a_cluster_of_another_account"),
    ("no permission to find the connection", POLICIES + ".1.PolicyDocument.Statement.9.Fn::If.1.Action", "kafka:ListVpcConnections", "role_reaches_a_cluster_of_another_account"),
    ("the connection's own account for the cluster's", "Conditions.IsAnotherAccounts", {"Fn::Equals": ["1", "2"]}, "role_reaches_a_cluster_of_another_account"),
    ("clusters of this account alone", "Parameters.ClusterArn.AllowedPattern", "^arn:aws[a-z-]*:kafka:[a-z0-9-]+:\\d{12}:cluster/[^/]+/[^/]+$", "cluster_is_named_by_its_arn_or_a_connections"),
    ("a group that the role does not follow", POLICIES + ".1.PolicyDocument.Statement.6.Resource.Fn::If.2.Fn::Sub.1.Group", {"Ref": "AWS::StackName"}, "role_follows_a_given_group"),
    ("network actions open to the code", POLICIES + ".1.PolicyDocument.Statement.3.Effect", "Allow", "code_cannot_touch_the_network"),
    ("a second mapping", FUNCTION + ".Events.Messages", {"Type": "SQS", "Properties": {"Queue": "arn:aws:sqs:eu-central-1:123456789012:orders"}}, "queue_of_the_function_is_read_with_partial_answers"),
    # What is kept.
    ("a queue that is not encrypted", "Resources.DeadLetterQueue.Properties.SqsManagedSseEnabled", False, "what_failed_is_encrypted_and_outlives_the_stack"),
    ("a queue that forgets after four days", "Resources.DeadLetterQueue.Properties.MessageRetentionPeriod", None, "what_failed_is_encrypted_and_outlives_the_stack"),
    ("a bucket that may be public", "Resources.GivenUpBucket.Properties.PublicAccessBlockConfiguration.BlockPublicPolicy", False, "what_failed_is_encrypted_and_outlives_the_stack"),
    ("a bucket that goes with the stack", "Resources.GivenUpBucket.DeletionPolicy", "Delete", "what_failed_is_encrypted_and_outlives_the_stack"),
    ("a bucket open without TLS", "Resources.GivenUpBucketPolicy.Properties.PolicyDocument.Statement.0.Condition", {"Bool": {"aws:SecureTransport": "true"}}, "queue_and_bucket_are_closed_without_tls"),
    ("a table with another key", TABLE + ".Properties.KeySchema.0.AttributeName", "key", "table_is_as_the_store_needs_it"),
    ("a table whose key is a number", TABLE + ".Properties.AttributeDefinitions.0.AttributeType", "N", "table_is_as_the_store_needs_it"),
    ("a table that never forgets", TABLE + ".Properties.TimeToLiveSpecification", None, "table_is_as_the_store_needs_it"),
    ("a table that forgets by another attribute", TABLE + ".Properties.TimeToLiveSpecification.AttributeName", "in_progress_expiration", "table_is_as_the_store_needs_it"),
    ("a table that is left behind", TABLE + ".DeletionPolicy", "Retain", "table_goes_with_the_stack"),
    ("logs for ever", "Resources.FunctionLogGroup.Properties.RetentionInDays", None, "log_group_is_the_functions_and_ends"),
    ("logs somewhere else", FUNCTION + ".LoggingConfig.LogGroup", None, "log_group_is_the_functions_and_ends"),
    ("a parameter that says nothing", "Parameters.Topic.Description", None, "every_parameter_says_what_it_is"),
]


def put(template, path, value):
    """Puts the value at the path. The step before the last has to be there: a control that misses its place controls nothing."""
    *steps, last = path.split(".")
    node = template
    for step in steps:
        node = node[int(step)] if isinstance(node, list) else node[step]
    if isinstance(node, list):
        node[int(last)] = value
    elif isinstance(value, Change):
        node[last] = value.of(node[last])
    elif value is None:
        del node[last]
    else:
        node[last] = value
