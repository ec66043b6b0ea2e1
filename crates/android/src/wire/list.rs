//! A list with an end: what comes after the most that we keep is read over.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The most entries of any list that are kept, except where a list says otherwise.
const MOST: usize = 1000;

/// For `#[serde(deserialize_with)]`: the first thousand entries; `null` is an empty list.
pub(crate) fn deserialize<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_any(Reader::<T, MOST>(PhantomData))
}

/// As [`deserialize`], the first ten thousand.
pub(crate) fn long<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_any(Reader::<T, { MOST * 10 }>(PhantomData))
}

struct Reader<T, const N: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const N: usize> Visitor<'de> for Reader<T, N> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut kept = Vec::new();
        while kept.len() < N {
            match list.next_element()? {
                Some(entry) => kept.push(entry),
                None => return Ok(kept),
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Vec<u32>, serde_json::Error> {
        deserialize(&mut serde_json::Deserializer::from_str(json))
    }

    #[test]
    fn a_list_is_read_up_to_its_bound() {
        assert_eq!(read("[1,2]").unwrap(), [1, 2]);
        assert_eq!(read("null").unwrap(), [0; 0]);
        let endless = format!("[{}7]", "7,".repeat(5000));
        assert_eq!(read(&endless).unwrap().len(), MOST);
        let broken = format!("[{}", "7,".repeat(5000));
        assert!(read(&broken).is_err());
    }
}
