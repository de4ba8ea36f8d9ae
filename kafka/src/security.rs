//! Checks librdkafka's settings of TLS and SASL, and whether this build supports
//! them. Runs before anything connects, so that an error names the wrong setting.

use crate::error::Error;
use crate::fault::SecurityFault;

/// SASL's mechanisms that are known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mechanism {
    Plain,
    ScramSha256,
    ScramSha512,
    /// Tokens of an identity.
    Bearer,
}

/// What the settings come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Security {
    pub(crate) tls: bool,
    pub(crate) sasl: Option<Mechanism>,
}

pub(crate) fn is_of_tls(name: &str) -> bool {
    name.starts_with("ssl.") || name.starts_with("enable.ssl.")
}

pub(crate) fn is_of_sasl(name: &str) -> bool {
    name.starts_with("sasl.") || name.starts_with("enable.sasl.")
}

impl Security {
    /// What settings ask for; the last of a name counts.
    ///
    /// # Errors
    ///
    /// [`Error::Security`] for the first that cannot be meant.
    pub(crate) fn of(settings: &[(String, String)], has_identity: bool) -> Result<Self, Error> {
        Self::in_a_build(cfg!(feature = "tls"), settings, has_identity)
    }

    fn in_a_build(
        with_tls: bool,
        settings: &[(String, String)],
        has_identity: bool,
    ) -> Result<Self, Error> {
        let of = Self::asked(with_tls, settings, has_identity)?;
        let without = |is: fn(&str) -> bool, fault| match settings.iter().find(|(name, _)| is(name))
        {
            Some((name, _)) => Err(wrong(name, fault)),
            None => Ok(()),
        };
        if !of.tls {
            without(is_of_tls, SecurityFault::NoEncryption)?;
        }
        if of.sasl.is_none() {
            without(is_of_sasl, SecurityFault::NoSasl)?;
        }
        Ok(of)
    }

    fn asked(
        with_tls: bool,
        settings: &[(String, String)],
        has_identity: bool,
    ) -> Result<Self, Error> {
        let needs_tls = |name: &str, needs| match needs && !with_tls {
            true => Err(wrong(name, SecurityFault::NoTls)),
            false => Ok(()),
        };
        let last = |names: &[&str]| {
            let named = |(name, _): &&(String, String)| names.contains(&&**name);
            settings.iter().rev().find(named)
        };
        // First: who names it is told of it, whatever else is missing.
        let mechanism = match last(&["sasl.mechanism", "sasl.mechanisms"]) {
            Some((name, value)) => {
                let mechanism = mechanism(name, value, has_identity)?;
                needs_tls(name, mechanism != Mechanism::Plain)?;
                Some(mechanism)
            }
            None => None,
        };
        let (tls, sasl) = match last(&["security.protocol"]) {
            None => (false, false),
            Some((name, value)) => {
                let (tls, sasl) = match &*value.to_ascii_uppercase() {
                    "PLAINTEXT" => (false, false),
                    "SASL_PLAINTEXT" => (false, true),
                    "SSL" => (true, false),
                    "SASL_SSL" => (true, true),
                    _ => return Err(wrong(name, SecurityFault::UnknownProtocol)),
                };
                needs_tls(name, tls)?;
                (tls, sasl)
            }
        };
        if sasl && mechanism.is_none() {
            return Err(wrong("sasl.mechanism", SecurityFault::MissingMechanism));
        }
        let sasl = mechanism.filter(|_| sasl);
        Ok(Self { tls, sasl })
    }
}

fn mechanism(name: &str, value: &str, has_identity: bool) -> Result<Mechanism, Error> {
    match value {
        "OAUTHBEARER" if has_identity => Ok(Mechanism::Bearer),
        "PLAIN" => Ok(Mechanism::Plain),
        "SCRAM-SHA-256" => Ok(Mechanism::ScramSha256),
        "SCRAM-SHA-512" => Ok(Mechanism::ScramSha512),
        "AWS_MSK_IAM" | "OAUTHBEARER" => Err(wrong(name, SecurityFault::Iam)),
        _ => Err(wrong(name, SecurityFault::UnknownMechanism)),
    }
}

fn wrong(name: &str, fault: SecurityFault) -> Error {
    Error::Security {
        name: name.to_owned(),
        fault,
    }
}

#[cfg(test)]
mod tests {
    use super::{Mechanism, Security, SecurityFault};
    use crate::error::Error;

    /// TLS or not and the mechanism; or the setting that is wrong, and why.
    type Outcome = Result<(bool, Option<Mechanism>), (String, SecurityFault)>;

    fn in_a_build(with_tls: bool, settings: &[(&str, &str)]) -> Outcome {
        let settings: Vec<(String, String)> = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        match Security::in_a_build(with_tls, &settings, false) {
            Ok(of) => Ok((of.tls, of.sasl)),
            Err(Error::Security { name, fault }) => Err((name, fault)),
            Err(other) => panic!("{other}"),
        }
    }

    fn of(settings: &[(&str, &str)]) -> Outcome {
        in_a_build(true, settings)
    }

    fn wrong(name: &str, fault: SecurityFault) -> Outcome {
        Err((name.to_owned(), fault))
    }

    #[test]
    fn every_protocol_is_read_with_its_mechanism() {
        let plain = ("sasl.mechanism", "PLAIN");
        let scram = ("sasl.mechanisms", "SCRAM-SHA-512");

        assert_eq!(of(&[]), Ok((false, None)));
        assert_eq!(
            of(&[("security.protocol", "sasl_plaintext"), plain]),
            Ok((false, Some(Mechanism::Plain)))
        );
        assert_eq!(
            of(&[("security.protocol", "SASL_SSL"), scram]),
            Ok((true, Some(Mechanism::ScramSha512)))
        );
        assert_eq!(
            of(&[("security.protocol", "ssl"), ("ssl.ca.location", "ca.pem")]),
            Ok((true, None))
        );
    }

    #[test]
    fn a_build_without_tls_has_plain_in_the_clear_and_names_what_it_has_not() {
        let sasl = ("security.protocol", "SASL_PLAINTEXT");
        let plain = ("sasl.mechanism", "PLAIN");
        let of = |settings: &[(&str, &str)]| in_a_build(false, settings);

        assert_eq!(of(&[sasl, plain]), Ok((false, Some(Mechanism::Plain))));
        assert_eq!(
            of(&[sasl, ("sasl.mechanism", "SCRAM-SHA-256")]),
            wrong("sasl.mechanism", SecurityFault::NoTls)
        );
        for protocol in ["SSL", "SASL_SSL"] {
            assert_eq!(
                of(&[("security.protocol", protocol), plain]),
                wrong("security.protocol", SecurityFault::NoTls)
            );
        }
    }

    #[test]
    fn the_last_of_a_name_counts() {
        let settings = [
            ("security.protocol", "SASL_SSL"),
            ("sasl.mechanism", "PLAIN"),
            ("security.protocol", "SASL_PLAINTEXT"),
        ];

        assert_eq!(of(&settings), Ok((false, Some(Mechanism::Plain))));
    }

    #[test]
    fn iam_is_refused_by_its_name_before_anything_else() {
        for mechanism in ["AWS_MSK_IAM", "OAUTHBEARER"] {
            let settings = [
                ("security.protocol", "SASL_SSL"),
                ("sasl.mechanism", mechanism),
            ];

            assert_eq!(of(&settings), wrong("sasl.mechanism", SecurityFault::Iam));
        }
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        let sasl = ("security.protocol", "SASL_PLAINTEXT");
        let user = ("sasl.username", "alice");

        assert_eq!(
            of(&[sasl, user]),
            wrong("sasl.mechanism", SecurityFault::MissingMechanism)
        );
        assert_eq!(
            of(&[user, ("sasl.mechanism", "PLAIN")]),
            wrong("sasl.username", SecurityFault::NoSasl)
        );
        assert_eq!(
            of(&[("ssl.ca.location", "ca.pem")]),
            wrong("ssl.ca.location", SecurityFault::NoEncryption)
        );
        assert_eq!(
            of(&[sasl, ("sasl.mechanism", "GSSAPI")]),
            wrong("sasl.mechanism", SecurityFault::UnknownMechanism)
        );
        assert_eq!(
            of(&[("security.protocol", "TLS")]),
            wrong("security.protocol", SecurityFault::UnknownProtocol)
        );
    }
}
