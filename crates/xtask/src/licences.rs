//! Licences that we may build on: SPDX expressions against a list.

/// What may go into a program that is MIT or Apache-2.0: permissive ones only.
const ALLOWED: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Zlib",
];

/// Whether an SPDX expression (with the old slash for "or") can be fulfilled by the list alone.
pub fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { tokens: &tokens, is_sound: true };
    let allowed = reader.any();
    allowed && reader.is_sound && reader.tokens.is_empty()
}

/// Reads from the left; OR binds weaker than AND.
struct Reader<'t> {
    tokens: &'t [&'t str],
    /// Whether everything so far was where it belongs.
    is_sound: bool,
}

impl<'t> Reader<'t> {
    fn any(&mut self) -> bool {
        let mut allowed = self.all();
        while self.take("OR") {
            let other = self.all();
            allowed |= other;
        }
        allowed
    }

    fn all(&mut self) -> bool {
        let mut allowed = self.one();
        while self.take("AND") {
            let other = self.one();
            allowed &= other;
        }
        allowed
    }

    fn one(&mut self) -> bool {
        if self.take("(") {
            let allowed = self.any();
            self.is_sound &= self.take(")");
            return allowed;
        }
        let name = self.word();
        if !self.take("WITH") {
            return ALLOWED.contains(&name);
        }
        let exception = self.word();
        // An exception only ever permits more.
        ALLOWED.contains(&name) || ALLOWED.contains(&format!("{name} WITH {exception}").as_str())
    }

    fn word(&mut self) -> &'t str {
        let [word, rest @ ..] = self.tokens else {
            self.is_sound = false;
            return "";
        };
        self.tokens = rest;
        word
    }

    fn take(&mut self, wanted: &str) -> bool {
        let [token, rest @ ..] = self.tokens else { return false };
        let is_it = *token == wanted;
        if is_it {
            self.tokens = rest;
        }
        is_it
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_allowed_choice_is_enough_and_every_part_is_needed() {
        for good in [
            "MIT",
            "MIT OR Apache-2.0",
            "MIT/Apache-2.0",
            "GPL-3.0-only OR MIT",
            "(MIT OR GPL-3.0-only) AND Unicode-3.0",
            "ISC AND (Apache-2.0 OR ISC)",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0-only",
            "(Apache-2.0 OR MIT) AND BSD-3-Clause",
        ] {
            assert!(is_allowed(good), "{good}");
        }
    }

    #[test]
    fn what_is_not_on_the_list_is_refused() {
        for bad in [
            "",
            "GPL-3.0-only",
            "MPL-2.0",
            "MIT AND GPL-3.0-only",
            "(MIT OR Apache-2.0) AND MPL-2.0",
            "GPL-2.0-only WITH Classpath-exception-2.0",
            "MIT OR",
            "(MIT",
            "MIT)",
            "MIT Apache-2.0",
        ] {
            assert!(!is_allowed(bad), "{bad}");
        }
    }
}
