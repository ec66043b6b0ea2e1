//! Single values: a flag, a number, one word of two.

use crate::config::Given;

pub(super) fn flag(name: &str, given: Option<&Given<bool>>, faults: &mut Vec<String>) -> bool {
    match given {
        None => false,
        Some(Given::Sound(flag)) => *flag,
        Some(Given::Unsound(text)) => {
            faults.push(format!("{name} {text}: true or false"));
            false
        }
    }
}

pub(super) fn number(
    name: &str,
    given: Option<Given<usize>>,
    default: usize,
    faults: &mut Vec<String>,
) -> usize {
    let wrong = match given {
        None => return default,
        Some(Given::Sound(number)) if number > 0 => return number,
        Some(Given::Sound(number)) => number.to_string(),
        Some(Given::Unsound(text)) => text,
    };
    faults.push(format!("{name} {wrong}: a whole number from 1"));
    default
}

pub(super) fn google_push(given: Option<&str>, faults: &mut Vec<String>) -> bool {
    match given {
        None | Some("pull") => false,
        Some("push") => true,
        Some(other) => {
            faults.push(format!("--google-notifications {other}: pull or push"));
            false
        }
    }
}
