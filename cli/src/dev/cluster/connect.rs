//! How the cluster is reached: its address, and librdkafka's settings with secrets that stand elsewhere.

use msk_mapping::driver::Cluster;

use crate::dev::failed;
use crate::dev::flags::iam::Iam;
use crate::fault::Fault;
use crate::flags::secret::Secret;

/// One `--set KEY=VALUE`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    key: String,
    value: Value,
}

#[derive(Clone, PartialEq, Eq)]
enum Value {
    Text(String),
    Secret(Secret),
}

/// Its value may be a password.
impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Setting").field(&self.key).finish()
    }
}

/// For clap. What is secret must not stand on the command line: everybody on the machine reads it there.
pub(crate) fn setting(text: &str) -> Result<Setting, String> {
    let Some((key, value)) = text.split_once('=').filter(|(key, _)| !key.is_empty()) else {
        return Err("expected KEY=VALUE".to_owned());
    };
    let value = match Secret::named(value) {
        Some(secret) => Value::Secret(secret),
        None => Value::Text(value.to_owned()),
    };
    let secret = ["password", "passphrase", "secret", "key.pem"]
        .iter()
        .any(|word| key.ends_with(word));
    Ok(Setting {
        key: key.to_owned(),
        value: match value {
            Value::Text(_) if secret => Value::Secret(Secret::Bare),
            value => value,
        },
    })
}

/// The cluster with these settings and this identity, if they can be meant. With IAM the first token is made here.
pub(crate) async fn cluster(
    bootstrap: &str,
    settings: &[Setting],
    iam: &Iam,
) -> Result<Cluster, Fault> {
    let cluster = iam.sign_in(with_settings(bootstrap, settings)?).await?;
    cluster.check().map_err(|error| failed::kafka(&error))?;
    Ok(cluster)
}

/// The same without an identity.
#[cfg(test)]
fn cluster_of(bootstrap: &str, settings: &[Setting]) -> Result<Cluster, Fault> {
    let cluster = with_settings(bootstrap, settings)?;
    cluster.check().map_err(|error| failed::kafka(&error))?;
    Ok(cluster)
}

fn with_settings(bootstrap: &str, settings: &[Setting]) -> Result<Cluster, Fault> {
    settings
        .iter()
        .try_fold(Cluster::new(bootstrap), |cluster, setting| {
            Ok::<_, Fault>(cluster.set(&setting.key, value(setting)?))
        })
}

/// Whether the cluster lets us in and has the topic. At most a few seconds.
pub(crate) async fn reach(cluster: &Cluster, topic: &str) -> Result<(), Fault> {
    let (cluster, topic) = (cluster.clone(), topic.to_owned());
    let asked = tokio::task::spawn_blocking(move || cluster.partitions(&topic).map(drop));
    let answer = asked.await.map_err(|error| Fault::from_error(&error))?;
    answer.map_err(|error| failed::kafka(&error))
}

fn value(setting: &Setting) -> Result<String, Fault> {
    let key = &setting.key;
    match &setting.value {
        Value::Text(text) => Ok(text.clone()),
        Value::Secret(secret) => {
            let flag = format!("--set {key}");
            secret.read(&format!("{key}="), &flag)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{cluster_of as cluster, setting};

    #[test]
    fn a_secret_is_not_taken_from_the_command_line() {
        for key in [
            "sasl.password",
            "ssl.key.password",
            "sasl.oauthbearer.client.secret",
            "ssl.key.pem",
        ] {
            let given = setting(&format!("{key}=s3cret")).unwrap();
            let refused = cluster("b:9092", &[given]).unwrap_err().text();

            assert!(
                refused.contains("@env:NAME") && !refused.contains("s3cret"),
                "{refused}"
            );
            assert!(setting(&format!("{key}=@env:NAME")).is_ok());
        }
        assert!(setting("sasl.username=alice").is_ok());
        assert!(setting("=x").is_err() && setting("x").is_err());
    }

    #[test]
    fn a_value_comes_from_a_file_without_its_last_line_break() {
        let path = std::env::temp_dir().join(format!("cargo-msk-secret-{}", std::process::id()));
        std::fs::write(&path, "s3cret\n").unwrap();
        let given = setting(&format!("sasl.password=@file:{}", path.display())).unwrap();

        let value = super::value(&given).map_err(|fault| fault.text());
        std::fs::remove_file(&path).unwrap();

        assert_eq!(value.as_deref(), Ok("s3cret"));
        assert!(!format!("{given:?}").contains("s3cret"));
        let fault = cluster("b:9092", &[given]).unwrap_err().text();
        assert!(fault.contains("for --set sasl.password"), "{fault}");
    }
}
