//! Distinguished names: who a certificate or a request says that it is about.

use std::fmt;

use crate::asn1::{self, Element, ObjectIdentifier, Reader, write};
use crate::{Error, Result, oid};

mod text;

pub(crate) use text::{is_printable_string, string};

/// A distinguished name, in the order of its encoding; shown as RFC 4514 has it, the last part first.
///
/// Only for reading and building. Names are compared by their received bytes, never by this.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Name {
    parts: Vec<(ObjectIdentifier, String)>,
}

/// The upper bound of a common name and of an organization, in characters (RFC 5280, appendix A.1).
pub const MAX_PART: usize = 64;

impl Name {
    /// A name of one part, the common name.
    pub fn new(common_name: &str) -> Self {
        Name::default().with(oid::COMMON_NAME, common_name)
    }

    /// Adds an organization (O).
    #[must_use]
    pub fn with_organization(self, organization: &str) -> Self {
        self.with(oid::ORGANIZATION, organization)
    }

    /// Adds an organizational unit (OU).
    #[must_use]
    pub fn with_organizational_unit(self, unit: &str) -> Self {
        self.with(oid::ORGANIZATIONAL_UNIT, unit)
    }

    /// Adds a country (C): two letters.
    #[must_use]
    pub fn with_country(self, country: &str) -> Self {
        self.with(oid::COUNTRY, country)
    }

    /// Adds an e-mail address.
    #[must_use]
    pub fn with_email_address(self, address: &str) -> Self {
        self.with(oid::EMAIL_ADDRESS, address)
    }

    /// Adds a user id (UID), where Apple's push certificates carry their topic.
    #[must_use]
    pub fn with_user_id(self, user_id: &str) -> Self {
        self.with(oid::USER_ID, user_id)
    }

    /// The first common name (CN).
    pub fn common_name(&self) -> Option<&str> {
        self.first(oid::COMMON_NAME)
    }

    /// The first organization (O).
    pub fn organization(&self) -> Option<&str> {
        self.first(oid::ORGANIZATION)
    }

    /// The first user id (UID, 0.9.2342.19200300.100.1.1).
    pub fn user_id(&self) -> Option<&str> {
        self.first(oid::USER_ID)
    }

    /// Reads an RDNSequence. Strings that are not what they claim are read as well as they can be.
    pub(crate) fn read(name: Element<'_>) -> Result<Self> {
        if name.tag != asn1::SEQUENCE {
            return Err(Error::Malformed("name"));
        }
        let mut parts = Vec::new();
        let mut relative_names = name.children();
        while !relative_names.is_empty() {
            let mut attributes = relative_names.enter(asn1::SET)?;
            while !attributes.is_empty() {
                parts.push(read_part(attributes.enter(asn1::SEQUENCE)?)?);
            }
        }
        Ok(Name { parts })
    }

    pub(crate) fn to_der(&self) -> Vec<u8> {
        let parts: Vec<u8> = self
            .parts
            .iter()
            .flat_map(|(part, value)| {
                let value = write::element(string_tag(part, value), value.as_bytes());
                write::set(vec![write::sequence(&[&write::oid(part), &value])])
            })
            .collect();
        write::element(asn1::SEQUENCE, &parts)
    }

    fn with(mut self, part: ObjectIdentifier, value: &str) -> Self {
        self.parts.push((part, value.to_owned()));
        self
    }

    fn first(&self, wanted: ObjectIdentifier) -> Option<&str> {
        self.parts.iter().find(|(part, _)| *part == wanted).map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (part, value)) in self.parts.iter().rev().enumerate() {
            if index > 0 {
                formatter.write_str(",")?;
            }
            match short_name(part) {
                Some(name) => write!(formatter, "{name}=")?,
                None => write!(formatter, "{part}=")?,
            }
            text::write_escaped(formatter, value)?;
        }
        Ok(())
    }
}

fn read_part(mut part: Reader<'_>) -> Result<(ObjectIdentifier, String)> {
    let identifier = part.object_identifier()?;
    let value = part.any()?;
    part.finish()?;
    Ok((identifier, text::lossy(value)))
}

/// The string type that RFC 5280 (appendix A) and RFC 2985 ask for in this place.
fn string_tag(part: &ObjectIdentifier, value: &str) -> u8 {
    match *part {
        oid::COUNTRY | oid::SERIAL_NUMBER if is_printable_string(value) => asn1::PRINTABLE_STRING,
        oid::EMAIL_ADDRESS | oid::DOMAIN_COMPONENT if value.is_ascii() => asn1::IA5_STRING,
        _ => asn1::UTF8_STRING,
    }
}

fn short_name(part: &ObjectIdentifier) -> Option<&'static str> {
    Some(match *part {
        oid::COMMON_NAME => "CN",
        oid::ORGANIZATION => "O",
        oid::ORGANIZATIONAL_UNIT => "OU",
        oid::COUNTRY => "C",
        oid::LOCALITY => "L",
        oid::STATE => "ST",
        oid::USER_ID => "UID",
        oid::DOMAIN_COMPONENT => "DC",
        oid::SERIAL_NUMBER => "serialNumber",
        oid::EMAIL_ADDRESS => "emailAddress",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_survives_its_encoding() {
        let name = Name::new("Ünit, one")
            .with_organization("Remuda")
            .with_organizational_unit("stable")
            .with_country("DE")
            .with_email_address("a@example.org")
            .with_user_id("com.apple.mgmt.x");
        let der = name.to_der();
        let read = Name::read(asn1::only(&der, asn1::SEQUENCE).unwrap()).unwrap();
        assert_eq!(read, name);
        assert_eq!(
            read.to_string(),
            "UID=com.apple.mgmt.x,emailAddress=a@example.org,C=DE,OU=stable,O=Remuda,CN=Ünit\\, one"
        );
    }

    #[test]
    fn the_first_of_several_counts() {
        let name = Name::new("one").with(oid::COMMON_NAME, "two");
        assert_eq!((name.common_name(), name.organization()), (Some("one"), None));
    }
}
