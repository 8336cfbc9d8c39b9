// SPDX-License-Identifier: EUPL-1.2
//! The life of the process: ready, stopping, gone. Everything that runs is a task of one tracker
//! and knows one token; the end waits for the tasks, for so long and no longer.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// What runs, and the word to end it.
#[derive(Clone, Debug, Default)]
pub struct Life {
    /// Every task.
    pub tracker: TaskTracker,
    /// Cancelled when the server stops: take nothing new, finish what runs.
    pub stop: CancellationToken,
}

/// Systemd is asked for so much more time while the server starts.
const MORE_TIME: Duration = Duration::from_secs(30);

/// The server starts; it has when this is dropped.
#[derive(Debug)]
pub struct Starting(#[expect(dead_code, reason = "what counts is when it is dropped")] DropGuard);

/// How the end went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything finished.
    Drained,
    /// The time was over before everything had finished.
    OutOfTime,
    /// A second signal came.
    Forced,
}

impl Life {
    /// Runs `task` until it ends; it must end soon after [`stop`](Self::stop).
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(task);
    }

    /// Asks systemd for more time, again and again, for as long as what is returned is kept: a
    /// migration takes as long as it takes, and is not to be killed half-way.
    #[must_use]
    pub fn starting(&self) -> Starting {
        let started = CancellationToken::new();
        let until = started.clone();
        self.spawn(async move {
            loop {
                let more = u32::try_from(MORE_TIME.as_micros()).unwrap_or(u32::MAX);
                notify(&[sd_notify::NotifyState::ExtendTimeoutUsec(more)]);
                if timeout(MORE_TIME / 3, until.cancelled()).await.is_ok() {
                    return;
                }
            }
        });
        Starting(started.drop_guard())
    }

    /// Says that the server is ready, and that it lives as often as systemd asks, then waits for
    /// SIGTERM, SIGINT or somebody who cancels [`stop`](Self::stop); then drains for at most
    /// `patience`. A second signal ends the waiting at once.
    ///
    /// # Errors
    /// When the system gives no signals.
    pub async fn run(&self, patience: Duration) -> io::Result<Ended> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut told = async || {
            tokio::select! {
                _ = terminate.recv() => (),
                _ = interrupt.recv() => (),
            }
        };
        notify(&[sd_notify::NotifyState::Ready]);
        let watched = sd_notify::watchdog_enabled();
        if let Some(pause) = watched {
            self.spawn(watchdog(pause / 2, self.stop.clone()));
        }
        tokio::select! {
            () = told() => self.stop.cancel(),
            () = self.stop.cancelled() => (),
        }
        notify(&[sd_notify::NotifyState::Stopping]);
        tracing::info!(count = self.tracker.len(), "stopping: finishing what runs");
        self.tracker.close();
        // The drain may take longer than systemd's watchdog waits, so it is fed here as well.
        let alive = async {
            if let Some(pause) = watched {
                watchdog(pause / 2, CancellationToken::new()).await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        let ended = tokio::select! {
            drained = timeout(patience, self.tracker.wait()) => {
                if drained.is_ok() { Ended::Drained } else { Ended::OutOfTime }
            }
            () = told() => Ended::Forced,
            () = alive => Ended::OutOfTime,
        };
        match ended {
            Ended::Drained => tracing::info!("stopped"),
            Ended::OutOfTime | Ended::Forced => {
                tracing::warn!(count = self.tracker.len(), "stopped before everything had finished");
            }
        }
        Ok(ended)
    }
}

async fn watchdog(pause: Duration, stop: CancellationToken) {
    while timeout(pause, stop.cancelled()).await.is_err() {
        notify(&[sd_notify::NotifyState::Watchdog]);
    }
}

/// Tells systemd. Without systemd nothing happens.
fn notify(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(error = &error as &dyn std::error::Error, "systemd could not be told");
    }
}

/// Logs where a panic happened and not what it said, which may quote what somebody wrote.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "a task panicked");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_waits_for_tasks_but_not_for_ever() {
        let life = Life::default();
        let stop = life.stop.clone();
        life.spawn(async move { stop.cancelled().await });
        life.stop.cancel();
        assert_eq!(life.run(Duration::from_secs(5)).await.expect("signals"), Ended::Drained);

        let life = Life::default();
        life.spawn(std::future::pending());
        life.stop.cancel();
        assert_eq!(life.run(Duration::from_millis(20)).await.expect("signals"), Ended::OutOfTime);
    }
}
