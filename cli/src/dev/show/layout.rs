//! What of several mappings fits on a screen: as much of each as there is room for, and a line of every one before a table
//! of any. Used by `live`.

use crate::text::cut::cut;

/// One mapping as text, line by line, in falling need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// Its name and what goes on.
    pub(crate) head: String,
    /// Its partitions, behind a head of their own. Empty: none has records.
    pub(crate) table: Vec<String>,
    /// How its records went in the last seconds. Empty: the function measures nothing.
    pub(crate) gauges: Vec<String>,
    /// Its sums.
    pub(crate) sum: String,
}

/// The width and the height of a terminal that does not tell them.
pub(crate) const SIZE: (usize, usize) = (80, 24);

/// At most so many mappings have a table.
const TABLES_MAX: usize = 3;

/// The lines of all mappings in so many rows, each cut to so many columns.
pub(crate) fn fit(blocks: &[Block], (columns, rows): (usize, usize)) -> Vec<String> {
    let heads = 2 * blocks.len();
    let mut lines = Vec::new();
    if heads <= rows {
        let mut room = rows - heads;
        for (number, block) in blocks.iter().enumerate() {
            let (mut gauges, mut table) = (Vec::new(), Vec::new());
            if number < TABLES_MAX {
                if block.gauges.len() <= room {
                    gauges.clone_from(&block.gauges);
                }
                table = shortened(&block.table, room - gauges.len());
            }
            room -= gauges.len() + table.len();
            lines.push(block.head.clone());
            lines.extend(table);
            lines.extend(gauges);
            lines.push(block.sum.clone());
        }
    } else {
        // A line each, and the rest by its number.
        let shown = if blocks.len() <= rows {
            blocks.len()
        } else {
            rows.saturating_sub(1)
        };
        lines.extend(blocks.iter().take(shown).map(|block| block.head.clone()));
        if shown < blocks.len() && rows > 0 {
            lines.push(format!("… and {} more mappings", blocks.len() - shown));
        }
    }
    lines.iter().map(|line| cut(line, columns)).collect()
}

/// A table in so many rows. Empty: not even one of its rows has room.
fn shortened(table: &[String], room: usize) -> Vec<String> {
    if table.len() <= room {
        return table.to_vec();
    }
    // Its head, a row, and how many are left out.
    if room < 3 {
        return Vec::new();
    }
    let mut shown = table[..room - 1].to_vec();
    shown.push(format!(
        "  … and {} more partitions",
        table.len() - shown.len()
    ));
    shown
}

#[cfg(test)]
mod tests {
    use super::{Block, fit};

    fn block(name: &str, partitions: usize) -> Block {
        let mut table = vec!["PARTITION".to_owned()];
        table.extend((0..partitions).map(|partition| format!("{name}-{partition}")));
        Block {
            head: name.to_owned(),
            table,
            gauges: Vec::new(),
            sum: format!("sum of {name}"),
        }
    }

    #[test]
    fn of_several_mappings_each_has_a_line_on_ten_rows() {
        for (mappings, rows) in [(3, 9), (5, 9), (9, 9), (2, 3)] {
            let names: Vec<String> = (0..mappings).map(|number| format!("t{number}")).collect();
            let blocks: Vec<Block> = names.iter().map(|name| block(name, 3)).collect();

            let lines = fit(&blocks, (80, rows));

            assert!(lines.len() <= rows, "{lines:?}");
            assert!(names.iter().all(|name| lines.contains(name)), "{lines:?}");
        }
    }

    #[test]
    fn what_has_no_room_at_all_is_counted() {
        let blocks: Vec<Block> = (0..20)
            .map(|number| block(&format!("t{number}"), 1))
            .collect();

        let lines = fit(&blocks, (80, 9));

        assert_eq!(lines.len(), 9);
        assert_eq!(lines[8], "… and 12 more mappings");
        assert_eq!(
            fit(&[block("a", 50)], (80, 9))[7],
            "  … and 45 more partitions"
        );
    }

    #[test]
    fn gauges_stand_under_the_table_where_there_is_room_for_them() {
        let mut block = block("a", 2);
        block.gauges = vec!["up".to_owned(), "down".to_owned()];

        let roomy = fit(&[block.clone()], (80, 9));
        let tight = fit(&[block], (80, 3));

        assert_eq!(
            roomy,
            ["a", "PARTITION", "a-0", "a-1", "up", "down", "sum of a"]
        );
        assert_eq!(tight, ["a", "sum of a"]);
    }
}
