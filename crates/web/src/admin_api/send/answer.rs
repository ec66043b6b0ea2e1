//! What became of the devices of a call. For 100,000 of them it is 8 MB: it is written piece by piece, which spares most of a
//! tenth of a second for fresh memory.

use std::iter::{self, Peekable};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use domain::CommandId;
use futures_util::stream;
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use serde::Serialize;
use utoipa::ToSchema;

/// How long a piece is at least, unless it is the last, bytes.
const PIECE: usize = 32 << 10;
/// The room for a piece, bytes: its last entry fits in most often.
const ROOM: usize = PIECE + 512;

/// What became of the devices.
#[derive(ToSchema)]
pub(in crate::admin_api) struct Sent {
    /// Those for which the command is queued.
    commands: Vec<SentCommand>,
    /// Those for which it is not, and why.
    failed: Vec<FailedDevice>,
}

#[derive(Serialize, ToSchema)]
struct SentCommand {
    /// The device, as it was named.
    device: String,
    /// The command's id.
    #[schema(value_type = String)]
    uuid: CommandId,
}

#[derive(Serialize, ToSchema)]
struct FailedDevice {
    /// The device, as it was named.
    device: String,
    /// Why not; a command that the device would refuse has a line for each fault.
    error: String,
}

/// A part of the JSON.
type Text = serde_json::Result<Vec<u8>>;

impl Sent {
    /// What became of the devices of these names.
    pub(super) fn of(names: Vec<String>, sent: domain::Sent) -> Self {
        let (mut commands, mut failed) = (Vec::new(), Vec::new());
        for (device, sent) in names.into_iter().zip(sent) {
            match sent {
                Ok(uuid) => commands.push(SentCommand { device, uuid }),
                Err(why) => failed.push(FailedDevice { device, error: why.to_string() }),
            }
        }
        Self { commands, failed }
    }

    fn texts(self) -> impl Iterator<Item = Text> {
        let mark = |text: &str| iter::once(Ok(text.as_bytes().to_vec()));
        mark(r#"{"commands":["#)
            .chain(entries(self.commands))
            .chain(mark(r#"],"failed":["#))
            .chain(entries(self.failed))
            .chain(mark("]}"))
    }
}

impl IntoResponse for Sent {
    fn into_response(self) -> Response {
        let mut pieces = Pieces(self.texts().peekable());
        let first = pieces.next();
        let body = match first {
            Some(Ok(whole)) if pieces.0.peek().is_none() => Body::from(whole),
            first => Body::from_stream(stream::iter(first.into_iter().chain(pieces))),
        };
        let json = HeaderValue::from_static("application/json");
        (StatusCode::ACCEPTED, [(CONTENT_TYPE, json)], body).into_response()
    }
}

fn entries<T: Serialize>(list: Vec<T>) -> impl Iterator<Item = Text> {
    list.into_iter().enumerate().map(|(place, entry)| {
        let mut text = if place > 0 { b",".to_vec() } else { Vec::new() };
        serde_json::to_writer(&mut text, &entry).map(|()| text)
    })
}

/// Texts put together.
struct Pieces<T: Iterator<Item = Text>>(Peekable<T>);

impl<T: Iterator<Item = Text>> Iterator for Pieces<T> {
    type Item = Text;

    fn next(&mut self) -> Option<Text> {
        self.0.peek()?;
        let mut piece = Vec::with_capacity(ROOM);
        while piece.len() < PIECE
            && let Some(text) = self.0.next()
        {
            match text {
                Ok(text) => piece.extend(text),
                Err(error) => return Some(Err(error)),
            }
        }
        Some(Ok(piece))
    }
}

#[cfg(test)]
mod tests {
    use domain::NotSent;
    use http_body_util::BodyExt;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    async fn body(names: Vec<String>, sent: domain::Sent) -> (bool, Value) {
        let response = Sent::of(names, sent).into_response();
        assert_eq!(
            (response.status(), &response.headers()[CONTENT_TYPE]),
            (StatusCode::ACCEPTED, &HeaderValue::from_static("application/json"))
        );
        let mut body = response.into_body();
        let mut pieces = Vec::new();
        while let Some(piece) = body.frame().await {
            pieces.push(piece.unwrap().into_data().unwrap());
        }
        assert!(pieces.iter().all(|piece| piece.len() < ROOM));
        (pieces.len() == 1, serde_json::from_slice(&pieces.concat()).unwrap())
    }

    #[tokio::test]
    async fn every_device_is_told_once_however_many_there_are() {
        let id = CommandId(Uuid::from_u128(7));
        let (is_whole, one) = body(vec!["a\"b".into()], vec![Ok(id)]).await;
        assert!(is_whole);
        assert_eq!(one, json!({ "commands": [{ "device": "a\"b", "uuid": id }], "failed": [] }));

        let sent = |n| if n % 3 == 0 { Err(NotSent::Unknown) } else { Ok(id) };
        let (is_whole, many) =
            body((0..5000).map(|n| n.to_string()).collect(), (0..5000).map(sent).collect()).await;
        assert!(!is_whole);
        let named = |part: &str| -> Vec<u32> {
            many[part]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["device"].as_str().unwrap().parse().unwrap())
                .collect()
        };
        assert_eq!(named("commands"), (0..5000).filter(|n| n % 3 > 0).collect::<Vec<_>>());
        assert_eq!(named("failed"), (0..5000).filter(|n| n % 3 == 0).collect::<Vec<_>>());
        assert_eq!(many["failed"][0]["error"], "there is no such device");
    }
}
