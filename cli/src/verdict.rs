//! The verdict on a run, in one word, and its exit code. Decided by `dev` and `invoke`, listed by both in `--help`.

/// The verdict on a run. If several apply, the last one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// Every record was done.
    AllDone,
    /// The function rejected records: they are at its own destination, and all others were done.
    SomeRejected,
    /// Records are not done, and only the topic has them.
    NotDone,
    /// The mapping gave records up: they are at its destination.
    #[cfg_attr(
        not(feature = "dev"),
        allow(dead_code, reason = "only dev has a mapping")
    )]
    SomeGivenUp,
    /// Records are lost.
    SomeLost,
    /// The run was stopped before it had finished.
    #[cfg_attr(
        not(feature = "dev"),
        allow(dead_code, reason = "invoke ends with a fault")
    )]
    Interrupted,
}

impl Verdict {
    pub(crate) const fn exit_code(self) -> u8 {
        match self {
            Self::AllDone => 0,
            Self::NotDone => 1,
            Self::SomeRejected => 3,
            Self::SomeGivenUp => 4,
            Self::SomeLost => 5,
            Self::Interrupted => 130,
        }
    }

    /// Its name in JSON.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AllDone => "all-done",
            Self::NotDone => "not-done",
            Self::SomeRejected => "some-rejected",
            Self::SomeGivenUp => "some-given-up",
            Self::SomeLost => "some-lost",
            Self::Interrupted => "interrupted",
        }
    }
}

/// The exit codes of `dev`, as `--help` lists them.
#[cfg(feature = "dev")]
pub(crate) const DEV_HELP: &str = "\
Exit codes (if several apply, the last one):
  0    every record was done
  3    some records were rejected by the function: they are at its own destination
  1    some are not done: they have no handler, the run was stopped first, or it read nothing though
       the topic has records
  4    some were given up by the mapping: they are at --on-failure
  5    some are lost: given up without a destination, dropped since they do not fit their schemas,
       or listed by the function to a mapping that does not read the list
  130  stopped before --once had finished
  2    wrong arguments, files or build, no record to produce, a missing destination, a broker that
       is missing or refuses access, a function that does not start, or a --once that cannot
       continue: the broker, the topic or the schema registry is gone, or other members of the
       group have the rest and do nothing";

/// The exit codes of `invoke`, as `--help` lists them.
pub(crate) const INVOKE_HELP: &str = "\
Exit codes (if several apply, the last one):
  0    every record was done in every delivery
  3    some records were rejected by the function: they are at its own destination
  1    some are not done, the function failed, or the event has no readable record
  5    some would be lost: listed to a mapping that ignores the list, or skipped without a letter
  130  stopped
  2    wrong arguments, files or build, or an event that is empty or not JSON";

#[cfg(test)]
mod tests {
    use super::{INVOKE_HELP, Verdict};

    const ALL: [Verdict; 6] = [
        Verdict::AllDone,
        Verdict::SomeRejected,
        Verdict::NotDone,
        Verdict::SomeGivenUp,
        Verdict::SomeLost,
        Verdict::Interrupted,
    ];

    /// The codes of a help text in the order in which they stand there.
    fn told(help: &str) -> Vec<u8> {
        let first = |line: &str| line.strip_prefix("  ")?.split(' ').next()?.parse().ok();
        help.lines().filter_map(first).collect()
    }

    #[test]
    fn each_verdict_has_a_code_of_its_own_and_none_is_that_of_a_fault() {
        let mut codes: Vec<u8> = ALL.iter().map(|verdict| verdict.exit_code()).collect();
        assert!(!codes.contains(&crate::fault::EXIT_FAULT));
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ALL.len());
    }

    #[test]
    fn help_tells_each_code_in_the_order_in_which_they_win() {
        let mut rising = ALL;
        rising.sort_unstable();
        let codes = |some: &dyn Fn(Verdict) -> bool| {
            let codes = rising.iter().filter(|verdict| some(**verdict));
            let mut codes: Vec<u8> = codes.map(|verdict| verdict.exit_code()).collect();
            codes.push(crate::fault::EXIT_FAULT);
            codes
        };

        // An event that is delivered is given up by nobody.
        assert_eq!(
            told(INVOKE_HELP),
            codes(&|verdict| verdict != Verdict::SomeGivenUp)
        );
        #[cfg(feature = "dev")]
        assert_eq!(told(super::DEV_HELP), codes(&|_| true));
    }
}
