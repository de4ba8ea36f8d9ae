//! The settings of the destination and its overflow. Called by `builder`.

use crate::destination::{BoxDestination, Destination, WithOverflow, choose, choose_overflow};
use crate::error::ConfigurationFault;
use crate::settings::{Origin, Settings, VariableReader};

impl Settings {
    pub(super) fn read_destination(&mut self, reader: &mut VariableReader<'_>) {
        reader.read("ON_FAILURE", &mut self.destination, |text| {
            choose(text).map(Some)
        });
        reader.read("ON_FAILURE_LARGE", &mut self.overflow, |text| {
            choose_overflow(text).map(Some)
        });
    }

    /// Refuses a destination that is one of the handlers' own topics, and an overflow of nothing.
    pub(crate) fn check_destination<'t>(
        &self,
        mut topics: impl Iterator<Item = &'t str>,
        faults: &mut Vec<ConfigurationFault>,
    ) {
        let place = |origin, variable, method| match origin {
            Origin::Environment => variable,
            Origin::Default | Origin::Code => method,
        };
        let topic = self.destination.value.as_ref();
        let topic = topic.and_then(Destination::kafka_topic);
        if let Some(topic) = topic
            && topics.any(|handled| handled == topic)
        {
            let reason = format!(
                "expected a topic without a handler, found `{topic}`: each letter there would be a record to reject. Name another topic"
            );
            let origin = self.destination.origin;
            let place = place(origin, "LAMBDA_MSK_ON_FAILURE", ".on_failure(…)");
            faults.push(ConfigurationFault::new(place, reason));
        }
        if self.overflow.value.is_some() && self.destination.value.is_none() {
            let reason = "expected a destination beside it, found none: set `.on_failure(…)` or LAMBDA_MSK_ON_FAILURE, which may be the same bucket";
            let origin = self.overflow.origin;
            let place = place(origin, "LAMBDA_MSK_ON_FAILURE_LARGE", ".overflow(…)");
            faults.push(ConfigurationFault::new(place, reason));
        }
    }

    /// The destination, with its overflow if there is one.
    pub(crate) fn destination(&self) -> Option<BoxDestination> {
        let first = self.destination.value.clone()?;
        Some(match self.overflow.value.clone() {
            Some(overflow) => BoxDestination::new(WithOverflow { first, overflow }),
            None => first,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::destination::{DeadLetter, Destination, SendError};
    use crate::{Consumer, Record};

    /// A topic of somebody's own client.
    struct Topic(&'static str);

    impl Destination for Topic {
        async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), SendError>> {
            letters.iter().map(|_| Ok(())).collect()
        }

        fn describe(&self) -> String {
            self.0.to_owned()
        }

        fn kafka_topic(&self) -> Option<&str> {
            Some(self.0)
        }
    }

    fn built(dead: &'static str) -> Result<Consumer, crate::Error> {
        let builder = Consumer::builder().on_failure(Topic(dead));
        let builder = builder.topic(["orders", "returns"], async |_: Record| {});
        builder.build()
    }

    #[test]
    fn a_destination_that_is_a_topic_with_a_handler_is_refused() {
        let refusal = built("returns").unwrap_err().to_string();

        assert!(refusal.contains(".on_failure(…)"), "{refusal}");
        assert!(refusal.contains("found `returns`"), "{refusal}");
        assert!(built("returns-dead").is_ok());
    }

    #[cfg(feature = "kafka")]
    #[test]
    fn the_variable_that_names_a_topic_with_a_handler_is_refused_whatever_its_brokers() {
        for text in ["kafka://orders", "kafka://orders?bootstrap=elsewhere:9092"] {
            let builder = Consumer::builder().topic("orders", async |_: Record| {});
            let built = builder.from_vars([("LAMBDA_MSK_ON_FAILURE", text)]).build();
            let refusal = built.unwrap_err().to_string();

            assert!(refusal.contains("LAMBDA_MSK_ON_FAILURE"), "{refusal}");
            assert!(refusal.contains("found `orders`"), "{refusal}");
        }
    }

    #[cfg(feature = "s3")]
    #[test]
    fn an_overflow_without_a_destination_is_refused() {
        let builder = Consumer::builder().topic("orders", async |_: Record| {});
        let large = [("LAMBDA_MSK_ON_FAILURE_LARGE", "s3://large")];
        let refusal = builder.from_vars(large).build().unwrap_err().to_string();

        assert!(
            refusal.contains("expected a destination beside it"),
            "{refusal}"
        );
    }
}
