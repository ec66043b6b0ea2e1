//! `device/list`: every device of the tenant, or one page of those that match a filter.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use domain::{Actor, DeviceFilter, DevicePage, Mdm, PAGE_LIMIT, Page};
use http::{HeaderValue, header::CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    caller::Call,
    device_object::DeviceObject,
    documents::{CallRequest, Refusals},
    envelope::Envelope,
    error::Failure,
    fields::{Object, Scalar},
    messages::Expected,
};
use filter::FilterFields;

mod filter;
mod stream;

/// Which devices to list, and how many at a time.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct ListRequest {
    /// Everything in it must hold; without it, every device is listed.
    #[schema(value_type = Option<FilterFields>)]
    filter: Object<FilterFields>,
    /// Devices on a page, 1 to 1000; 1000 where only `pageindex` is sent. Without both, all devices are on one page.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    pagesize: Scalar,
    /// The page to show, from 1.
    #[schema(value_type = Option<u32>, minimum = 1)]
    pageindex: Scalar,
}

/// Devices, by id.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeviceList {
    data: Vec<DeviceObject>,
    /// How many pages there are.
    #[schema(example = 1)]
    pagecount: u64,
    /// Which of them this is.
    #[schema(example = 1)]
    pageindex: u64,
    /// How many devices match, on all pages.
    #[schema(example = 1)]
    totalcount: u64,
}

/// One page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Paging {
    size: u32,
    /// From 1.
    index: u64,
}

/// Lists the devices of the tenant.
#[utoipa::path(
    post,
    path = "/api/mdm/v2/device/list",
    request_body = inline(CallRequest<ListRequest>),
    responses((status = 200, description = "The devices", body = inline(Envelope<DeviceList>)), Refusals),
)]
pub(super) async fn list(State(mdm): State<Arc<Mdm>>, call: Call<ListRequest>) -> Result<Response, Failure> {
    let paging = call.body.paging()?;
    let filter = call.body.filter.fields("filter")?.filter()?;
    match paging {
        Some(paging) => Ok(one_page(&mdm, &call.actor, &filter, paging).await?.into_response()),
        None => every_device(mdm, call.actor, filter).await,
    }
}

async fn one_page(
    mdm: &Mdm,
    actor: &Actor,
    filter: &DeviceFilter,
    paging: Paging,
) -> Result<Envelope<DeviceList>, Failure> {
    let page = mdm.device_page(actor, filter, paging.page()).await?;
    Ok(Envelope::success(paging.list(&page)))
}

/// The answer grows while it is sent, from pages that are read one after the other, each in a transaction of its own.
async fn every_device(mdm: Arc<Mdm>, actor: Actor, filter: DeviceFilter) -> Result<Response, Failure> {
    let start = Page { after: None, skip: 0, limit: PAGE_LIMIT };
    let first = mdm.devices(&actor, &filter, start).await?;
    let caller = Arc::new((mdm, actor, filter));
    let body = stream::body(first, move |last| {
        let caller = Arc::clone(&caller);
        async move {
            let (mdm, actor, filter) = &*caller;
            mdm.devices(actor, filter, Page { after: Some(last), ..start }).await
        }
    });
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

impl ListRequest {
    /// `None` where no field asks for pages.
    fn paging(&self) -> Result<Option<Paging>, Failure> {
        let size = self.pagesize.whole("pagesize", 1..=u64::from(PAGE_LIMIT), Expected::PageSize)?;
        let index = self.pageindex.whole("pageindex", 1..=u64::from(u32::MAX), Expected::PageIndex)?;
        if size.is_none() && index.is_none() {
            return Ok(None);
        }
        let size = size.and_then(|size| u32::try_from(size).ok()).unwrap_or(PAGE_LIMIT);
        Ok(Some(Paging { size, index: index.unwrap_or(1) }))
    }
}

impl Paging {
    fn page(self) -> Page {
        Page { after: None, skip: (self.index - 1) * u64::from(self.size), limit: self.size }
    }

    fn list(self, page: &DevicePage) -> DeviceList {
        DeviceList {
            data: page.devices.iter().map(DeviceObject::from).collect(),
            pagecount: page.total.div_ceil(u64::from(self.size)),
            pageindex: self.index,
            totalcount: page.total,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{device_object::tests::published, fields::parse},
        *,
    };

    fn paging(body: &str) -> Result<Option<(u32, u64)>, Option<&'static str>> {
        let request: ListRequest = parse(body.as_bytes()).unwrap();
        let paging = request.paging().map_err(|failure| failure.field)?;
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
        assert_eq!(Paging { size: 10, index: 3 }.page(), Page { after: None, skip: 20, limit: 10 });
        let last = Paging { size: 1000, index: u64::from(u32::MAX) };
        assert!(i64::try_from(last.page().skip).is_ok(), "what a database can count");
    }

    #[test]
    fn a_page_is_shown_as_published() {
        let view = published();
        let device = serde_json::to_string(&DeviceObject::from(&view)).unwrap();
        let page = DevicePage { devices: vec![view], total: 21 };
        let list = Envelope::success(Paging { size: 10, index: 3 }.list(&page));
        let expected = format!(
            r#"{{"errorcode":null,"errormessage":null,"success":true,"tokenstatus":null,"data":[{device}],"pagecount":3,"pageindex":3,"totalcount":21}}"#
        );
        assert_eq!(serde_json::to_string(&list).unwrap(), expected);
    }
}
