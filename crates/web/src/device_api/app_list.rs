//! `app/list`: the apps that one device reported.

use std::sync::Arc;

use axum::extract::State;
use domain::{APP_LIMIT, AppList, AppPage, Mdm};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    app_object::AppObject,
    caller::DeviceCall,
    documents::{DeviceRequest, Refusals},
    envelope::Envelope,
    error::Failure,
    fields::Scalar,
    paging::Paging,
};

/// How many apps at a time.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct AppListRequest {
    /// Apps on a page, 1 to 1000; 1000 where only `pageindex` is sent. Without both, all apps are on one page.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    pagesize: Scalar,
    /// The page to show, from 1.
    #[schema(value_type = Option<u32>, minimum = 1)]
    pageindex: Scalar,
}

/// Apps, by id.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Apps {
    data: Vec<AppObject>,
    /// How many pages there are.
    #[schema(example = 1)]
    pagecount: u64,
    /// Which of them this is.
    #[schema(example = 1)]
    pageindex: u64,
    /// How many apps there are, on all pages.
    #[schema(example = 1)]
    totalcount: u64,
}

/// Lists the apps that one device reported when it last answered `device/requestapplist`: those that are installed, and
/// those that this server manages. At most 10,000 are kept of a device.
#[utoipa::path(
    post,
    path = "/api/mdm/v2/app/list",
    request_body = inline(DeviceRequest<AppListRequest>),
    responses((status = 200, description = "The apps", body = inline(Envelope<Apps>)), Refusals),
)]
pub(super) async fn app_list(
    State(mdm): State<Arc<Mdm>>,
    call: DeviceCall<AppListRequest>,
) -> Result<Envelope<Apps>, Failure> {
    let paging = Paging::read(&call.body.pagesize, &call.body.pageindex)?;
    let list = mdm.apps(&call.actor, &call.device, page(paging)).await?;
    Ok(Envelope::success(shown(paging, &list)))
}

fn page(paging: Option<Paging>) -> AppPage {
    let everything = AppPage { skip: 0, limit: APP_LIMIT };
    paging.map_or(everything, |paging| AppPage { skip: paging.skip(), limit: paging.size })
}

fn shown(paging: Option<Paging>, list: &AppList) -> Apps {
    Apps {
        data: list.apps.iter().map(|app| AppObject::new(list.platform, app)).collect(),
        pagecount: paging.map_or(1, |paging| paging.count(list.total)),
        pageindex: paging.map_or(1, |paging| paging.index),
        totalcount: list.total,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::app_object::tests::notes, *};

    fn list(total: u64) -> AppList {
        AppList { platform: None, apps: vec![notes()], total }
    }

    #[test]
    fn without_paging_fields_all_apps_are_on_one_page() {
        assert_eq!(page(None), AppPage { skip: 0, limit: APP_LIMIT });
        let shown = shown(None, &list(1));
        assert_eq!((shown.data.len(), shown.pagecount, shown.pageindex, shown.totalcount), (1, 1, 1, 1));
    }

    #[test]
    fn a_page_passes_over_those_before_it() {
        let paging = Paging { size: 10, index: 3 };
        assert_eq!(page(Some(paging)), AppPage { skip: 20, limit: 10 });
        let shown = shown(Some(paging), &list(21));
        assert_eq!((shown.pagecount, shown.pageindex, shown.totalcount), (3, 3, 21));
    }
}
