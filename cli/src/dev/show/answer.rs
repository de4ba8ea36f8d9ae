//! What a partial answer lists, as it stands there. Read by `lines` and `fates`.

use std::collections::BTreeMap;

use msk_mapping::Ending;
use msk_mapping::machine::Offsets;
use msk_mapping::record::TopicPartition;

/// Empty: the function did not answer with a list of ours.
pub(crate) fn listed(ending: &Ending) -> Vec<Offsets> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire {
        batch_item_failures: Vec<Item>,
    }

    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Item {
        item_identifier: Identifier,
    }

    #[derive(serde::Deserialize)]
    struct Identifier {
        partition: String,
        offset: i64,
    }

    let Ending::Response(body) = ending else {
        return Vec::new();
    };
    let Ok(answer) = serde_json::from_slice::<Wire>(body) else {
        return Vec::new();
    };
    let mut listed: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for Item { item_identifier } in answer.batch_item_failures {
        listed
            .entry(item_identifier.partition)
            .or_default()
            .push(item_identifier.offset);
    }
    let offsets = |(key, offsets): (String, Vec<i64>)| {
        let (topic, partition) = key.rsplit_once('-')?;
        Some(Offsets {
            partition: TopicPartition::new(topic, partition.parse().ok()?),
            offsets,
        })
    };
    listed.into_iter().filter_map(offsets).collect()
}
