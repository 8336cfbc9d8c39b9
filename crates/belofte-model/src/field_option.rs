// SPDX-License-Identifier: EUPL-1.2
//! What can be chosen in a field: options by number, what they are called and were called.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::field::{Faults, LABEL_MOST};
use crate::{FieldFault, FieldSettings, OwnWords};

/// So many options a field has at most, archived ones included.
pub const MOST_OPTIONS: usize = 500;
/// So many former labels of an option are kept, the newest ones.
pub const MOST_FORMER: usize = 20;
/// The highest number of an option.
pub const MOST_NUMBER: u32 = 1_000_000;

/// One thing that can be chosen. Values name it by its number, so that it can be renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldOption {
    /// Its number within the field; never used again for another one.
    pub no: u32,
    /// What it is called.
    pub label: OwnWords,
    /// Within which one it lies, in a tree.
    #[serde(default)]
    pub within: Option<u32>,
    /// Whether it can no longer be chosen; what was chosen stays.
    #[serde(default)]
    pub archived: bool,
    /// What it was called before, in either language: text that was kept when the field held text is still it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<String>,
}

/// The options of a field as values are read by them: by number, and by what they are called or were.
#[derive(Debug)]
pub struct OptionNames<'a> {
    options: &'a [FieldOption],
    /// By label in small letters; nothing for one that more than one option has or had.
    by_label: OnceLock<HashMap<String, Option<u32>>>,
}

impl<'a> OptionNames<'a> {
    /// Of these options. To be made once for all values of a field.
    #[must_use]
    pub const fn of(options: &'a [FieldOption]) -> Self {
        Self { options, by_label: OnceLock::new() }
    }

    /// The options themselves.
    #[must_use]
    pub const fn options(&self) -> &'a [FieldOption] {
        self.options
    }

    /// The option that alone is, or was, called so, capitals aside.
    #[must_use]
    pub fn named(&self, label: &str) -> Option<u32> {
        let by_label = self.by_label.get_or_init(|| {
            let mut all = HashMap::new();
            for option in self.options {
                let former = option.former.iter();
                for name in [&option.label.nl, &option.label.en].into_iter().chain(former) {
                    if !name.is_empty() {
                        let first = all.entry(name.to_lowercase()).or_insert(Some(option.no));
                        *first = first.filter(|no| *no == option.no);
                    }
                }
            }
            all
        });
        by_label.get(&label.to_lowercase()).copied().flatten()
    }
}

impl FieldSettings {
    pub(crate) fn check_options(&self, faults: &mut Faults) {
        if self.options.len() > MOST_OPTIONS {
            faults.push("options", FieldFault::TooLong);
            return;
        }
        if self.kind.has_options() && self.options.iter().all(|option| option.archived) {
            faults.push("options", FieldFault::Required);
        }
        let mut seen = HashSet::new();
        for (place, option) in self.options.iter().enumerate() {
            let path = format!("options[{place}].label");
            option.label.check(&path, 1, LABEL_MOST, faults);
            // Two of one name within one and the same cannot be told apart by who chooses.
            if !option.archived {
                let label = (option.within, option.label.any().trim().to_lowercase());
                if !seen.insert(label) {
                    faults.push(&path, FieldFault::Taken);
                }
            }
            if option.within.is_some() && !self.is_placed(option) {
                faults.push(&format!("options[{place}].within"), FieldFault::NotFound);
            }
        }
    }

    /// What does not hold of the options beside those of `before`: none is taken away that a value may name, and no
    /// number is used for another one.
    #[must_use]
    pub fn options_against(&self, before: Option<&Self>) -> Vec<(String, FieldFault)> {
        let mut faults = Faults::default();
        let mut numbers = HashSet::new();
        let (was, next) =
            before.map_or((&[][..], 1), |before| (&before.options[..], before.next_option.max(1)));
        for (place, option) in self.options.iter().enumerate() {
            let path = format!("options[{place}].no");
            let known = was.iter().any(|one| one.no == option.no);
            if !numbers.insert(option.no) {
                faults.push(&path, FieldFault::Taken);
            } else if !known && (option.no < next || option.no > MOST_NUMBER) {
                faults.push(&path, FieldFault::OutOfRange);
            }
        }
        if was.iter().any(|one| !numbers.contains(&one.no)) {
            faults.push("options", FieldFault::Required);
        }
        faults.0
    }

    /// Has each option remember what it was called in `before`.
    pub fn remember_labels(&mut self, before: Option<&Self>) {
        for option in &mut self.options {
            option.former.clear();
            let was = before.and_then(|before| before.options.iter().find(|one| one.no == option.no));
            let Some(was) = was else { continue };
            let new: Vec<String> = [&was.label.nl, &was.label.en]
                .into_iter()
                .filter(|name| !name.is_empty() && **name != option.label.nl && **name != option.label.en)
                .cloned()
                .collect();
            option.former = was.former.iter().filter(|name| !new.contains(*name)).cloned().collect();
            option.former.extend(new);
            let over = option.former.len().saturating_sub(MOST_FORMER);
            option.former.drain(..over);
        }
    }

    /// The lowest number that no option has, and none had.
    #[must_use]
    pub fn next_option_after(&self, before: Option<&Self>) -> u32 {
        let highest = self.options.iter().map(|option| option.no).max().unwrap_or(0);
        before.map_or(1, |before| before.next_option.max(1)).max(highest + 1)
    }

    /// Whether an option lies within others that are there, and not within itself.
    fn is_placed(&self, option: &FieldOption) -> bool {
        let mut within = option.within;
        for _ in 0..self.options.len() {
            let Some(no) = within else { return true };
            let Some(outer) = self.options.iter().find(|one| one.no == no) else { return false };
            within = outer.within;
        }
        within.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FieldKind;

    fn option(no: u32, nl: &str) -> FieldOption {
        let label = OwnWords { nl: nl.to_owned(), en: String::new() };
        FieldOption { no, label, within: None, archived: false, former: Vec::new() }
    }

    #[test]
    fn the_number_of_an_option_is_never_another_ones() {
        let mut before = FieldSettings::of_test(FieldKind::Choice, Vec::new());
        before.options = vec![option(1, "Rood"), option(2, "Blauw")];
        before.next_option = before.next_option_after(None);
        assert_eq!((before.options_against(None), before.next_option), (Vec::new(), 3));
        let mut after = before.clone();
        after.options = vec![option(2, "Azuur"), option(4, "Groen"), option(4, "Geel")];
        let told: Vec<_> = after.options_against(Some(&before)).into_iter().collect();
        let taken = ("options[2].no".to_owned(), FieldFault::Taken);
        assert_eq!(told, [taken, ("options".to_owned(), FieldFault::Required)]);
        // What was there once and is there no more is nobody's number.
        let gone = FieldSettings { options: vec![option(5, "Wit")], next_option: 6, ..before.clone() };
        let mut again = gone.clone();
        again.options.push(option(3, "Zwart"));
        assert_eq!(
            again.options_against(Some(&gone)),
            [("options[1].no".to_owned(), FieldFault::OutOfRange)]
        );
        assert_eq!(again.next_option_after(Some(&gone)), 6);
    }
}
