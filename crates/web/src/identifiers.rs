//! UUIDs as clients write them.

use uuid::Uuid;

/// A UUID of 32 hex digits in either case, with or without the four hyphens; nothing else that the `uuid` crate reads.
pub(crate) fn uuid(text: &str) -> Option<Uuid> {
    matches!(text.len(), 32 | 36).then(|| Uuid::try_parse(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_read_with_or_without_hyphens_in_either_case() {
        let id = uuid("e60cf0e25e63430694441870c27a8b42").unwrap();
        assert_eq!(uuid("E60CF0E2-5E63-4306-9444-1870C27A8B42"), Some(id));
        assert_eq!(uuid("e60cf0e2-5e63-4306-9444-1870c27a8b42"), Some(id));
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "e60cf0e25e63430694441870c27a8b4",
            "g60cf0e25e63430694441870c27a8b42",
            "{e60cf0e2-5e63-4306-9444-1870c27a8b42}",
            "urn:uuid:e60cf0e2-5e63-4306-9444-1870c27a8b42",
            "ééééééééééééééé",
        ] {
            assert_eq!(uuid(text), None, "{text}");
        }
    }
}
