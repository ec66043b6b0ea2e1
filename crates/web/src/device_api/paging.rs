//! Pages of a list, as every list of this API takes and tells them.

use domain::PAGE_LIMIT;

use super::{error::Failure, fields::Scalar, messages::Expected};

/// One page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Paging {
    /// At most [`PAGE_LIMIT`].
    pub(super) size: u32,
    /// From 1.
    pub(super) index: u64,
}

impl Paging {
    /// The page that `pagesize` and `pageindex` ask for; `None` where neither is there.
    pub(super) fn read(pagesize: &Scalar, pageindex: &Scalar) -> Result<Option<Self>, Failure> {
        let size = pagesize.whole("pagesize", 1..=u64::from(PAGE_LIMIT), Expected::PageSize)?;
        let index = pageindex.whole("pageindex", 1..=u64::from(u32::MAX), Expected::PageIndex)?;
        if size.is_none() && index.is_none() {
            return Ok(None);
        }
        let size = size.and_then(|size| u32::try_from(size).ok()).unwrap_or(PAGE_LIMIT);
        Ok(Some(Self { size, index: index.unwrap_or(1) }))
    }

    /// How many entries stand before it.
    pub(super) fn skip(self) -> u64 {
        (self.index - 1) * u64::from(self.size)
    }

    /// How many pages so many entries need.
    pub(super) fn count(self, total: u64) -> u64 {
        total.div_ceil(u64::from(self.size))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::{super::fields::parse, *};

    #[derive(Default, Deserialize)]
    struct Request {
        pagesize: Scalar,
        pageindex: Scalar,
    }

    fn paging(body: &str) -> Result<Option<(u32, u64)>, Option<&'static str>> {
        let request: Request = parse(body.as_bytes()).unwrap();
        let paging = Paging::read(&request.pagesize, &request.pageindex).map_err(|failure| failure.field)?;
        Ok(paging.map(|paging| (paging.size, paging.index)))
    }

    #[test]
    fn without_paging_fields_there_are_no_pages() {
        assert_eq!(paging("{}"), Ok(None));
        assert_eq!(paging(r#"{"pagesize":null,"filter":{}}"#), Ok(None));
    }

    #[test]
    fn one_paging_field_is_enough() {
        assert_eq!(paging(r#"{"pagesize":10,"pageindex":3}"#), Ok(Some((10, 3))));
        assert_eq!(paging(r#"{"pagesize":1000}"#), Ok(Some((1000, 1))));
        assert_eq!(paging(r#"{"pageindex":2}"#), Ok(Some((1000, 2))));
    }

    #[test]
    fn a_page_that_cannot_be_is_refused() {
        for size in ["0", "1001", "-1", r#""10""#, "1.5"] {
            assert_eq!(paging(&format!(r#"{{"pagesize":{size}}}"#)), Err(Some("pagesize")), "{size}");
        }
        for index in ["0", "4294967296", "true"] {
            assert_eq!(paging(&format!(r#"{{"pageindex":{index}}}"#)), Err(Some("pageindex")), "{index}");
        }
    }

    #[test]
    fn a_page_passes_over_those_before_it() {
        assert_eq!(Paging { size: 10, index: 3 }.skip(), 20);
        let last = Paging { size: 1000, index: u64::from(u32::MAX) };
        assert!(i64::try_from(last.skip()).is_ok(), "what a database can count");
        assert_eq!(last.count(1001), 2);
    }
}
