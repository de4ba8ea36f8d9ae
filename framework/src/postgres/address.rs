//! The address of a database, without the parameters that are ours. Its text may hold a password, and is never shown. Used by the store and by `database`.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::limits::POSTGRES_TRY_MS_MAX;
use crate::postgres::name::{TableName, TableNameError};
use crate::postgres::schema::LEDGER_TABLE;
use crate::postgres::tls::{TlsFault, tls};

/// A database, how it is reached, and the table.
pub(crate) struct PostgresAddress {
    pub(crate) config: Config,
    pub(crate) table: TableName,
    /// The authorities that may have signed the server's certificate, as PEM. *None: those that the system knows.*
    pub(crate) roots: Option<PathBuf>,
    database: String,
    names_table: bool,
}

/// The text is not the address of a Postgres database. It is not shown, since it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresAddressError {
    /// The text is no address with a host.
    #[error(
        "expected the address of a Postgres database, `postgres://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE[?table=TABLE&sslmode=…&sslrootcert=FILE]`; write characters of the password that are no letters or digits as %XX"
    )]
    Address,
    /// The parameter `table` names no table.
    #[error("{0}, in the parameter `table`")]
    Table(#[from] TableNameError),
}

impl PostgresAddress {
    /// Of a database as such: a table is not part of it.
    pub(crate) fn parse_plain(text: &str) -> Result<Self, PostgresAddressError> {
        let address = Self::parse(text)?;
        match address.names_table {
            true => Err(PostgresAddressError::Address),
            false => Ok(address),
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self, PostgresAddressError> {
        let scheme = ["postgres://", "postgresql://"];
        if !scheme.iter().any(|scheme| text.starts_with(scheme)) {
            return Err(PostgresAddressError::Address);
        }
        let taken = Taken::from(text)?;
        let mut config =
            Config::from_str(&taken.rest).map_err(|_| PostgresAddressError::Address)?;
        let name = config.get_dbname().or(config.get_user());
        let name = name.unwrap_or_default().to_owned();
        let hosts: Vec<String> = config.get_hosts().iter().map(host).collect();
        // An `@` of the password that is not written as %40 leaves the rest of it before host or database, which are shown.
        let may_be_password = text.matches('@').count() > 1
            || hosts.iter().chain([&name]).any(|part| part.contains('@'));
        if hosts.is_empty() || may_be_password {
            return Err(PostgresAddressError::Address);
        }
        set_defaults(&mut config, hosts.len());
        Ok(Self {
            config,
            database: format!("postgres:{}/{name}", hosts.join(",")),
            table: taken.table,
            names_table: taken.names_table,
            roots: taken.roots,
        })
    }

    pub(crate) fn has_tls(&self) -> bool {
        self.config.get_ssl_mode() != SslMode::Disable
    }

    /// Reads the file with the authorities, if it names one and TLS is used. Blocks for that file; nothing is connected.
    pub(crate) fn check_roots(&self) -> Result<(), TlsFault> {
        match self.roots.as_deref().filter(|_| self.has_tls()) {
            Some(file) => tls(Some(file)).map(|_| ()),
            None => Ok(()),
        }
    }

    /// The only host, its port and the user, where whatever is sent is sent over TLS.
    #[cfg(feature = "postgres-iam")]
    pub(crate) fn endpoint(&self) -> Option<(String, u16, String)> {
        let [Host::Tcp(host)] = self.config.get_hosts() else {
            return None;
        };
        let is_safe = self.config.get_ssl_mode() == SslMode::Require;
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        let user = self.config.get_user()?.to_owned();
        is_safe.then(|| (host.clone(), port, user))
    }

    /// For logs: `postgres:db.example/orders/lambda_msk_ledger`.
    pub(crate) fn describe(&self) -> String {
        format!("{}/{}", self.database, self.table.plain())
    }

    /// Without the table: `postgres:db.example/orders`.
    pub(crate) fn describe_database(&self) -> String {
        self.database.clone()
    }
}

fn host(host: &Host) -> String {
    match host {
        Host::Tcp(host) => host.clone(),
        #[cfg(unix)]
        Host::Unix(folder) => folder.display().to_string(),
    }
}

/// What the address does not say. Of several servers it is the one that takes writes; they are tried in turn, so that all of them and the statement have time within one try.
fn set_defaults(config: &mut Config, hosts: usize) {
    let at_most = Duration::from_millis(POSTGRES_TRY_MS_MAX);
    if config.get_connect_timeout().is_none() {
        let each = u32::try_from(2 * hosts).unwrap_or(u32::MAX);
        config.connect_timeout(if hosts > 1 { at_most / each } else { at_most });
    }
    if config.get_application_name().is_none() {
        config.application_name("lambda-msk");
    }
    if hosts > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
}

/// An address from which our parameters are taken out: the client refuses what it does not know.
struct Taken {
    rest: String,
    table: TableName,
    names_table: bool,
    roots: Option<PathBuf>,
}

impl Taken {
    fn from(text: &str) -> Result<Self, PostgresAddressError> {
        // As the client reads it: the first `@` ends user and password, which may hold a `?`.
        let host = text.find('@').map_or(0, |at| at + 1);
        let (base, parameters) = match text[host..].find('?') {
            Some(mark) => (&text[..host + mark], &text[host + mark + 1..]),
            None => (text, ""),
        };
        let mut table = LEDGER_TABLE.parse()?;
        let (mut roots, mut rest, mut names_table) = (None, Vec::new(), false);
        for parameter in parameters.split('&').filter(|text| !text.is_empty()) {
            match parameter.split_once('=') {
                Some(("table", name)) => {
                    table = name.parse()?;
                    names_table = true;
                }
                Some(("sslrootcert", file)) => {
                    let file = decoded(file).ok_or(PostgresAddressError::Address)?;
                    roots = Some(file.into());
                }
                // Whatever is encrypted is verified here, name and all.
                Some(("sslmode", "verify-ca" | "verify-full")) => rest.push("sslmode=require"),
                _ => rest.push(parameter),
            }
        }
        let rest = match rest.is_empty() {
            true => base.to_owned(),
            false => format!("{base}?{}", rest.join("&")),
        };
        Ok(Self {
            rest,
            table,
            names_table,
            roots,
        })
    }
}

/// Without `%XX`.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes().iter();
    while let Some(&byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(*rest.next()?).to_digit(16);
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use tokio_postgres::config::{SslMode, TargetSessionAttrs};

    use super::{POSTGRES_TRY_MS_MAX, PostgresAddress, PostgresAddressError};

    fn parsed(text: &str) -> PostgresAddress {
        PostgresAddress::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn an_address_is_described_without_user_and_password() {
        for (text, name) in [
            ("postgres://db/shop", "postgres:db/shop/lambda_msk_ledger"),
            (
                "postgresql://u:hunter2@db:5433/shop",
                "postgres:db/shop/lambda_msk_ledger",
            ),
            (
                "postgres://u:hunter2?@db/shop?table=a.B",
                "postgres:db/shop/a.b",
            ),
            (
                "postgres://shop:hunter2@db",
                "postgres:db/shop/lambda_msk_ledger",
            ),
            (
                "postgres://u@a,b/shop",
                "postgres:a,b/shop/lambda_msk_ledger",
            ),
            (
                "postgres://u@%2Fvar%2Frun/shop",
                "postgres:/var/run/shop/lambda_msk_ledger",
            ),
        ] {
            assert_eq!(parsed(text).describe(), name);
        }
    }

    #[test]
    fn our_parameters_are_taken_out_and_the_others_stay() {
        let text = "postgres://u:p@db/shop?table=t&application_name=shop&sslmode=verify-full&sslrootcert=%2Fopt%2Frds.pem";

        let address = parsed(text);

        assert_eq!(address.table.plain(), "t");
        assert_eq!(address.roots.as_deref(), Some(Path::new("/opt/rds.pem")));
        assert_eq!(address.config.get_application_name(), Some("shop"));
        assert_eq!(address.config.get_ssl_mode(), SslMode::Require);
        assert!(!parsed("postgres://db/shop?sslmode=disable").has_tls());
        assert!(parsed("postgres://db/shop").has_tls());
    }

    #[test]
    fn of_several_servers_the_one_that_takes_writes_is_used() {
        let attrs = |text| parsed(text).config.get_target_session_attrs();

        assert_eq!(attrs("postgres://a,b/shop"), TargetSessionAttrs::ReadWrite);
        assert_eq!(attrs("postgres://a/shop"), TargetSessionAttrs::Any);
    }

    #[test]
    fn one_try_has_time_for_each_of_several_servers_and_a_statement() {
        let each = |text| *parsed(text).config.get_connect_timeout().unwrap();
        let at_most = Duration::from_millis(POSTGRES_TRY_MS_MAX);

        assert_eq!(each("postgres://a/shop"), at_most);
        assert_eq!(each("postgres://a,b/shop"), at_most / 4);
        assert_eq!(each("postgres://a,b,c/shop"), at_most / 6);
        assert_eq!(each("postgres://a,b/shop?connect_timeout=7").as_secs(), 7);
    }

    #[test]
    fn what_is_no_address_is_refused_and_not_shown() {
        for text in [
            "",
            "postgres://",
            "postgres:///shop",
            "postgres://u:hunter2@db:port/shop",
            "postgres://u:hunter2@db/shop?colour=hunter2",
            "postgres://u:hunter2@db/shop?sslmode=hunter2",
            "postgres://u:hunter2@db/shop?sslrootcert=%2",
            "host=db password=hunter2",
            "postgres://u:p@hunter2@db/shop",
            "postgres://u:p@a/hunter2@db/shop",
            "postgres://u:p@a/hunter2%40db",
            "postgres://u:p@a?user=hunter2@db/shop",
            "postgres://u:p@hunter2%40db/shop",
            "postgres://u:p@db/shop?host=hunter2@db",
            "postgres://u:p@/shop?host=hunter2%40db",
        ] {
            let error = PostgresAddress::parse(text).err();
            assert_eq!(error, Some(PostgresAddressError::Address), "{text}");
        }
        let error = PostgresAddress::parse("postgres://db/shop?table=hunter2;")
            .err()
            .unwrap();
        let text = error.to_string();
        assert!(
            text.ends_with(", in the parameter `table`") && !text.contains("hunter2"),
            "{text}"
        );
    }
}
