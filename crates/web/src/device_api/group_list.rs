//! `group/list`: the groups of the tenant.

use std::sync::Arc;

use axum::extract::State;
use domain::{Group, Mdm};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    caller::Call,
    documents::{CallRequest, Refusals},
    envelope::Envelope,
    error::Failure,
};

/// A group of this server's own; 1 would be one of Microsoft Entra.
const LOCAL: u8 = 0;

/// Nothing beside the credentials.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct GroupListRequest {}

/// Groups, by name.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GroupList {
    data: Vec<GroupObject>,
}

#[derive(Debug, Serialize, ToSchema)]
struct GroupObject {
    #[schema(required, example = "All who teach")]
    description: Option<String>,
    #[schema(example = "0d6f5a3e-55cb-4a1c-9a75-6a1f1d8f9d11")]
    id: String,
    #[schema(example = "Teachers")]
    name: String,
    /// 0: local. 1: Microsoft Entra.
    #[schema(example = 0)]
    grouptype: u8,
}

/// Lists the groups of the tenant.
#[utoipa::path(
    post,
    path = "/api/mdm/v2/group/list",
    request_body = inline(CallRequest<GroupListRequest>),
    responses((status = 200, description = "The groups", body = inline(Envelope<GroupList>)), Refusals),
)]
pub(super) async fn group_list(
    State(mdm): State<Arc<Mdm>>,
    call: Call<GroupListRequest>,
) -> Result<Envelope<GroupList>, Failure> {
    let GroupListRequest {} = call.body;
    let groups = mdm.groups(&call.actor).await?;
    Ok(Envelope::success(GroupList { data: groups.into_iter().map(GroupObject::from).collect() }))
}

impl From<Group> for GroupObject {
    fn from(group: Group) -> Self {
        Self { description: group.description, id: group.id.to_string(), name: group.name, grouptype: LOCAL }
    }
}
