//! Which OS a device runs, which version, and what the product is called in the shop.

mod products;
mod version;

pub use version::{InvalidOsVersion, OsVersion};

use std::fmt;
use std::str::FromStr;

/// An operating system of Apple's. iPadOS is iOS to the protocol, and another name to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Platform {
    /// iPhone and iPod touch.
    IOs,
    /// iPad.
    IPadOs,
    /// Mac.
    MacOs,
    /// Apple TV and HomePod.
    TvOs,
    /// Apple Watch.
    WatchOs,
    /// Apple Vision.
    VisionOs,
}

impl Platform {
    const ALL: [(Platform, &'static str, &'static str); 6] = [
        (Platform::IOs, "ios", "iOS"),
        (Platform::IPadOs, "ipados", "iPadOS"),
        (Platform::MacOs, "macos", "macOS"),
        (Platform::TvOs, "tvos", "tvOS"),
        (Platform::WatchOs, "watchos", "watchOS"),
        (Platform::VisionOs, "visionos", "visionOS"),
    ];

    /// Tells the platform by a `ProductName`, `Model` or `ModelName`: `iPhone17,2`, `MacBookPro18,3`, `Apple
    /// TV`. `None` is a family that is not known here, or a part number such as `MQ6T3LL/A`.
    pub fn from_product_name(product_name: &str) -> Option<Platform> {
        const FAMILIES: [(&str, Platform); 14] = [
            ("iPhone", Platform::IOs),
            ("iPod", Platform::IOs),
            ("iPad", Platform::IPadOs),
            ("Mac", Platform::MacOs),
            ("iMac", Platform::MacOs),
            ("VirtualMac", Platform::MacOs),
            ("Xserve", Platform::MacOs),
            ("AppleTV", Platform::TvOs),
            ("Apple TV", Platform::TvOs),
            ("AudioAccessory", Platform::TvOs),
            ("Watch", Platform::WatchOs),
            ("Apple Watch", Platform::WatchOs),
            ("RealityDevice", Platform::VisionOs),
            ("Apple Vision", Platform::VisionOs),
        ];
        FAMILIES.iter().find(|(prefix, _)| product_name.starts_with(prefix)).map(|(_, platform)| *platform)
    }

    /// For keys and storage: `ios`, `ipados`, `macos`, `tvos`, `watchos`, `visionos`.
    pub fn as_str(self) -> &'static str {
        Platform::ALL[self as usize].1
    }

    /// As Apple writes it: `iPadOS`.
    pub fn name(self) -> &'static str {
        Platform::ALL[self as usize].2
    }

    /// With a version, as people say it: `iPadOS 18.1`. An iPad before version 13 runs iOS.
    pub fn os_name(self, version: Option<&str>) -> String {
        let Some(version) = version else { return self.name().to_owned() };
        let before_ipados =
            version.parse::<OsVersion>().is_ok_and(|version| version < OsVersion::new(13, 0, 0));
        let platform = if self == Platform::IPadOs && before_ipados { Platform::IOs } else { self };
        format!("{} {version}", platform.name())
    }

    /// Whether Apple's schema calls it iOS: iPhone, iPod touch and iPad.
    pub fn is_ios(self) -> bool {
        matches!(self, Platform::IOs | Platform::IPadOs)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that is not one of [`Platform::as_str`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a platform of Apple's")]
pub struct UnknownPlatform;

impl FromStr for Platform {
    type Err = UnknownPlatform;

    /// Reads what [`Platform::as_str`] gives.
    fn from_str(text: &str) -> Result<Platform, UnknownPlatform> {
        Platform::ALL
            .iter()
            .find(|(_, key, _)| *key == text)
            .map(|(platform, ..)| *platform)
            .ok_or(UnknownPlatform)
    }
}

/// What a product is called in the shop, by its identifier (`ProductName`, on a Mac `Model`): `iPhone17,2` is
/// the `iPhone 16 Pro Max`. Where one identifier stands for several sizes, they share a name. `None` is not
/// an error: newer products are not in the table.
pub fn marketing_name(product_name: &str) -> Option<&'static str> {
    products::TABLES
        .iter()
        .copied()
        .flatten()
        .find(|(product, _)| *product == product_name)
        .map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_tells_the_platform() {
        for (product, platform) in [
            ("iPhone17,2", Some(Platform::IOs)),
            ("iPod9,1", Some(Platform::IOs)),
            ("iPad14,3", Some(Platform::IPadOs)),
            ("MacBookPro18,3", Some(Platform::MacOs)),
            ("Macmini9,1", Some(Platform::MacOs)),
            ("iMac21,1", Some(Platform::MacOs)),
            ("iMacPro1,1", Some(Platform::MacOs)),
            ("Mac15,3", Some(Platform::MacOs)),
            ("VirtualMac2,1", Some(Platform::MacOs)),
            ("AppleTV14,1", Some(Platform::TvOs)),
            ("Watch7,5", Some(Platform::WatchOs)),
            ("RealityDevice14,1", Some(Platform::VisionOs)),
            ("Apple Vision Pro", Some(Platform::VisionOs)),
            ("MQ6T3LL/A", None),
            ("", None),
        ] {
            assert_eq!(Platform::from_product_name(product), platform, "{product}");
        }
    }

    #[test]
    fn a_platform_is_stored_and_read_back() {
        for (platform, ..) in Platform::ALL {
            assert_eq!(platform.as_str().parse(), Ok(platform));
            assert_eq!(platform.name().to_lowercase(), platform.as_str());
        }
        assert_eq!("iOS".parse::<Platform>(), Err(UnknownPlatform));
    }

    #[test]
    fn the_os_is_named_as_people_say_it() {
        assert_eq!(Platform::IOs.os_name(Some("18.1")), "iOS 18.1");
        assert_eq!(Platform::IPadOs.os_name(Some("18.1")), "iPadOS 18.1");
        assert_eq!(Platform::IPadOs.os_name(Some("12.5.7")), "iOS 12.5.7");
        assert_eq!(Platform::MacOs.os_name(Some("15.1")), "macOS 15.1");
        assert_eq!(Platform::VisionOs.os_name(None), "visionOS");
    }

    #[test]
    fn products_have_names() {
        assert_eq!(marketing_name("iPhone17,2"), Some("iPhone 16 Pro Max"));
        assert_eq!(marketing_name("MacBookPro18,3"), Some("MacBook Pro (14-inch, 2021)"));
        assert_eq!(marketing_name("iPhone99,1"), None);
    }

    #[test]
    fn every_product_is_listed_once_under_its_platform() {
        let mut seen = std::collections::HashSet::new();
        for (product, name) in products::TABLES.iter().copied().flatten() {
            assert!(seen.insert(product), "{product} is listed twice");
            let (platform, named) = (Platform::from_product_name(product), Platform::from_product_name(name));
            assert!(platform.is_some(), "{product}");
            assert_eq!(platform, named, "{product} is a {name}");
        }
    }
}
