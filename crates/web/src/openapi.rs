//! The OpenAPI documents of the published APIs, made from the handlers themselves.

use axum::{
    Router,
    http::{HeaderValue, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::{admin_api, device_api, lifecycle_api};

/// Each face's name and its document, as pretty-printed JSON with a line feed at its end: what `/openapi/{face}.json`
/// answers, and what is checked in as `docs/openapi/{face}.json`.
pub fn openapi_documents() -> Vec<(&'static str, String)> {
    let documents = [
        ("device-api", device_api::document()),
        ("lifecycle-api", lifecycle_api::document()),
        ("admin-api", admin_api::document()),
    ];
    documents
        .into_iter()
        .filter_map(|(face, document)| Some((face, document.to_pretty_json().ok()? + "\n")))
        .collect()
}

/// `/openapi/{face}.json`.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    openapi_documents().into_iter().fold(Router::new(), |router, (face, document)| {
        router.route(&format!("/openapi/{face}.json"), get(async move || json(document)))
    })
}

fn json(document: String) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], document).into_response()
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use axum::{body::Body, http::Request};
    use http_body_util::BodyExt;
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;

    #[test]
    fn the_documents_that_are_checked_in_are_the_ones_that_are_served() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi");
        for (face, document) in openapi_documents() {
            let file = folder.join(format!("{face}.json"));
            let checked_in = fs::read_to_string(&file).unwrap_or_default();
            assert!(checked_in == document, "{} is out of date: cargo xtask openapi", file.display());
        }
    }

    #[test]
    fn every_call_that_is_served_is_documented() {
        let paths = |face: &str| -> Vec<String> {
            let documents = openapi_documents();
            let (_, document) = documents.iter().find(|(name, _)| *name == face).unwrap();
            let document: Value = serde_json::from_str(document).unwrap();
            document["paths"].as_object().unwrap().keys().cloned().collect()
        };
        let device = [
            "app/info",
            "app/list",
            "device/disablelostmode",
            "device/enablelostmode",
            "device/info",
            "device/list",
            "device/lockscreen",
            "device/requestapplist",
            "device/requestlocation",
            "device/resetpasscode",
            "device/wipe",
            "group/list",
            "user/changepassword",
            "user/create",
            "user/delete",
            "user/info",
            "user/list",
            "user/login",
            "user/mdmprofile",
            "user/renewtoken",
        ];
        assert_eq!(paths("device-api"), device.map(|call| format!("/api/mdm/v2/{call}")));
        let lifecycle = ["/device-lifecycle/v1/{customerId}/devices/purge/async/external", "/v1/login"];
        assert_eq!(paths("lifecycle-api"), lifecycle);
        let admin = [
            "commands",
            "commands/{uuid}",
            "commands/{uuid}/cancel",
            "devices/{clientid}/diagnosis",
            "devices/{clientid}/secrets/{secret}/reveal",
        ];
        assert_eq!(paths("admin-api"), admin.map(|path| format!("/api/admin/v1/{path}")));
    }

    /// A reference into nothing would break every generator of clients.
    #[test]
    fn every_reference_in_a_document_leads_somewhere() {
        fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
            match value {
                Value::Object(fields) => {
                    found.extend(fields.get("$ref").and_then(Value::as_str));
                    fields.values().for_each(|value| references(value, found));
                }
                Value::Array(items) => items.iter().for_each(|value| references(value, found)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        for (face, document) in openapi_documents() {
            let document: Value = serde_json::from_str(&document).unwrap();
            let mut found = Vec::new();
            references(&document, &mut found);
            assert!(!found.is_empty());
            for reference in found {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{face}: {reference}");
            }
        }
    }

    #[test]
    fn every_call_needs_credentials_that_the_document_explains() {
        for (face, document) in openapi_documents() {
            let document: Value = serde_json::from_str(&document).unwrap();
            for call in document["paths"]
                .as_object()
                .unwrap()
                .values()
                .flat_map(|it| it.as_object().unwrap().values())
            {
                let needed = call.get("security").or(document.get("security")).unwrap();
                for scheme in needed.as_array().unwrap().iter().flat_map(|it| it.as_object().unwrap().keys())
                {
                    assert!(
                        document["components"]["securitySchemes"][scheme].is_object(),
                        "{face}: {scheme}"
                    );
                }
            }
        }
    }

    #[tokio::test]
    async fn a_document_is_served_under_the_name_of_its_face() {
        let request = Request::builder().uri("/openapi/lifecycle-api.json").body(Body::empty()).unwrap();
        let response = router::<()>().oneshot(request).await.unwrap();
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let document: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(document["info"]["title"], "Device Lifecycle API");
    }
}
