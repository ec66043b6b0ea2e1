//! Where a device last was.

use domain::Facts;
use serde::Serialize;
use utoipa::ToSchema;

use crate::device_api::dates::WireDate;

/// A place and a time.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = Location)]
pub(super) struct LocationObject {
    /// Degrees north.
    #[schema(example = 58.517_524_8)]
    latitude: f64,
    /// Degrees east.
    #[schema(example = 12.447_230_8)]
    longitude: f64,
    /// When it was there.
    timestamp: WireDate,
}

pub(super) fn location(facts: &Facts) -> Option<LocationObject> {
    let place = facts.location?;
    Some(LocationObject {
        latitude: place.latitude,
        longitude: place.longitude,
        timestamp: WireDate(place.at),
    })
}

#[cfg(test)]
mod tests {
    use domain::{Location, Timestamp};
    use serde_json::json;

    use super::super::fixtures::shown;

    #[test]
    fn a_location_has_a_time() {
        let place =
            Location { latitude: 58.517_524_8, longitude: 12.447_230_8, at: Timestamp(1_606_302_297_743) };
        let device = shown(|view| view.device.facts.location = Some(place));
        let expected = json!({
            "latitude": 58.517_524_8, "longitude": 12.447_230_8, "timestamp": "/Date(1606302297743)/"
        });
        assert_eq!(device["location"], expected);
    }
}
