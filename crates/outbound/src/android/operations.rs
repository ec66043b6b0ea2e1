//! Commands on their way.

use ::android::{DeviceName, Operation, OperationName, Page};
use http::Method;
use serde::Deserialize;

use super::Google;
use super::call::Call;
use super::error::Error;

const PAGE_SIZE: &str = "100";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Operations {
    operations: Vec<Operation>,
    next_page_token: Option<String>,
}

impl Google {
    /// `operations.get`; [`Error::NotFound`] once Google has forgotten it, or its device.
    pub async fn operation(&self, name: &OperationName) -> Result<Operation, Error> {
        self.ask("an operation", Call::management(Method::GET, name.as_str())).await
    }

    /// A page of a device's commands (`operations.list`).
    pub async fn operations(
        &self,
        device: &DeviceName,
        page: Option<&str>,
    ) -> Result<Page<Operation>, Error> {
        let call = Call::management(Method::GET, format!("{device}/operations"))
            .query("pageSize", PAGE_SIZE)
            .maybe("pageToken", page);
        let list: Operations = self.ask("a list of operations", call).await?;
        Ok(Page::new(list.operations, list.next_page_token))
    }

    /// `operations.cancel`: tries to call a command off; whether that came in time is told by its outcome.
    pub async fn cancel_operation(&self, name: &OperationName) -> Result<(), Error> {
        self.tell(Call::management(Method::POST, format!("{name}:cancel"))).await
    }
}
