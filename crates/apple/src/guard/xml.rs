//! The XML side of the guard: one pass that knows exactly the grammar of a property list, and nothing more of
//! XML.

use super::{Limits, MAX_DEPTH, MalformedPlist};

/// Refuses `text` unless it is one well-formed `plist` element with one value, within `limits`.
pub(super) fn check(text: &str, limits: Limits) -> Result<(), MalformedPlist> {
    let mut scan = Scan { text, at: 0, open: Vec::new(), elements: 0, doctype: false, closed: false, limits };
    while let Some(length) = scan.rest().find('<') {
        scan.characters(length)?;
        scan.markup()?;
    }
    scan.characters(scan.rest().len())?;
    if scan.closed { Ok(()) } else { Err(scan.fault("the document ends too early")) }
}

struct Scan<'a> {
    text: &'a str,
    /// Byte offset of what is looked at next; always a character's start.
    at: usize,
    open: Vec<Open>,
    elements: usize,
    doctype: bool,
    /// Whether `</plist>` has been seen.
    closed: bool,
    limits: Limits,
}

/// An element whose end is still to come.
#[derive(Clone, Copy)]
enum Open {
    Plist { has_value: bool },
    Array,
    Dict { key_read: bool },
    Leaf(&'static str),
}

impl Open {
    fn name(self) -> &'static str {
        match self {
            Open::Plist { .. } => "plist",
            Open::Array => "array",
            Open::Dict { .. } => "dict",
            Open::Leaf(name) => name,
        }
    }
}

impl<'a> Scan<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn fault(&self, what: &'static str) -> MalformedPlist {
        MalformedPlist::Xml { offset: self.at, what }
    }

    /// Passes over the next `length` bytes, which hold no markup.
    fn characters(&mut self, length: usize) -> Result<(), MalformedPlist> {
        let characters = &self.rest()[..length];
        if characters.bytes().any(|byte| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')) {
            return Err(self.fault("a control character"));
        }
        match self.open.last() {
            Some(Open::Leaf(name)) if !matches!(*name, "true" | "false") => self.entities(characters)?,
            _ if !characters.trim_ascii().is_empty() => return Err(self.fault("text between elements")),
            _ => {}
        }
        self.at += length;
        Ok(())
    }

    fn entities(&self, characters: &str) -> Result<(), MalformedPlist> {
        for (start, _) in characters.match_indices('&') {
            let name = &characters[start + 1..];
            let known = name.split_once(';').is_some_and(|(name, _)| is_known_entity(name));
            if !known {
                return Err(MalformedPlist::UnknownEntity { offset: self.at + start });
            }
        }
        Ok(())
    }

    /// Passes over the one piece of markup that begins here.
    fn markup(&mut self) -> Result<(), MalformedPlist> {
        let rest = self.rest();
        if let Some(comment) = rest.strip_prefix("<!--") {
            self.pass(comment, "-->", 4)
        } else if let Some(instruction) = rest.strip_prefix("<?") {
            self.instruction(instruction)
        } else if let Some(declaration) = rest.strip_prefix("<!DOCTYPE") {
            self.doctype(declaration)
        } else if rest.starts_with("<!") {
            // CDATA: the plist crate drops it without a word.
            Err(self.fault("CDATA and other declarations are not read here"))
        } else if let Some(name) = rest.strip_prefix("</") {
            self.end_tag(name)
        } else {
            self.start_tag(&rest[1..])
        }
    }

    /// Passes over `opening` bytes, then `body` up to and with `end`.
    fn pass(&mut self, body: &str, end: &str, opening: usize) -> Result<(), MalformedPlist> {
        let length = body.find(end).ok_or_else(|| self.fault("markup without its end"))?;
        self.at += opening + length + end.len();
        Ok(())
    }

    fn instruction(&mut self, body: &str) -> Result<(), MalformedPlist> {
        let length = body.find("?>").ok_or_else(|| self.fault("markup without its end"))?;
        if let Some(declaration) = body[..length].strip_prefix("xml ") {
            if self.at != 0 {
                return Err(self.fault("an XML declaration that is not at the start"));
            }
            if !says_utf8(declaration) {
                return Err(MalformedPlist::NotUtf8);
            }
        }
        self.at += 2 + length + 2;
        Ok(())
    }

    fn doctype(&mut self, body: &str) -> Result<(), MalformedPlist> {
        let length = tag_length(body).ok_or_else(|| self.fault("markup without its end"))?;
        if body[..length].contains(['[', '<']) {
            return Err(MalformedPlist::DoctypeDeclarations);
        }
        if self.doctype || self.closed || !self.open.is_empty() {
            return Err(self.fault("a DOCTYPE that is not at the start"));
        }
        self.doctype = true;
        self.at += "<!DOCTYPE".len() + length + 1;
        Ok(())
    }

    fn end_tag(&mut self, body: &str) -> Result<(), MalformedPlist> {
        let (name, after) = element_name(body);
        let rest = after.trim_ascii_start();
        let Some(open) = self.open.pop() else { return Err(self.fault("an end tag without its start")) };
        if open.name() != name || !rest.starts_with('>') {
            return Err(self.fault("an end tag of another element"));
        }
        match open {
            Open::Plist { has_value: false } => return Err(self.fault("a plist without a value")),
            Open::Plist { .. } => self.closed = true,
            Open::Dict { key_read: true } => return Err(self.fault("a key without its value")),
            _ => {}
        }
        self.at = self.text.len() - rest.len() + 1;
        Ok(())
    }

    fn start_tag(&mut self, body: &str) -> Result<(), MalformedPlist> {
        let (name, after) = element_name(body);
        let opened = known_element(name).ok_or_else(|| self.fault("an element that property lists lack"))?;
        self.place(opened)?;
        let length = match opened {
            Open::Plist { .. } => tag_length(after),
            _ => after.find('>').filter(|length| matches!(after[..*length].trim_ascii(), "" | "/")),
        };
        let length = length.ok_or_else(|| self.fault("a start tag that is broken or has attributes"))?;
        if !after[..length].ends_with('/') {
            self.open.push(opened);
        } else if matches!(opened, Open::Plist { .. }) {
            return Err(self.fault("a plist without a value"));
        }
        self.at = self.text.len() - after.len() + length + 1;
        Ok(())
    }

    /// Checks that `opened` may stand here, counts it, and tells its parent.
    fn place(&mut self, opened: Open) -> Result<(), MalformedPlist> {
        let is_key = opened.name() == "key";
        let is_plist = matches!(opened, Open::Plist { .. });
        let fits = match self.open.last_mut() {
            None => is_plist && !self.closed,
            Some(Open::Plist { has_value }) => !is_key && !is_plist && !std::mem::replace(has_value, true),
            Some(Open::Array) => !is_key && !is_plist,
            Some(Open::Dict { key_read }) => !is_plist && std::mem::replace(key_read, is_key) != is_key,
            Some(Open::Leaf(_)) => false,
        };
        if !fits {
            return Err(self.fault("an element that may not stand here"));
        }
        self.elements += 1;
        if self.elements > self.limits.elements.saturating_add(1) {
            return Err(MalformedPlist::TooManyElements { limit: self.limits.elements });
        }
        // The plist element itself is no level.
        if matches!(opened, Open::Array | Open::Dict { .. }) && self.open.len() > MAX_DEPTH {
            return Err(MalformedPlist::TooDeep);
        }
        Ok(())
    }
}

fn known_element(name: &str) -> Option<Open> {
    const LEAVES: [&str; 8] = ["key", "string", "data", "date", "integer", "real", "true", "false"];
    match name {
        "plist" => Some(Open::Plist { has_value: false }),
        "array" => Some(Open::Array),
        "dict" => Some(Open::Dict { key_read: false }),
        _ => LEAVES.into_iter().find(|leaf| *leaf == name).map(Open::Leaf),
    }
}

/// Splits off the letters at the start.
fn element_name(body: &str) -> (&str, &str) {
    body.split_at(body.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(body.len()))
}

/// Where the `>` is that ends a tag: not one within quotes.
fn tag_length(body: &str) -> Option<usize> {
    let mut quote = None;
    body.bytes().position(|byte| {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
        quote.is_none() && byte == b'>'
    })
}

fn says_utf8(declaration: &str) -> bool {
    let Some((_, value)) = declaration.split_once("encoding") else { return true };
    let value =
        value.trim_ascii_start().trim_start_matches('=').trim_ascii_start().trim_start_matches(['"', '\'']);
    value.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("utf-8"))
        && value.get(5..).is_some_and(|end| end.starts_with(['"', '\'']))
}

fn is_known_entity(name: &str) -> bool {
    let number = match name.strip_prefix('#') {
        None => return matches!(name, "amp" | "lt" | "gt" | "quot" | "apos"),
        Some(number) => match number.strip_prefix('x') {
            Some(digits) => parse_digits(digits, 16),
            None => parse_digits(number, 10),
        },
    };
    number.and_then(char::from_u32).is_some_and(crate::document::xml_can_carry)
}

fn parse_digits(digits: &str, radix: u32) -> Option<u32> {
    // from_str_radix would take a sign.
    if digits.len() > 8 || !digits.starts_with(|c: char| c.is_digit(radix)) {
        return None;
    }
    u32::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, MAX_DEPTH, MalformedPlist, parse};
    use plist::Value;

    fn plist(body: &str) -> Result<Value, MalformedPlist> {
        parse(format!("<plist version=\"1.0\">{body}</plist>").as_bytes(), Limits::check_in())
    }

    fn text(body: &str) -> Result<String, MalformedPlist> {
        plist(&format!("<string>{body}</string>")).map(|value| value.into_string().unwrap())
    }

    #[test]
    fn four_thousand_nested_arrays_do_not_abort_the_process() {
        let bomb = format!("<plist>{}", "<array>".repeat(4_000));
        // In a thread with the stack of tokio's workers.
        let thread = std::thread::Builder::new().stack_size(2 << 20);
        let result =
            thread.spawn(move || parse(bomb.as_bytes(), Limits::check_in())).unwrap().join().unwrap();
        assert_eq!(result, Err(MalformedPlist::TooDeep));
    }

    #[test]
    fn sixty_four_levels_are_read_and_one_more_is_not() {
        let nested = |levels: usize| {
            let inner = levels - 1;
            plist(&format!("{}<dict/>{}", "<array>".repeat(inner), "</array>".repeat(inner)))
        };
        assert!(nested(MAX_DEPTH).is_ok());
        assert_eq!(nested(MAX_DEPTH + 1), Err(MalformedPlist::TooDeep));
    }

    #[test]
    fn dictionaries_count_as_levels_too() {
        let bomb = format!("<plist>{}", "<dict><key>a</key>".repeat(1_000));
        assert_eq!(parse(bomb.as_bytes(), Limits::check_in()), Err(MalformedPlist::TooDeep));
    }

    #[test]
    fn a_million_elements_are_not_made_into_values() {
        let bomb = format!("<plist><array>{}</array></plist>", "<true/>".repeat(1_000_000));
        assert_eq!(
            parse(bomb.as_bytes(), Limits::report()),
            Err(MalformedPlist::TooManyElements { limit: 200_000 })
        );
    }

    #[test]
    fn the_limit_of_elements_is_exact() {
        let limits = Limits { elements: 3, ..Limits::check_in() };
        let array = |n: usize| {
            parse(format!("<plist><array>{}</array></plist>", "<true/>".repeat(n)).as_bytes(), limits)
        };
        assert!(array(2).is_ok());
        assert_eq!(array(3), Err(MalformedPlist::TooManyElements { limit: 3 }));
    }

    #[test]
    fn an_unknown_entity_is_an_error_and_not_an_empty_text() {
        assert!(matches!(text("a&b;c"), Err(MalformedPlist::UnknownEntity { .. })));
        for broken in [
            "&",
            "&;",
            "&amp",
            "&#;",
            "&#x;",
            "&#0;",
            "&#8;",
            "&#xd800;",
            "&#x110000;",
            "&#+65;",
            "&AMP;",
            "& amp;",
        ] {
            assert!(matches!(text(broken), Err(MalformedPlist::UnknownEntity { .. })), "{broken}");
        }
        assert!(matches!(
            plist("<dict><key>&x;</key><true/></dict>"),
            Err(MalformedPlist::UnknownEntity { .. })
        ));
    }

    #[test]
    fn the_five_entities_and_numbers_are_read() {
        assert_eq!(text("&lt;&gt;&amp;&quot;&apos;&#65;&#x42;&#10;&#x1F600;").unwrap(), "<>&\"'AB\n😀");
    }

    #[test]
    fn a_doctype_with_declarations_is_refused() {
        let bomb = |doctype: &str| {
            parse(format!("{doctype}<plist><string>&b;</string></plist>").as_bytes(), Limits::check_in())
                .unwrap_err()
        };
        assert_eq!(bomb("<!DOCTYPE plist [<!ENTITY b \"x\">]>"), MalformedPlist::DoctypeDeclarations);
        assert_eq!(bomb("<!DOCTYPE plist SYSTEM 'a' [ ]>"), MalformedPlist::DoctypeDeclarations);
        assert!(matches!(bomb("<!ENTITY b \"x\">"), MalformedPlist::Xml { .. }));
        assert!(matches!(bomb("<!DOCTYPE plist><!DOCTYPE plist>"), MalformedPlist::Xml { .. }));
    }

    #[test]
    fn apples_own_prologue_is_read() {
        let document = "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
            <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
            \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
            <plist version=\"1.0\">\n<dict/>\n</plist>\n";
        assert!(parse(document.as_bytes(), Limits::check_in()).is_ok());
        assert!(
            parse(b"<?xml version='1.0' encoding='utf-8'?><plist><true/></plist>", Limits::check_in())
                .is_ok()
        );
        assert!(parse(b"<?xml version='1.0'?><plist><true/></plist>", Limits::check_in()).is_ok());
    }

    #[test]
    fn another_declared_encoding_is_refused() {
        for encoding in ["UTF-16", "ISO-8859-1", "UTF-8x", ""] {
            let document = format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?><plist><true/></plist>");
            assert_eq!(
                parse(document.as_bytes(), Limits::check_in()),
                Err(MalformedPlist::NotUtf8),
                "{encoding}"
            );
        }
    }

    #[test]
    fn comments_and_instructions_hide_nothing() {
        assert_eq!(text("a<!-- <array> & > -->b<?x <dict> ?>c").unwrap(), "abc");
        assert!(plist("<!-- -- --><true/><!---->").is_ok());
        assert!(plist("<!-- <true/>").is_err());
        assert!(plist("<array><!-- </array> --></array>").is_ok());
    }

    #[test]
    fn cdata_is_refused_because_it_would_be_dropped() {
        assert!(matches!(text("<![CDATA[secret]]>"), Err(MalformedPlist::Xml { .. })));
    }

    #[test]
    fn a_bracket_within_an_attribute_does_not_end_the_tag() {
        let document = b"<plist note='>' version=\"/>\"><array/></plist>";
        assert_eq!(parse(document, Limits::check_in()), Ok(Value::Array(vec![])));
        assert!(plist("<array id='>'><true/></array>").is_err());
    }

    #[test]
    fn only_the_grammar_of_property_lists_is_let_through() {
        for broken in [
            "",
            "text",
            "<true/><true/>",
            "<plist><true/></plist>",
            "<key>a</key>",
            "<html/>",
            "<x:dict/>",
            "<Dict/>",
            "<dict><true/></dict>",
            "<dict><key>a</key></dict>",
            "<dict><key>a</key><key>b</key></dict>",
            "<dict><string>a</string><true/></dict>",
            "<array><key>a</key></array>",
            "<array>text</array>",
            "<string><true/></string>",
            "<true>yes</true>",
            "<array></dict>",
            "</array>",
            "<array",
            "<array>",
            "<integer>1</string>",
            "<integer>one</integer>",
            "<data>!</data>",
            "<date>today</date>",
            "<real></real>",
            "<string>\u{1}</string>",
            "<string>\0</string>",
            "< array/>",
            "<array / >x",
            "<string>&#1;</string>",
            "<>",
            "</>",
        ] {
            assert!(plist(broken).is_err(), "{broken}");
        }
        for outside in [
            "<true/>",
            "<plist><true/></plist><plist><true/></plist>",
            "x<plist><true/></plist>",
            "<plist/>",
            "<plist>",
        ] {
            assert!(parse(outside.as_bytes(), Limits::check_in()).is_err(), "{outside}");
        }
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let value = plist(
            "<dict><key>s</key><string>ä</string><key>e</key><string/><key>i</key><integer>-7</integer>\
             <key>r</key><real>0.5</real><key>t</key><true/><key>f</key><false></false>\
             <key>d</key><data>\n\tAQ ID\n</data><key>a</key><array />\
             <key>w</key><date>2024-12-01T00:00:00Z</date></dict >",
        )
        .unwrap();
        let value = value.as_dictionary().unwrap();
        assert_eq!(value.len(), 9);
        assert_eq!(value.get("d"), Some(&Value::Data(vec![1, 2, 3])));
        assert_eq!(value.get("e"), Some(&Value::from("")));
    }
}
