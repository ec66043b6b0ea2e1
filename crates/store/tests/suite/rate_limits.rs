use domain::{ApplicationId, EarlierRequests, LimitedRequest, PER_DAY, Timestamp, ports::Tx};

use super::world::{World, id};

async fn count(tx: &mut dyn Tx, application: ApplicationId, at: i64) -> (i64, EarlierRequests) {
    let (at, earlier) = tx.count_request(application, LimitedRequest::Purge, Timestamp(at)).await.unwrap();
    (at.0, earlier)
}

#[tokio::test]
async fn the_fifth_request_before_is_told_once_there_are_so_many() {
    let world = World::new().await;
    let application = ApplicationId(id());
    let mut tx = world.tx().await;
    for n in 1..=4 {
        assert_eq!(count(&mut *tx, application, n * 10).await, (n * 10, EarlierRequests::default()));
    }
    let fourth = EarlierRequests { fourth: Some(Timestamp(10)), ..EarlierRequests::default() };
    assert_eq!(count(&mut *tx, application, 50).await.1, fourth);
    let (_, sixth) = count(&mut *tx, application, 60).await;
    assert_eq!((sixth.fifth, sixth.fourth), (Some(Timestamp(10)), Some(Timestamp(20))));
}

#[tokio::test]
async fn the_request_of_a_day_before_is_told_for_ever() {
    let world = World::new().await;
    let application = ApplicationId(id());
    let day = i64::from(PER_DAY);
    let (begun, ended) = (1..=20, day - 19..=day);
    let mut tx = world.tx().await;
    for n in begun.clone() {
        count(&mut *tx, application, n).await;
    }
    tx.commit().await.unwrap();
    fill(&world, begun.end() + 1, ended.start() - 1).await;
    let mut tx = world.tx().await;
    for n in ended {
        let (_, earlier) = count(&mut *tx, application, n).await;
        assert_eq!((earlier.last_of_day, earlier.fifth), (None, Some(Timestamp(n - 5))));
    }
    // All around the ring once more, and behind the times that were written by hand.
    for n in day + 1..=day + 30 {
        let (_, earlier) = count(&mut *tx, application, n).await;
        assert_eq!(earlier.last_of_day, Some(Timestamp(n - day)));
        assert_eq!(earlier.second_last_of_day, Some(Timestamp(n - day + 1)));
    }
}

/// Writes down requests of these numbers in one go, each at the time of its number, as if they had been counted.
async fn fill(world: &World, first: i64, last: i64) {
    let fill = format!(
        "INSERT INTO request_times (tenant, application, kind, slot, at)
         WITH RECURSIVE numbers (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})
         SELECT tenant, application, kind, n, n FROM request_counters, numbers;
         UPDATE request_counters SET requests = {last}, last_at = {last};"
    );
    world.place.run(&fill).await;
}

#[tokio::test]
async fn kinds_and_applications_are_counted_apart() {
    let world = World::new().await;
    let (one, other) = (ApplicationId(id()), ApplicationId(id()));
    let mut tx = world.tx().await;
    for n in 1..=5 {
        count(&mut *tx, one, n).await;
        tx.count_request(one, LimitedRequest::Login, Timestamp(n)).await.unwrap();
    }
    assert_eq!(count(&mut *tx, other, 6).await.1, EarlierRequests::default());
    assert_eq!(count(&mut *tx, one, 6).await.1.fifth, Some(Timestamp(1)));
}

#[tokio::test]
async fn a_clock_that_is_behind_does_not_turn_time_back() {
    let world = World::new().await;
    let application = ApplicationId(id());
    let mut tx = world.tx().await;
    count(&mut *tx, application, 1000).await;
    assert_eq!(count(&mut *tx, application, 400).await.0, 1000);
}
