//! Schemas of a run's values, the registry that has them, and the faults of that. Used by `plan`.

use crate::dice::Dice;

/// The text of each schema that the registry has, the first one's id being 1.
const TEXTS: [&str; 3] = [
    r#""long""#,
    r#""int""#,
    r#"{"type": "long", "doc": "a count"}"#,
];

/// An id that the registry does not have.
const UNKNOWN: u32 = 99;

/// Values behind frames.
#[derive(Clone, Debug)]
pub(crate) struct Schemas {
    /// How many schemas values are of.
    known: u32,
    // Of a thousand values, so many are plain, or of an id that nobody has.
    plain: u32,
    unknown: u32,
    // Of a thousand requests, so many are refused, slow, or never answered.
    pub(crate) refused: u32,
    pub(crate) slow: u32,
    pub(crate) hangs: u32,
    /// When no request comes through, from and until.
    outages_ms: Vec<(u64, u64)>,
}

impl Schemas {
    pub(super) fn of(dice: &mut Dice, quiet_at_ms: u64) -> Self {
        let outages = dice.pick(&[0, 1, 1, 3]);
        let outage = |_| {
            let most = dice.pick(&[0, quiet_at_ms / 10, quiet_at_ms]);
            let from = dice.between(0, most);
            let longest = dice.pick(&[500, 5_000, 30_000]);
            (from, quiet_at_ms.min(from + dice.between(100, longest)))
        };
        let outages_ms = (0..outages).map(outage).collect();
        Self {
            known: dice.between(1, TEXTS.len() as u64) as u32,
            plain: dice.pick(&[0, 300, 600]),
            unknown: dice.pick(&[0, 0, 100, 300]),
            refused: dice.pick(&[0, 0, 100, 500]),
            slow: dice.pick(&[0, 200, 600]),
            hangs: dice.pick(&[0, 0, 100, 300]),
            outages_ms,
        }
    }

    /// The schema's id of one value. *None: it is plain.*
    pub(crate) fn draw(&self, dice: &mut Dice) -> Option<u32> {
        match () {
            () if dice.per_mille(self.plain) => None,
            () if dice.per_mille(self.unknown) => Some(UNKNOWN),
            () => Some(dice.between(1, u64::from(self.known)) as u32),
        }
    }

    pub(crate) fn is_out(&self, now_ms: u64) -> bool {
        let mut outages = self.outages_ms.iter();
        outages.any(|(from, until)| (*from..*until).contains(&now_ms))
    }

    /// *None: there is no such schema.*
    pub(crate) fn text(id: u32) -> Option<&'static str> {
        let index = (id as usize).checked_sub(1)?;
        TEXTS.get(index).copied()
    }
}
