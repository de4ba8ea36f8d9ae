//! The binary that Lambda starts. What can be tested is in lib.rs.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_msk::Error> {
    lambda_msk::logging::init();
    lambda_msk::run(files_s3::consumer().await.from_env()).await
}
