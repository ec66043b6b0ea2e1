//! A list of any length, written while it is read: a page of it is in memory, and the one that is being sent.

use std::future::Future;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use domain::Result;
use futures_util::stream;
use http::{HeaderValue, header::CONTENT_TYPE};
use serde::Serialize;

use super::{
    envelope::{Envelope, Nothing},
    error::Failure,
};

/// How many entries are read at once: two pages are in memory, one that is sent and one that is read.
pub(super) const PAGE: u32 = 100;

/// Something that lists are made of.
pub(super) trait Listed: Send + 'static {
    /// What they are listed by.
    type Id: Send + 'static;

    fn id(&self) -> Self::Id;

    /// As it stands in the list.
    fn shown(&self) -> impl Serialize;
}

/// Answers `first` and every page behind it; `next` reads the page behind an entry.
///
/// `totalcount` is the number of entries that were written, so that it always agrees with `data`. What fails on the way
/// breaks the connection off: by then the status has been sent, and a list that only looks whole would be believed.
pub(super) fn answer<T, Next, Answer>(first: Vec<T>, next: Next) -> std::result::Result<Response, Failure>
where
    T: Listed,
    Next: Fn(T::Id) -> Answer + Send + 'static,
    Answer: Future<Output = Result<Vec<T>>> + Send + 'static,
{
    // Now, since the body is written when the call is over, and nothing is known of its token any more.
    let head = head()?;
    let writer = Writer { next, stage: Stage::Head(head, first), written: 0, longest: 0 };
    let mut response = Response::new(Body::from_stream(stream::try_unfold(writer, Writer::step)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

struct Writer<T: Listed, Next> {
    next: Next,
    stage: Stage<T>,
    written: u64,
    /// How long the longest chunk was, bytes: the next one has that room from the start, and leaves no smaller ones behind.
    longest: usize,
}

/// What is to be written next.
enum Stage<T: Listed> {
    /// The beginning, with the first page.
    Head(Vec<u8>, Vec<T>),
    /// The page behind this entry.
    Behind(T::Id),
    /// The end.
    Tail,
    /// Nothing any more.
    Done,
}

impl<T, Next, Answer> Writer<T, Next>
where
    T: Listed,
    Next: Fn(T::Id) -> Answer,
    Answer: Future<Output = Result<Vec<T>>>,
{
    async fn step(mut self) -> Result<Option<(Bytes, Self)>> {
        let mut chunk = Vec::with_capacity(self.longest);
        self.stage = match self.write(&mut chunk).await {
            Ok(Some(stage)) => stage,
            Ok(None) => return Ok(None),
            Err(error) => {
                tracing::error!(error = error.chain(), written = self.written, "a list broke off");
                return Err(error);
            }
        };
        self.longest = self.longest.max(chunk.len());
        Ok(Some((chunk.into(), self)))
    }

    /// Writes one stage; gives the one behind it, or `None` at the end.
    async fn write(&mut self, chunk: &mut Vec<u8>) -> Result<Option<Stage<T>>> {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Head(head, page) => {
                chunk.extend(head);
                self.entries(&page, chunk).map(Some)
            }
            Stage::Behind(last) => {
                let page = (self.next)(last).await?;
                self.entries(&page, chunk).map(Some)
            }
            Stage::Tail => {
                chunk.extend(
                    format!(r#"],"pagecount":1,"pageindex":1,"totalcount":{}}}"#, self.written).bytes(),
                );
                Ok(Some(Stage::Done))
            }
            Stage::Done => Ok(None),
        }
    }

    fn entries(&mut self, page: &[T], chunk: &mut Vec<u8>) -> Result<Stage<T>> {
        for entry in page {
            if self.written > 0 {
                chunk.push(b',');
            }
            serde_json::to_writer(&mut *chunk, &entry.shown()).map_err(domain::Error::internal)?;
            self.written += 1;
        }
        let is_full = page.len() >= PAGE as usize;
        Ok(page.last().filter(|_| is_full).map_or(Stage::Tail, |last| Stage::Behind(last.id())))
    }
}

/// The envelope of a success, open where the list begins.
fn head() -> Result<Vec<u8>> {
    let mut head = serde_json::to_vec(&Envelope::success(Nothing {})).map_err(domain::Error::internal)?;
    head.pop();
    head.extend(br#","data":["#);
    Ok(head)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use domain::{DeviceId, DeviceView, Error};
    use http_body_util::BodyExt;
    use serde_json::Value;
    use uuid::Uuid;

    use super::{
        super::device_object::{DeviceObject, fixtures::published},
        *,
    };

    const FULL: u128 = PAGE as u128;

    fn devices(ids: std::ops::Range<u128>) -> Vec<DeviceView> {
        let view = |id| {
            let DeviceView { mut device, pending } = published();
            device.id = DeviceId(Uuid::from_u128(id));
            DeviceView { device, pending }
        };
        ids.map(view).collect()
    }

    fn body<Next, Answer>(first: Vec<DeviceView>, next: Next) -> Body
    where
        Next: Fn(DeviceId) -> Answer + Send + 'static,
        Answer: Future<Output = Result<Vec<DeviceView>>> + Send + 'static,
    {
        answer(first, next).unwrap().into_body()
    }

    async fn text(body: Body) -> String {
        String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    async fn never(_: DeviceId) -> Result<Vec<DeviceView>> {
        panic!("a page that is not full is the last one")
    }

    #[tokio::test]
    async fn one_device_is_listed_as_published() {
        let page = vec![published()];
        let device = serde_json::to_string(&DeviceObject::from(&published())).unwrap();
        let expected = format!(
            r#"{{"errorcode":null,"errormessage":null,"success":true,"tokenstatus":null,"data":[{device}],"pagecount":1,"pageindex":1,"totalcount":1}}"#
        );
        assert_eq!(text(body(page, never)).await, expected);
    }

    #[tokio::test]
    async fn no_device_is_an_empty_list() {
        let list: Value = serde_json::from_str(&text(body(devices(0..0), never)).await).unwrap();
        assert_eq!(list["data"], serde_json::json!([]));
        assert_eq!((&list["pagecount"], &list["totalcount"]), (&1.into(), &0.into()));
    }

    #[tokio::test]
    async fn page_after_page_is_read_behind_the_last_device() {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let next = move |last: DeviceId| {
            log.lock().unwrap().push(last.0.as_u128());
            let from = last.0.as_u128() + 1;
            std::future::ready(Ok(devices(from..250.min(from + FULL))))
        };
        let list: Value = serde_json::from_str(&text(body(devices(0..FULL), next)).await).unwrap();
        let listed = list["data"].as_array().unwrap();
        assert_eq!(*asked.lock().unwrap(), [99, 199]);
        assert_eq!((listed.len(), &list["totalcount"]), (250, &250.into()));
        for (id, device) in listed.iter().enumerate() {
            assert_eq!(device["clientid"], format!("{id:032x}"));
        }
    }

    #[tokio::test]
    async fn a_last_page_that_is_just_full_is_followed_by_an_empty_one() {
        let next = |_| std::future::ready(Ok(devices(0..0)));
        let list: Value = serde_json::from_str(&text(body(devices(0..FULL), next)).await).unwrap();
        assert_eq!(list["totalcount"], PAGE);
    }

    #[tokio::test]
    async fn a_page_that_cannot_be_read_breaks_the_answer_off() {
        let next = |_| std::future::ready(Err(Error::Unavailable("gone".into())));
        let failed = body(devices(0..FULL), next).collect().await;
        assert!(failed.is_err());
    }
}
