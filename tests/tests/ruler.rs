//! The mapping's filters beside AWS's own matcher, Event Ruler: the same verdict on every pattern and record.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use msk_mapping::filter::Filter;
use proptest::collection::{btree_map, vec};
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Just, Strategy, Union};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use serde_json::json;

const CASES: u32 = 8_000;

/// At least this many of the cases have to end in each verdict, or the comparison says little.
const CASES_OF_EACH_MIN: u32 = CASES / 20;

/// How often the matcher is asked again before a verdict of its own counts as one: all equal by chance once in 2^30.
const TOSSES: u32 = 30;

/// What the matcher says of a rule and an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Fits,
    DoesNotFit,
    /// The rule has a fault.
    Refused,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fits => "it fits",
            Self::DoesNotFit => "it does not fit",
            Self::Refused => "the rule is refused",
        })
    }
}

/// AWS's matcher in a Java process, which ends with its input.
struct Ruler {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Ruler {
    fn start() -> Self {
        let classpath = std::env::var("LAMBDA_MSK_RULER_CLASSPATH")
            .expect("LAMBDA_MSK_RULER_CLASSPATH is not set: run this by `make services`");
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("services/ruler/Verdicts.java");
        let mut process = Command::new("java")
            .args(["-Xmx128m", "-XX:+UseSerialGC", "-cp", &classpath])
            .arg(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            questions: process.stdin.take().unwrap(),
            answers: BufReader::new(process.stdout.take().unwrap()),
            process,
        }
    }

    fn verdict(&mut self, rule: &str, event: &str) -> Verdict {
        let question = json!({"rule": rule, "event": event});
        writeln!(self.questions, "{question}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        match answer.trim_end() {
            "true" => Verdict::Fits,
            "false" => Verdict::DoesNotFit,
            "refused" => Verdict::Refused,
            other => panic!("the matcher failed: {other:?}\nrule  {rule}\nevent {event}"),
        }
    }
}

impl Drop for Ruler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn ours(rule: &str, value: &[u8]) -> Verdict {
    match Filter::parse([rule]) {
        Ok(filter) if filter.matches(Some(value)) => Verdict::Fits,
        Ok(_) => Verdict::DoesNotFit,
        Err(_) => Verdict::Refused,
    }
}

/// A pattern, and a record's value with the JSON that stands for it in the matcher's event.
#[derive(Debug, Clone)]
struct Case {
    rule: String,
    value: String,
    value_json: String,
}

impl Case {
    /// Without what is left aside on purpose:
    ///
    /// - `wildcard` and `equals-ignore-case` in one list: the matcher takes the states of one for those of the other, and says
    ///   that `a*c` fits `[{"wildcard": "*a"}, {"equals-ignore-case": "a"}]`.
    /// - a character above U+FFFF without regard to case: the matcher never finds it, ours refuses it.
    /// - `{"anything-but": {"prefix": []}}`, which asks for nothing: the matcher takes it or fails, by what stands before it.
    fn is_comparable(&self) -> bool {
        let has = |part: &str| self.rule.contains(part);
        let mixed_up = has("equals-ignore-case") && (has("wildcard") || has("😀"));
        let asks_for_nothing = has("anything-but") && has(": []}}");
        !mixed_up && !asks_for_nothing
    }
}

/// How many cases ended in each verdict.
#[derive(Debug, Default)]
struct Counts(BTreeMap<Verdict, u32>);

impl Counts {
    fn assert_enough(&self, verdicts: [Verdict; 2]) {
        for verdict in verdicts {
            let count = self.0.get(&verdict).copied().unwrap_or(0);
            assert!(
                count >= CASES_OF_EACH_MIN,
                "{verdict:?} is too rare: {:?}",
                self.0
            );
        }
    }
}

/// Asks both about each case, the same cases every time.
fn compare(cases: impl Strategy<Value = Case>) -> Counts {
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::XorShift);
    let ruler = RefCell::new(Ruler::start());
    let counts = RefCell::new(Counts::default());
    let cases = cases.prop_filter("left aside", Case::is_comparable);
    let compared = TestRunner::new_with_rng(config, rng).run(&cases, |case| {
        let event = format!("{{\"value\": {}}}", case.value_json);
        let ours = ours(&case.rule, case.value.as_bytes());
        let ask = || ruler.borrow_mut().verdict(&case.rule, &event);
        let theirs = ask();
        *counts.borrow_mut().0.entry(theirs).or_default() += 1;
        // It tosses a coin for "a" in `["a", {"numeric": ["<", 5]}, "b"]`, and for what else stands before a range and
        // behind it. What it says both ways is no verdict.
        if ours == theirs || (0..TOSSES).any(|_| ask() == ours) {
            return Ok(());
        }
        Err(TestCaseError::fail(format!(
            "AWS says {theirs}, we say {ours}\nrule  {}\nevent {event}",
            case.rule
        )))
    });
    compared.unwrap_or_else(|error| panic!("{error}"));
    counts.into_inner()
}

const NAMES: &[&str] = &["a", "b", "c", "a.b", "", "b."];

/// Of these the first ones stand in records often enough to meet those in patterns.
const STRINGS: &[&str] = &[
    "a",
    "ab",
    "A",
    "",
    "abc",
    "AB",
    "cab",
    "bca",
    "a*c",
    "\\",
    "\"",
    "a\"",
    "\"a",
    "null",
    "true",
    "1",
    "300",
    "é",
    "É",
    "ß",
    "SS",
    "ss",
    "ǅ",
    "ǆ",
    "İ",
    "i\u{307}",
    "σ",
    "ς",
    "Σ",
    "ab\n",
    "10.0.0.1",
    "10.0.0.01",
    "010.0.0.1",
    "10.0.0.9",
    "10.0.0.255",
    "10.0.1.0",
    "::1",
    "0:0:0:0:0:0:0:1",
    "0::0001",
    "1.2.3",
    "😀",
];

/// As they are written, in ascending order: those that can be compared.
const NUMBERS: &[&str] = &[
    "-1e300",
    "-5",
    "-0",
    "0",
    "0.0",
    "1e-300",
    "0.1",
    "1e-1",
    "1",
    "1.0",
    "1e0",
    "10",
    "300",
    "300.0",
    "3.0e2",
    "2147483648",
    "1e300",
];

/// And those that cannot.
const NUMBERS_BEYOND: &[&str] = &[
    "1e400",
    "-1e400",
    "1e-400",
    "12345678901234567890",
    "12345678901234567890.0",
    "9007199254740993",
    "1e99999999999",
];

type Texts = BoxedStrategy<String>;

fn quoted(text: &str) -> String {
    json!(text).to_string()
}

fn one_of(texts: &'static [&'static str]) -> Texts {
    let often = select(&texts[..texts.len().min(5)]);
    let any = select(texts);
    Union::new([often.boxed(), any.boxed()])
        .prop_map(str::to_owned)
        .boxed()
}

fn fixed(text: &'static str) -> Texts {
    Just(text.to_owned()).boxed()
}

fn string() -> Texts {
    one_of(STRINGS).prop_map(|text| quoted(&text)).boxed()
}

/// Without the one that the matcher takes apart where case is of no regard.
fn caseless_string() -> Texts {
    let (_, strings) = STRINGS.split_last().unwrap();
    one_of(strings).prop_map(|text| quoted(&text)).boxed()
}

fn scalar() -> Texts {
    let numbers = Union::new_weighted(vec![(3, one_of(NUMBERS)), (1, one_of(NUMBERS_BEYOND))]);
    let scalar = vec![
        (4, string()),
        (3, numbers.boxed()),
        (1, one_of(&["null", "true", "false"])),
    ];
    Union::new_weighted(scalar).boxed()
}

fn list(entries: Texts, length: std::ops::Range<usize>) -> Texts {
    vec(entries, length)
        .prop_map(|entries| format!("[{}]", entries.join(", ")))
        .boxed()
}

fn one_or_more(operands: Texts) -> Texts {
    Union::new([operands.clone(), list(operands, 1..3)]).boxed()
}

fn object_of(fields: impl IntoIterator<Item = (String, String)>) -> String {
    let fields = fields.into_iter();
    let fields: Vec<_> = fields
        .map(|(name, field)| format!("{}: {field}", quoted(&name)))
        .collect();
    format!("{{{}}}", fields.join(", "))
}

/// `{name: operand}`
fn operator(name: &'static str, operand: Texts) -> Texts {
    operand
        .prop_map(move |operand| object_of([(name.to_owned(), operand)]))
        .boxed()
}

fn numeric() -> Texts {
    let sign = one_of(&["=", "<", "<=", ">", ">="]);
    let one = (sign, one_of(NUMBERS)).prop_map(|(sign, number)| format!("[\"{sign}\", {number}]"));
    // Neighbours may be equal, which makes a range that is refused.
    let places = (0..NUMBERS.len() - 1, 1..NUMBERS.len());
    let two = (one_of(&[">", ">="]), one_of(&["<", "<="]), places);
    let two = two.prop_map(|(above, below, (low, more))| {
        let (low, high) = (NUMBERS[low], NUMBERS[(low + more).min(NUMBERS.len() - 1)]);
        format!("[\"{above}\", {low}, \"{below}\", {high}]")
    });
    Union::new([one.boxed(), two.boxed()]).boxed()
}

fn wildcard() -> Texts {
    let literal = one_of(&["", "a", "b", "ab", "c", "\\\\*", "\\\\\\\\", "ß", "10"]);
    vec(literal, 1..4)
        .prop_map(|literals| format!("\"{}\"", literals.join("*")))
        .boxed()
}

/// An entry of a field's list. A few have a fault: two asterisks in a row, a range that ends before it begins.
fn entry() -> Texts {
    let blocks = one_of(&["10.0.0.0/24", "10.0.0.0/31", "10.0.0.77/8", "::/64"]);
    let caseless = || operator("equals-ignore-case", caseless_string());
    let anything_but = |inner| operator("anything-but", inner);
    Union::new_weighted(vec![
        (12, scalar()),
        (1, operator("exactly", string())),
        (3, operator("prefix", string())),
        (3, operator("suffix", string())),
        (1, operator("prefix", caseless())),
        (1, operator("suffix", caseless())),
        (2, caseless()),
        (2, operator("wildcard", wildcard())),
        (4, operator("numeric", numeric())),
        (2, operator("exists", fixed("true"))),
        (4, operator("exists", fixed("false"))),
        (
            1,
            operator("cidr", blocks.prop_map(|block| quoted(&block)).boxed()),
        ),
        (2, anything_but(one_or_more(string()))),
        (2, anything_but(one_or_more(one_of(NUMBERS)))),
        (1, anything_but(operator("prefix", one_or_more(string())))),
        (1, anything_but(operator("suffix", one_or_more(string())))),
        (
            1,
            anything_but(operator(
                "equals-ignore-case",
                one_or_more(caseless_string()),
            )),
        ),
        (
            1,
            anything_but(operator("wildcard", one_or_more(wildcard()))),
        ),
    ])
    .boxed()
}

/// The object behind `value`, of so many levels.
fn rule(entries: &Texts, levels: usize) -> Texts {
    let list = list(entries.clone(), 1..4);
    let field = match levels {
        1 => list,
        _ => Union::new_weighted(vec![(3, list), (1, rule(entries, levels - 1))]).boxed(),
    };
    let name = one_of(NAMES);
    // A name twice is another thing: Lambda takes the last, and the matcher both.
    let fields = btree_map(name, field, 1..3).boxed();
    let plain = fields.clone().prop_map(object_of);
    // Anywhere among the fields: what stands behind it replaces what stands inside it.
    let branches = self::list(plain.clone().boxed(), 2..4);
    let with_or = (fields, branches, 0..4_usize).prop_map(|(fields, branches, at)| {
        let mut fields: Vec<_> = fields.into_iter().collect();
        fields.insert(at.min(fields.len()), ("$or".to_owned(), branches));
        object_of(fields)
    });
    Union::new_weighted(vec![(3, plain.boxed()), (1, with_or.boxed())]).boxed()
}

/// A record's value, of so many levels of objects and arrays.
fn event(levels: usize) -> Texts {
    if levels == 0 {
        return scalar();
    }
    let inner = event(levels - 1);
    // Names may stand twice.
    let object = vec((one_of(NAMES), inner.clone()), 0..6).prop_map(object_of);
    let array = list(inner, 0..4);
    Union::new_weighted(vec![(2, scalar()), (4, object.boxed()), (2, array)]).boxed()
}

/// What stands in place of an operator or an operand, mostly wrong there.
fn misplaced() -> Texts {
    let wrong = [
        "[]",
        "{}",
        "[[]]",
        "{\"a\": 1}",
        "\"\"",
        "1e400",
        "true",
        "null",
        "[1, \"a\"]",
        "[\"a\", null]",
        "[\">\"]",
        "[\">\", 1, \"<\", 1]",
        "[\"<\", 1, \">\", 0]",
        "[\"=\", 1, \"<\", 2]",
        "[\"!=\", 1]",
        "[\">\", \"1\"]",
        "[\">=\", 0, \"<=\", 5]",
        "\"a**\"",
        "\"\\\\a\"",
        "\"10.0.0.0/33\"",
        "\"::/0\"",
        "{\"prefix\": \"\"}",
        "{\"prefix\": \"a\", \"suffix\": \"b\"}",
        "{\"exists\": true}",
        "{\"wildcard\": [\"*a\", \"b**\"]}",
    ];
    select(wrong.to_vec()).prop_map(str::to_owned).boxed()
}

fn entry_with_fault() -> Texts {
    let operators = [
        "exactly",
        "prefix",
        "suffix",
        "equals-ignore-case",
        "wildcard",
        "numeric",
        "exists",
        "cidr",
        "anything-but",
        "not-there",
        "$or",
        "",
    ];
    let operand = Union::new([misplaced(), scalar()]);
    let operator = (select(operators.to_vec()), operand)
        .prop_map(|(name, operand)| object_of([(name.to_owned(), operand)]))
        .boxed();
    let nested = (select(operators.to_vec()), operator.clone())
        .prop_map(|(name, operand)| object_of([(name.to_owned(), operand)]))
        .boxed();
    Union::new_weighted(vec![
        (2, operator),
        (1, nested),
        (1, misplaced()),
        (2, scalar()),
    ])
    .boxed()
}

/// The object behind `value` with a fault in its fields, or none.
fn rule_with_fault() -> Texts {
    let name = one_of(&["a", "$or", "b", "prefix", "numeric", "=", "regex"]);
    let lists = Union::new([
        list(entry_with_fault(), 0..3),
        list(rule(&entry(), 1), 0..3),
    ]);
    let inner = (name.clone(), lists.clone()).prop_map(|field| object_of([field]));
    let inner = Union::new([lists.boxed(), inner.boxed(), misplaced()]);
    btree_map(name, inner, 0..3).prop_map(object_of).boxed()
}

fn json_case(rule: Texts) -> impl Strategy<Value = Case> {
    (rule, event(4)).prop_map(|(rule, value)| Case {
        rule: format!("{{\"value\": {rule}}}"),
        value_json: value.clone(),
        value,
    })
}

#[test]
#[ignore = "needs a JDK and Maven: make services"]
fn the_real_matcher_says_the_same_of_json() {
    let counts = compare(json_case(rule(&entry(), 3)));

    counts.assert_enough([Verdict::Fits, Verdict::DoesNotFit]);
}

#[test]
#[ignore = "needs a JDK and Maven: make services"]
fn the_real_matcher_says_the_same_of_plain_strings() {
    // What is JSON has another form than the pattern, and is not for the matcher.
    let is_json = |text: &&str| serde_json::from_str::<serde_json::Value>(text).is_ok();
    let texts: Vec<&str> = STRINGS
        .iter()
        .copied()
        .filter(|text| !is_json(text))
        .collect();
    let case = (list(entry(), 1..4), select(texts)).prop_map(|(rule, text)| Case {
        rule: format!("{{\"value\": {rule}}}"),
        value: text.to_owned(),
        value_json: quoted(text),
    });

    let counts = compare(case);

    counts.assert_enough([Verdict::Fits, Verdict::DoesNotFit]);
}

#[test]
#[ignore = "needs a JDK and Maven: make services"]
fn the_real_matcher_refuses_the_same_patterns() {
    let counts = compare(json_case(rule_with_fault()));

    counts.assert_enough([Verdict::Refused, Verdict::DoesNotFit]);
}

/// What chance seldom makes.
const RARE: &[(&str, &str)] = &[
    (r#"{"a": [{"prefix": "a\""}]}"#, r#"{"a": "a"}"#),
    (r#"{"a": [{"suffix": "\"a"}]}"#, r#"{"a": "a"}"#),
    (r#"{"a": [{"prefix": "\""}]}"#, r#"{"a": ""}"#),
    (
        r#"{"a": [{"equals-ignore-case": "Straße"}]}"#,
        r#"{"a": "STRASSE"}"#,
    ),
    (
        r#"{"a": [{"equals-ignore-case": "STRASSE"}]}"#,
        r#"{"a": "straße"}"#,
    ),
    (r#"{"a": [{"equals-ignore-case": "ς"}]}"#, r#"{"a": "Σ"}"#),
    (r#"{"a": [{"equals-ignore-case": "ς"}]}"#, r#"{"a": "σ"}"#),
    (r#"{"a": [{"equals-ignore-case": "ǅ"}]}"#, r#"{"a": "ǅ"}"#),
    (r#"{"a": [{"equals-ignore-case": "ǅ"}]}"#, r#"{"a": "ǆ"}"#),
    (
        r#"{"a": [{"equals-ignore-case": "İ"}]}"#,
        "{\"a\": \"i\u{307}\"}",
    ),
    (
        r#"{"a": [{"suffix": {"equals-ignore-case": "ß"}}]}"#,
        r#"{"a": "MASSSS"}"#,
    ),
    (r#"{"a": ["x"], "a.b": [1]}"#, r#"{"a": ["x", {"b": 1}]}"#),
    (r#"{"a": ["x"], "a.b": [1]}"#, r#"{"a": [["x"], {"b": 1}]}"#),
    (r#"{"a": ["x"], "a.b": [1]}"#, r#"{"a": [["x", {"b": 1}]]}"#),
    (r#"{"a": [{"wildcard": "ab*ba"}]}"#, r#"{"a": "aba"}"#),
    (r#"{"a": [{"wildcard": "*a*b*"}]}"#, r#"{"a": "ba-ab"}"#),
    (r#"{"a": [{"wildcard": "a\\*\\\\*"}]}"#, r#"{"a": "a*\\b"}"#),
    (r#"{"a": ["10.0.0.1"]}"#, r#"{"a": "010.000.0.1"}"#),
    (r#"{"a": ["::ffff:a00:1"]}"#, r#"{"a": "10.0.0.1"}"#),
    (
        r#"{"a": [{"cidr": "2001:db8::/33"}]}"#,
        r#"{"a": "2001:db8:7fff::1"}"#,
    ),
    (
        r#"{"a": [{"cidr": "2001:db8::/33"}]}"#,
        r#"{"a": "2001:db8:8000::1"}"#,
    ),
    (r#"{"a": [9007199254740993]}"#, r#"{"a": 9007199254740992}"#),
    (r#"{"a": [{"numeric": ["=", 0]}]}"#, r#"{"a": -0.0e5}"#),
    (
        r#"{"a": [{"numeric": ["<", 0]}]}"#,
        r#"{"a": -1.7976931348623157e308}"#,
    ),
    (r#"{"a": [{"numeric": ["<", 0]}]}"#, r#"{"a": -1.8e308}"#),
    (
        r#"{"b": [2], "a": [{"exists": false}]}"#,
        r#"[{"a": 1, "b": 1}, {"b": 2}]"#,
    ),
    (
        r#"{"a": [2], "b": [{"exists": false}]}"#,
        r#"[{"a": 1, "b": 1}, {"a": 2}]"#,
    ),
];

#[test]
#[ignore = "needs a JDK and Maven: make services"]
fn the_real_matcher_says_the_same_of_what_is_rare() {
    let mut ruler = Ruler::start();
    let mut faults = Vec::new();
    for (rule, value) in RARE {
        let rule = format!("{{\"value\": {rule}}}");

        let theirs = ruler.verdict(&rule, &format!("{{\"value\": {value}}}"));
        let ours = ours(&rule, value.as_bytes());

        if ours != theirs {
            faults.push(format!("AWS says {theirs}, we say {ours}: {rule} {value}"));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
