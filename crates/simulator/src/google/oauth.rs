//! Access tokens for a signed statement (RFC 7523).

use serde_json::{Value, json};

use super::desk::Desk;
use super::keys::account_email;
use super::refusal::Refusal;
use super::request::{Request, pairs};
use super::time;

pub(super) const MANAGEMENT: &str = "https://www.googleapis.com/auth/androidmanagement";
pub(super) const PUBSUB: &str = "https://www.googleapis.com/auth/pubsub";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The longest life of an assertion, in seconds.
const LONGEST: u64 = 3600;

/// Answers `POST /token`.
pub(super) fn grant(desk: &Desk, request: &Request) -> Result<Value, Refusal> {
    if request.content_type.as_deref() != Some("application/x-www-form-urlencoded") {
        return Err(Refusal::oauth("invalid_request", "the body must be a form"));
    }
    let form = pairs(&String::from_utf8_lossy(&request.body));
    let field = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    if field("grant_type") != Some(GRANT) {
        return Err(Refusal::oauth("unsupported_grant_type", "Invalid grant_type"));
    }
    let assertion = field("assertion").ok_or_else(|| Refusal::oauth("invalid_request", "no assertion"))?;
    let claims = desk.account.verify(assertion).map_err(|why| Refusal::oauth("invalid_grant", why))?;
    let scopes = judge(desk, &claims)?;
    let lifetime = desk.settings.token_lifetime;
    let token = desk.world(|world| world.add_access_token(scopes, lifetime));
    Ok(json!({"access_token": token, "expires_in": lifetime.as_secs(), "token_type": "Bearer"}))
}

/// Who, for whom, for how long, for what.
fn judge(desk: &Desk, claims: &Value) -> Result<Vec<String>, Refusal> {
    let refuse = |why: &str| Err(Refusal::oauth("invalid_grant", why));
    if claims["iss"] != account_email(&desk.settings.project_id) {
        return refuse("Invalid issuer");
    }
    if claims["aud"] != format!("http://{}/token", desk.address) {
        return refuse("Invalid JWT: Failed audience check");
    }
    let now = time::seconds(desk.now());
    let (Some(since), Some(end)) = (claims["iat"].as_u64(), claims["exp"].as_u64()) else {
        return refuse("Invalid JWT: iat and exp are needed");
    };
    if since > now || end <= now || end < since || end - since > LONGEST {
        return refuse(
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe",
        );
    }
    let scopes: Vec<String> =
        claims["scope"].as_str().unwrap_or_default().split(' ').map(str::to_owned).collect();
    match scopes.iter().all(|it| it == MANAGEMENT || it == PUBSUB) {
        true => Ok(scopes),
        false => Err(Refusal::oauth("invalid_scope", "Some requested scopes were invalid")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::google::PretendGoogleSettings;
    use crate::google::keys::Key;

    const NOW: u64 = 1_700_000_000;

    fn desk() -> Desk {
        let clock = Arc::new(|| SystemTime::UNIX_EPOCH + Duration::from_secs(NOW));
        let settings = PretendGoogleSettings::new(clock);
        let address = settings.address;
        Desk::new(settings, Key::generate().unwrap(), Key::generate().unwrap(), address)
    }

    fn ask(desk: &Desk, key: &Key, claims: &Value) -> Result<Value, String> {
        let body = format!("grant_type={}&assertion={}", GRANT.replace(':', "%3A"), key.jwt(claims));
        let head = http::Request::post("/token").header("content-type", "application/x-www-form-urlencoded");
        let (head, ()) = head.body(()).unwrap().into_parts();
        let refused = |refusal: Refusal| refusal.body["error"].as_str().unwrap().to_owned();
        grant(desk, &Request::new(&head, body.into_bytes())).map_err(refused)
    }

    fn claims() -> Value {
        json!({"iss": account_email("pretend-project"), "aud": "http://127.0.0.1:0/token",
            "scope": MANAGEMENT, "iat": NOW, "exp": NOW + 3600})
    }

    #[test]
    fn a_good_statement_gets_a_token() {
        let desk = desk();
        let granted = ask(&desk, &desk.account, &claims()).unwrap();
        assert_eq!((&granted["expires_in"], &granted["token_type"]), (&json!(3599), &json!("Bearer")));
    }

    #[test]
    fn a_statement_that_is_not_as_it_should_be_gets_none() {
        let desk = desk();
        for (claim, value) in [
            ("iss", json!("somebody")),
            ("aud", json!("https://oauth2.googleapis.com/token")),
            ("iat", json!(NOW + 1)),
            ("exp", json!(NOW)),
            ("exp", json!(NOW + 3601)),
            ("exp", json!("soon")),
        ] {
            let mut claims = claims();
            claims[claim] = value;
            assert_eq!(ask(&desk, &desk.account, &claims), Err("invalid_grant".to_owned()), "{claims}");
        }
        assert_eq!(ask(&desk, &desk.google, &claims()), Err("invalid_grant".to_owned()));
        let mut greedy = claims();
        greedy["scope"] = json!(format!("{MANAGEMENT} https://www.googleapis.com/auth/drive"));
        assert_eq!(ask(&desk, &desk.account, &greedy), Err("invalid_scope".to_owned()));
    }
}
