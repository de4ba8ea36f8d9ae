//! The schema registry that a mapping's records are checked by. Made by `dev`, which asks it before the function is built.

use msk_mapping::driver::Driver;
use msk_mapping::machine::Configuration;
#[cfg(feature = "schemas")]
use msk_schemas::confluent::{Confluent, UrlError};

use super::flags::schemas::Schemas;
use crate::fault::Fault;

/// Whether the registry of each mapping can be asked by this build, with these credentials. Nothing is asked of it yet.
pub(crate) fn check(configurations: &[Configuration], flags: &Schemas) -> Result<(), Fault> {
    let uris = configurations.iter().filter_map(uri);
    let made = uris.map(|uri| registry(uri, flags).map(drop));
    made.collect()
}

fn uri(configuration: &Configuration) -> Option<&str> {
    let config = configuration.schema_registry_config.as_ref()?;
    Some(&config.uri)
}

/// The driver with the registry that its configuration names.
#[cfg(feature = "schemas")]
pub(crate) fn add(
    driver: Driver,
    configuration: &Configuration,
    flags: &Schemas,
) -> Result<Driver, Fault> {
    Ok(match uri(configuration).map(|uri| registry(uri, flags)) {
        None => driver,
        Some(Err(fault)) => return Err(fault),
        Some(Ok(Client::Confluent(registry))) => driver.schema_registry(registry),
        #[cfg(feature = "aws")]
        Some(Ok(Client::Glue(registry))) => driver.schema_registry(registry),
    })
}

#[cfg(not(feature = "schemas"))]
pub(crate) fn add(driver: Driver, _: &Configuration, _: &Schemas) -> Result<Driver, Fault> {
    Ok(driver)
}

#[cfg(feature = "schemas")]
enum Client {
    Confluent(Confluent),
    #[cfg(feature = "aws")]
    Glue(msk_schemas::glue::Glue),
}

#[cfg(feature = "schemas")]
fn registry(uri: &str, flags: &Schemas) -> Result<Client, Fault> {
    use super::flags::schemas::AUTH;

    if uri.starts_with("arn:") {
        return glue(uri);
    }
    let client = Confluent::new(uri).map_err(|error| match error {
        UrlError::Credentials => Fault::new(
            "expected a schema registry's URL without `user:password@`, which every user of this machine can read",
        )
        .help(format!("give {AUTH} @env:NAME or @file:PATH, with USER:PASSWORD in it")),
        other => Fault::from_error(&other).help("check --schema-registry-uri"),
    })?;
    let client = client.auth_setting(AUTH);
    let Some(secret) = &flags.auth else {
        return Ok(Client::Confluent(client));
    };
    let secret = secret.read("", AUTH)?;
    Ok(Client::Confluent(match secret.split_once(':') {
        Some((user, password)) => client.basic_auth(user, password),
        None => client.bearer(&secret),
    }))
}

#[cfg(not(feature = "schemas"))]
fn registry(_: &str, _: &Schemas) -> Result<(), Fault> {
    Err(Fault::new(
        "--schema-registry-uri needs the feature schemas, which this build of cargo msk lacks",
    )
    .help("cargo install cargo-msk --features schemas (in this repository: --path cli), with the other features that you use\n\
         Or give --schema-registry-uri none: records are delivered as they are."))
}

#[cfg(all(feature = "schemas", feature = "aws"))]
fn glue(arn: &str) -> Result<Client, Fault> {
    let client = msk_schemas::glue::Glue::new(arn);
    let client =
        client.map_err(|error| Fault::from_error(&error).help("check --schema-registry-uri"))?;
    Ok(Client::Glue(client))
}

#[cfg(all(feature = "schemas", not(feature = "aws")))]
fn glue(_: &str) -> Result<Client, Fault> {
    Err(Fault::new(
        "AWS Glue's schema registry needs the feature aws, which this build of cargo msk lacks",
    )
    .help("cargo install cargo-msk --features schemas,aws (in this repository: --path cli), with the other features that you use"))
}
