//! PEM, the text form of certificates and keys (RFC 7468), read as leniently as people paste it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{Error, Result};

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
const LINE: usize = 64;

/// One block: its label and its bytes.
pub(crate) struct Block<'a> {
    pub(crate) label: &'a str,
    pub(crate) der: Vec<u8>,
}

/// All blocks of a text, in their order; text around them is skipped.
pub(crate) fn blocks(text: &str) -> Result<Vec<Block<'_>>> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find(BEGIN) {
        let (block, after) = block(&rest[begin + BEGIN.len()..])?;
        blocks.push(block);
        rest = after;
    }
    Ok(blocks)
}

/// The text form, with lines of 64 characters and a newline at the end.
pub(crate) fn encode(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut text = format!("{BEGIN}{label}{DASHES}\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("{END}{label}{DASHES}\n"));
    text
}

/// A block, from just behind its `BEGIN`, and what follows it.
fn block(text: &str) -> Result<(Block<'_>, &str)> {
    const MALFORMED: Error = Error::Malformed("PEM");
    let (label, text) = text.split_once(DASHES).ok_or(MALFORMED)?;
    let (body, text) = text.split_once(END).ok_or(MALFORMED)?;
    let (end_label, text) = text.split_once(DASHES).ok_or(MALFORMED)?;
    if label != end_label {
        return Err(MALFORMED);
    }
    if body.contains("ENCRYPTED") || label.contains("ENCRYPTED") {
        return Err(Error::Unsupported("PEM: it is protected by a passphrase"));
    }
    let base64: String = body.chars().filter(|character| !character.is_whitespace()).collect();
    let der = STANDARD.decode(base64).map_err(|_| MALFORMED)?;
    Ok((Block { label, der }, text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn blocks_are_found_between_other_text() {
        let text = format!("Subject: x\r\n{}\nmore\n{}", encode("A", &[7; 100]), encode("B C", b""));
        let text = text.replace('\n', "\r\n");
        let blocks = blocks(&text).unwrap();
        assert_eq!(blocks.iter().map(|block| block.label).collect::<Vec<_>>(), ["A", "B C"]);
        assert_eq!(blocks[0].der, [7; 100]);
    }

    #[test]
    fn broken_blocks_are_refused() {
        for text in [
            "-----BEGIN A-----\nAAAA\n",
            "-----BEGIN A-----\nAAAA\n-----END B-----\n",
            "-----BEGIN A-----\n!!\n-----END A-----\n",
            "-----BEGIN A",
        ] {
            assert!(blocks(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_passphrase_is_said() {
        let text = encode("ENCRYPTED PRIVATE KEY", b"x");
        assert!(matches!(blocks(&text), Err(Error::Unsupported(_))));
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "(-----(BEGIN|END) [A-Z]{0,3}-----|[ -~\n]){0,20}") {
            let _ = blocks(&text);
        }
    }
}
