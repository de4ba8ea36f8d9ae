//! The text of `--to`.

/// The text of `--to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum To {
    Function(String),
    Bin(String),
    Command(String),
    /// None: the topic that each record came from.
    Topic(Option<String>),
}

impl To {
    pub(crate) fn is_topic(&self) -> bool {
        matches!(self, Self::Topic(_))
    }

    /// Whether a function on the desk is started.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self, Self::Bin(_) | Self::Command(_))
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::Function(name) => format!("the function {name}"),
            Self::Bin(name) => format!("the binary {name}"),
            Self::Command(_) => "the command".to_owned(),
            Self::Topic(Some(topic)) => format!("the topic {topic}"),
            Self::Topic(None) => "its own topic".to_owned(),
        }
    }
}

/// For clap.
pub(crate) fn to(text: &str) -> Result<To, String> {
    let to = match text.split_once(':') {
        None if text == "topic" => return Ok(To::Topic(None)),
        Some((_, "")) | None => None,
        Some(("function", name)) => Some(To::Function(name.to_owned())),
        Some(("bin", name)) => Some(To::Bin(name.to_owned())),
        Some(("command", command)) => Some(To::Command(command.to_owned())),
        Some(("topic", topic)) => {
            lambda_msk::record::check_topic_name(topic).map_err(|error| error.to_string())?;
            Some(To::Topic(Some(topic.to_owned())))
        }
        Some(_) => None,
    };
    to.ok_or_else(|| {
        "expected function:NAME, bin:NAME, command:COMMAND, topic or topic:NAME".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::{To, to};

    #[test]
    fn a_target_is_named_by_its_kind() {
        assert_eq!(to("topic"), Ok(To::Topic(None)));
        assert_eq!(to("topic:orders"), Ok(To::Topic(Some("orders".to_owned()))));
        assert_eq!(
            to("function:arn:aws:lambda:r:1:function:f"),
            Ok(To::Function("arn:aws:lambda:r:1:function:f".to_owned()))
        );
        for wrong in ["", "orders", "bin:", "queue:x", "topic:a b"] {
            assert!(to(wrong).is_err(), "{wrong}");
        }
    }
}
