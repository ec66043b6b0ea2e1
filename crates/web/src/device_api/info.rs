//! `device/info`: everything that is known of one device.

use std::sync::Arc;

use axum::extract::State;
use domain::Mdm;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    caller::DeviceCall,
    device_object::DeviceObject,
    documents::{DeviceRequest, Refusals},
    envelope::Envelope,
    error::Failure,
};

/// Nothing beside the device's name.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct InfoRequest {}

/// One device.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeviceInfo {
    deviceinfo: DeviceObject,
}

/// Answers everything that is known of one device.
#[utoipa::path(
    post,
    path = "/api/mdm/v2/device/info",
    request_body = inline(DeviceRequest<InfoRequest>),
    responses((status = 200, description = "The device", body = inline(Envelope<DeviceInfo>)), Refusals),
)]
pub(super) async fn info(
    State(mdm): State<Arc<Mdm>>,
    call: DeviceCall<InfoRequest>,
) -> Result<Envelope<DeviceInfo>, Failure> {
    let view = mdm.device(&call.actor, &call.device).await?;
    Ok(Envelope::success(DeviceInfo { deviceinfo: DeviceObject::from(&view) }))
}

#[cfg(test)]
mod tests {
    use super::{super::device_object::fixtures::published, *};

    #[test]
    fn the_device_stands_behind_the_envelope() {
        let device = DeviceObject::from(&published());
        let expected = format!(
            r#"{{"errorcode":null,"errormessage":null,"success":true,"tokenstatus":null,"deviceinfo":{}}}"#,
            serde_json::to_string(&device).unwrap()
        );
        let answer = Envelope::success(DeviceInfo { deviceinfo: device });
        assert_eq!(serde_json::to_string(&answer).unwrap(), expected);
    }
}
