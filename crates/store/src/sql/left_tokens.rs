//! The tokens that a device leaves with us: each in the enrollment's device channel, with the time when it was told.

use domain::{DeviceId, EnrollmentId, Result, Timestamp, ports::LeftToken};
use sqlx::query;

use super::{
    Row, Tx,
    rows::{get, maybe_time},
};

/// One kind of token, by its statements.
pub(super) struct Left {
    of_device: &'static str,
    replace: &'static str,
}

macro_rules! left {
    ($token:literal) => {
        Left {
            of_device: concat!(
                "SELECT c.enrollment, c.",
                $token,
                " AS token, c.",
                $token,
                "_at AS kept_at FROM enrollments e
                     JOIN channels c ON c.tenant = e.tenant AND c.enrollment = e.id AND c.channel = ''
                 WHERE e.tenant = $1 AND e.device = $2 AND c.",
                $token,
                " IS NOT NULL ORDER BY COALESCE(c.",
                $token,
                "_at, 0) DESC, e.created_at DESC, e.id DESC LIMIT 100"
            ),
            replace: concat!(
                "UPDATE channels SET ",
                $token,
                " = $3, ",
                $token,
                "_at = $4 WHERE tenant = $1 AND enrollment = $2 AND channel = ''"
            ),
        }
    };
}

/// What clears a passcode.
pub(super) const UNLOCK_TOKEN: Left = left!("unlock_token");
/// What lets users in, and updates.
pub(super) const BOOTSTRAP_TOKEN: Left = left!("bootstrap_token");

impl Tx {
    /// Those that `device` left, one for each enrollment, newest first.
    pub(super) async fn left(&mut self, kind: &Left, device: DeviceId) -> Result<Vec<LeftToken>> {
        let select = query(kind.of_device).bind(self.tenant.0).bind(device.0);
        self.open.all(select).await?.iter().map(left_token).collect()
    }

    /// Replaces the one of an enrollment, or takes it away; whether the enrollment has a device channel.
    pub(super) async fn leave(
        &mut self,
        kind: &Left,
        enrollment: EnrollmentId,
        sealed: Option<&[u8]>,
        at: Timestamp,
    ) -> Result<bool> {
        let update = query(kind.replace).bind(self.tenant.0).bind(enrollment.0).bind(sealed).bind(at.0);
        Ok(self.open.run(update).await? > 0)
    }
}

fn left_token(row: &Row) -> Result<LeftToken> {
    Ok(LeftToken {
        enrollment: EnrollmentId(get(row, "enrollment")?),
        sealed: get(row, "token")?,
        at: maybe_time(row, "kept_at")?,
    })
}
