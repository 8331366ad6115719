//! What a device must be able to do for each form of the shaders.

use std::fmt;
use std::str::FromStr;

use wgpu::Features;

/// A form of the shaders. All give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Words of 32 bits and the limits that every device has.
    Words,
    /// Integers of 64 bits.
    Longs,
    /// Integers of 64 bits, and sums over subgroups.
    Subgroups,
}

impl Tier {
    /// Every tier, the least demanding first.
    pub const EACH: [Tier; 3] = [Tier::Words, Tier::Longs, Tier::Subgroups];

    /// The name by which `--gpu-tier` knows it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Tier::Words => "u32",
            Tier::Longs => "u64",
            Tier::Subgroups => "subgroups",
        }
    }

    /// The next less demanding tier.
    #[must_use]
    pub fn below(self) -> Option<Tier> {
        match self {
            Tier::Words => None,
            Tier::Longs => Some(Tier::Words),
            Tier::Subgroups => Some(Tier::Longs),
        }
    }

    pub(super) fn features(self) -> Features {
        match self {
            Tier::Words => Features::empty(),
            Tier::Longs => Features::SHADER_INT64,
            Tier::Subgroups => Features::SHADER_INT64 | Features::SUBGROUP,
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Tier {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Tier::EACH.into_iter().find(|tier| tier.name() == text);
        known.ok_or_else(|| format!("`{text}` is no tier; there are u32, u64 and subgroups"))
    }
}
