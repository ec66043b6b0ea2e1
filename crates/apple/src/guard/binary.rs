//! The binary side of the guard: walks the objects of a `bplist00` as they would be expanded, counting before
//! anything is built.
//!
//! The format (Apple's `CFBinaryPList.c`): 8 bytes of magic, objects, a table of their offsets, and a trailer
//! of 32 bytes. Arrays and dictionaries refer to objects by number, so that objects may be shared, overlap,
//! or contain themselves.

use super::{Limits, MAX_DEPTH, MalformedPlist};

const MAGIC: &[u8] = b"bplist00";
const TRAILER: usize = 32;

/// Refuses `bytes` unless all that its top object refers to is in range, free of cycles and, fully expanded,
/// within `limits`.
pub(super) fn check(bytes: &[u8], limits: Limits) -> Result<(), MalformedPlist> {
    let (mut objects, top) = Objects::read(bytes, limits)?;
    objects.visit(top, 0).map(drop)
}

/// What an object is after expansion.
#[derive(Clone, Copy)]
struct Size {
    objects: usize,
    bytes: usize,
    /// Levels of arrays and dictionaries.
    height: usize,
}

#[derive(Clone, Copy)]
enum Seen {
    Not,
    /// Its children are being looked at: to meet it now is a cycle.
    Open,
    Whole(Size),
}

struct Objects<'a> {
    /// Magic and objects, up to the table.
    bytes: &'a [u8],
    offsets: Vec<usize>,
    seen: Vec<Seen>,
    reference_size: usize,
    /// References and bytes of content looked at so far. Bounded, because objects may overlap in the file.
    references: usize,
    content: usize,
    limits: Limits,
}

impl<'a> Objects<'a> {
    /// Reads trailer and table; also gives the number of the top object.
    fn read(bytes: &'a [u8], limits: Limits) -> Result<(Objects<'a>, usize), MalformedPlist> {
        let body = bytes.len().checked_sub(TRAILER).filter(|body| *body >= MAGIC.len());
        let (body, trailer) = bytes.split_at(body.ok_or(fault("it is too short"))?);
        if !body.starts_with(MAGIC) {
            return Err(fault("it is of an unknown version"));
        }
        let (offset_size, reference_size) = (usize::from(trailer[6]), usize::from(trailer[7]));
        if ![offset_size, reference_size].iter().all(|size| matches!(size, 1 | 2 | 3 | 4 | 8)) {
            return Err(fault("its numbers have an unknown size"));
        }
        let number = |at: usize| usize::try_from(big_endian(&trailer[at..at + 8])).unwrap_or(usize::MAX);
        let (count, top, table) = (number(8), number(16), number(24));
        if count > limits.elements {
            return Err(MalformedPlist::TooManyElements { limit: limits.elements });
        }
        let (objects, table) = body.split_at_checked(table).ok_or(fault("its table is out of range"))?;
        let table =
            table.get(..count.saturating_mul(offset_size)).ok_or(fault("its table is out of range"))?;
        let offsets = table
            .chunks_exact(offset_size)
            .map(|offset| usize::try_from(big_endian(offset)).unwrap_or(usize::MAX))
            .collect();
        let seen = vec![Seen::Not; count];
        let objects =
            Objects { bytes: objects, offsets, seen, reference_size, references: 0, content: 0, limits };
        Ok((objects, top))
    }

    /// The expanded size of an object that stands below `depth` containers.
    fn visit(&mut self, number: usize, depth: usize) -> Result<Size, MalformedPlist> {
        let size = match self.seen.get(number) {
            None => return Err(fault("a reference is out of range")),
            Some(Seen::Open) => return Err(fault("an object contains itself")),
            Some(Seen::Whole(size)) => *size,
            Some(Seen::Not) => {
                self.seen[number] = Seen::Open;
                let size = self.measure(number, depth)?;
                self.seen[number] = Seen::Whole(size);
                size
            }
        };
        if depth + size.height > MAX_DEPTH {
            return Err(MalformedPlist::TooDeep);
        }
        Ok(size)
    }

    fn measure(&mut self, number: usize, depth: usize) -> Result<Size, MalformedPlist> {
        let (marker, after) = self.object(number)?;
        let low = usize::from(marker & 0x0f);
        match (marker >> 4, low) {
            (0x0, 8 | 9) => self.leaf(after, 0),
            (0x1, 0..=4) => self.leaf(after, 1 << low),
            (0x2, 2 | 3) => self.leaf(after, 1 << low),
            (0x3, 3) => self.leaf(after, 8),
            (0x4, _) => self.counted(low, after, 1).and_then(|(length, after)| self.leaf(after, length)),
            (0x5, _) => self.counted(low, after, 1).and_then(|(length, after)| self.text(after, length, 1)),
            (0x6, _) => self.counted(low, after, 2).and_then(|(length, after)| self.text(after, length, 2)),
            (0xa, _) => self.container(low, after, depth, false),
            (0xd, _) => self.container(low, after, depth, true),
            _ => Err(fault("an object of an unknown kind")),
        }
    }

    fn object(&self, number: usize) -> Result<(u8, &'a [u8]), MalformedPlist> {
        let offset = self.offsets.get(number).copied().filter(|offset| *offset >= MAGIC.len());
        let object = offset.and_then(|offset| self.bytes.get(offset..)).and_then(<[u8]>::split_first);
        object.map(|(marker, after)| (*marker, after)).ok_or(fault("an object is out of range"))
    }

    /// The length in bytes of an object of units of `unit` bytes, and what comes after the number that says
    /// it.
    fn counted(&self, low: usize, after: &'a [u8], unit: usize) -> Result<(usize, &'a [u8]), MalformedPlist> {
        let (count, after) = if low < 0x0f {
            (low, after)
        } else {
            let broken = || fault("a length is broken");
            let (marker, after) = after.split_first().ok_or_else(broken)?;
            let width = 1 << (marker & 0x0f).min(4);
            if !matches!(marker, 0x10..=0x13) || after.len() < width {
                return Err(broken());
            }
            (usize::try_from(big_endian(&after[..width])).unwrap_or(usize::MAX), &after[width..])
        };
        let length = count.checked_mul(unit).filter(|length| *length <= after.len());
        length.map(|length| (length, after)).ok_or(fault("an object is longer than the document"))
    }

    fn leaf(&mut self, after: &[u8], length: usize) -> Result<Size, MalformedPlist> {
        if after.len() < length {
            return Err(fault("an object is longer than the document"));
        }
        self.content += length;
        if self.content > self.limits.bytes {
            return Err(MalformedPlist::TooLong { limit: self.limits.bytes });
        }
        Ok(Size { objects: 1, bytes: length, height: 0 })
    }

    /// A text; U+0000 is refused as it is in XML, since not everything that keeps texts can keep it.
    fn text(&mut self, after: &[u8], length: usize, unit: usize) -> Result<Size, MalformedPlist> {
        let mut size = self.leaf(after, length)?;
        if after[..length].chunks_exact(unit).any(|unit| unit.iter().all(|byte| *byte == 0)) {
            return Err(fault("a text with a control character"));
        }
        if unit == 2 {
            size.bytes = length / 2 * 3; // as UTF-8, at most
        }
        Ok(size)
    }

    fn container(
        &mut self,
        low: usize,
        after: &'a [u8],
        depth: usize,
        keyed: bool,
    ) -> Result<Size, MalformedPlist> {
        if depth >= MAX_DEPTH {
            return Err(MalformedPlist::TooDeep);
        }
        let parts = if keyed { 2 } else { 1 };
        let (length, after) = self.counted(low, after, parts * self.reference_size)?;
        self.references += length / self.reference_size;
        if self.references > self.limits.elements {
            return Err(MalformedPlist::TooManyElements { limit: self.limits.elements });
        }
        let keys = if keyed { length / self.reference_size / 2 } else { 0 };
        let mut whole = Size { objects: 1, bytes: 0, height: 0 };
        for (index, reference) in after[..length].chunks_exact(self.reference_size).enumerate() {
            let number = usize::try_from(big_endian(reference)).unwrap_or(usize::MAX);
            if index < keys && !matches!(self.object(number)?.0 >> 4, 0x5 | 0x6) {
                return Err(fault("a key is not a text"));
            }
            let size = self.visit(number, depth + 1)?;
            whole = self.add(whole, size)?;
        }
        whole.height += 1;
        Ok(whole)
    }

    fn add(&self, whole: Size, part: Size) -> Result<Size, MalformedPlist> {
        let sum = Size {
            objects: whole.objects.saturating_add(part.objects),
            bytes: whole.bytes.saturating_add(part.bytes),
            height: whole.height.max(part.height),
        };
        if sum.objects > self.limits.elements {
            return Err(MalformedPlist::TooManyElements { limit: self.limits.elements });
        }
        if sum.bytes > self.limits.bytes {
            return Err(MalformedPlist::TooLong { limit: self.limits.bytes });
        }
        Ok(sum)
    }
}

fn fault(what: &'static str) -> MalformedPlist {
    MalformedPlist::Binary { what }
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, MAX_DEPTH, MalformedPlist, parse};
    use super::*;
    use plist::Value;

    /// A document of these objects, the first on top, with references of one byte.
    fn document(objects: &[&[u8]]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        let mut table = Vec::new();
        for object in objects {
            table.push(u16::try_from(bytes.len()).unwrap());
            bytes.extend_from_slice(object);
        }
        finish(bytes, &table, 0)
    }

    fn finish(mut bytes: Vec<u8>, table: &[u16], top: u64) -> Vec<u8> {
        let at = bytes.len() as u64;
        bytes.extend(table.iter().flat_map(|offset| offset.to_be_bytes()));
        bytes.extend([0, 0, 0, 0, 0, 0, 2, 1]);
        bytes.extend([table.len() as u64, top, at].iter().flat_map(|number| number.to_be_bytes()));
        bytes
    }

    fn read(objects: &[&[u8]]) -> Result<Value, MalformedPlist> {
        parse(&document(objects), Limits::report())
    }

    #[test]
    fn thirty_doublings_in_162_bytes_are_not_expanded() {
        let objects: Vec<Vec<u8>> =
            (1..=30u8).map(|next| vec![0xa2, next, next]).chain([vec![0x09]]).collect();
        let bomb = document(&objects.iter().map(Vec::as_slice).collect::<Vec<_>>());
        assert!(bomb.len() < 250);
        assert_eq!(parse(&bomb, Limits::report()), Err(MalformedPlist::TooManyElements { limit: 200_000 }));
    }

    #[test]
    fn a_long_text_that_is_shared_counts_as_often_as_it_is_used() {
        let mut text = vec![0x5f, 0x11, 0x40, 0x00];
        text.extend([b'a'; 0x4000]);
        let mut array = vec![0xaf, 0x11, 0x10, 0x00];
        array.extend([1; 0x1000]); // 4,096 times 16 KiB
        assert_eq!(read(&[&array, &text]), Err(MalformedPlist::TooLong { limit: 16 << 20 }));
    }

    #[test]
    fn objects_that_overlap_in_the_file_cannot_make_the_walk_quadratic() {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([0xaf, 0x11, 0x03, 0xe8]);
        bytes.extend((0..1_000u16).map(|n| (n % 200 + 1) as u8));
        bytes.push(0x09);
        let last = u16::try_from(bytes.len() - 1).unwrap();
        // 200 objects that are all the same tail of markers: each is a leaf, so the walk ends at once.
        let table: Vec<u16> = std::iter::once(8).chain(std::iter::repeat_n(last, 200)).collect();
        assert!(parse(&finish(bytes.clone(), &table, 0), Limits::report()).is_ok());
        let tight = Limits { elements: 900, ..Limits::report() };
        assert_eq!(
            parse(&finish(bytes, &table, 0), tight),
            Err(MalformedPlist::TooManyElements { limit: 900 })
        );
    }

    #[test]
    fn an_object_that_contains_itself_is_refused() {
        assert_eq!(read(&[&[0xa1, 0]]), Err(fault("an object contains itself")));
        assert_eq!(
            read(&[&[0xa1, 1], &[0xd1, 2, 0], &[0x51, b'k']]),
            Err(fault("an object contains itself"))
        );
    }

    #[test]
    fn depth_is_counted_along_shared_objects() {
        let chain = |levels: u8| -> Result<Value, MalformedPlist> {
            let objects: Vec<Vec<u8>> =
                (1..=levels).map(|next| vec![0xa1, next]).chain([vec![0x09]]).collect();
            read(&objects.iter().map(Vec::as_slice).collect::<Vec<_>>())
        };
        assert!(chain(MAX_DEPTH as u8).is_ok());
        assert_eq!(chain(MAX_DEPTH as u8 + 1), Err(MalformedPlist::TooDeep));
    }

    #[test]
    fn a_shared_object_is_refused_where_its_second_place_is_too_deep() {
        // The top holds a tower of 40 (object 1) and, below 40 more arrays, the same tower again.
        let mut objects: Vec<Vec<u8>> = vec![vec![0xa2, 1, 42]];
        objects.extend((2..=40u8).map(|next| vec![0xa1, next]).chain([vec![0xa1, 41], vec![0x09]]));
        objects.extend((43..=80u8).map(|next| vec![0xa1, next]).chain([vec![0xa1, 1]]));
        assert_eq!(
            read(&objects.iter().map(Vec::as_slice).collect::<Vec<_>>()),
            Err(MalformedPlist::TooDeep)
        );
    }

    #[test]
    fn references_offsets_and_lengths_out_of_range_are_refused() {
        for objects in [
            vec![&[0xa1u8, 7][..]],
            vec![&[0xa5, 1]],
            vec![&[0x4e, 1, 2]],
            vec![&[0x5f, 0x13, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
            vec![&[0x6f, 0x13, 0x80, 0, 0, 0, 0, 0, 0, 1]],
            vec![&[0xdf, 0x13, 0x80, 0, 0, 0, 0, 0, 0, 1]],
            vec![&[0x5f, 0x22]],
            vec![&[0x13, 1]],
            vec![&[0x00]],
            vec![&[0x80, 1]],
            vec![&[0xd1, 1, 1], &[0x09]],
            vec![&[0x51, 0]],
        ] {
            assert!(read(&objects).is_err(), "{objects:x?}");
        }
        let whole = document(&[&[0x09]]);
        for length in 0..whole.len() {
            assert!(parse(&whole[..length], Limits::report()).is_err(), "{length}");
        }
    }

    #[test]
    fn a_dictionary_with_every_kind_is_read() {
        let value = read(&[
            &[0xd4, 1, 2, 3, 4, 5, 6, 7, 8],
            &[0x51, b'a'],
            &[0x51, b'b'],
            &[0x51, b'c'],
            &[0x61, 0, 0xe4],
            &[0x11, 1, 0],
            &[0x42, 7, 8],
            &[0x23, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0],
            &[0x08],
        ])
        .unwrap();
        let value = value.as_dictionary().unwrap();
        assert_eq!(value.get("a"), Some(&Value::from(256)));
        assert_eq!(value.get("b"), Some(&Value::Data(vec![7, 8])));
        assert_eq!(value.get("c"), Some(&Value::Real(0.5)));
        assert_eq!(value.get("ä"), Some(&Value::from(false)));
    }
}
