// SPDX-License-Identifier: EUPL-1.2
//! Figures of the house itself: what waits, what is set aside, how much room there is. Asked of the
//! stores when Prometheus asks; `docs/operate` says what each is for.

use std::path::PathBuf;

use belofte_model::{Duration, JobKind, JobState, Timestamp};
use belofte_store::{Figures, Store, Views};
use metrics::gauge;
use tokio::sync::Mutex;

use crate::keeper::Attention;

/// The stores are asked at most this often, whoever asks.
const EVERY: Duration = Duration::from_secs(5);

/// What there is to look at.
pub struct House {
    store: Store,
    views: Views,
    attention: Attention,
    folder: PathBuf,
    looked: Mutex<Option<Timestamp>>,
}

impl House {
    /// The house with these stores, whose data folder is `folder`.
    #[must_use]
    pub fn new(store: Store, views: Views, attention: Attention, folder: PathBuf) -> Self {
        Self { store, views, attention, folder, looked: Mutex::default() }
    }

    /// Brings the figures up to date. What cannot be asked is shown as it was, and
    /// `belofte_stores_answer` says so.
    pub async fn look(&self) {
        // Held while it looks: who asks meanwhile waits for the same answer.
        let mut looked = self.looked.lock().await;
        let now = self.store.clock().now();
        if looked.is_some_and(|at| now < at + EVERY) {
            return;
        }
        *looked = Some(now);
        gauge!("belofte_ledger_views_waiting").set(number(self.views.waiting()));
        gauge!("belofte_attention").set(number(self.attention.list().len()));
        if let Ok(stat) = rustix::fs::statvfs(&self.folder) {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            gauge!("belofte_disk_free_bytes").set(free as f64);
        }
        let figures = self.store.system().figures().await;
        gauge!("belofte_stores_answer").set(if figures.is_ok() { 1.0 } else { 0.0 });
        match figures {
            Ok(figures) => show(&figures, now),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the stores were not counted");
            }
        }
    }
}

fn show(figures: &Figures, now: Timestamp) {
    let mut dead = 0;
    for kind in JobKind::ALL {
        for state in [JobState::Ready, JobState::Leased, JobState::Dead] {
            let found = figures.jobs.iter().find(|jobs| jobs.kind == kind && jobs.state == state);
            let labels = [("kind", kind.as_str()), ("state", state.as_str())];
            let oldest = found.map_or(Duration::ZERO, |jobs| now.since(jobs.oldest));
            gauge!("belofte_jobs", &labels).set(found.map_or(0, |jobs| jobs.count) as f64);
            gauge!("belofte_job_oldest_age_seconds", &labels).set(oldest.as_secs_f64());
            if state == JobState::Dead {
                dead += found.map_or(0, |jobs| jobs.count);
            }
        }
    }
    gauge!("belofte_dead_letters").set(dead as f64);
    gauge!("belofte_quarantined_mails").set(figures.quarantined as f64);
    gauge!("belofte_unfiled_mails").set(figures.unfiled as f64);
    gauge!("belofte_undelivered_recipients").set(figures.undelivered as f64);
    gauge!("belofte_ledger_leaves_unsigned").set(figures.unsigned_leaves as f64);
    gauge!("belofte_index_lag_messages").set(figures.unindexed as f64);
    gauge!("belofte_index_cpu_seconds").set(figures.indexing.as_secs_f64());
    for (name, bytes) in
        [("content", figures.content_bytes), ("keys", figures.keys_bytes), ("index", figures.index_bytes)]
    {
        gauge!("belofte_database_bytes", "database" => name).set(bytes as f64);
    }
    if let Some(made) = figures.oldest_key {
        gauge!("belofte_tenant_key_oldest_age_seconds").set(now.since(made).as_secs_f64());
    }
}

fn number(count: usize) -> f64 {
    count as f64
}
