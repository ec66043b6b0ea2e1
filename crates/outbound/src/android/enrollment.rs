//! Enrollment tokens.

use ::android::{EnrollmentToken, EnrollmentTokenName, EnrollmentTokenRequest, EnterpriseName};
use http::Method;

use super::Google;
use super::call::Call;
use super::error::Error;

impl Google {
    /// `enrollmentTokens.create`. A repetition after a lost answer leaves a token that nobody knows, until it
    /// expires: harmless.
    pub async fn create_enrollment_token(
        &self,
        enterprise: &EnterpriseName,
        request: &EnrollmentTokenRequest,
    ) -> Result<EnrollmentToken, Error> {
        let call = Call::management(Method::POST, format!("{enterprise}/enrollmentTokens")).body(request)?;
        self.ask("an enrollment token", call).await
    }

    /// `enrollmentTokens.delete`: from now on it enrolls nobody.
    pub async fn delete_enrollment_token(&self, name: &EnrollmentTokenName) -> Result<(), Error> {
        self.tell(Call::management(Method::DELETE, name.as_str())).await
    }
}
