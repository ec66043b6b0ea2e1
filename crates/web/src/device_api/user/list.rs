//! `user/list`: every user of the tenant, or one page of them.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use domain::{Actor, Mdm, Page, User, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{
    caller::Call,
    documents::{CallRequest, Refusals},
    envelope::Envelope,
    error::Failure,
    fields::Scalar,
    paging::Paging,
    stream::{self, Listed},
    user_object::UserObject,
};

/// How many users at a time.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(in super::super) struct UserListRequest {
    /// Users on a page, 1 to 1000; 1000 where only `pageindex` is sent. Without both, all users are on one page.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    pagesize: Scalar,
    /// The page to show, from 1.
    #[schema(value_type = Option<u32>, minimum = 1)]
    pageindex: Scalar,
}

/// Users, by id.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct UserList {
    data: Vec<UserObject>,
    /// How many pages there are.
    #[schema(example = 1)]
    pagecount: u64,
    /// Which of them this is.
    #[schema(example = 1)]
    pageindex: u64,
    /// How many users there are, on all pages.
    #[schema(example = 1)]
    totalcount: u64,
}

/// Lists the users of the tenant.
#[utoipa::path(
    post,
    path = "/api/mdm/v2/user/list",
    request_body = inline(CallRequest<UserListRequest>),
    responses((status = 200, description = "The users", body = inline(Envelope<UserList>)), Refusals),
)]
pub(in super::super) async fn list(
    State(mdm): State<Arc<Mdm>>,
    call: Call<UserListRequest>,
) -> Result<Response, Failure> {
    match Paging::read(&call.body.pagesize, &call.body.pageindex)? {
        Some(paging) => Ok(one_page(&mdm, &call.actor, paging).await?.into_response()),
        None => every_user(mdm, call.actor).await,
    }
}

async fn one_page(mdm: &Mdm, actor: &Actor, paging: Paging) -> Result<Envelope<UserList>, Failure> {
    let page = Page { after: None, skip: paging.skip(), limit: paging.size };
    let found = mdm.user_page(actor, page).await?;
    Ok(Envelope::success(UserList {
        data: found.users.iter().map(UserObject::from).collect(),
        pagecount: paging.count(found.total),
        pageindex: paging.index,
        totalcount: found.total,
    }))
}

async fn every_user(mdm: Arc<Mdm>, actor: Actor) -> Result<Response, Failure> {
    let start = Page { after: None, skip: 0, limit: stream::PAGE };
    let first = mdm.users(&actor, start).await?;
    let caller = Arc::new((mdm, actor));
    stream::answer(first, move |last| {
        let caller = Arc::clone(&caller);
        async move {
            let (mdm, actor) = &*caller;
            mdm.users(actor, Page { after: Some(last), ..start }).await
        }
    })
}

impl Listed for User {
    type Id = UserId;

    fn id(&self) -> UserId {
        self.id
    }

    fn shown(&self) -> impl Serialize {
        UserObject::from(self)
    }
}
