//! The function's binary: logs, wiring, run. Code that can be tested is in the library beside it.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_msk::Error> {
    lambda_msk::logging::init();
    // `vars` would panic on a value that is not UTF-8.
    let variables = std::env::vars_os().map(|(name, value)| {
        let name = name.to_string_lossy().into_owned();
        (name, value.to_string_lossy().into_owned())
    });
    lambda_msk::run(handler::consumer(variables)).await
}
