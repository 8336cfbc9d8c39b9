// SPDX-License-Identifier: EUPL-1.2
//! Reads the TOML file and the environment into settings, and remembers where each value stood.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::setting::{Raw, Secret, Setting};

/// What environment variables of settings begin with.
pub const VARIABLE_PREFIX: &str = "BELOFTE__";

/// Where a value stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the file, on this line, counted from 1.
    Line(usize),
    /// In this environment variable.
    Variable(String),
    /// Nowhere: it is the default, or it is missing.
    Nowhere,
}

/// One thing that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file that was read.
    pub file: PathBuf,
    /// Where the value stood.
    pub origin: Origin,
    /// The key, with dots; empty when the file as a whole cannot be read.
    pub key: String,
    /// What is wrong, as the end of a sentence that begins with the key.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Line(line) => write!(f, "{}:{line}: ", self.file.display())?,
            Origin::Variable(name) => write!(f, "environment variable {name}: ")?,
            Origin::Nowhere => write!(f, "{}: ", self.file.display())?,
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// A setting for the reference.
pub struct KeyDoc {
    /// Its name with dots.
    pub path: &'static str,
    /// What it does.
    pub text: &'static str,
    /// What it can be.
    pub kind: String,
    /// What it is when nothing is said.
    pub default: &'static str,
}

/// A section for the reference.
pub struct SectionDoc {
    /// Its name with dots.
    pub path: &'static str,
    /// What it is about.
    pub text: &'static str,
    /// Its settings.
    pub keys: Vec<KeyDoc>,
}

/// Values by key, as found; settings are taken out one by one and what stays is unknown.
pub struct Reader {
    file: PathBuf,
    found: BTreeMap<String, (Raw, Origin)>,
    sections: BTreeMap<String, Origin>,
    taken: BTreeMap<String, Origin>,
    findings: Vec<Finding>,
}

impl Reader {
    /// Reads `text`, the content of `file`, and those of `variables` that begin with
    /// [`VARIABLE_PREFIX`]; a variable overrides the file.
    pub fn new(file: &Path, text: &str, variables: impl Iterator<Item = (String, String)>) -> Self {
        let mut reader = Self {
            file: file.to_owned(),
            found: BTreeMap::new(),
            sections: BTreeMap::new(),
            taken: BTreeMap::new(),
            findings: Vec::new(),
        };
        match DeTable::parse(text) {
            Ok(table) => reader.flatten("", table.get_ref(), text),
            Err(error) => {
                let origin = error.span().map_or(Origin::Nowhere, |span| line_of(text, span.start));
                let message = error.message().to_owned();
                reader.findings.push(Finding { file: file.to_owned(), origin, key: String::new(), message });
            }
        }
        for (name, value) in variables {
            if let Some(rest) = name.strip_prefix(VARIABLE_PREFIX) {
                let key = rest.replace("__", ".").to_lowercase();
                reader.found.insert(key, (Raw::Text(value), Origin::Variable(name)));
            }
        }
        reader
    }

    fn flatten(&mut self, prefix: &str, table: &DeTable<'_>, text: &str) {
        for (key, value) in table {
            let path = if prefix.is_empty() {
                key.get_ref().to_string()
            } else {
                format!("{prefix}.{}", key.get_ref())
            };
            let origin = line_of(text, key.span().start);
            if let DeValue::Table(inner) = value.get_ref() {
                self.sections.insert(path.clone(), origin);
                self.flatten(&path, inner, text);
            } else {
                self.found.insert(path, (raw(value.get_ref()), origin));
            }
        }
    }

    /// Takes the setting `key` out, or reads `default` when it is not set. A secret may instead
    /// stand in the file that `<key>_file` names. `None` when it does not hold.
    pub(super) fn take<T: Setting>(&mut self, key: &'static str, default: &str) -> Option<T> {
        let secret = T::kind().starts_with(&Secret::kind());
        let twin = secret
            .then(|| format!("{key}_file"))
            .and_then(|twin| self.found.remove(&twin).map(|(raw, origin)| (twin, raw, origin)));
        let own = self.found.remove(key);
        let (raw, origin) = match (own, twin) {
            (Some(_), Some((twin, _, origin))) => {
                self.find(origin, &twin, format!("stands beside {key}; only one of the two can"));
                return None;
            }
            (Some(own), None) => own,
            (None, Some((twin, raw, origin))) => match self.read_file(&raw, &origin) {
                Ok(text) => (Raw::Text(text), origin),
                Err(message) => {
                    self.find(origin, &twin, message);
                    return None;
                }
            },
            (None, None) => (Raw::Text(default.to_owned()), Origin::Nowhere),
        };
        self.taken.insert(key.to_owned(), origin.clone());
        // A variable is always a text; lists and numbers are read from it by their own rules.
        let value = match (&raw, &origin) {
            (Raw::Text(text), Origin::Variable(_) | Origin::Nowhere) => T::from_text(text),
            _ => T::from_raw(&raw),
        };
        value.map_err(|message| self.find(origin, key, message)).ok()
    }

    /// The text of the file that `raw` names: from the folder of the configuration file when it
    /// stands there, from the working folder when it stands in a variable.
    fn read_file(&self, raw: &Raw, origin: &Origin) -> Result<String, String> {
        let path = match (PathBuf::from_raw(raw)?, self.file.parent(), origin) {
            (path, Some(folder), Origin::Line(_)) => folder.join(path),
            (path, ..) => path,
        };
        std::fs::read_to_string(&path)
            .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
            .map_err(|error| format!("cannot read {}: {error}", path.display()))
    }

    fn find(&mut self, origin: Origin, key: &str, message: String) {
        self.findings.push(Finding { file: self.file.clone(), origin, key: key.to_owned(), message });
    }

    /// Says that the setting `key`, taken before, does not go with another one.
    pub(super) fn contradict(&mut self, key: &str, message: impl Into<String>) {
        let origin = self.taken.get(key).cloned().unwrap_or(Origin::Nowhere);
        self.find(origin, key, message.into());
    }

    /// Where the setting `key`, taken before, stood.
    pub(super) fn origin(&self, key: &str) -> &Origin {
        self.taken.get(key).unwrap_or(&Origin::Nowhere)
    }

    /// Everything that did not hold, with what nobody took: keys that do not exist.
    pub(super) fn finish(mut self, known: &[SectionDoc]) -> Vec<Finding> {
        for (key, (_, origin)) in std::mem::take(&mut self.found) {
            let message = match nearest(&key, known) {
                Some(near) => format!("there is no such key; did you mean {near}?"),
                None => "there is no such key".to_owned(),
            };
            self.find(origin, &key, message);
        }
        for (path, origin) in std::mem::take(&mut self.sections) {
            let within =
                |section: &SectionDoc| section.path == path || section.path.starts_with(&format!("{path}."));
            // A section whose keys were all told as unknown need not be told again.
            let told = self.findings.iter().any(|finding| finding.key.starts_with(&format!("{path}.")));
            if !known.iter().any(within) && !told {
                self.find(origin, &path, "there is no such section".to_owned());
            }
        }
        self.findings.sort_by_key(|finding| match &finding.origin {
            Origin::Line(line) => (0, *line),
            Origin::Variable(_) => (1, 0),
            Origin::Nowhere => (2, 0),
        });
        self.findings
    }
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Raw::Other("a huge number"), Raw::Whole),
        DeValue::Boolean(flag) => Raw::Flag(*flag),
        DeValue::Array(members) => Raw::List(members.iter().map(|member| raw(member.get_ref())).collect()),
        DeValue::Float(_) => Raw::Other("a fraction"),
        DeValue::Datetime(_) => Raw::Other("a date"),
        DeValue::Table(_) => Raw::Other("a table"),
    }
}

fn line_of(text: &str, offset: usize) -> Origin {
    Origin::Line(text.as_bytes()[..offset.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1)
}

/// The known key that differs least from `key`, when that is little.
fn nearest(key: &str, known: &[SectionDoc]) -> Option<&'static str> {
    known
        .iter()
        .flat_map(|section| &section.keys)
        .map(|candidate| (distance(key, candidate.path), candidate.path))
        .min()
        .filter(|(distance, _)| *distance <= 3)
        .map(|(_, path)| path)
}

/// How many letters must change, come or go to make `left` into `right`.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}
