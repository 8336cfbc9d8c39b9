// SPDX-License-Identifier: EUPL-1.2
//! What a bench tells: a table for people, and one line of JSON at the end.

use serde_json::{Map, Number, Value};

use crate::machine;

/// Collected figures.
pub struct Report {
    bench: &'static str,
    lines: Vec<Line>,
    load_before: String,
}

struct Line {
    name: String,
    what: String,
    median: f64,
    low: f64,
    high: f64,
    runs: usize,
    figure: bool,
}

/// The middle of `values`; of two in the middle, their mean.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

/// The value that a `part` of the values (0.99) does not exceed.
pub fn percentile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(at.clamp(1, sorted.len().max(1)) - 1).copied().unwrap_or(f64::NAN)
}

impl Report {
    /// Begins the report of `bench`; the load of the machine is noted now and at the end.
    pub fn new(bench: &'static str) -> Self {
        Self { bench, lines: Vec::new(), load_before: machine::load() }
    }

    /// A figure of the issue, one value of each run.
    pub fn figure(&mut self, name: impl Into<String>, what: impl Into<String>, values: &[f64]) {
        self.line(name.into(), what.into(), values, true);
    }

    /// Something to see beside the figures.
    pub fn beside(&mut self, name: impl Into<String>, what: impl Into<String>, values: &[f64]) {
        self.line(name.into(), what.into(), values, false);
    }

    fn line(&mut self, name: String, what: String, values: &[f64], figure: bool) {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        self.lines.push(Line { name, what, median: median(values), low, high, runs: values.len(), figure });
    }

    /// Prints the table and, as the last line, the JSON object.
    pub fn print(&self) {
        let name = self.lines.iter().map(|line| line.name.len()).max().unwrap_or(0);
        println!(
            "\n{:<name$}  {:>10}  {:>10}  {:>10}  runs  what",
            self.bench, "median", "lowest", "highest"
        );
        for line in &self.lines {
            println!(
                "{:<name$}  {:>10}  {:>10}  {:>10}  {:>4}  {}",
                line.name,
                shown(line.median),
                shown(line.low),
                shown(line.high),
                line.runs,
                line.what
            );
        }
        println!("load of the machine before {} and after {}", self.load_before, machine::load());
        let mut figures = Map::new();
        for line in self.lines.iter().filter(|line| line.figure) {
            // Four digits are more than such a measurement holds.
            let rounded = shown(line.median).parse().ok().and_then(Number::from_f64);
            figures.insert(line.name.clone(), rounded.map_or(Value::Null, Value::Number));
        }
        println!("{}", serde_json::json!({ "bench": self.bench, "figures": figures }));
    }
}

fn shown(value: f64) -> String {
    match value.abs() {
        0.0..10.0 => format!("{value:.3}"),
        10.0..1_000.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_tail() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[1.0, 2.0]) - 1.5).abs() < 1e-9);
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert!((percentile(&hundred, 0.99) - 99.0).abs() < 1e-9);
        assert!((percentile(&hundred, 0.5) - 50.0).abs() < 1e-9);
        assert!((percentile(&[7.0], 0.99) - 7.0).abs() < 1e-9);
    }
}
