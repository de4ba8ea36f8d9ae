//! Why a letter stays where it is.

use crate::text::columns::shown;

/// Why a letter stays where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// The target did not settle it.
    Failed(String),
    /// One before it in its partition was not settled.
    Behind,
    /// Redriven so often already.
    Redrives(u32),
    /// Behind `--max`.
    Max,
    /// Coordinates only, and nobody asked the topic.
    Coordinates,
    /// Coordinates only, and the topic has not all of it.
    Unreached(String),
    /// The pointer leads nowhere.
    Elsewhere(String),
    /// The letter names no cluster.
    NoCluster,
}

impl Left {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Failed(why) => shown(why),
            Self::Behind => "a letter before it in its partition was not settled".to_owned(),
            Self::Redrives(count) => format!(
                "redriven {count} times already: mend the function, then raise --max-redrives"
            ),
            Self::Max => "behind --max".to_owned(),
            Self::Coordinates => {
                "coordinates only: give --bootstrap HOST:PORT to read the records from their topic"
                    .to_owned()
            }
            Self::Unreached(state) => format!("{state}: give --force to redrive what there is"),
            Self::Elsewhere(why) => shown(why),
            Self::NoCluster => {
                "names no cluster: give --cluster-arn ARN, or --bootstrap HOST:PORT".to_owned()
            }
        }
    }
}
