//! The service account: who we are for Google, and the key that proves it.

use std::fmt;
use std::time::{Duration, SystemTime};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};

/// The longest file that is read, in bytes; Google's have about 2,400.
pub const MAX_ACCOUNT_FILE: usize = 16 * 1024;
/// What a token is for: devices, and the notifications about them.
const SCOPE: &str =
    "https://www.googleapis.com/auth/androidmanagement https://www.googleapis.com/auth/pubsub";
/// The longest that Google lets an assertion live (RFC 7523 leaves it to the server).
const LIFETIME: Duration = Duration::from_secs(3600);
/// How far an assertion is dated back, since Google refuses one from the future.
const BACKDATED: Duration = Duration::from_secs(30);

/// Why a service account cannot be used. Quotes nothing of the file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAccount {
    /// Longer than [`MAX_ACCOUNT_FILE`].
    #[error("the service account's file is too long")]
    TooLong,
    /// Not JSON, or without one of its fields.
    #[error("the service account's file is not the JSON that Google hands out")]
    Json,
    /// The key of a person, say.
    #[error("the file is not of a service account: its \"type\" must be \"service_account\"")]
    Type,
    /// A field is empty or too long.
    #[error("{0} of the service account's file is not usable")]
    Field(&'static str),
    /// Not an RSA key in PEM (PKCS#8), of 2048 bits or more.
    #[error("private_key of the service account's file is not an RSA key in PEM (PKCS#8)")]
    Key,
}

/// A service account with its key, which has been tried.
pub struct ServiceAccount {
    project_id: String,
    client_email: String,
    key_id: String,
    token_uri: String,
    key: EncodingKey,
}

#[derive(Deserialize)]
struct File {
    r#type: String,
    project_id: String,
    private_key_id: String,
    private_key: String,
    client_email: String,
    token_uri: String,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'a str,
    aud: &'a str,
    iat: u64,
    exp: u64,
}

impl ServiceAccount {
    /// Reads the JSON that Google hands out for a key, and signs once to try it.
    pub fn parse(json: &[u8]) -> Result<Self, BadAccount> {
        if json.len() > MAX_ACCOUNT_FILE {
            return Err(BadAccount::TooLong);
        }
        let file: File = serde_json::from_slice(json).map_err(|_| BadAccount::Json)?;
        if file.r#type != "service_account" {
            return Err(BadAccount::Type);
        }
        let project_id = Some(file.project_id).filter(|id| is_project(id));
        let account = Self {
            project_id: project_id.ok_or(BadAccount::Field("project_id"))?,
            client_email: said("client_email", file.client_email)?,
            key_id: said("private_key_id", file.private_key_id)?,
            token_uri: said("token_uri", file.token_uri)?,
            key: EncodingKey::from_rsa_pem(file.private_key.as_bytes()).map_err(|_| BadAccount::Key)?,
        };
        account.assertion(SystemTime::UNIX_EPOCH + LIFETIME).ok_or(BadAccount::Key)?;
        Ok(account)
    }

    /// The project that the account belongs to.
    pub fn project_id(&self) -> &str {
        &self.project_id
    }

    /// The account's own address, which is its name.
    pub fn client_email(&self) -> &str {
        &self.client_email
    }

    pub(super) fn token_uri(&self) -> &str {
        &self.token_uri
    }

    /// A signed statement of who we are (RFC 7523, 3), good for an hour from `now` by Google's clock.
    pub(super) fn assertion(&self, now: SystemTime) -> Option<String> {
        let issued = now.checked_sub(BACKDATED)?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let claims = Claims {
            iss: &self.client_email,
            scope: SCOPE,
            aud: &self.token_uri,
            iat: issued.as_secs(),
            exp: (issued + LIFETIME).as_secs(),
        };
        let header = Header { kid: Some(self.key_id.clone()), ..Header::new(Algorithm::RS256) };
        jsonwebtoken::encode(&header, &claims, &self.key).ok()
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount").field("client_email", &self.client_email).finish_non_exhaustive()
    }
}

fn said(name: &'static str, text: String) -> Result<String, BadAccount> {
    let usable = (1..=500).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic());
    if usable { Ok(text) } else { Err(BadAccount::Field(name)) }
}

/// A project's id goes into paths.
fn is_project(id: &str) -> bool {
    (1..=100).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte))
        && !id.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use simulator::google::service_account;

    fn file(change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
        let json = service_account("project-1", "https://oauth2.example/token").unwrap();
        let mut json: serde_json::Value = serde_json::from_str(&json).unwrap();
        change(&mut json);
        serde_json::to_vec(&json).unwrap()
    }

    #[test]
    fn a_file_of_google_is_read_and_keeps_its_key_to_itself() {
        let account = ServiceAccount::parse(&file(|_| ())).unwrap();
        assert_eq!(account.project_id(), "project-1");
        assert_eq!(account.token_uri(), "https://oauth2.example/token");
        assert!(!format!("{account:?}").contains("PRIVATE"));
        let assertion =
            account.assertion(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)).unwrap();
        assert_eq!(assertion.split('.').count(), 3);
    }

    #[test]
    fn each_fault_of_a_file_is_told_apart() {
        let fails = |json: &[u8]| ServiceAccount::parse(json).unwrap_err();
        assert_eq!(fails(b"{}"), BadAccount::Json);
        assert_eq!(fails(&vec![b' '; MAX_ACCOUNT_FILE + 1]), BadAccount::TooLong);
        assert_eq!(fails(&file(|it| it["type"] = "authorized_user".into())), BadAccount::Type);
        assert_eq!(fails(&file(|it| it["project_id"] = "a/b".into())), BadAccount::Field("project_id"));
        assert_eq!(fails(&file(|it| it["client_email"] = "".into())), BadAccount::Field("client_email"));
        assert_eq!(fails(&file(|it| it["private_key"] = "secret".into())), BadAccount::Key);
        let broken = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert_eq!(fails(&file(|it| it["private_key"] = broken.into())), BadAccount::Key);
    }
}
