//! Google's enumerations: known words as variants, all others kept as they came.

/// The most of an unknown word that is kept, in characters.
pub(crate) const MAX_WORD: usize = 64;

/// Defines an enumeration of Google's words that reads any word.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $(
                #[doc = concat!("`", $word, "`.")]
                $variant,
            )+
            /// A word that we do not know, its first 64 characters.
            Other(Box<str>),
        }

        impl $name {
            /// Reads any word.
            pub fn from_word(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)+
                    other => Self::Other(other.chars().take($crate::words::MAX_WORD).collect()),
                }
            }

            /// Google's word.
            pub fn word(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Ok(Self::from_word(&word))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    words! {
        /// For the tests.
        Mood { Good = "GOOD", Bad = "BAD", }
    }

    #[test]
    fn a_known_word_is_a_variant_and_comes_back() {
        let moods: Vec<Mood> = serde_json::from_str(r#"["GOOD","BAD"]"#).unwrap();
        assert_eq!(moods, [Mood::Good, Mood::Bad]);
        assert_eq!(serde_json::to_string(&moods).unwrap(), r#"["GOOD","BAD"]"#);
    }

    #[test]
    fn an_unknown_word_is_kept_but_not_without_end() {
        assert_eq!(Mood::from_word("MOOD_UNSPECIFIED").word(), "MOOD_UNSPECIFIED");
        assert_eq!(Mood::from_word(&"ä".repeat(1000)).word(), "ä".repeat(super::MAX_WORD));
        assert!(serde_json::from_str::<Mood>("1").is_err());
    }
}
