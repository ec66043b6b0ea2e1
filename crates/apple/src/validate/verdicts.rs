//! One message for many devices: checked once for each class of them.

use std::collections::HashMap;

use plist::Dictionary;

use super::{Class, Options, Target, Verdict, command};

/// Verdicts on one command, by class of devices.
#[derive(Debug)]
pub struct Verdicts<'a> {
    command: &'a Dictionary,
    options: Options,
    known: HashMap<Class, Verdict>,
}

impl<'a> Verdicts<'a> {
    /// On `command`, the dictionary that [`command`](super::command) takes.
    pub fn new(command: &'a Dictionary, options: Options) -> Verdicts<'a> {
        Verdicts { command, options, known: HashMap::new() }
    }

    /// The verdict for a device, reached once for all of its class.
    pub fn on(&mut self, target: &Target) -> &Verdict {
        let class = target.class();
        self.known
            .entry(class)
            .or_insert_with_key(|class| command(self.command, class.target(), self.options))
    }

    /// How many times the command was really checked.
    pub fn classes(&self) -> usize {
        self.known.len()
    }
}
