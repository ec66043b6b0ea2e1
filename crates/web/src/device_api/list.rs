//! `device/list`: every device of the tenant, or one page of those that match a filter.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use domain::{Actor, DeviceFilter, DeviceId, DevicePage, DeviceView, Mdm, Page};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    caller::Call,
    device_object::DeviceObject,
    documents::{CallRequest, Refusals},
    envelope::Envelope,
    error::Failure,
    fields::{Object, Scalar},
    paging::Paging,
    stream::{self, Listed},
};
use filter::FilterFields;

mod filter;

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

/// Lists the devices of the tenant.
#[utoipa::path(
    post,
    path = "/api/mdm/v2/device/list",
    request_body = inline(CallRequest<ListRequest>),
    responses((status = 200, description = "The devices", body = inline(Envelope<DeviceList>)), Refusals),
)]
pub(super) async fn list(State(mdm): State<Arc<Mdm>>, call: Call<ListRequest>) -> Result<Response, Failure> {
    let paging = Paging::read(&call.body.pagesize, &call.body.pageindex)?;
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
    let devices = mdm.device_page(actor, filter, page(paging)).await?;
    Ok(Envelope::success(shown(paging, &devices)))
}

/// The answer grows while it is sent, from pages that are read one after the other, each in a transaction of its own.
async fn every_device(mdm: Arc<Mdm>, actor: Actor, filter: DeviceFilter) -> Result<Response, Failure> {
    let start = Page { after: None, skip: 0, limit: stream::PAGE };
    let first = mdm.devices(&actor, &filter, start).await?;
    let caller = Arc::new((mdm, actor, filter));
    stream::answer(first, move |last| {
        let caller = Arc::clone(&caller);
        async move {
            let (mdm, actor, filter) = &*caller;
            mdm.devices(actor, filter, Page { after: Some(last), ..start }).await
        }
    })
}

impl Listed for DeviceView {
    type Id = DeviceId;

    fn id(&self) -> DeviceId {
        self.device.id
    }

    fn shown(&self) -> impl Serialize {
        DeviceObject::from(self)
    }
}

fn page(paging: Paging) -> Page {
    Page { after: None, skip: paging.skip(), limit: paging.size }
}

fn shown(paging: Paging, page: &DevicePage) -> DeviceList {
    DeviceList {
        data: page.devices.iter().map(DeviceObject::from).collect(),
        pagecount: paging.count(page.total),
        pageindex: paging.index,
        totalcount: page.total,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::device_object::fixtures::published, *};

    #[test]
    fn a_page_passes_over_those_before_it() {
        assert_eq!(page(Paging { size: 10, index: 3 }), Page { after: None, skip: 20, limit: 10 });
    }

    #[test]
    fn a_page_is_shown_as_published() {
        let view = published();
        let device = serde_json::to_string(&DeviceObject::from(&view)).unwrap();
        let devices = DevicePage { devices: vec![view], total: 21 };
        let list = Envelope::success(shown(Paging { size: 10, index: 3 }, &devices));
        let expected = format!(
            r#"{{"errorcode":null,"errormessage":null,"success":true,"tokenstatus":null,"data":[{device}],"pagecount":3,"pageindex":3,"totalcount":21}}"#
        );
        assert_eq!(serde_json::to_string(&list).unwrap(), expected);
    }
}
