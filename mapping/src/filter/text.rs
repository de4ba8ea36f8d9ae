//! The two ways to compare text that need more than `str` has: without regard to case, and with wildcards.

/// A text in which each character stands for its small and its capital form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caseless(Vec<[String; 2]>);

impl Caseless {
    /// None: a character lies above U+FFFF. Lambda's matcher takes it apart there and never finds it.
    pub(super) fn new(text: &str) -> Option<Self> {
        let forms = |letter: char| {
            (u32::from(letter) <= 0xFFFF).then(|| {
                [
                    letter.to_lowercase().collect(),
                    letter.to_uppercase().collect(),
                ]
            })
        };
        text.chars().map(forms).collect::<Option<_>>().map(Self)
    }

    pub(super) fn equals(&self, text: &str) -> bool {
        self.strip_start(text) == Some("")
    }

    pub(super) fn starts(&self, text: &str) -> bool {
        self.strip_start(text).is_some()
    }

    pub(super) fn ends(&self, text: &str) -> bool {
        let mut forms = self.0.iter().rev();
        forms
            .try_fold(text, |rest, [small, capital]| {
                rest.strip_suffix(small.as_str())
                    .or_else(|| rest.strip_suffix(capital.as_str()))
            })
            .is_some()
    }

    /// No form of a character begins another, so the first that fits is the only one.
    fn strip_start<'a>(&self, text: &'a str) -> Option<&'a str> {
        self.0.iter().try_fold(text, |rest, [small, capital]| {
            rest.strip_prefix(small.as_str())
                .or_else(|| rest.strip_prefix(capital.as_str()))
        })
    }
}

/// A text in which `*` stands for any characters, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wildcard {
    /// What stands between the asterisks, unescaped: one piece more than there are asterisks.
    pieces: Vec<String>,
}

impl Wildcard {
    /// # Errors
    ///
    /// Two asterisks in a row, or a backslash before anything but an asterisk or a backslash: what to write instead.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut pieces = vec![String::new()];
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            let literal = match (letter, letters.peek()) {
                ('*', Some('*')) => return Err("has two asterisks in a row: write one"),
                ('*', _) => {
                    pieces.push(String::new());
                    continue;
                }
                ('\\', Some(&escaped @ ('*' | '\\'))) => {
                    letters.next();
                    escaped
                }
                ('\\', _) => {
                    return Err(r"has a lone backslash: write it twice, or `\*` for an asterisk");
                }
                (literal, _) => literal,
            };
            if let Some(piece) = pieces.last_mut() {
                piece.push(literal);
            }
        }
        Ok(Self { pieces })
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let [first, between @ .., last] = self.pieces.as_slice() else {
            return self.pieces.first().is_some_and(|only| only == text);
        };
        // The leftmost place of each piece leaves most to those behind it.
        text.strip_prefix(first.as_str())
            .and_then(|rest| {
                between.iter().try_fold(rest, |rest, piece| {
                    rest.find(piece.as_str())
                        .map(|at| &rest[at + piece.len()..])
                })
            })
            .is_some_and(|rest| rest.ends_with(last.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Caseless, Wildcard};

    #[test]
    fn a_caseless_text_is_found_in_either_case() {
        let caseless = Caseless::new("Straße").unwrap();

        assert!(caseless.equals("straße") && caseless.equals("STRAßE"));
        assert!(caseless.equals("STRASSE"), "the capital form of ß is SS");
        assert!(!caseless.equals("strasse"), "which is not the small form");
        assert!(!caseless.equals("Straßen"));
    }

    #[test]
    fn each_character_has_two_forms_and_no_others() {
        let matches = |own: &str, text: &str| Caseless::new(own).unwrap().equals(text);

        assert!(
            matches("ς", "Σ") && !matches("ς", "σ"),
            "σ is the small form of Σ, not of ς"
        );
        assert!(matches("ǅ", "ǆ") && matches("ǅ", "Ǆ") && !matches("ǅ", "ǅ"));
    }

    #[test]
    fn a_caseless_text_is_found_at_either_end() {
        let caseless = Caseless::new("éÀ").unwrap();

        assert!(caseless.starts("Éàb") && !caseless.starts("bÉà"));
        assert!(caseless.ends("bÉà") && !caseless.ends("Éàb"));
    }

    #[test]
    fn a_character_that_the_matcher_takes_apart_is_refused() {
        assert_eq!(Caseless::new("😀"), None);
    }

    #[test]
    fn an_asterisk_stands_for_any_characters_or_none() {
        let matches = |pattern: &str, text: &str| Wildcard::parse(pattern).unwrap().matches(text);

        assert!(matches("a*b*c", "abc") && matches("a*b*c", "aXbYbZc"));
        assert!(!matches("a*b*c", "acb") && !matches("a*b*c", "ab"));
        assert!(matches("*", "") && matches("*a", "banana") && matches("b*", "banana"));
        assert!(!matches("ab*ba", "aba"), "pieces do not overlap");
        assert!(matches("plain", "plain") && !matches("plain", "plainer"));
    }

    #[test]
    fn an_escaped_asterisk_is_an_asterisk() {
        let wildcard = Wildcard::parse(r"a\*\\*").unwrap();

        assert!(wildcard.matches(r"a*\b"));
        assert!(!wildcard.matches(r"axyz"));
    }

    #[test]
    fn a_wildcard_that_is_not_one_says_what_to_write() {
        assert!(Wildcard::parse("a**").unwrap_err().contains("one"));
        assert!(Wildcard::parse(r"a\b").unwrap_err().contains("twice"));
        assert!(Wildcard::parse(r"a\").unwrap_err().contains("twice"));
    }
}
