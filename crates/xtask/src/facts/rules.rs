//! What is said of a value, as Rust.

use anyhow::{Context, Result, bail, ensure};

use super::schema::Rules;
use super::terms::version;

/// Rules of a value of the type `is`, in their order.
pub fn write(rules: &Rules, is: &str) -> Result<Vec<String>> {
    rules
        .0
        .iter()
        .map(|(field, values)| write_one(field, values, is).with_context(|| format!("rule {field}")))
        .collect()
}

fn write_one(field: &str, values: &[String], is: &str) -> Result<String> {
    Ok(match field {
        "rangelist" => range_list(values, is)?,
        "range" => format!("Range({}, {})", bound(&values[0], "LOW")?, bound(&values[1], "HIGH")?),
        "repetition" => format!("Count({}, {})", number(&values[0])?, number(&values[1])?),
        "default" => format!("Default({})", literal(&values[0], is)?),
        "format" => format!("Format({})", pattern(&values[0])?),
        "subtype" => format!("Format({})", subtype(&values[0])?),
        "combinetype" => format!("Combine({})", screaming(&values[0])),
        "assettypes" => format!("Assets({})", texts(values)),
        "asset-content-types" => format!("ContentTypes({})", texts(values)),
        "any-of" => format!("AnyOf({})", texts(values)),
        "at-most-one" => format!("AtMostOne({})", texts(values)),
        "requires" => three("Requires", values)?,
        "only-with" => three("OnlyWith", values)?,
        "excludes" => three("Excludes", values)?,
        "with" => {
            let [key, needed] = values else { bail!("two keys") };
            format!("With({key:?}, {needed:?})")
        }
        "bit-needs" => {
            let [bit, needed] = values else { bail!("two numbers") };
            format!("BitNeeds({}, {})", number(bit)?, number(needed)?)
        }
        "max-bytes" => format!("MaxBytes({})", number(&values[0])?),
        "not-empty" => "NotEmpty".to_owned(),
        "needs" => format!("Needs({})", screaming(&values[0])),
        "required-for" => {
            let [who, key] = values else { bail!("a trait and a key") };
            format!("RequiredFor({}, {key:?})", screaming(who))
        }
        "refused-before" => {
            let [os, before, who] = values else { bail!("an OS, a version and a trait") };
            format!("RefusedBefore({}, at({}), {})", screaming(os), version(before)?, screaming(who))
        }
        "alone-before" => {
            let [os, before] = values else { bail!("an OS and a version") };
            format!("AloneBefore({}, at({}))", screaming(os), version(before)?)
        }
        "or-type" => format!("OrType({})", type_name(&values[0])?),
        other => bail!("unknown rule {other}"),
    })
}

/// The constant of a type.
pub fn type_name(is: &str) -> Result<&'static str> {
    Ok(match is {
        "string" => "STRING",
        "integer" => "INTEGER",
        "real" => "REAL",
        "boolean" => "BOOLEAN",
        "date" => "DATE",
        "data" => "DATA",
        "array" => "ARRAY",
        "dictionary" => "DICTIONARY",
        "any" => "ANYTHING",
        other => bail!("unknown type {other}"),
    })
}

/// A list of texts.
pub fn texts(values: &[String]) -> String {
    format!("&{values:?}")
}

fn three(name: &str, values: &[String]) -> Result<String> {
    let [one, two, three] = values else { bail!("three texts") };
    Ok(format!("{name}({one:?}, {two:?}, {three:?})"))
}

fn range_list(values: &[String], is: &str) -> Result<String> {
    Ok(match is {
        "string" => format!("Texts({})", texts(values)),
        "integer" => {
            let numbers: Vec<_> = values.iter().map(|value| number(value)).collect::<Result<_>>()?;
            format!("Integers(&{numbers:?})")
        }
        "real" => {
            let numbers: Vec<f64> = values.iter().map(|value| value.parse()).collect::<Result<_, _>>()?;
            format!("Reals(&{numbers:?})")
        }
        other => bail!("a list of values of the type {other}"),
    })
}

fn literal(value: &str, is: &str) -> Result<String> {
    Ok(match is {
        "string" => format!("Text({value:?})"),
        "integer" => format!("Integer({})", number(value)?),
        "real" => format!("Real({:?})", value.parse::<f64>()?),
        "boolean" => {
            ensure!(matches!(value, "true" | "false"), "{value} is no truth value");
            format!("Boolean({value})")
        }
        other => bail!("a default of the type {other}"),
    })
}

fn number(value: &str) -> Result<i64> {
    value.parse().with_context(|| format!("{value:?} is no number"))
}

fn bound(value: &str, open: &str) -> Result<String> {
    if value.is_empty() { Ok(open.to_owned()) } else { Ok(format!("{:?}", value.parse::<f64>()?)) }
}

/// Apple's regular expressions are few, and each is a format with a name.
fn pattern(expression: &str) -> Result<&'static str> {
    Ok(match expression {
        "^([0-9A-Fa-f]{2}:){5}([0-9A-Fa-f]{2})$" => "MAC_ADDRESS",
        "^[0-9A-Za-z]{8}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{12}$" => "UUID",
        "^https://.*$" | "^https:.*$" => "HTTPS_URL",
        "^([0-9A-Za-z]{6})|([0-9A-Za-z]{9})$" => "ROAMING_CONSORTIUM",
        "^[0-9]{6}$" => "SIX_DIGITS",
        "^com\\.apple\\.mgmt\\..*$" => "MDM_TOPIC",
        other => bail!("an expression without a name: {other}"),
    })
}

fn subtype(name: &str) -> Result<&'static str> {
    Ok(match name {
        "url" => "URL",
        "hostname" => "HOST_NAME",
        "timestamp" => "TIMESTAMP",
        other => bail!("unknown subtype {other}"),
    })
}

fn screaming(words: &str) -> String {
    words.replace('-', "_").to_uppercase()
}
