// SPDX-License-Identifier: EUPL-1.2
//! Which events are logged: `info,belofte_store=debug`.

use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};

use super::fields::OURS;

/// A read filter.
#[derive(Clone, Debug)]
pub struct Filter {
    targets: Targets,
}

/// A filter that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a level (off, error, warn, info, debug, trace) nor part=level")]
pub struct FilterError(String);

impl Filter {
    /// Reads levels, alone or for a part, parted by commas; the last word for a part holds. A level
    /// alone is that of our own parts; of libraries it lets warnings and errors through at most.
    ///
    /// # Errors
    /// [`FilterError`] names the piece that is not one.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let mut targets = Targets::new();
        for piece in text.split(',').map(str::trim).filter(|piece| !piece.is_empty()) {
            let wrong = || FilterError(piece.to_owned());
            targets = match piece.split_once('=') {
                Some((part, level)) if !part.trim().is_empty() => {
                    targets.with_target(part.trim(), parse_level(level).ok_or_else(wrong)?)
                }
                Some(_) => return Err(wrong()),
                None => {
                    // What a library says is withheld, so that only its trouble is of use.
                    let level = parse_level(piece).ok_or_else(wrong)?;
                    targets.with_default(level.min(LevelFilter::WARN)).with_target(OURS, level)
                }
            };
        }
        Ok(Self { targets })
    }

    /// Spans worth a trace: our own, from `INFO`.
    #[must_use]
    pub fn of_traces() -> Self {
        Self { targets: Targets::new().with_target("belofte", Level::INFO) }
    }

    /// The filter for a layer.
    #[must_use]
    pub fn targets(&self) -> Targets {
        self.targets.clone()
    }
}

fn parse_level(text: &str) -> Option<LevelFilter> {
    let levels = [
        ("off", LevelFilter::OFF),
        ("error", LevelFilter::ERROR),
        ("warn", LevelFilter::WARN),
        ("info", LevelFilter::INFO),
        ("debug", LevelFilter::DEBUG),
        ("trace", LevelFilter::TRACE),
    ];
    levels.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim())).map(|(_, level)| level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_for_all_and_for_parts() {
        let targets = Filter::parse("warn, belofte_store=debug").expect("a filter").targets();
        assert!(targets.would_enable("belofte_store::engine", &Level::DEBUG));
        assert!(!targets.would_enable("belofte_core", &Level::INFO));
        assert!(targets.would_enable("belofte_core", &Level::WARN));
        let targets = Filter::parse("debug").expect("a filter").targets();
        assert!(targets.would_enable("belofte_core", &Level::DEBUG));
        assert!(targets.would_enable("refinery_core", &Level::WARN));
        assert!(!targets.would_enable("refinery_core", &Level::INFO), "libraries are asked by name");
        for wrong in ["loud", "belofte=loud", "=info"] {
            assert_eq!(Filter::parse(wrong).err(), Some(FilterError(wrong.to_owned())));
        }
    }
}
