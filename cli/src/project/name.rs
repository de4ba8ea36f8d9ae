//! The rules for the names of projects and topics.

use lambda_msk::record::check_topic_name;

use crate::fault::Fault;

/// The longest name: crates.io's limit, and that of a Lambda function.
const NAME_BYTES_MAX: usize = 64;

/// Rust's keywords, which cannot be the name of a crate.
const WORDS: &str = "abstract as async await become box break const continue crate do dyn else enum extern false final \
    fn for gen if impl in let loop macro match mod move mut override priv pub ref return self static struct super \
    trait true try type typeof unsafe unsized use virtual where while yield";

/// Names that Rust, or cargo in its target folder, uses for something else.
const TAKEN: &str = "alloc build core deps examples incremental proc_macro std test";

/// Checks the name of a package that depends on these crates.
pub(crate) fn check(name: &str, dependencies: &[String]) -> Result<(), Fault> {
    let fault = |why: &str, help: &str| {
        Err(
            Fault::new(format!("expected a package name, found {name:?}"))
                .at(why)
                .help(help),
        )
    };
    let form = "use letters, digits, `-` and `_`, and begin with a letter: shop, order-mirror";
    let legal = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    if name.contains(['/', '\\']) {
        return fault(
            "a path is not allowed",
            "the project is made in the current folder: change to the folder that is to contain it, and give the name alone",
        );
    }
    if let Some(letter) = name.chars().find(|letter| !legal(*letter)) {
        return fault(&format!("{letter:?} is not allowed"), form);
    }
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return fault("its first character is not a letter", form);
    }
    if name.len() > NAME_BYTES_MAX {
        let why = format!("it has {} characters", name.len());
        return fault(&why, &format!("use at most {NAME_BYTES_MAX} characters"));
    }
    let krate = name.replace('-', "_");
    let taken = |words: &str| words.split_whitespace().any(|word| word == krate);
    if taken(WORDS) {
        return fault("it is a keyword of Rust", "choose another name");
    }
    if taken(TAKEN) {
        return fault(
            "Rust or cargo uses that name for something else",
            "choose another name",
        );
    }
    if dependencies.iter().any(|of| of.replace('-', "_") == krate) {
        return fault(
            "the project depends on the crate of that name",
            "choose another name",
        );
    }
    Ok(())
}

/// Checks a name against Kafka's rule for topics.
pub(crate) fn check_topic(topic: &str) -> Result<(), Fault> {
    check_topic_name(topic).map_err(|reason| {
        Fault::new(format!("expected the name of a topic, found {topic:?}"))
            .at(reason)
            .help("give --topic the name of one topic: a mapping reads one")
    })
}

#[cfg(test)]
mod tests {
    use super::{check, check_topic};

    fn refused(name: &str) -> String {
        check(name, &["lambda-msk".to_owned()]).unwrap_err().text()
    }

    #[test]
    fn names_of_packages_are_taken() {
        for name in ["shop", "order-mirror", "a_1", "Shop"] {
            check(name, &["lambda-msk".to_owned()]).unwrap();
        }
    }

    #[test]
    fn a_name_that_no_package_can_have_is_refused_with_its_reason() {
        for (name, why) in [
            ("", "first character is not a letter"),
            ("9shop", "first character is not a letter"),
            ("-shop", "first character is not a letter"),
            ("my shop", "' ' is not allowed"),
            ("café", "'é' is not allowed"),
            ("../shop", "a path is not allowed"),
            ("match", "a keyword of Rust"),
            ("proc-macro", "for something else"),
            ("lambda_msk", "depends on the crate of that name"),
            (&"a".repeat(65), "it has 65 characters"),
        ] {
            let text = refused(name);

            assert!(text.contains("expected a package name, found"), "{text}");
            assert!(
                text.contains(why) && text.contains("help"),
                "{name}: {text}"
            );
        }
    }

    #[test]
    fn a_topic_that_kafka_cannot_have_is_refused_with_kafkas_rule() {
        check_topic("shop.public.customers").unwrap();
        for topic in ["", "..", "a b", "orders,returns", "\"", &"a".repeat(250)] {
            let text = check_topic(topic).unwrap_err().text();

            assert!(
                text.contains("expected the name of a topic, found"),
                "{text}"
            );
            assert!(
                text.contains("249 letters, digits") && text.contains("help"),
                "{text}"
            );
        }
    }
}
