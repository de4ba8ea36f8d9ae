//! The region of a cluster of Amazon MSK, by its brokers' names.

/// The region in the name of a broker of Amazon MSK: `b-1.NAME.ID.kafka.REGION.amazonaws.com`, or `boot-ID.c1.kafka-serverless.REGION.amazonaws.com`. *None: the first broker has another name.*
pub fn region_of(bootstrap: &str) -> Option<String> {
    let first = bootstrap.split(',').next()?.trim();
    let (host, _port) = first.rsplit_once(':')?;
    let labels: Vec<&str> = host.trim_end_matches(".cn").split('.').collect();
    match labels.as_slice() {
        [
            _,
            ..,
            "kafka" | "kafka-serverless",
            region,
            "amazonaws",
            "com",
        ] => Some((*region).to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::region_of;

    #[test]
    fn the_region_is_that_in_the_brokers_names() {
        for (bootstrap, region) in [
            (
                "b-1.shop.abc123.c2.kafka.eu-central-1.amazonaws.com:9098,b-2.shop.abc123.c2.kafka.eu-central-1.amazonaws.com:9098",
                Some("eu-central-1"),
            ),
            (
                "boot-abc.c1.kafka-serverless.us-east-1.amazonaws.com:9098",
                Some("us-east-1"),
            ),
            (
                "b-1.shop.abc.c2.kafka.cn-north-1.amazonaws.com.cn:9098",
                Some("cn-north-1"),
            ),
            ("kafka.internal:9098", None),
            ("127.0.0.1:9098", None),
        ] {
            assert_eq!(region_of(bootstrap).as_deref(), region, "{bootstrap}");
        }
    }
}
