//! The address of a store that is not AWS's own. Called by the settings, and by the store.

use std::net::Ipv6Addr;

/// The variables that name it. The SDK reads them, and shows what it cannot read: so they are checked before, and not shown.
pub(crate) const ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"];

/// Whether the text is the address of a server, `http://` or `https://`, without a user.
///
/// # Errors
///
/// What was found, without the text.
pub(crate) fn check_endpoint(text: &str) -> Result<(), String> {
    let expected = "expected an address as `http://HOST:PORT`, found";
    let schemes = ["http://", "https://"];
    let Some(rest) = schemes.iter().find_map(|scheme| text.strip_prefix(scheme)) else {
        return Err(format!("{expected} a text that does not begin so"));
    };
    if rest.contains('@') {
        return Err(format!(
            "{expected} one with a user: take it out, and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ));
    }
    if !rest.bytes().all(|byte| byte.is_ascii_graphic()) || rest.contains(['?', '#']) {
        return Err(format!(
            "{expected} one with `?`, `#`, a space or a letter beyond ASCII: take it out"
        ));
    }
    let server = rest.split('/').next().unwrap_or_default();
    match is_server(server) {
        true => Ok(()),
        false => Err(format!("{expected} another host or port")),
    }
}

fn is_server(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let (is_host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, port)) => (host.parse::<Ipv6Addr>().is_ok(), port),
            None => return false,
        },
        None => {
            let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            (!host.is_empty() && host.bytes().all(plain), port)
        }
    };
    let is_port = match port.strip_prefix(':') {
        Some(port) => port.parse::<u16>().is_ok(),
        None => port.is_empty(),
    };
    is_host && is_port
}
