//! An enrolled device, reduced to its messages.

use std::sync::Arc;
use std::time::SystemTime;

use apple::{CheckIn, Identifiers, Report, content_type};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header};
use pki::Hash;
use rustls::ClientConfig;

use super::line::{Message, Unanswered};
use crate::apple_device::{AppleDevice, Credential, HeaderForm, SIGNATURE_HEADER, client_config};

/// How a device proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The certificate in `Client-Cert` (RFC 9440), as behind a proxy.
    Header,
    /// `Mdm-Signature`, SHA-256.
    Signature,
    /// A TLS client certificate; nothing in the message.
    Tls,
}

/// A device that sends the same few messages again and again: those are made and signed once.
#[derive(Clone, Debug)]
pub struct LoadDevice {
    /// How the device is named to an administrator.
    pub serial_number: String,
    /// A poll.
    pub idle: Message,
    /// A repeated `TokenUpdate`.
    pub token_update: Message,
    ids: Identifiers,
    credential: Credential,
    roots: Vec<pki::Certificate>,
    proof: Proof,
    shown: Option<HeaderValue>,
    at: SystemTime,
}

impl LoadDevice {
    /// The messages of an enrolled device, which say that they are signed at `at`.
    ///
    /// # Errors
    /// Where they cannot be signed.
    pub fn new(device: &AppleDevice, proof: Proof, at: SystemTime) -> Result<LoadDevice, Unanswered> {
        let credential = device.credential().clone();
        let shown = match proof {
            Proof::Header => {
                let text = HeaderForm::Rfc9440.write(&credential.certificate);
                Some(HeaderValue::try_from(text).map_err(|error| Unanswered(error.to_string()))?)
            }
            Proof::Signature | Proof::Tls => None,
        };
        let nothing =
            Message { method: Method::PUT, path: String::new(), headers: vec![], body: Bytes::new() };
        let mut made = LoadDevice {
            serial_number: device.model().serial_number.clone(),
            idle: nothing.clone(),
            token_update: nothing,
            ids: device.model().identifiers(),
            roots: device.trusted_roots().to_vec(),
            credential,
            proof,
            shown,
            at,
        };
        made.idle = made.report(&Report::idle(made.ids.clone()))?;
        let token_update = CheckIn::TokenUpdate(device.token_update_message()).encode();
        made.token_update = made.message("/checkin", content_type::CHECK_IN, token_update)?;
        Ok(made)
    }

    /// That it has done a command.
    ///
    /// # Errors
    /// Where it cannot be signed.
    pub fn acknowledged(&self, command_uuid: &str) -> Result<Message, Unanswered> {
        self.report(&Report::acknowledged(self.ids.clone(), command_uuid))
    }

    /// A TLS client that shows this device's certificate, and takes up no earlier session.
    ///
    /// # Errors
    /// Where its key is of no use to the TLS library.
    pub fn tls(&self) -> Result<Arc<ClientConfig>, Unanswered> {
        let at = self.at;
        let config = client_config(Arc::new(move || at), &self.roots, &self.credential);
        let mut config = config.map_err(|error| Unanswered(error.to_string()))?;
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Arc::new(config))
    }

    fn report(&self, report: &Report) -> Result<Message, Unanswered> {
        self.message("/mdm", content_type::REPORT, report.encode())
    }

    fn message(&self, path: &str, content_type: &'static str, body: Vec<u8>) -> Result<Message, Unanswered> {
        let mut headers = vec![(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
        if let Some(shown) = &self.shown {
            headers.push((HeaderName::from_static("client-cert"), shown.clone()));
        }
        if self.proof == Proof::Signature {
            let signed = self.credential.signature(&body, Hash::Sha256, self.at);
            let signed = signed.map_err(|error| Unanswered(error.to_string()))?;
            let value = HeaderValue::try_from(signed).map_err(|error| Unanswered(error.to_string()))?;
            let name =
                HeaderName::try_from(SIGNATURE_HEADER).map_err(|error| Unanswered(error.to_string()))?;
            headers.push((name, value));
        }
        Ok(Message { method: Method::PUT, path: path.to_owned(), headers, body: body.into() })
    }
}
