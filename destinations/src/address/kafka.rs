//! The address of a Kafka topic: `kafka://TOPIC[?bootstrap=HOST:PORT,…][&headers=spring][&security=…]`.

use super::topic_name::check_topic_name;

/// The address of a Kafka topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaAddress {
    topic: String,
    bootstrap: Option<String>,
    spring: bool,
    security: Option<Security>,
}

/// How a client speaks with the brokers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Security {
    /// Without TLS and without credentials.
    Plaintext,
    /// TLS, without credentials.
    Ssl,
    /// TLS, with the role's credentials: IAM access control of Amazon MSK.
    Iam,
}

impl Security {
    /// What MSK's brokers speak at the first server's port: TLS at 9094, 9194 and 20094, IAM at 9098, 9198 and 20098. Any other port: plaintext, which is a guess.
    ///
    /// ([Port information](https://docs.aws.amazon.com/msk/latest/developerguide/port-info.html))
    ///
    /// # Errors
    ///
    /// [`KafkaAddressError::Scram`]: brokers take SASL/SCRAM alone at 9096, 9196 and 20096.
    pub fn of_port(bootstrap: &str) -> Result<Self, KafkaAddressError> {
        let first = bootstrap.split(',').next().unwrap_or_default();
        Ok(match first.rsplit(':').next() {
            Some("9094" | "9194" | "20094") => Self::Ssl,
            Some("9096" | "9196" | "20096") => return Err(KafkaAddressError::Scram),
            Some("9098" | "9198" | "20098") => Self::Iam,
            _ => Self::Plaintext,
        })
    }

    /// As an address has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::Ssl => "ssl",
            Self::Iam => "iam",
        }
    }
}

/// The reason why a text is not the address of a Kafka topic, worded to follow the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KafkaAddressError {
    /// `kafka://` alone.
    #[error("names no topic: write `kafka://TOPIC`")]
    NoTopic,
    /// A topic name against Kafka's rules.
    #[error("{0}")]
    TopicName(String),
    /// Servers that are not `HOST:PORT`.
    #[error("has brokers that are not `HOST:PORT,…`: write `?bootstrap=HOST:PORT`")]
    Bootstrap,
    /// Brokers at a port of MSK where they take SASL/SCRAM alone.
    #[error(
        "has brokers at a port of SASL/SCRAM, which is not supported: name those that take IAM, `?bootstrap=HOST:9098`"
    )]
    Scram,
    /// A parameter of another name or value.
    #[error(
        "has an unknown parameter: expected `bootstrap=HOST:PORT,…`, `headers=spring`, or `security=` with `plaintext`, `ssl` or `iam`, each once"
    )]
    Parameter,
}

impl KafkaAddress {
    /// Parses `kafka://TOPIC` with its parameters. No connection is made.
    ///
    /// # Errors
    ///
    /// [`KafkaAddressError`] with the fault and its cure.
    pub fn parse(text: &str) -> Result<Self, KafkaAddressError> {
        let text = text.strip_prefix("kafka://").unwrap_or(text);
        let (topic, query) = match text.split_once('?') {
            Some((topic, query)) => (topic, Some(query)),
            None => (text, None),
        };
        if topic.is_empty() {
            return Err(KafkaAddressError::NoTopic);
        }
        check_topic_name(topic).map_err(KafkaAddressError::TopicName)?;
        let mut address = Self {
            topic: topic.to_owned(),
            bootstrap: None,
            spring: false,
            security: None,
        };
        for parameter in query.into_iter().flat_map(|query| query.split('&')) {
            address.read(parameter)?;
        }
        if let (Some(bootstrap), None) = (&address.bootstrap, address.security) {
            Security::of_port(bootstrap)?;
        }
        Ok(address)
    }

    fn read(&mut self, parameter: &str) -> Result<(), KafkaAddressError> {
        let named = parameter.split_once('=');
        match named.ok_or(KafkaAddressError::Parameter)? {
            ("bootstrap", servers) if self.bootstrap.is_none() => {
                if !servers.split(',').all(is_server) {
                    return Err(KafkaAddressError::Bootstrap);
                }
                self.bootstrap = Some(servers.to_owned());
            }
            ("headers", "spring") if !self.spring => self.spring = true,
            ("security", name) if self.security.is_none() => {
                self.security = Some(match name {
                    "plaintext" => Security::Plaintext,
                    "ssl" => Security::Ssl,
                    "iam" => Security::Iam,
                    _ => return Err(KafkaAddressError::Parameter),
                });
            }
            _ => return Err(KafkaAddressError::Parameter),
        }
        Ok(())
    }

    /// The topic's name.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The brokers, as `HOST:PORT,…`. *None: the address does not name the cluster.*
    pub fn bootstrap(&self) -> Option<&str> {
        self.bootstrap.as_deref()
    }

    /// Whether Spring's headers are asked for, beside ours.
    pub fn spring(&self) -> bool {
        self.spring
    }

    /// How to speak with the brokers. *None: as their port tells.*
    pub fn security(&self) -> Option<Security> {
        self.security
    }
}

fn is_server(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:[]".contains(&byte);
        !host.is_empty() && host.bytes().all(is_host) && port.parse::<u16>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::{KafkaAddress, KafkaAddressError, Security};

    #[test]
    fn a_topic_with_all_its_parameters_is_read() {
        let text =
            "kafka://dead.letters?bootstrap=b-1.x:9098,[::1]:9092&headers=spring&security=ssl";
        let address = KafkaAddress::parse(text).unwrap();

        assert_eq!(address.topic(), "dead.letters");
        assert_eq!(address.bootstrap(), Some("b-1.x:9098,[::1]:9092"));
        assert!(address.spring());
        assert_eq!(address.security(), Some(Security::Ssl));
    }

    #[test]
    fn a_topic_alone_is_of_the_records_own_cluster() {
        let address = KafkaAddress::parse("kafka://dead").unwrap();

        assert_eq!((address.bootstrap(), address.spring()), (None, false));
    }

    #[test]
    fn a_port_of_msk_tells_how_its_brokers_speak() {
        for (servers, security) in [
            ("b-1.x:9092,b-2.x:9092", Security::Plaintext),
            ("b-1.x:20092", Security::Plaintext),
            ("b-1.x:9094,b-2.x:9094", Security::Ssl),
            ("b-1-public.x:9194", Security::Ssl),
            ("b-1.x:20094", Security::Ssl),
            ("b-1.x:9098", Security::Iam),
            ("b-1-public.x:9198", Security::Iam),
            ("b-1.x:20098", Security::Iam),
            ("127.0.0.1:39098", Security::Plaintext),
        ] {
            assert_eq!(Security::of_port(servers), Ok(security), "{servers}");
        }
    }

    #[test]
    fn a_port_of_scram_is_refused_unless_the_security_is_named() {
        for port in ["9096", "9196", "20096"] {
            let servers = format!("b-1.x:{port}");
            let address = format!("kafka://dead?bootstrap={servers}");

            let scram = KafkaAddressError::Scram;
            assert_eq!(Security::of_port(&servers), Err(scram.clone()));
            assert_eq!(KafkaAddress::parse(&address), Err(scram));
            assert!(KafkaAddress::parse(&format!("{address}&security=ssl")).is_ok());
        }
    }

    #[test]
    fn a_parameter_that_cannot_be_meant_is_refused() {
        for (text, error) in [
            ("kafka://", KafkaAddressError::NoTopic),
            ("kafka://?bootstrap=a:1", KafkaAddressError::NoTopic),
            ("kafka://a?bootstrap=", KafkaAddressError::Bootstrap),
            ("kafka://a?bootstrap=b", KafkaAddressError::Bootstrap),
            ("kafka://a?bootstrap=b:1,", KafkaAddressError::Bootstrap),
            ("kafka://a?bootstrap=b:99999", KafkaAddressError::Bootstrap),
            (
                "kafka://a?bootstrap=b:1&bootstrap=b:1",
                KafkaAddressError::Parameter,
            ),
            ("kafka://a?", KafkaAddressError::Parameter),
            ("kafka://a?headers=connect", KafkaAddressError::Parameter),
            ("kafka://a?security=sasl", KafkaAddressError::Parameter),
            ("kafka://a?acks=0", KafkaAddressError::Parameter),
        ] {
            assert_eq!(KafkaAddress::parse(text), Err(error), "{text}");
        }
    }
}
