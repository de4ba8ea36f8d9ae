"""Writes and resolves each case with fastavro, and puts the results of both libraries into vectors.json. Argument: what Vectors.java has written.

Without an argument: writes cases.json for Vectors.java."""

import datetime
import decimal
import io
import json
import pathlib
import struct
import sys
import uuid

from cases import CASES

FOLDER = pathlib.Path(__file__).parent


def identity(value, writer=None, reader=None):
    return value


TIMES = [
    "int-date",
    "int-time-millis",
    "long-time-micros",
    "long-timestamp-millis",
    "long-timestamp-micros",
    "long-local-timestamp-millis",
    "long-local-timestamp-micros",
]


def plain(value):
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value


def iso(value):
    if isinstance(value, datetime.datetime) and value.tzinfo:
        return trimmed(value.astimezone(datetime.timezone.utc).replace(tzinfo=None).isoformat()) + "Z"
    return trimmed(value.isoformat())


def trimmed(text):
    return text.rstrip("0") if "." in text else text


def of_fastavro(case, java):
    import fastavro
    import fastavro.read

    named = {}
    for reference in case.get("references", []):
        fastavro.parse_schema(reference["schema"], named)
    try:
        writer = fastavro.parse_schema(case["writer"], named)
    except Exception as error:
        return {"error": type(error).__name__}
    # fastavro reads what Java has written, with all logical types, and writes the result.
    value = fastavro.schemaless_reader(io.BytesIO(bytes.fromhex(java["bytes"])), writer, return_record_name=True)
    out = io.BytesIO()
    fastavro.schemaless_writer(out, writer, value)
    result = {"bytes": out.getvalue().hex()}
    if case.get("text"):
        result["text"] = iso(fastavro.schemaless_reader(io.BytesIO(out.getvalue()), writer))
    readers = fastavro.read.LOGICAL_READERS
    kept = dict(readers)
    for name in TIMES:
        readers[name] = identity
    try:
        reader = None if case["reader"] is None else fastavro.parse_schema(case["reader"])
        read = fastavro.schemaless_reader(io.BytesIO(out.getvalue()), writer, reader)
        if isinstance(case["writer"], dict) and case["writer"].get("logicalType") == "duration":
            read = dict(zip(("months", "days", "millis"), struct.unpack("<III", read)))
        result["value"] = plain(read)
    except Exception as error:
        result["error"] = type(error).__name__
    finally:
        readers.clear()
        readers.update(kept)
    return result


def same(one, other):
    return one.get("value") == other.get("value") and ("error" in one) == ("error" in other)


def main():
    if len(sys.argv) < 2:
        (FOLDER / "cases.json").write_text(json.dumps(CASES))
        return
    of_java = json.loads(pathlib.Path(sys.argv[1]).read_text())
    lines = []
    for case, java in zip(CASES, of_java, strict=True):
        python = of_fastavro(case, java)
        if not case.get("blocks") and python.get("bytes", java["bytes"]) != java["bytes"]:
            print(f"{case['name']}: bytes differ: {java}, {python}")
        if not same(java, python) and "why" not in case:
            print(f"{case['name']}: differ without a reason: java {java}, fastavro {python}")
        if same(java, python) and "why" in case and case["follow"] != "neither":
            print(f"{case['name']}: a reason, and no difference")
        lines.append(json.dumps({**case, "java": java, "fastavro": python}))
    (FOLDER / "vectors.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
    print(f"{len(lines)} vectors")


main()
