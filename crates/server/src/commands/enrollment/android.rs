//! `remuda enrollment add --platform android`: tokens by which Android devices enroll.

use std::{io::IsTerminal, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use domain::{AndroidChannel, AndroidEnrollment, AndroidMethod, NewAndroidEnrollment, TenantId, Timestamp};
use qrcode::render::svg;
use serde_json::json;

use super::{code, local, on_the_database};
use crate::{cli::Context, output::say};

/// What matters for Android devices only.
#[derive(clap::Args)]
pub struct Arguments {
    /// What becomes of an Android device
    #[arg(long, default_value = "work-profile")]
    mode: Mode,
    /// The service that hands the token to new Android devices, if any
    #[arg(long)]
    via: Option<Via>,
    /// File to write the QR code to, as SVG (Android)
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// What becomes of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// A work profile on a personal device, by a link
    WorkProfile,
    /// All of a new device, by QR code
    FullyManaged,
    /// A work profile on a new device of the company's, by QR code
    CompanyOwned,
    /// All of a new device that has no user, by QR code
    Dedicated,
}

/// Services that set up new devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Via {
    /// Zero-touch enrollment
    ZeroTouch,
    /// Knox Mobile Enrollment
    Knox,
}

/// What is asked beside that.
pub struct Wish {
    /// The tenant.
    pub tenant: TenantId,
    /// Whose devices.
    pub user: Option<String>,
    /// Whether many devices may use the token.
    pub many: bool,
    /// How long it lives.
    pub ttl: Duration,
}

/// Makes a token and shows it.
pub async fn run(context: &Context, arguments: Arguments, wish: Wish) -> Result<()> {
    let Wish { tenant, user, many, ttl } = wish;
    let new = NewAndroidEnrollment {
        method: arguments.mode.method(),
        channel: arguments.via.map(Via::channel),
        user,
        many: many || arguments.via.is_some(),
        lifetime: ttl,
    };
    let made = on_the_database(context, |mdm| async move {
        let actor = local(&mdm, tenant).await?;
        mdm.add_android_enrollment(&actor, &new).await
    })
    .await?;
    show(context, &made, arguments.svg)
}

fn show(context: &Context, made: &AndroidEnrollment, svg: Option<PathBuf>) -> Result<()> {
    let shown = made.link.as_ref().unwrap_or(&made.qr_text);
    let value = json!({
        "link": made.link, "qr": made.qr_text, "token": made.token,
        "expires": made.expires_at.map(Timestamp::rfc3339),
    });
    let code = code::of(shown)?;
    context.print(&value, shown);
    if let Some(file) = svg {
        let drawn = code.render::<svg::Color<'_>>().min_dimensions(400, 400).build();
        std::fs::write(&file, drawn).with_context(|| file.display().to_string())?;
    }
    if !context.json && std::io::stdout().is_terminal() {
        say!("{}", code::on_a_terminal(&code));
    }
    Ok(())
}

impl Mode {
    fn method(self) -> AndroidMethod {
        match self {
            Self::WorkProfile => AndroidMethod::WorkProfile,
            Self::FullyManaged => AndroidMethod::FullyManaged,
            Self::CompanyOwned => AndroidMethod::CompanyOwnedWorkProfile,
            Self::Dedicated => AndroidMethod::Dedicated,
        }
    }
}

impl Via {
    fn channel(self) -> AndroidChannel {
        match self {
            Self::ZeroTouch => AndroidChannel::ZeroTouch,
            Self::Knox => AndroidChannel::Knox,
        }
    }
}
