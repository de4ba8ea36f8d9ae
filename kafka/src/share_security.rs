//! Converts the same settings for the client of share groups, which is not librdkafka: an unsupported setting is an error.

use krafka::auth::{AuthConfig, TlsConfig};

use crate::cluster::Cluster;
use crate::error::Error;
use crate::security::{Mechanism, Security, is_of_sasl, is_of_tls};

/// Those that are read here; `security.protocol` and the mechanism have been.
const KNOWN: [&str; 11] = [
    "security.protocol",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.username",
    "sasl.password",
    "ssl.ca.location",
    "ssl.ca.pem",
    "ssl.certificate.location",
    "ssl.certificate.pem",
    "ssl.key.location",
    "ssl.key.pem",
];

/// Reads the authentication of a share group's client.
///
/// # Errors
///
/// [`Error::ShareSetting`] for a setting of TLS or SASL that the client does not support; [`Error::Security`] for an invalid
/// one.
pub fn auth(cluster: &Cluster) -> Result<AuthConfig, Error> {
    let settings = cluster.given();
    let is_about_it =
        |name: &str| is_of_tls(name) || is_of_sasl(name) || name.starts_with("security.");
    let unknown = |name: &str| is_about_it(name) && !KNOWN.contains(&name);
    if let Some((name, _)) = settings.iter().find(|(name, _)| unknown(name)) {
        return Err(Error::ShareSetting { name: name.clone() });
    }
    let security = Security::of(settings, cluster.has_identity())?;
    let last = |wanted: &str| {
        let mut of = settings.iter().rev();
        of.find(|(name, _)| name == wanted)
            .map(|(_, value)| value.clone())
    };
    let user = last("sasl.username").unwrap_or_default();
    let password = last("sasl.password").unwrap_or_default();
    let auth = match security.sasl {
        None => AuthConfig::plaintext(),
        // Lambda has Queue mode for self-managed clusters only, and those have no IAM.
        Some(Mechanism::Bearer) => {
            return Err(Error::ShareSetting {
                name: "sasl.mechanism".to_owned(),
            });
        }
        Some(Mechanism::Plain) => AuthConfig::sasl_plain(user, password),
        Some(Mechanism::ScramSha256) => AuthConfig::sasl_scram_sha256(user, password),
        Some(Mechanism::ScramSha512) => AuthConfig::sasl_scram_sha512(user, password),
    };
    if !security.tls {
        return Ok(auth);
    }
    let mut tls = TlsConfig::new();
    if let Some(path) = last("ssl.ca.location") {
        // librdkafka's words for more than one file.
        if path == "probe" || std::path::Path::new(&path).is_dir() {
            return Err(Error::ShareSetting {
                name: "ssl.ca.location".to_owned(),
            });
        }
        tls = tls.with_ca_cert(path);
    }
    if let Some(pem) = last("ssl.ca.pem") {
        tls = tls.with_ca_cert_pem(pem);
    }
    let not_there = |name: &str| Error::ShareSetting {
        name: name.to_owned(),
    };
    let one_form = |certificate: &str, key: &str| match (last(certificate), last(key)) {
        (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
        (None, None) => Ok(None),
        // It takes both as files, or both as text.
        (Some(_), None) => Err(not_there(certificate)),
        (None, Some(_)) => Err(not_there(key)),
    };
    if let Some((certificate, key)) = one_form("ssl.certificate.location", "ssl.key.location")? {
        tls = tls.with_client_cert(certificate, key);
    }
    if let Some((certificate, key)) = one_form("ssl.certificate.pem", "ssl.key.pem")? {
        tls = tls.with_client_cert_pem(certificate, key.into_bytes());
    }
    Ok(auth.with_tls(tls))
}

#[cfg(test)]
mod tests {
    use krafka::auth::SecurityProtocol;

    use super::auth;
    use crate::cluster::Cluster;
    use crate::error::Error;

    fn settings(settings: &[(&str, &str)]) -> Cluster {
        let cluster = Cluster::new("127.0.0.1:9");
        let set = |cluster: Cluster, (name, value): &(&str, &str)| cluster.set(*name, *value);
        settings.iter().fold(cluster, set)
    }

    #[test]
    fn a_setting_that_the_client_does_not_have_is_named_and_not_left_out() {
        for name in [
            "enable.ssl.certificate.verification",
            "ssl.endpoint.identification.algorithm",
            "ssl.key.password",
            "sasl.oauthbearer.config",
        ] {
            let refused = auth(&settings(&[(name, "s3cret")])).unwrap_err();

            assert!(matches!(&refused, Error::ShareSetting { name: named } if named == name));
            assert!(!format!("{refused} {refused:?}").contains("s3cret"));
        }
    }

    #[test]
    fn what_has_nothing_to_do_with_it_is_not_looked_at() {
        let read = auth(&settings(&[("fetch.wait.max.ms", "5")])).unwrap();

        assert_eq!(read.security_protocol(), &SecurityProtocol::Plaintext);
    }

    #[test]
    #[cfg(feature = "tls")]
    fn what_the_client_takes_in_another_form_is_named_and_not_left_out() {
        let folder = std::env::temp_dir();
        for (name, value, beside) in [
            (
                "ssl.certificate.location",
                "c.pem",
                ("ssl.key.pem", "s3cret"),
            ),
            ("ssl.key.location", "k.pem", ("ssl.certificate.pem", "c")),
            ("ssl.key.location", "k.pem", ("ssl.ca.location", "ca.pem")),
            ("ssl.ca.location", "probe", ("ssl.ca.pem", "c")),
            (
                "ssl.ca.location",
                folder.to_str().unwrap(),
                ("ssl.ca.pem", "c"),
            ),
        ] {
            let tls = ("security.protocol", "SSL");

            let refused = auth(&settings(&[tls, (name, value), beside])).unwrap_err();

            assert!(
                matches!(&refused, Error::ShareSetting { name: named } if named == name),
                "{name}: {refused}"
            );
        }
    }

    #[test]
    #[cfg(feature = "tls")]
    fn protocol_mechanism_and_credentials_are_those_of_the_settings() {
        let read = auth(&settings(&[
            ("security.protocol", "SASL_SSL"),
            ("sasl.mechanism", "SCRAM-SHA-512"),
            ("sasl.username", "alice"),
            ("sasl.password", "s3cret"),
            ("ssl.ca.location", "ca.pem"),
        ]))
        .unwrap();

        assert_eq!(read.security_protocol(), &SecurityProtocol::SaslSsl);
        assert!(read.scram_credentials().is_some());
        let tls = read.tls_config().unwrap();
        assert_eq!(tls.ca_cert_path(), Some("ca.pem"));
        assert!(!format!("{read:?}").contains("s3cret"));
    }
}
