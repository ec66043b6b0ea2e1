//! How long to go on, and by which dice.

use std::{env, fmt::Display, str::FromStr};

use rand::{Rng, SeedableRng, rngs::StdRng};

/// What a run is to do.
pub struct Plan {
    /// How often the server is killed.
    pub kills: u32,
    /// Decides all choices.
    pub seed: u64,
}

impl Plan {
    /// `REMUDA_CRASH_KILLS` (5) and `REMUDA_CRASH_SEED` (any).
    pub fn from_environment() -> Self {
        Self {
            kills: number("REMUDA_CRASH_KILLS").unwrap_or(5),
            seed: number("REMUDA_CRASH_SEED").unwrap_or_else(|| rand::rng().random()),
        }
    }
}

impl Plan {
    /// Dice for one task after the other.
    pub fn dice(&self) -> impl FnMut() -> StdRng + use<> {
        let (seed, mut stream) = (self.seed.wrapping_mul(1_000), 0_u64);
        move || {
            stream += 1;
            StdRng::seed_from_u64(seed.wrapping_add(stream))
        }
    }
}

/// The value of this variable, if it is set.
///
/// # Panics
/// Where it is no number.
pub fn number<N: FromStr<Err: Display>>(name: &str) -> Option<N> {
    let text = env::var_os(name)?;
    let text = text.to_string_lossy();
    Some(text.parse().unwrap_or_else(|error| panic!("{name} is {text:?}: {error}")))
}
