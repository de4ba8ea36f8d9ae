//! Random runs: a cluster, a function and a destination that misbehave, under each reading, and what must hold.

mod choices;
mod share;
mod stream;

use proptest::collection::vec;
use proptest::prelude::{any, proptest};

use self::choices::Choices;

/// What happens: each step is read in the state in which it comes, so that any bytes are a run.
type Step = (u8, u8, u8);

proptest! {
    #[test]
    fn a_consumer_group_loses_nothing_and_keeps_its_order(
        settings in vec(any::<u8>(), 24),
        steps in vec(any::<Step>(), 0..120),
    ) {
        let settings = Choices::new(settings).stream_settings();
        let run = || {
            let mut world = stream::World::new(settings.clone());
            for step in &steps {
                world.step(*step);
            }
            world.end_well();
            world.trace
        };

        assert_eq!(run(), run(), "the same inputs give the same outputs");
    }

    #[test]
    fn a_share_group_loses_nothing(
        settings in vec(any::<u8>(), 24),
        steps in vec(any::<Step>(), 0..120),
    ) {
        let settings = Choices::new(settings).queue_settings();
        let run = || {
            let mut world = share::World::new(settings.clone());
            for step in &steps {
                world.step(*step);
            }
            world.end_well();
            world.trace
        };

        assert_eq!(run(), run(), "the same inputs give the same outputs");
    }
}
