//! What a device makes of a status and body with which a server answers its messages.

use apple::unrecognized::understands_unrecognized_device;
use apple::{Limits, OsVersion, Platform, guard};

use super::failure::{Breach, Failure};
use super::wire::Answer;

const UNRECOGNIZED: &str = "com.apple.unrecognized.device";

/// The judgement on an answer to a message of a managed device.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// 200.
    Fine,
    /// The device must drop its management.
    Unenroll(String),
    /// Neither.
    Failed(Failure),
}

/// Judges as this OS does.
pub(super) fn judge(answer: &Answer, platform: Platform, os: OsVersion) -> Judgement {
    match answer.status {
        200 => Judgement::Fine,
        401 => Judgement::Unenroll("the server answered 401".into()),
        403 if answer.excerpt().contains(UNRECOGNIZED) => unrecognized(answer, platform, os),
        status => {
            Judgement::Failed(answer.failure().unwrap_or_else(|| {
                Breach(format!("the answer has status {status} and not exactly 200")).into()
            }))
        }
    }
}

/// Whether a 200 has an empty body, as a check-in's must.
pub(super) fn must_be_empty(answer: &Answer, what: &str) -> Result<(), Breach> {
    if answer.body.is_empty() {
        return Ok(());
    }
    Err(Breach(format!(
        "the answer to {what} has a body of {} bytes and not an empty one",
        answer.body.len()
    )))
}

fn unrecognized(answer: &Answer, platform: Platform, os: OsVersion) -> Judgement {
    let code = match answer.media_type().as_str() {
        "application/json" => json_code(&answer.body),
        "application/xml" | "text/xml" => plist_code(&answer.body),
        other => {
            let sentence =
                format!("the error {UNRECOGNIZED} has the content type {other:?}: no device looks into it");
            return Judgement::Failed(Breach(sentence).into());
        }
    };
    match code.as_deref() {
        Some(UNRECOGNIZED) if understands_unrecognized_device(platform, os) => {
            Judgement::Unenroll(format!("the server answered 403 {UNRECOGNIZED}"))
        }
        Some(UNRECOGNIZED) => Judgement::Failed(Failure::Refused { status: 403, body: answer.excerpt() }),
        _ => Judgement::Failed(Breach("the body of a 403 is not of its content type".into()).into()),
    }
}

fn json_code(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    body.get("code")?.as_str().map(str::to_owned)
}

fn plist_code(body: &[u8]) -> Option<String> {
    let body = guard::parse(body, Limits::check_in()).ok()?;
    body.as_dictionary()?.get("code")?.as_string().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;

    fn judged(status: u16, content_type: Option<&str>, body: &str, os: OsVersion) -> Judgement {
        let content_type = content_type.map(str::to_owned);
        let answer = Answer { status, content_type, headers: HeaderMap::new(), body: body.into() };
        judge(&answer, Platform::IOs, os)
    }

    const IOS_18: OsVersion = OsVersion::new(18, 1, 0);

    #[test]
    fn a_401_unenrolls() {
        assert!(matches!(judged(401, None, "", IOS_18), Judgement::Unenroll(_)));
    }

    #[test]
    fn the_modern_403_unenrolls_in_json_and_in_xml() {
        let json = judged(403, Some("application/json; charset=utf-8"), apple::unrecognized::BODY, IOS_18);
        assert!(matches!(json, Judgement::Unenroll(_)));
        let plist = format!("<plist><dict><key>code</key><string>{UNRECOGNIZED}</string></dict></plist>");
        assert!(matches!(judged(403, Some("application/xml"), &plist, IOS_18), Judgement::Unenroll(_)));
    }

    #[test]
    fn an_old_os_does_not_know_the_modern_403() {
        let judgement =
            judged(403, Some("application/json"), apple::unrecognized::BODY, OsVersion::new(16, 7, 0));
        assert!(matches!(judgement, Judgement::Failed(Failure::Refused { status: 403, .. })));
    }

    #[test]
    fn the_modern_403_needs_its_content_type() {
        for wrong in [None, Some("text/plain"), Some("application/xml")] {
            let judgement = judged(403, wrong, apple::unrecognized::BODY, IOS_18);
            assert!(matches!(judgement, Judgement::Failed(Failure::Breach(_))), "{wrong:?}");
        }
    }

    #[test]
    fn other_refusals_unenroll_nobody() {
        assert!(matches!(judged(403, None, "no", IOS_18), Judgement::Failed(Failure::Refused { .. })));
        assert!(matches!(judged(400, None, "", IOS_18), Judgement::Failed(Failure::Refused { .. })));
        assert!(matches!(judged(503, None, "", IOS_18), Judgement::Failed(Failure::Unavailable { .. })));
    }

    #[test]
    fn no_other_success_and_no_redirection_is_a_200() {
        for status in [201, 202, 204, 301, 307] {
            assert!(
                matches!(judged(status, None, "", IOS_18), Judgement::Failed(Failure::Breach(_))),
                "{status}"
            );
        }
    }
}
