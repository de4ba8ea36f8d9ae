//! The function's binary: logs, wiring, run. All that can be tested lies in the library beside it.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_msk::Error> {
    lambda_msk::logging::init();
    lambda_msk::run(handler::consumer(std::env::vars())).await
}
