//! `remuda push-certificate`: the certificate by which devices are woken.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use domain::{PushCertificate, TenantId};
use pki::{Certificate, PrivateKey};
use serde_json::json;

use super::{local, on_the_database};
use crate::cli::Context;

/// What can be done with push certificates.
#[derive(Subcommand)]
pub enum Command {
    /// Makes a key, which stays here, and the file for Apple's portal
    Request(Request),
    /// Takes the certificate that Apple's portal gave
    Import {
        /// The certificate, PEM
        file: PathBuf,
        /// Its private key, PEM, if it was not made by `request`
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
    },
    /// Shows topic and expiry
    Show {
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
    },
}

/// Arguments of `request`.
#[derive(clap::Args)]
pub struct Request {
    /// The tenant
    #[arg(long)]
    tenant: TenantId,
    /// E-mail address that Apple writes into the certificate
    #[arg(long, default_value = "admin@localhost")]
    email: String,
    /// Country, two letters
    #[arg(long, default_value = "US")]
    country: String,
    /// The MDM vendor certificate and its chain, PEM; without it the CSR alone is written, to be signed elsewhere
    #[arg(long, value_name = "FILE", requires = "vendor_key")]
    vendor_cert: Option<PathBuf>,
    /// The vendor certificate's private key, PEM
    #[arg(long, value_name = "FILE", requires = "vendor_cert")]
    vendor_key: Option<PathBuf>,
    /// File to write
    #[arg(long, value_name = "FILE", default_value = "push-request.txt")]
    out: PathBuf,
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<()> {
    match command {
        Command::Request(request) => self::request(context, request).await,
        Command::Import { file, key, tenant } => {
            let pem = read(&file)?;
            let key = key.map(|key| anyhow::Ok(PrivateKey::from_pem(&read(&key)?)?)).transpose()?;
            let certificate = on_the_database(context, |mdm| async move {
                let actor = local(&mdm, tenant).await?;
                mdm.import_push_certificate(&actor, &pem, key).await
            });
            show(context, &certificate.await?);
            Ok(())
        }
        Command::Show { tenant } => {
            let certificate = on_the_database(context, |mdm| async move {
                let actor = local(&mdm, tenant).await?;
                mdm.push_certificate(&actor).await
            });
            show(context, &certificate.await?);
            Ok(())
        }
    }
}

async fn request(context: &Context, request: Request) -> Result<()> {
    let vendor = match (&request.vendor_cert, &request.vendor_key) {
        (Some(certificate), Some(key)) => {
            Some((Certificate::all_from_pem(&read(certificate)?)?, PrivateKey::from_pem(&read(key)?)?))
        }
        (None, None) => None,
        _ => bail!("--vendor-cert and --vendor-key go together"),
    };
    let Request { tenant, email, country, out, .. } = request;
    let csr = on_the_database(context, |mdm| async move {
        let actor = local(&mdm, tenant).await?;
        mdm.request_push_certificate(&actor, "Remuda push", &email, &country).await
    })
    .await?;
    let (written, next) = match vendor {
        Some((chain, key)) => (
            pki::push_certificate::vendor_request(&csr, &chain, &key)?,
            "upload it at https://identity.apple.com/pushcert",
        ),
        None => (
            csr.to_pem().into_bytes(),
            "have it signed by an MDM vendor certificate, then upload that at https://identity.apple.com/pushcert",
        ),
    };
    std::fs::write(&out, written).with_context(|| out.display().to_string())?;
    let file = out.display().to_string();
    context.print(&json!({ "file": file }), &format!("{file}: {next}"));
    Ok(())
}

fn read(path: &std::path::Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}

fn show(context: &Context, certificate: &PushCertificate) {
    let expires = certificate.expires_at.rfc3339();
    let value = json!({ "topic": certificate.topic, "expires": expires });
    context.print(&value, &format!("topic    {}\nexpires  {expires}", certificate.topic));
}
