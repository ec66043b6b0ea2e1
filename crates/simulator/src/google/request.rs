//! A request, taken apart.

use http::Method;
use http::request::Parts;
use serde_json::Value;

use super::refusal::Refusal;

/// What came: method, path, the verb after its colon, query, body.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: Vec<String>,
    pub(super) verb: Option<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) authorization: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn new(head: &Parts, body: Vec<u8>) -> Self {
        let header = |name: &str| Some(head.headers.get(name)?.to_str().ok()?.to_owned());
        let (path, verb) = path(head.uri.path());
        Self {
            method: head.method.clone(),
            path,
            verb,
            query: pairs(head.uri.query().unwrap_or_default()),
            authorization: header("authorization"),
            content_type: header("content-type"),
            body,
        }
    }

    /// Method, segments and verb, to be matched.
    pub(super) fn route(&self) -> (&str, Vec<&str>, Option<&str>) {
        let segments = self.path.iter().map(String::as_str).collect();
        (self.method.as_str(), segments, self.verb.as_deref())
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn needed(&self, name: &str) -> Result<&str, Refusal> {
        let value = self.parameter(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| Refusal::invalid(format!("{name} is missing")))
    }

    /// Google refuses parameters that a method does not have.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        match self.query.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => Err(Refusal::invalid(format!("Cannot bind query parameter {name:?}"))),
            None => Ok(()),
        }
    }

    /// The body of a call that has one.
    pub(super) fn json(&self) -> Result<Value, Refusal> {
        if !self.content_type.as_deref().is_some_and(|it| it.starts_with("application/json")) {
            return Err(Refusal::invalid("the content type must be application/json"));
        }
        let value = serde_json::from_slice::<Value>(&self.body);
        value.ok().filter(Value::is_object).ok_or_else(|| Refusal::invalid("the body must be a JSON object"))
    }

    /// A call that has no body must not send one.
    pub(super) fn no_body(&self) -> Result<(), Refusal> {
        if self.body.is_empty() { Ok(()) } else { Err(Refusal::invalid("this call takes no body")) }
    }

    /// `pageSize` and `pageToken` over a list of things: those of the page, and the token of the next.
    pub(super) fn page<T>(&self, all: Vec<T>, most: usize) -> Result<(Vec<T>, Option<String>), Refusal> {
        let bad = |name| Refusal::invalid(format!("{name} is not valid"));
        let size: usize =
            self.parameter("pageSize").map_or(Ok(most), str::parse).map_err(|_| bad("pageSize"))?;
        let size = if size == 0 { most } else { size.min(most) };
        let token = self.parameter("pageToken").filter(|token| !token.is_empty());
        let start: usize = match token {
            Some(token) => {
                token.strip_prefix("page-").and_then(|at| at.parse().ok()).ok_or_else(|| bad("pageToken"))?
            }
            None => 0,
        };
        let next = (start + size < all.len()).then(|| format!("page-{}", start + size));
        Ok((all.into_iter().skip(start).take(size).collect(), next))
    }
}

/// Cuts a path at its slashes, and the verb off at the last colon.
fn path(path: &str) -> (Vec<String>, Option<String>) {
    let (path, verb) = match path.rsplit_once(':') {
        Some((path, verb)) => (path, Some(verb.to_owned())),
        None => (path, None),
    };
    (path.split('/').skip(1).map(str::to_owned).collect(), verb)
}

/// Reads `a=b&c=d`, as a query or as a form.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    let url = reqwest::Url::parse(&format!("http://localhost/?{text}"));
    url.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str) -> Request {
        let (head, ()) = http::Request::builder().uri(uri).body(()).unwrap().into_parts();
        Request::new(&head, Vec::new())
    }

    #[test]
    fn a_path_is_taken_apart_with_its_verb() {
        let request = request("/v1/enterprises/E/devices/D:issueCommand?a=b%26c&a=d");
        assert_eq!(
            request.route(),
            ("GET", vec!["v1", "enterprises", "E", "devices", "D"], Some("issueCommand"))
        );
        assert_eq!(request.parameter("a"), Some("b&c"));
        assert!(request.only(&["a"]).is_ok() && request.only(&["b"]).is_err());
    }

    #[test]
    fn a_list_is_cut_into_pages() {
        let page = |uri: &str| request(uri).page(vec![1, 2, 3, 4, 5], 100).unwrap();
        assert_eq!(page("/?pageSize=2"), (vec![1, 2], Some("page-2".to_owned())));
        assert_eq!(page("/?pageSize=2&pageToken=page-4"), (vec![5], None));
        assert!(request("/?pageToken=x").page(vec![1], 100).is_err());
    }
}
