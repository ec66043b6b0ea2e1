//! One page of a list.

/// What one list call answers; ask again with [`Page::next`] until that is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries of this page.
    pub items: Vec<T>,
    /// `nextPageToken`: how to ask for the next page.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Of the two parts of an answer; Google may write an empty token for none.
    pub fn new(items: Vec<T>, token: Option<String>) -> Self {
        Self { items, next: token.filter(|token| !token.is_empty()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_token_ends_the_list() {
        assert_eq!(Page::new(vec![1], Some(String::new())).next, None);
        assert_eq!(Page::new(vec![1], Some("t".to_owned())).next.as_deref(), Some("t"));
    }
}
