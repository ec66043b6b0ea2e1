//! The times of an application's requests, in a ring as long as the longest window.

use async_trait::async_trait;
use domain::{
    ApplicationId, EarlierRequests, Error, LimitedRequest, PER_DAY, PER_SECOND, Result, Timestamp,
    ports::RateLimits,
};
use sqlx::query;

use super::{
    Tx,
    rows::{get, time},
};

/// Also locks the row, so that the requests of an application are counted one by one.
const COUNT: &str = "
    INSERT INTO request_counters (tenant, application, kind, requests, last_at) VALUES ($1, $2, $3, 1, $4)
    ON CONFLICT (tenant, application, kind) DO UPDATE SET requests = request_counters.requests + 1,
        last_at = CASE WHEN request_counters.last_at > excluded.last_at
            THEN request_counters.last_at ELSE excluded.last_at END
    RETURNING requests, last_at";

const TIMES: &str = "
    SELECT slot, at FROM request_times
    WHERE tenant = $1 AND application = $2 AND kind = $3 AND slot IN ($4, $5, $6, $7)";

const ADD: &str = "
    INSERT INTO request_times (tenant, application, kind, slot, at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (tenant, application, kind, slot) DO UPDATE SET at = excluded.at";

#[async_trait]
impl RateLimits for Tx {
    async fn count_request(
        &mut self,
        application: ApplicationId,
        request: LimitedRequest,
        now: Timestamp,
    ) -> Result<(Timestamp, EarlierRequests)> {
        let (tenant, kind) = (self.tenant.0, request.code());
        let count = query(COUNT).bind(tenant).bind(application.0).bind(kind).bind(now.0);
        let row = self.open.one(count).await?.ok_or_else(|| Error::internal("a request was not counted"))?;
        let (number, at) = (get::<i64>(&row, "requests")?, time(&row, "last_at")?);
        let before = [PER_SECOND, PER_SECOND - 1, PER_DAY, PER_DAY - 1].map(|back| number - i64::from(back));
        let [fifth, fourth, last_of_day, second_last_of_day] = before.map(slot);
        let select = query(TIMES).bind(tenant).bind(application.0).bind(kind);
        let select = select.bind(fifth).bind(fourth).bind(last_of_day).bind(second_last_of_day);
        let mut times = Vec::new();
        for row in self.open.all(select).await? {
            times.push((get::<i64>(&row, "slot")?, time(&row, "at")?));
        }
        let at_number = |number| {
            let found = times.iter().find(|(of, _)| *of == slot(number));
            found.map(|(_, at)| *at).filter(|_| number > 0)
        };
        let [fifth, fourth, last_of_day, second_last_of_day] = before.map(at_number);
        let add = query(ADD).bind(tenant).bind(application.0).bind(kind).bind(slot(number)).bind(at.0);
        self.open.run(add).await?;
        Ok((at, EarlierRequests { fifth, fourth, last_of_day, second_last_of_day }))
    }
}

/// Where the time of the request of that number stands, as long as it matters.
fn slot(number: i64) -> i64 {
    number.rem_euclid(i64::from(PER_DAY))
}
