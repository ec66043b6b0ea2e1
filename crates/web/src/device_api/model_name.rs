//! What a device's model is called.

use apple::platform::marketing_name;
use domain::Facts;

/// `Apple iPhone XR, Blue (MRYA2ZD)`: the marketing name, where the device or our table knows it, and the model number
/// where the device reports one; else the product name, such as `iPhone17,2`; never empty.
pub(super) fn model_name(facts: &Facts) -> String {
    if facts.android.is_some() {
        return known(facts.product_name.as_deref()).unwrap_or("Android device").to_owned();
    }
    let number =
        known(facts.model_number.as_deref()).filter(|number| Some(*number) != facts.product_name.as_deref());
    match (name_in_shops(facts), known(facts.product_name.as_deref())) {
        (Some(name), _) => with_number(name, number),
        (None, Some(product)) => product.to_owned(),
        (None, None) => with_number(known(facts.model_name.as_deref()).unwrap_or("device"), number),
    }
}

/// The table's name, unless the device says more ("iPhone XR, Blue"); without one, the device's, unless it says no more
/// than the product name does ("iPhone" of an "iPhone17,2").
fn name_in_shops(facts: &Facts) -> Option<&str> {
    let product = known(facts.product_name.as_deref())?;
    let told = known(facts.model_name.as_deref());
    match marketing_name(product) {
        Some(listed) => Some(told.filter(|told| told.starts_with(listed)).unwrap_or(listed)),
        None => told.filter(|told| !says_no_more(told, product)),
    }
}

fn says_no_more(name: &str, product: &str) -> bool {
    name == product
        || (!name.contains(|letter: char| letter.is_ascii_digit()) && letters(name) == letters(product))
}

/// `TV` of `Apple TV` and of `AppleTV99,1`.
fn letters(name: &str) -> String {
    let letters: String = name.chars().filter(char::is_ascii_alphabetic).collect();
    letters.strip_prefix("Apple").map_or(letters.clone(), str::to_owned)
}

fn with_number(name: &str, number: Option<&str>) -> String {
    let name = if name.starts_with("Apple ") { name.to_owned() } else { format!("Apple {name}") };
    number.map_or(name.clone(), |number| format!("{name} ({number})"))
}

fn known(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(product: Option<&str>, model: Option<&str>, number: Option<&str>) -> String {
        let [product_name, model_name_told, model_number] =
            [product, model, number].map(|it| it.map(str::to_owned));
        model_name(&Facts { product_name, model_name: model_name_told, model_number, ..Facts::default() })
    }

    #[test]
    fn the_table_knows_what_the_device_does_not_say() {
        assert_eq!(named(Some("iPhone17,2"), Some("iPhone"), None), "Apple iPhone 16 Pro Max");
        assert_eq!(named(Some("iPhone17,2"), None, Some("MYW23LL")), "Apple iPhone 16 Pro Max (MYW23LL)");
    }

    #[test]
    fn a_device_that_says_more_than_the_table_is_believed() {
        let name = named(Some("iPhone11,8"), Some("iPhone XR, Blue"), Some("MRYA2ZD"));
        assert_eq!(name, "Apple iPhone XR, Blue (MRYA2ZD)");
        assert_eq!(named(Some("Mac99,1"), Some("MacBook Pro"), None), "Apple MacBook Pro");
    }

    #[test]
    fn an_unknown_product_is_called_by_its_identifier() {
        assert_eq!(named(Some("iPhone99,2"), Some("iPhone"), Some("MRYA2ZD")), "iPhone99,2");
        assert_eq!(named(Some("AppleTV99,1"), Some("Apple TV"), None), "AppleTV99,1");
        assert_eq!(named(Some("iPad99,2"), None, None), "iPad99,2");
    }

    #[test]
    fn apple_is_not_said_twice_and_a_macs_identifier_is_no_model_number() {
        assert_eq!(named(Some("AppleTV14,1"), None, None), "Apple TV 4K (3rd generation)");
        assert_eq!(
            named(Some("MacBookPro18,3"), Some("MacBook Pro"), Some("MacBookPro18,3")),
            "Apple MacBook Pro (14-inch, 2021)"
        );
    }

    #[test]
    fn a_device_that_said_nothing_yet_still_has_a_name() {
        assert_eq!(named(None, None, None), "Apple device");
        assert_eq!(named(Some(" "), Some(""), None), "Apple device");
        assert_eq!(named(None, Some("iPad"), Some("MQ6T3LL")), "Apple iPad (MQ6T3LL)");
    }

    proptest! {
        #[test]
        fn whatever_was_reported_the_name_is_not_empty(product: Option<String>, model: Option<String>, number: Option<String>) {
            let name = named(product.as_deref(), model.as_deref(), number.as_deref());
            prop_assert!(!name.trim().is_empty());
        }
    }
}
