//! The binary that Lambda starts. What can be tested is in lib.rs.

use traced::Exporter;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_msk::Error> {
    let (exporter, faults) = Exporter::from_env();
    exporter.install();
    let flush = move || exporter.clone().flush();
    lambda_msk::run(traced::consumer().faults(faults).flush(flush).from_env()).await
}
