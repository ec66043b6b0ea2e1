//! Signed attributes: what a signer says beside the content.

use crate::asn1::{self, Element, ObjectIdentifier, write};
use crate::{Error, Result};

/// One attribute with one value, to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    identifier: ObjectIdentifier,
    /// The value, as one DER element.
    value: Vec<u8>,
}

/// The signed attributes of a verified message; none where it has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    list: Vec<(ObjectIdentifier, Vec<u8>)>,
}

impl Attribute {
    /// An attribute whose value is already one DER element.
    pub fn new(identifier: ObjectIdentifier, value: Vec<u8>) -> Self {
        Attribute { identifier, value }
    }

    /// An attribute that holds bytes, as an OCTET STRING.
    pub fn octets(identifier: ObjectIdentifier, value: &[u8]) -> Self {
        Attribute::new(identifier, write::octets(value))
    }

    /// An attribute that holds text, as a PrintableString.
    pub fn printable(identifier: ObjectIdentifier, value: &str) -> Self {
        Attribute::new(identifier, write::element(asn1::PRINTABLE_STRING, value.as_bytes()))
    }

    pub(super) fn to_der(&self) -> Vec<u8> {
        write::sequence(&[&write::oid(&self.identifier), &write::set(vec![self.value.clone()])])
    }
}

impl Attributes {
    /// The value of the one attribute with this identifier, as one DER element; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Malformed`] where the attribute stands there twice or has not exactly one value.
    pub fn value(&self, identifier: ObjectIdentifier) -> Result<Option<&[u8]>> {
        Ok(self.element(identifier)?.map(|element| element.raw))
    }

    pub(crate) fn element(&self, identifier: ObjectIdentifier) -> Result<Option<Element<'_>>> {
        const MALFORMED: Error = Error::Malformed("attribute: it needs exactly one value");
        let mut found = self.list.iter().filter(|(other, _)| *other == identifier);
        let (attribute, more) = (found.next(), found.next());
        if more.is_some() {
            return Err(MALFORMED);
        }
        let Some((_, values)) = attribute else { return Ok(None) };
        let mut values = asn1::Reader::new(values);
        let value = values.any().map_err(|_| MALFORMED)?;
        values.finish().map_err(|_| MALFORMED)?;
        Ok(Some(value))
    }

    /// Reads a SET OF Attribute, in whatever order it comes.
    pub(super) fn read(set: Element<'_>) -> Result<Self> {
        let mut list = Vec::new();
        let mut attributes = set.children();
        while !attributes.is_empty() {
            let mut attribute = attributes.enter(asn1::SEQUENCE)?;
            list.push((attribute.object_identifier()?, attribute.take(asn1::SET)?.value.to_vec()));
            attribute.finish()?;
        }
        Ok(Attributes { list })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oid;

    fn read(attributes: Vec<Vec<u8>>) -> Attributes {
        let der = write::set(attributes);
        Attributes::read(asn1::only(&der, asn1::SET).unwrap()).unwrap()
    }

    #[test]
    fn an_attribute_is_found_by_its_identifier() {
        let attribute = Attribute::octets(oid::SCEP_SENDER_NONCE, b"n");
        let attributes = read(vec![attribute.to_der()]);
        assert_eq!(attributes.value(oid::SCEP_SENDER_NONCE), Ok(Some(&[4u8, 1, b'n'][..])));
        assert_eq!(attributes.value(oid::SCEP_FAIL_INFO), Ok(None));
    }

    #[test]
    fn an_attribute_that_stands_there_twice_is_refused() {
        let attribute = |text| Attribute::printable(oid::SCEP_TRANSACTION_ID, text).to_der();
        assert!(read(vec![attribute("a"), attribute("b")]).value(oid::SCEP_TRANSACTION_ID).is_err());
    }

    #[test]
    fn an_attribute_with_no_value_or_two_is_refused() {
        for values in [vec![], vec![write::null(), write::octets(b"x")]] {
            let attribute = write::sequence(&[&write::oid(&oid::DATA), &write::set(values)]);
            assert!(read(vec![attribute]).value(oid::DATA).is_err());
        }
    }
}
