"""The cases: a writer's schema, a value in Avro's JSON, and the reader's schema. Both libraries write and resolve each."""


def record(name, *fields, **more):
    return {"type": "record", "name": name, "fields": list(fields), **more}


def field(name, of, **more):
    return {"name": name, "type": of, **more}


def enum(name, *symbols, **more):
    return {"type": "enum", "name": name, "symbols": list(symbols), **more}


def fixed(name, size, **more):
    return {"type": "fixed", "name": name, "size": size, **more}


def array(items):
    return {"type": "array", "items": items}


def mapping(values):
    return {"type": "map", "values": values}


def logical(of, name, **more):
    return {"type": of, "logicalType": name, **more}


CASES = []


def case(name, writer, value, reader=None, **more):
    CASES.append({"name": name, "writer": writer, "value": value, "reader": reader, **more})


# Every type, by itself.
case("null", "null", None)
case("true", "boolean", True)
case("false", "boolean", False)
for number in (0, -1, 63, 64, -64, -65, 8191, 8192, 2**31 - 1, -(2**31)):
    case(f"int {number}", "int", number)
for number in (0, 2**34, -(2**34) - 1, 2**63 - 1, -(2**63)):
    case(f"long {number}", "long", number)
case("float", "float", 1.5)
case("double", "double", -2.25e-3)
case("string", "string", "grüße, 世界")
case("empty string", "string", "")
case("bytes", "bytes", "\x00\x7f\x80\xff")
case("fixed", fixed("F", 4), "\x01\x02\xfe\xff")
case("enum", enum("Suit", "HEARTS", "SPADES", "CLUBS"), "CLUBS")
case("array", array("long"), [1, 2, 3])
case("empty array", array("long"), [])
case("map", mapping("int"), {"a": 1})
case("empty map", mapping("int"), {})
case("array of arrays", array(array("string")), [["a"], [], ["b", "c"]])
case("union of null", ["null", "string"], None)
case("union of a string", ["null", "string"], {"string": "x"})
case("union of many", ["null", "int", "string", array("int")], {"array": [7]})
TREE = record("Tree", field("value", "int"), field("children", array("Tree")))
case("recursive array", TREE, {"value": 1, "children": [{"value": 2, "children": []}, {"value": 3, "children": []}]})
LIST = record("Node", field("value", "long"), field("next", ["null", "Node"]), namespace="a.b")
case("recursive union", LIST, {"value": 1, "next": {"a.b.Node": {"value": 2, "next": None}}})
case("empty record", record("Empty"), {})
case(
    "namespaces are inherited",
    record(
        "Outer",
        field("first", record("Inner", field("id", fixed("Id", 2)))),
        field("second", "Inner"),
        field("third", record("other.Thing", field("id", "shop.Id"), field("of", enum("Kind", "A", "B")))),
        field("fourth", "other.Kind"),
        namespace="shop",
    ),
    {
        "first": {"id": "ab"},
        "second": {"id": "cd"},
        "third": {"id": "ef", "of": "B"},
        "fourth": "A",
    },
)
case(
    "a reference",
    record("Sale", field("who", "shop.Customer"), field("at", ["null", "shop.Place"]), namespace="shop"),
    {"who": {"name": "n", "place": "HERE"}, "at": {"shop.Place": "THERE"}},
    references=[
        {"name": "shop.Place", "schema": enum("Place", "HERE", "THERE", namespace="shop")},
        {"name": "shop.Customer", "schema": record("Customer", field("name", "string"), field("place", "Place"), namespace="shop")},
    ],
)

# Blocks that say their size.
case("blocks with sizes", array(mapping("string")), [{"a": "x"}, {"b": "y"}, {}], blocks=True)
case(
    "blocks with sizes are passed over",
    record("R", field("dropped", array(mapping("string"))), field("kept", "int")),
    {"dropped": [{"a": "x"}, {"b": "y"}], "kept": 5},
    record("R", field("kept", "int")),
    blocks=True,
)

# Promotions.
NUMBERS = {"int": -7, "long": 2**40, "float": 0.1}
for writer, readers in {"int": ["long", "float", "double"], "long": ["float", "double"], "float": ["double"]}.items():
    for reader in readers:
        case(f"{writer} to {reader}", writer, NUMBERS[writer], reader)
case("long beyond a double", "long", 2**53 + 1, "double")
case("string to bytes", "string", "ü", "bytes")
case("bytes to string", "bytes", "\xc3\xbc", "string")
for writer, reader, value in [
    ("long", "int", 1),
    ("double", "float", 1.0),
    ("double", "long", 1.0),
    ("string", "int", "1"),
    ("boolean", "int", True),
    ("null", "string", None),
]:
    case(f"{writer} to {reader} is none", writer, value, reader)
case("promotion in an array", array("int"), [1, 2], array("double"))
case("promotion in a map", mapping("int"), {"a": 1}, mapping("long"))
case("array to map is none", array("int"), [], mapping("int"))

# Records.
AB = record("R", field("a", "int"), field("b", "string"))
AB_VALUE = {"a": 1, "b": "x"}
case("fields in another order", AB, AB_VALUE, record("R", field("b", "string"), field("a", "int")))
case("a dropped field", AB, AB_VALUE, record("R", field("b", "string")))
case("no default", AB, AB_VALUE, record("R", field("a", "int"), field("c", "int")))
case("another name", AB, AB_VALUE, record("S", field("a", "int")), follow="fastavro", why="names have to match, as the specification says")
case("a type's alias", AB, AB_VALUE, record("S", field("a", "int"), aliases=["R"]))
case(
    "another namespace",
    record("R", field("a", "int"), namespace="old"),
    {"a": 1},
    record("R", field("a", "int"), namespace="new"),
)
case(
    "an alias in another namespace",
    record("R", field("a", "int"), namespace="old"),
    {"a": 1},
    record("S", field("a", "int"), namespace="new", aliases=["old.R"]),
)
case("a field's alias", AB, AB_VALUE, record("R", field("z", "long", aliases=["y", "a"]), field("b", "string")))
case(
    "a field's alias and a default",
    AB,
    AB_VALUE,
    record("R", field("z", "int", aliases=["a"], default=9), field("b", "string")),
)
case(
    "an alias in a record inside",
    record("O", field("in", record("I", field("old", "int")))),
    {"in": {"old": 4}},
    record("O", field("in", record("J", field("new", "int", aliases=["old"]), aliases=["I"]))),
)
DEFAULTS = [
    ("null", None),
    ("boolean", True),
    ("int", -3),
    ("long", 2**40),
    ("float", 1.5),
    ("double", 1),
    ("string", "d"),
    ("bytes", "\x00\xff"),
    (fixed("F", 2), "\x01\xfe"),
    (enum("E", "A", "B"), "B"),
    (array("int"), [1, 2]),
    (mapping("string"), {"k": "v"}),
    (["null", "int"], None),
    (["int", "null"], 7),
    (record("I", field("x", "int"), field("y", "string")), {"x": 1, "y": "z"}),
]
for of, default in DEFAULTS:
    word = of if isinstance(of, str) else "union" if isinstance(of, list) else of["type"]
    case(f"a default of {word} {default}", AB, AB_VALUE, record("R", field("a", "int"), field("c", of, default=default)))
case(
    "a default of a record without a field that has one",
    AB,
    AB_VALUE,
    record("R", field("c", record("I", field("x", "int", default=5)), default={})),
    follow="java",
    why="the field inside has a default of its own; fastavro leaves the field out",
)
case(
    "a default of a union's second branch",
    AB,
    AB_VALUE,
    record("R", field("c", ["null", "int"], default=5)),
)

# Unions.
case("a plain value to a union", "string", "x", ["null", "string"])
case("a plain value to a promoting union", "int", 5, ["null", "double", "string"])
case("the exact branch goes before a promotion", "int", 5, ["long", "int"], follow="both")
case("a plain value to a union without its type", "string", "x", ["null", "int"])
case("a union to a plain value", ["null", "string"], {"string": "x"}, "string")
case("a union's null to a plain value", ["null", "string"], None, "string")
case("a union's branch is promoted", ["null", "int"], {"int": 5}, "long")
case("a union in another order", ["null", "string", "int"], {"string": "x"}, ["int", "string", "null"])
case("a union's branch that the reader lacks", ["null", "string", "int"], {"int": 4}, ["null", "string"])
case("a union's other branch", ["null", "string", "int"], {"string": "s"}, ["null", "string"])
case("a field that became optional", AB, AB_VALUE, record("R", field("a", ["null", "int"], default=None), field("b", "string")))
case(
    "a field that was optional",
    record("R", field("a", ["null", "int"])),
    {"a": {"int": 4}},
    record("R", field("a", "int")),
)
CARD = record("Card", field("number", "string"), namespace="pay")
CASH = record("Cash", field("cents", "long"), namespace="pay")
case("records in a union", [CARD, CASH], {"pay.Cash": {"cents": 5}}, [CASH, CARD])
case(
    "records in a union with an alias",
    [CARD, CASH],
    {"pay.Cash": {"cents": 5}},
    [CARD, record("Coins", field("cents", "long"), namespace="pay", aliases=["Cash"])],
)
case(
    "records in a union by the simple name",
    ["null", CARD],
    {"pay.Card": {"number": "n"}},
    ["null", record("Card", field("number", "string"), namespace="other")],
)
case("a record to a union with it", CARD, {"number": "n"}, ["null", CARD])
case("an array to a union", array("int"), [1], ["null", array("long")])

# Enums and fixed.
LETTERS = enum("E", "A", "B", "C")
case("symbols in another order", LETTERS, "C", enum("E", "C", "B", "A"))
case("a symbol that the reader lacks", LETTERS, "C", enum("E", "A", "B"))
case("an enum's default", LETTERS, "C", enum("E", "A", "B", default="A"))
case("a symbol beside an enum's default", LETTERS, "B", enum("E", "A", "B", default="A"))
case("an enum's alias", LETTERS, "B", enum("F", "A", "B", aliases=["E"]))
case(
    "an enum's other name",
    LETTERS,
    "B",
    enum("F", "A", "B"),
)
case("a fixed's other size", fixed("F", 2), "ab", fixed("F", 3))
case("a fixed's other name", fixed("F", 2), "ab", fixed("G", 2))
case("a fixed's alias", fixed("F", 2), "ab", fixed("G", 2, aliases=["F"]))

# Logical types.
for name, of, numbers in [
    ("date", "int", [0, 20784, -1, -719162]),
    ("time-millis", "int", [0, 45000123]),
    ("time-micros", "long", [45000123456]),
    ("timestamp-millis", "long", [0, 1795782600123, -1]),
    ("timestamp-micros", "long", [1795782600123456, -1]),
    ("local-timestamp-millis", "long", [1795782600123]),
    ("local-timestamp-micros", "long", [1795782600123456]),
]:
    for number in numbers:
        case(f"{name} {number}", logical(of, name), number, text=True)
case("timestamp-nanos", logical("long", "timestamp-nanos"), 1795782600123456789)
case("local-timestamp-nanos", logical("long", "local-timestamp-nanos"), 1795782600123456789)
for digits, octets in [("12.34", "\x04\xd2"), ("-12.34", "\xfb\x2e"), ("0.01", "\x01"), ("-0.01", "\xff"), ("0.00", "\x00"), ("1.28", "\x00\x80")]:
    case(f"decimal {digits}", logical("bytes", "decimal", precision=9, scale=2), octets)
case("decimal of more than 16 bytes", logical("bytes", "decimal", precision=60, scale=20), "\x01" + "\x02" * 20)
case("negative decimal of more than 16 bytes", logical("bytes", "decimal", precision=60, scale=0), "\xfe" + "\x02" * 20)
case("decimal without a scale", logical("bytes", "decimal", precision=4), "\x04\xd2")
case("decimal in fixed", fixed("Money", 5, logicalType="decimal", precision=9, scale=2), "\xff\xff\xff\xfb\x2e")
case("uuid", logical("string", "uuid"), "00112233-4455-6677-8899-aabbccddeeff")
case(
    "uuid in fixed",
    fixed("Id", 16, logicalType="uuid"),
    "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff",
    follow="java",
    why="fastavro does not know a uuid in fixed, which the specification has since 1.12",
)
case("duration", fixed("D", 12, logicalType="duration"), "\x01\0\0\0\x02\0\0\0\x03\x01\0\0")
case("an unknown logical type", logical("string", "postcode"), "x")
case("a decimal with a scale above its precision", logical("bytes", "decimal", precision=2, scale=3), "\x01", follow="java", why="the specification says to ignore a logical type that is not valid")
case("a date of a string", logical("string", "date"), "x")
case("an int to a timestamp", "int", 5, logical("long", "timestamp-millis"))
case("a timestamp to a long", logical("long", "timestamp-millis"), 5, "long")
case("a timestamp to a local one", logical("long", "timestamp-millis"), 5, logical("long", "local-timestamp-millis"))
case(
    "timestamps of two units",
    logical("long", "timestamp-millis"),
    5,
    logical("long", "timestamp-micros"),
    follow="neither",
    expected={"error": True},
    why="Java reads the number in the reader's unit, which is another time, without an error",
)
case(
    "decimals of two scales",
    logical("bytes", "decimal", precision=9, scale=2),
    "\x04\xd2",
    logical("bytes", "decimal", precision=9, scale=3),
    follow="neither",
    expected={"error": True},
    why="the specification wants the same scale; Java reads another number, without an error",
)
case(
    "a decimal to one with more digits",
    logical("bytes", "decimal", precision=9, scale=2),
    "\x04\xd2",
    logical("bytes", "decimal", precision=12, scale=2),
)
case(
    "a decimal to one with fewer digits",
    logical("bytes", "decimal", precision=9, scale=2),
    "\x04\xd2",
    logical("bytes", "decimal", precision=4, scale=2),
)
case(
    "a decimal with more digits than the reader's has",
    logical("bytes", "decimal", precision=9, scale=2),
    "\x04\xd2",
    logical("bytes", "decimal", precision=3, scale=2),
)
case(
    "a decimal to bytes",
    logical("bytes", "decimal", precision=9, scale=2),
    "\x04\xd2",
    "bytes",
    follow="java",
    why="the reader asks for bytes; fastavro gives the writer's decimal",
)
case("an optional decimal", ["null", logical("bytes", "decimal", precision=9, scale=2)], {"bytes": "\x04\xd2"})
case(
    "a default of a decimal",
    AB,
    AB_VALUE,
    record("R", field("c", logical("bytes", "decimal", precision=9, scale=2), default="\x04\xd2")),
    follow="java",
    why="a default is of the reader's type; fastavro gives its bytes",
)
case("a default of a timestamp", AB, AB_VALUE, record("R", field("c", logical("long", "timestamp-millis"), default=5)))
