#![allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    clippy::print_stdout,
    clippy::unwrap_used
)]
use krafka::Kafka;
#[tokio::main]
async fn main() {
    let bootstrap = std::env::var("LAMBDA_MSK_KAFKA").unwrap();
    let client = Kafka::builder(bootstrap).connect().await.unwrap();
    let admin = client.admin();
    let tp = krafka::admin::TopicPartition::new("queue-start-27288", 0);
    println!(
        "{:?}",
        tokio::time::timeout(
            std::time::Duration::from_secs(10),
            admin.list_offsets(
                [(tp, krafka::admin::OffsetSpec::Timestamp(1_967_225_600_000))],
                Default::default()
            )
        )
        .await
    );
    for group in std::env::args().skip(1) {
        println!(
            "{group} {:?}",
            admin
                .describe_share_group_offsets(group.as_str(), Default::default())
                .await
        );
    }
}
