//! A partition's ledger as bytes, for a store's item. Versioned and small: about four bytes a settled offset. Called by `ledger` and whoever shows it.
//!
//! ```text
//! version 1 · sections: tag, length, content · a reader skips tags that it does not know
//!   1 settled   runs of neighbours: distance from the run before · length and whether rejected · minute, as a difference · fingerprints, 4 bytes each
//!   2 highest   the highest offset that a batch held
//!   3 reported  offset · fingerprint · minute · how many with it · distance to the last of them; older versions leave out the minute, or what follows it
//!   4 writes    minute · how many in it · how many in the one before; of a ledger without order
//! ```
//!
//! Numbers are LEB128, signed ones zigzag. Room is left for what is to come as sections of their own: which offsets run, how often each was delivered.

use bytes::Bytes;

use crate::idempotency::ledger::book::{Book, Entry, Reported, Writes};
use crate::idempotency::words::Settled;

const VERSION: u8 = 1;
const SETTLED: u8 = 1;
const HIGHEST: u8 = 2;
const REPORTED: u8 = 3;
const WRITES: u8 = 4;

/// Why a ledger's bytes are none that this version reads. Its records run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FormatError {
    #[error(
        "expected a format up to {VERSION}, found format {0}: use a newer version of the framework"
    )]
    Version(u8),
    #[error("byte {0} does not match the format")]
    Broken(usize),
}

/// The book as bytes.
pub(crate) fn encode(book: &Book) -> Bytes {
    let mut bytes = Vec::with_capacity(32 + 5 * book.entries.len());
    bytes.push(VERSION);
    section(&mut bytes, SETTLED, &settled(&book.entries));
    if let Some(highest) = book.highest {
        let mut content = Vec::new();
        put_signed(&mut content, highest);
        section(&mut bytes, HIGHEST, &content);
    }
    if let Some(Reported {
        offset,
        fingerprint,
        minute,
        records,
        last,
    }) = book.reported
    {
        let mut content = Vec::new();
        put_signed(&mut content, offset);
        content.extend(fingerprint.to_le_bytes());
        put(&mut content, minute.into());
        put(&mut content, records.into());
        put(&mut content, last.wrapping_sub(offset).cast_unsigned());
        section(&mut bytes, REPORTED, &content);
    }
    if let Some(writes) = book.writes {
        let mut content = Vec::new();
        for number in [writes.minute, writes.count, writes.before] {
            put(&mut content, number.into());
        }
        section(&mut bytes, WRITES, &content);
    }
    bytes.into()
}

fn section(bytes: &mut Vec<u8>, tag: u8, content: &[u8]) {
    bytes.push(tag);
    put(bytes, content.len() as u64);
    bytes.extend_from_slice(content);
}

fn settled(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(16 + 5 * entries.len());
    let neighbours = |a: &Entry, b: &Entry| {
        a.offset.checked_add(1) == Some(b.offset) && a.settled == b.settled && a.minute == b.minute
    };
    let (mut end, mut minute) = (0_i64, 0_u32);
    for run in entries.chunk_by(neighbours) {
        let first = run[0];
        // Ascending, so each distance but the first is small; wrapping holds any.
        put(&mut bytes, first.offset.wrapping_sub(end).cast_unsigned());
        let rejected = u64::from(first.settled == Settled::Rejected);
        put(&mut bytes, (run.len() as u64) << 1 | rejected);
        put_signed(&mut bytes, i64::from(first.minute) - i64::from(minute));
        bytes.reserve(run.len() * 4);
        for entry in run {
            bytes.extend_from_slice(&entry.fingerprint.to_le_bytes());
        }
        end = first.offset.wrapping_add(run.len() as i64);
        minute = first.minute;
    }
    bytes
}

/// The book of these bytes; of none, an empty one.
pub(crate) fn decode(bytes: &[u8]) -> Result<Book, FormatError> {
    let mut book = Book::default();
    let mut reader = ByteReader { bytes, at: 0 };
    match bytes.first() {
        None => return Ok(book),
        Some(&VERSION) => reader.at = 1,
        Some(&other) => return Err(FormatError::Version(other)),
    }
    while reader.at < bytes.len() {
        let tag = reader.byte()?;
        let length = usize::try_from(reader.number()?).map_err(|_| reader.broken())?;
        let end = reader.at.checked_add(length);
        let end = end.filter(|end| *end <= bytes.len());
        let end = end.ok_or_else(|| reader.broken())?;
        let mut content = ByteReader {
            bytes: &bytes[..end],
            at: reader.at,
        };
        match tag {
            SETTLED => book.entries = content.settled()?,
            HIGHEST => book.highest = Some(content.signed()?),
            REPORTED => {
                let offset = content.signed()?;
                let mut reported = Reported {
                    offset,
                    fingerprint: content.fingerprint()?,
                    minute: 0,
                    records: 1,
                    last: offset,
                };
                if content.at < end {
                    reported.minute = content.small()?;
                }
                if content.at < end {
                    reported.records = content.small()?;
                    reported.last = offset.wrapping_add(content.number()?.cast_signed());
                }
                book.reported = Some(reported);
            }
            WRITES => {
                book.writes = Some(Writes {
                    minute: content.small()?,
                    count: content.small()?,
                    before: content.small()?,
                });
            }
            _ => {}
        }
        reader.at = end;
    }
    Ok(book)
}

struct ByteReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl ByteReader<'_> {
    fn broken(&self) -> FormatError {
        FormatError::Broken(self.at)
    }

    fn byte(&mut self) -> Result<u8, FormatError> {
        let byte = self.bytes.get(self.at).copied();
        let byte = byte.ok_or_else(|| self.broken())?;
        self.at += 1;
        Ok(byte)
    }

    fn number(&mut self) -> Result<u64, FormatError> {
        let mut number = 0_u64;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7F);
            if part << shift >> shift != part {
                return Err(self.broken());
            }
            number |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(self.broken())
    }

    /// A number of 32 bits.
    fn small(&mut self) -> Result<u32, FormatError> {
        u32::try_from(self.number()?).map_err(|_| self.broken())
    }

    fn signed(&mut self) -> Result<i64, FormatError> {
        let number = self.number()?;
        Ok((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }

    fn fingerprint(&mut self) -> Result<u32, FormatError> {
        let four = self.bytes[self.at..].first_chunk::<4>();
        let four = four.ok_or_else(|| self.broken())?;
        self.at += 4;
        Ok(u32::from_le_bytes(*four))
    }

    fn settled(&mut self) -> Result<Vec<Entry>, FormatError> {
        // A fingerprint takes four bytes: no length that is written there makes this larger than what is read.
        let mut entries: Vec<Entry> = Vec::with_capacity((self.bytes.len() - self.at) / 4);
        let (mut end, mut minute) = (0_i64, 0_i64);
        while self.at < self.bytes.len() {
            let mut offset = end.wrapping_add(self.number()?.cast_signed());
            let length = self.number()?;
            minute = minute.wrapping_add(self.signed()?);
            let settled = match length & 1 {
                0 => Settled::Done,
                _ => Settled::Rejected,
            };
            let minute = u32::try_from(minute).map_err(|_| self.broken())?;
            for _ in 0..length >> 1 {
                let ascends = entries.last().is_none_or(|last| last.offset < offset);
                if !ascends {
                    return Err(self.broken());
                }
                entries.push(Entry {
                    offset,
                    fingerprint: self.fingerprint()?,
                    settled,
                    minute,
                });
                offset = offset.wrapping_add(1);
            }
            end = offset;
        }
        Ok(entries)
    }
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn put_signed(bytes: &mut Vec<u8>, number: i64) {
    put(bytes, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::option;
    use proptest::prelude::{Strategy, any};
    use proptest::{prop_assert_eq, proptest};

    use super::{FormatError, decode, encode};
    use crate::idempotency::ledger::book::{Book, Entry, Reported, Writes};
    use crate::idempotency::words::Settled;

    fn books() -> impl Strategy<Value = Book> {
        let offset = proptest::prop_oneof![0..50_i64, any::<i64>()];
        let minute = proptest::prop_oneof![100..102_u32, any::<u32>()];
        let entry = (any::<u32>(), any::<bool>(), minute);
        let entries = btree_map(offset, entry, 0..60);
        let reported = option::of((any::<i64>(), any::<u32>(), any::<[u32; 2]>(), any::<i64>()));
        let writes = option::of((any::<u32>(), any::<u32>(), any::<u32>()));
        let others = (option::of(any::<i64>()), reported, writes);
        (entries, others).prop_map(|(entries, (highest, reported, writes))| {
            let entries = entries.into_iter();
            let entry = |(offset, (fingerprint, rejected, minute))| Entry {
                offset,
                fingerprint,
                settled: if rejected {
                    Settled::Rejected
                } else {
                    Settled::Done
                },
                minute,
            };
            Book {
                entries: entries.map(entry).collect(),
                highest,
                reported: reported.map(|(offset, fingerprint, [minute, records], last)| Reported {
                    offset,
                    fingerprint,
                    minute,
                    records,
                    last,
                }),
                writes: writes.map(|(minute, count, before)| Writes {
                    minute,
                    count,
                    before,
                }),
            }
        })
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(book in books()) {
            prop_assert_eq!(decode(&encode(&book)), Ok(book));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..200), one in 0..4_u8) {
            let _ = decode(&bytes);
            let _ = decode(&[&[1, one], &bytes[..]].concat());
        }

        #[test]
        fn what_is_cut_off_or_changed_is_refused_or_another_book(book in books(), cut in 0..400_usize, flip in any::<u8>()) {
            let whole = encode(&book);
            let at = cut % whole.len();
            let _ = decode(&whole[..at]);
            let mut changed = whole.to_vec();
            changed[at] ^= flip;
            let _ = decode(&changed);
        }
    }

    fn neighbours(count: i64) -> Book {
        let entry = |offset| Entry {
            offset,
            fingerprint: 0x0102_0304,
            settled: Settled::Done,
            minute: 29_453_760,
        };
        Book {
            entries: (1_000_000..1_000_000 + count).map(entry).collect(),
            highest: Some(1_000_000 + count),
            reported: None,
            writes: None,
        }
    }

    #[test]
    fn a_thousand_neighbours_take_four_kilobytes() {
        let bytes = encode(&neighbours(1_000));

        assert_eq!(bytes.len(), 4_018);
    }

    /// What one version has written, the next must read.
    #[test]
    fn the_format_stands() {
        let mut book = neighbours(2);
        book.entries[1].settled = Settled::Rejected;
        book.reported = Some(Reported {
            offset: 7,
            fingerprint: 9,
            minute: 300,
            records: 5,
            last: 11,
        });

        let text: Vec<String> = encode(&book)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();

        insta::assert_snapshot!(text.join(" "), @"01 01 13 c0 84 3d 02 80 b7 8b 1c 04 03 02 01 00 03 00 04 03 02 01 02 03 84 89 7a 03 09 0e 09 00 00 00 ac 02 05 04");
    }

    #[test]
    fn a_report_of_a_version_that_noted_less_is_read() {
        let alone = |minute| Reported {
            offset: 7,
            fingerprint: 9,
            minute,
            records: 1,
            last: 7,
        };
        let without_time = [1, 3, 5, 0x0e, 9, 0, 0, 0];
        let without_count = [1, 3, 7, 0x0e, 9, 0, 0, 0, 0xac, 2];

        assert_eq!(decode(&without_time).unwrap().reported, Some(alone(0)));
        assert_eq!(decode(&without_count).unwrap().reported, Some(alone(300)));
    }

    #[test]
    fn a_section_that_is_not_known_is_skipped_and_another_version_refused() {
        let mut bytes = encode(&neighbours(2)).to_vec();
        bytes.extend([99, 3, 1, 2, 3]);

        assert_eq!(decode(&bytes), Ok(neighbours(2)));
        bytes[0] = 2;
        assert_eq!(decode(&bytes), Err(FormatError::Version(2)));
        assert_eq!(decode(&[]), Ok(Book::default()));
    }

    #[test]
    fn offsets_that_do_not_ascend_are_refused() {
        // Two runs of one offset each, the second as far back as the first stands.
        let settled = [5, 2, 0, 0, 0, 0, 0, 0x80 | 0x7F];
        let back = (-3_i64).cast_unsigned();
        let mut content = settled[..7].to_vec();
        super::put(&mut content, back);
        content.extend([2, 0, 0, 0, 0, 0]);
        let mut bytes = vec![1, 1, content.len() as u8];
        bytes.extend(content);

        assert!(matches!(decode(&bytes), Err(FormatError::Broken(_))));
    }
}
