//! DER rewritten as the worst of streaming encoders sends it.

/// No length is definite, and each octet string comes in pieces; so does what has the tag `[0]` and is no container,
/// which is an envelope's encrypted content.
pub fn streamed(der: &[u8]) -> Vec<u8> {
    const PIECE: usize = 100;
    let mut out = Vec::new();
    let mut rest = der;
    while !rest.is_empty() {
        let (element, value, after) = first(rest);
        let is_string = matches!(element[0], 0x04 | 0x80) && value.len() > PIECE;
        if element[0] & 0x20 != 0 {
            out.extend([&[element[0], 0x80], &*streamed(value), &[0, 0]].concat());
        } else if is_string {
            out.extend([element[0] | 0x20, 0x80]);
            value.chunks(PIECE).for_each(|piece| {
                out.extend([4, u8::try_from(piece.len()).unwrap()]);
                out.extend_from_slice(piece);
            });
            out.extend([0, 0]);
        } else {
            out.extend_from_slice(element);
        }
        rest = after;
    }
    out
}

/// The first element, its value, and what follows.
fn first(der: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let (header, length) = match usize::from(der[1]) {
        short @ ..0x80 => (2, short),
        long => {
            let digits = long - 0x80;
            (2 + digits, der[2..2 + digits].iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
        }
    };
    let (element, after) = der.split_at(header + length);
    (element, &element[header..], after)
}
