//! The enrollment profile: fetched, and looked at as closely as a device does.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use apple::enrollment::UrlPolicy;
use apple::{ContentType, EnrollmentProfile, content_type};
use pki::cms::{self, Signed};
use pki::{Certificate, Verdict};

use super::failure::{Breach, Failure};
use super::options::{EnrollOptions, Trust};
use super::wire::{Answer, Request};

/// A profile that a device has accepted.
#[derive(Clone, Debug)]
pub(super) struct Accepted {
    pub(super) profile: EnrollmentProfile,
    /// Whom the device trusts from now on.
    pub(super) roots: Vec<Certificate>,
}

/// Fetches the profile behind the enrollment link and accepts it.
pub(super) async fn fetch(options: &EnrollOptions) -> Result<Accepted, Failure> {
    check_link(&options.enroll_url, &options.trust)?;
    let request = Request::get(&options.enroll_url);
    let now = (options.transport.clock())();
    match &options.trust {
        Trust::ProfileRoot => {
            let (wire, stranger) = options.transport.to_stranger()?;
            let accepted = accept(&body(wire.exchange(&request).await?)?, &options.trust, now)?;
            stranger.is_vouched_for(&accepted.roots, now)?;
            Ok(accepted)
        }
        Trust::Roots(roots) => {
            let answer = options.transport.trusting(roots)?.exchange(&request).await?;
            accept(&body(answer)?, &options.trust, now)
        }
        Trust::LoopbackHttp => {
            let answer = options.transport.trusting(&[])?.exchange(&request).await?;
            accept(&body(answer)?, &options.trust, now)
        }
    }
}

/// Verifies the signature of a profile, reads it, and asks whether its signer may be believed.
pub(super) fn accept(bytes: &[u8], trust: &Trust, now: SystemTime) -> Result<Accepted, Failure> {
    if bytes.starts_with(b"<") || bytes.starts_with(b"bplist") {
        return Breach::err("the profile is not signed");
    }
    let signed = cms::verify_attached(bytes)
        .map_err(|error| Breach(format!("the profile's signature cannot be believed: {error}")))?;
    let urls = match trust {
        Trust::LoopbackHttp => UrlPolicy::LoopbackHttpToo,
        Trust::ProfileRoot | Trust::Roots(_) => UrlPolicy::HttpsOnly,
    };
    let profile = EnrollmentProfile::parse(&signed.content, urls)
        .map_err(|error| Breach(format!("the profile would not be installed: {error}")))?;
    let roots = roots(&profile, trust)?;
    if !(roots.is_empty() && *trust == Trust::LoopbackHttp) {
        check_signer(&signed, &roots, now)?;
    }
    Ok(Accepted { profile, roots })
}

/// Plain HTTP goes no further than this machine, and only where that was said.
fn check_link(link: &str, trust: &Trust) -> Result<(), Failure> {
    let url = reqwest::Url::parse(link).map_err(|error| Failure::Impossible(format!("the link: {error}")))?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_loopback =
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => Ok(()),
        "http" if *trust == Trust::LoopbackHttp && is_loopback => Ok(()),
        _ => Err(Failure::Impossible("plain HTTP goes to this very machine only".into())),
    }
}

fn body(answer: Answer) -> Result<Vec<u8>, Failure> {
    if let Some(failure) = answer.failure() {
        return Err(failure);
    }
    if answer.status != 200 {
        return Breach::err(format!("the profile came with status {}", answer.status));
    }
    let header = answer.content_type.as_deref().unwrap_or_default();
    if ContentType::from_header(header) != Some(ContentType::Profile) {
        return Breach::err(format!(
            "the profile's content type is {header:?} and not {}",
            content_type::PROFILE
        ));
    }
    Ok(answer.body)
}

/// Whom the device trusts once the profile is installed.
fn roots(profile: &EnrollmentProfile, trust: &Trust) -> Result<Vec<Certificate>, Failure> {
    let mut roots = match trust {
        Trust::Roots(roots) => roots.clone(),
        Trust::ProfileRoot | Trust::LoopbackHttp => Vec::new(),
    };
    if let Some(root) = &profile.tls_root {
        let root =
            Certificate::from_der(root).map_err(|error| Breach(format!("the profile's root: {error}")))?;
        roots.push(root);
    }
    if roots.is_empty() && *trust == Trust::ProfileRoot {
        return Breach::err("the profile carries no root, and nothing else is trusted");
    }
    Ok(roots)
}

fn check_signer(signed: &Signed, roots: &[Certificate], now: SystemTime) -> Result<(), Failure> {
    if roots.contains(&signed.signer) {
        return Ok(());
    }
    match pki::judge(&signed.signer, &trusted_issuers(signed, roots, now), now, Duration::ZERO) {
        Verdict::Trusted { .. } => Ok(()),
        Verdict::Expired { .. } => Breach::err("the certificate that signed the profile has expired"),
        Verdict::NotYetValid { .. } => {
            Breach::err("the certificate that signed the profile is not valid yet")
        }
        Verdict::Unknown => Breach::err("the profile is signed by somebody who is not trusted"),
    }
}

/// The roots, and the intermediates of the message that they answer for.
fn trusted_issuers(signed: &Signed, roots: &[Certificate], now: SystemTime) -> Vec<Certificate> {
    const DEPTH: usize = 3;
    let mut trusted = roots.to_vec();
    for _ in 0..DEPTH {
        let is_next = |certificate: &&Certificate| {
            let verdict = pki::judge(certificate, &trusted, now, Duration::ZERO);
            certificate.is_ca()
                && !trusted.contains(certificate)
                && matches!(verdict, Verdict::Trusted { .. })
        };
        let next: Vec<_> = signed.certificates.iter().filter(is_next).cloned().collect();
        trusted.extend(next);
    }
    trusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_goes_no_further_than_this_machine() {
        for link in ["http://127.0.0.1:80/enroll/x", "http://localhost/e", "http://[::1]:8/e", "https://h/e"]
        {
            assert!(check_link(link, &Trust::LoopbackHttp).is_ok(), "{link}");
        }
        for link in ["http://10.0.0.1/e", "http://mdm.example.com/e", "ftp://localhost/e", "enroll"] {
            assert!(check_link(link, &Trust::LoopbackHttp).is_err(), "{link}");
        }
        for trust in [Trust::ProfileRoot, Trust::Roots(vec![])] {
            assert!(check_link("http://127.0.0.1/e", &trust).is_err());
            assert!(check_link("https://127.0.0.1/e", &trust).is_ok());
        }
    }
}
