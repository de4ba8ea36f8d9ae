//! Text with placeholders, filled for each record.

use std::str::FromStr;

/// What {random} is below.
const RANDOM_BELOW: u32 = 1_000_000;

/// Where a record stands in its event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    pub(crate) i: usize,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) timestamp: i64,
}

/// A text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    I,
    Partition,
    Offset,
    Timestamp,
    Random,
}

impl Template {
    /// An order of the sample business.
    pub(crate) fn order() -> Self {
        r#"{"order_id":{i},"customer_id":"c-{random}","amount_cents":{random}}"#
            .parse()
            .expect("a constant that a test parses")
    }

    pub(crate) fn render(&self, context: &Context, rng: &mut fastrand::Rng) -> String {
        let fill = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::I => context.i.to_string(),
            Part::Partition => context.partition.to_string(),
            Part::Offset => context.offset.to_string(),
            Part::Timestamp => context.timestamp.to_string(),
            Part::Random => rng.u32(..RANDOM_BELOW).to_string(),
        };
        self.parts.iter().map(fill).collect()
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let (before, after) = rest.split_at(open);
            plain += before;
            let word: &str = &after[1..];
            let word = &word[..word
                .find(|c: char| !c.is_ascii_lowercase())
                .unwrap_or(word.len())];
            // A brace of JSON is followed by anything but a bare word and its closing brace.
            if word.is_empty() || !after[1 + word.len()..].starts_with('}') {
                plain.push('{');
                rest = &after[1..];
                continue;
            }
            let part = match word {
                "i" => Part::I,
                "partition" => Part::Partition,
                "offset" => Part::Offset,
                "timestamp" => Part::Timestamp,
                "random" => Part::Random,
                _ => {
                    return Err(format!(
                        "no placeholder {{{word}}}: there are {{i}}, {{partition}}, {{offset}}, {{timestamp}}, {{random}}"
                    ));
                }
            };
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(part);
            rest = &after[word.len() + 2..];
        }
        plain += rest;
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self { parts })
    }
}

#[cfg(test)]
mod tests {
    use super::{Context, Template};

    fn render(text: &str) -> String {
        let context = Context {
            i: 7,
            partition: 1,
            offset: 3,
            timestamp: 9,
        };
        text.parse::<Template>()
            .unwrap()
            .render(&context, &mut fastrand::Rng::with_seed(1))
    }

    #[test]
    fn placeholders_are_filled_and_the_braces_of_json_stay() {
        assert_eq!(
            render(r#"{"a":{"b":{i},"c":{}},"d":"{partition}.{offset}@{timestamp}"}"#),
            r#"{"a":{"b":7,"c":{}},"d":"1.3@9"}"#
        );
        assert_eq!(render("{"), "{");
        assert_eq!(render("ü{i}ü"), "ü7ü");
        assert_eq!(render(""), "");
    }

    #[test]
    fn an_order_is_json() {
        let context = Context {
            i: 7,
            partition: 1,
            offset: 3,
            timestamp: 9,
        };

        let order = Template::order().render(&context, &mut fastrand::Rng::with_seed(1));

        let order: serde_json::Value = serde_json::from_str(&order).unwrap();
        assert_eq!(order["order_id"], 7);
    }

    #[test]
    fn a_slip_is_named_with_what_there_is() {
        let error = "{ofset}".parse::<Template>().unwrap_err();

        assert!(
            error.contains("{ofset}") && error.contains("{offset}"),
            "{error}"
        );
    }
}
