//! What a function writes to its standard output: log lines, metrics, and what somebody printed.

/// One of each kind.
pub const LINES: &str = concat!(
    r#"{"timestamp":"2026-11-27T04:30:36.826375Z","level":"INFO","message":"batch begins","request_id":"a0fa"}"#,
    "\n",
    "printed by hand\n",
    r#"{"printed":"as JSON"}"#,
    "\n",
    r#"{"timestamp":"2026-11-27T04:30:36.827Z","level":"WARN","message":"slow","request_id":"a0fa","topic":"orders","partition":0,"offset":41,"ms":900,"span":{"requestId":"a0fa","xrayTraceId":"Root=1-5759"}}"#,
    "\n",
    r#"{"_aws":{"Timestamp":1764212926000,"CloudWatchMetrics":[{"Namespace":"lambda-msk","Dimensions":[["Consumer","Topic"]],"Metrics":[{"Name":"Done","Unit":"Count"},{"Name":"Failed","Unit":"Count"},{"Name":"HandlerMs","Unit":"Milliseconds"},{"Name":"TimeLagMs","Unit":"Milliseconds"}]}]},"level":"INFO","Consumer":"shop","Topic":"orders","Done":3,"Failed":1,"HandlerMs":{"Values":[2,50],"Counts":[3,1]},"TimeLagMs":4200}"#,
);

/// The row of the warning, without its time.
pub const WARNING: &str = "WARN  slow orders-0@41 ms=900\n";
