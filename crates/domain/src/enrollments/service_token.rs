//! `GetToken`: tokens by which other services know a device that we manage.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};
use serde_json::json;

use apple::checkin::{GetToken, TokenAnswer, TokenService};

use super::{
    check_in::{CheckInAnswer, malformed},
    identity::Rejection,
};
use crate::{Actor, Credential, Error, Event, Mdm, Result, Role, TenantId, Timestamp};

/// What signs a tenant's tokens of the service `com.apple.maid`.
#[derive(Serialize, Deserialize)]
struct MaidKey {
    /// The id that Apple gave the server: `server_uuid` of its account.
    server_uuid: String,
    /// The private key of the certificate that Apple has of the server: PKCS#8, PEM.
    key: String,
}

/// What a token of `com.apple.maid` says.
#[derive(Serialize)]
struct MaidClaims<'a> {
    iss: &'a str,
    iat: i64,
    jti: String,
    service_type: &'static str,
}

impl Mdm {
    /// Takes the key that signs tokens for the access management of Managed Apple Accounts, in place of any before: the
    /// private key (RSA, PEM) of the certificate that was uploaded to Apple for this server, and the id that Apple gave it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a key that is not RSA, or an id that is no UUID.
    pub async fn set_maid_key(&self, actor: &Actor, server_uuid: &str, key: &pki::PrivateKey) -> Result<()> {
        actor.require(Role::Owner)?;
        let server_uuid = uuid::Uuid::parse_str(server_uuid)
            .map_err(|_| Error::invalid("server_uuid", "a UUID"))?
            .hyphenated()
            .to_string();
        let pem = key.to_pem().map_err(Error::internal)?;
        let kept = MaidKey { server_uuid, key: pem.to_string() };
        // Whether it can sign is found out now, not when a device asks.
        maid_token(&kept, String::new(), self.clock.now())
            .map_err(|_| Error::invalid("key", "an RSA private key"))?;
        let json = serde_json::to_vec(&kept).map_err(Error::internal)?;
        self.keep_value(&maid_name(actor.tenant), &json).await?;
        let mut tx = self.store.begin(actor.tenant).await?;
        let details = json!({ "server_uuid": kept.server_uuid });
        tx.record(&Event::by(actor, "maid_key.set", None, details, self.clock.now())).await?;
        tx.commit().await
    }

    pub(super) async fn service_token(
        &self,
        credential: &Credential,
        message: &GetToken,
    ) -> std::result::Result<CheckInAnswer, Rejection> {
        let identity = self.managed(credential, &message.ids).await?;
        match &message.service {
            TokenService::Maid => match self.kept_value(&maid_name(identity.tenant)).await? {
                Some(kept) => {
                    let kept: MaidKey = serde_json::from_slice(&kept).map_err(Error::internal)?;
                    let id = self.random.id().hyphenated().to_string();
                    let data = maid_token(&kept, id, self.clock.now())?.into_bytes();
                    Ok(CheckInAnswer::PropertyList(TokenAnswer { data }.encode()))
                }
                None => Err(malformed("a token of com.apple.maid is wanted, and no key signs them yet")),
            },
            // A phone asks for its watch once that was told, in answer to its own enrollment, that a token is missing (403
            // `com.apple.watch.pairing.token.missing`). Watches are not enrolled by this server, and it says that to none:
            // a token that opens nothing would only make one try again.
            TokenService::WatchPairing(_) | TokenService::Other(_) => {
                Err(malformed(format!("tokens of {} are not made here", message.service.name())))
            }
        }
    }
}

fn maid_token(kept: &MaidKey, jti: String, now: Timestamp) -> Result<String> {
    let claims =
        MaidClaims { iss: &kept.server_uuid, iat: now.seconds(), jti, service_type: "com.apple.maid" };
    let key = EncodingKey::from_rsa_pem(kept.key.as_bytes()).map_err(Error::internal)?;
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key).map_err(Error::internal)
}

fn maid_name(tenant: TenantId) -> String {
    format!("maid/{tenant}")
}
