// SPDX-License-Identifier: EUPL-1.2
//! Tags: words of a tenant's own that cases are sorted by.

use serde::{Deserialize, Serialize};

/// The colour of a tag. It helps the eye and says nothing by itself: the name always stands with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum TagColour {
    /// Grey.
    #[default]
    Grey,
    /// Teal.
    Teal,
    /// Blue.
    Blue,
    /// Green.
    Green,
    /// Amber.
    Amber,
    /// Red.
    Red,
    /// Violet.
    Violet,
}

impl TagColour {
    /// All colours.
    pub const ALL: [Self; 7] =
        [Self::Grey, Self::Teal, Self::Blue, Self::Green, Self::Amber, Self::Red, Self::Violet];

    /// The stored and spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grey => "grey",
            Self::Teal => "teal",
            Self::Blue => "blue",
            Self::Green => "green",
            Self::Amber => "amber",
            Self::Red => "red",
            Self::Violet => "violet",
        }
    }

    /// The colour of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|colour| colour.as_str() == name)
    }
}

/// The name of a tag as it is kept: without spaces around it, and one space between words.
#[must_use]
pub fn tag_name(written: &str) -> String {
    written.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The one form by which names of tags are told apart: `Spoed`, `spoed` and ` SPOED ` are one tag.
#[must_use]
pub fn fold_tag_name(written: &str) -> String {
    tag_name(written).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_in_capitals_and_spaces_are_one() {
        assert_eq!(tag_name("  Op  maat\tgemaakt "), "Op maat gemaakt");
        assert_eq!(fold_tag_name("SPOED "), fold_tag_name("spoed"));
        assert_eq!(fold_tag_name("Één"), "één");
        assert_ne!(fold_tag_name("retour"), fold_tag_name("retour 2"));
    }

    #[test]
    fn names_of_colours_are_read_back() {
        for colour in TagColour::ALL {
            assert_eq!(TagColour::parse(colour.as_str()), Some(colour));
        }
    }
}
