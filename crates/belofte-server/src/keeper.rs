// SPDX-License-Identifier: EUPL-1.2
//! The keeper: looks once a minute whether content and keys still belong together, and keeps what
//! the operator has to know.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use belofte_store::{Store, TenantDoubt};
use tokio_util::sync::CancellationToken;

use crate::restored;

/// How often content and keys are compared.
const EVERY: Duration = Duration::from_secs(60);
/// What still holds is said again in the log after so many rounds.
const AGAIN: u32 = 60;

/// What the operator has to know, as short names: `/readyz` tells them.
#[derive(Clone, Debug, Default)]
pub struct Attention(Arc<Mutex<BTreeSet<&'static str>>>);

impl Attention {
    /// What there is, in one order.
    #[must_use]
    pub fn list(&self) -> Vec<&'static str> {
        self.0.lock().expect("no panic holds this lock").iter().copied().collect()
    }

    /// Sets or takes away one of them.
    pub fn set(&self, name: &'static str, there: bool) {
        let mut all = self.0.lock().expect("no panic holds this lock");
        if there {
            all.insert(name);
        } else {
            all.remove(name);
        }
    }
}

/// Says in the log, in both languages, what is in doubt.
fn say(doubts: &[TenantDoubt]) {
    for doubt in doubts {
        for text in restored::told(doubt) {
            tracing::error!(doubt = doubt.doubt.as_str(), "{text}");
        }
    }
}

/// The first look, before anything else works: thorough, and what is found is said.
///
/// # Errors
/// Those of the stores.
pub async fn first_look(store: &Store, attention: &Attention) -> anyhow::Result<()> {
    let doubts = store.system().watch_stores(true).await?;
    attention.set("content_and_keys_apart", !doubts.is_empty());
    say(&doubts);
    Ok(())
}

/// Looks until `stop`.
pub async fn run(store: Store, attention: Attention, stop: CancellationToken) {
    let (mut known, mut round) = (Vec::new(), 0_u32);
    while tokio::time::timeout(EVERY, stop.cancelled()).await.is_err() {
        round = round.wrapping_add(1);
        match store.system().watch_stores(false).await {
            Ok(doubts) => {
                attention.set("content_and_keys_apart", !doubts.is_empty());
                if doubts != known || round.is_multiple_of(AGAIN) {
                    say(&doubts);
                }
                known = doubts;
            }
            Err(error) => tracing::warn!(error = %error, "content and keys could not be compared"),
        }
    }
}
