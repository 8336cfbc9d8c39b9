// SPDX-License-Identifier: EUPL-1.2
//! What the machine says of a process: time of its processors, memory, load.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// Ticks of a second in `/proc`, on every Linux.
const TICKS: f64 = 100.0;

/// A stopwatch.
pub struct Watch(Instant);

impl Watch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// How long it has run.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// How long it has run, in seconds.
    pub fn seconds(&self) -> f64 {
        self.elapsed().as_secs_f64()
    }
}

/// Waits in real time, between two looks at another process.
#[expect(clippy::disallowed_methods, reason = "waits for another process, which has no clock to inject")]
pub fn pause(length: Duration) {
    std::thread::sleep(length);
}

/// The fields of `/proc/PID/stat` after the name of the program, which may hold spaces.
fn stat(process: &str) -> anyhow::Result<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))
        .with_context(|| format!("process {process} is gone"))?;
    let (_, rest) = text.rsplit_once(')').context("/proc has another form")?;
    Ok(rest.split_whitespace().map(str::to_owned).collect())
}

/// The seconds that processors have worked for a process ("self" or its number), in its own code
/// and in the kernel.
pub fn cpu(process: &str) -> anyhow::Result<f64> {
    let fields = stat(process)?;
    let of = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    Ok((of(11) + of(12)) / TICKS)
}

/// The seconds of a process and of all its children, those that ended included.
pub fn cpu_with_children(process: u32) -> anyhow::Result<f64> {
    let parent = process.to_string();
    let own = stat(&parent)?;
    let of = |fields: &[String], at: usize| fields.get(at).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    let mut ticks: f64 = (11..=14).map(|at| of(&own, at)).sum();
    for entry in fs::read_dir("/proc")?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        // One that has just ended is counted by its parent the next time.
        if let Ok(fields) = stat(&name)
            && fields.get(1) == Some(&parent)
        {
            ticks += of(&fields, 11) + of(&fields, 12);
        }
    }
    Ok(ticks / TICKS)
}

/// The most memory that a process has had at a time, in MB.
pub fn peak_memory(process: u32) -> anyhow::Result<f64> {
    in_status(process, "VmHWM:")
}

fn in_status(process: u32, name: &str) -> anyhow::Result<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).context("/proc has another form")?;
    let kib: f64 = line.split_whitespace().next().context("/proc has another form")?.parse()?;
    Ok(kib * 1_024.0 / 1e6)
}

/// The memory of a process that is in use now, in MB.
pub fn memory(process: u32) -> anyhow::Result<f64> {
    in_status(process, "VmRSS:")
}

/// The load averages of the machine, as it gives them.
pub fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}
