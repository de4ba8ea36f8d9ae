// Powertools for AWS Lambda (TypeScript) on the typed values of an event. Request and answer are those of decode.py, with the schema's text for Protobuf, too. Runs in the folder that holds
// node_modules, since imports are looked up from there: `tests/services/run` copies it. CommonJS: as an ES module Powertools' own import of protobufjs fails in node.

const { kafkaConsumer } = require("@aws-lambda-powertools/kafka");
const protobuf = require("protobufjs");
const { text } = require("node:stream/consumers");

async function main() {
    const request = JSON.parse(await text(process.stdin));
    const schema = request.format === "AVRO" ? request.schema : protobuf.parse(request.schema).root.lookupType("shop.Payment");
    const config = { value: { type: request.format.toLowerCase(), schema } };
    const handler = kafkaConsumer(async (event) => event.records.map((record) => record.value), config);

    let [best, values, error] = [null, [], null];
    for (let turn = 0; turn < request.turns; turn += 1) {
        const start = process.hrtime.bigint();
        try {
            values = await handler(JSON.parse(request.body), {});
        } catch (failed) {
            error = failed.name;
            break;
        }
        const took = Number(process.hrtime.bigint() - start);
        best = best === null ? took : Math.min(best, took);
    }
    // Protobuf's names come in camel case.
    const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
    const names = ["order_id", "customer_id", "amount_cents"];
    const shown = values.map((value) => names.map((name) => String(value[name] ?? value[camel(name)] ?? "")));
    process.stdout.write(JSON.stringify({ nanoseconds: best, values: shown, error }));
}

main();
