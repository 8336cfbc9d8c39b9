// SPDX-License-Identifier: EUPL-1.2
//! The keeper: looks once a minute whether content and keys still belong together, cares for the
//! back-ups of keys, and keeps what the operator has to know.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use belofte_channels::scanner::Scanner;
use belofte_store::{KeyBackupError, KeyBackups, Store, TenantDoubt};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::restored;

/// How often content and keys are compared.
const EVERY: Duration = Duration::from_secs(60);
/// What is done once an hour, in rounds.
const HOURLY: u32 = 60;
/// So old a back-up of keys may become.
const DAILY: Duration = Duration::from_secs(86_400);

/// Content and keys do not belong together.
const APART: &str = "content_and_keys_apart";
/// There is no second place for keys.
const NO_PLACE: &str = "no_key_backup_dir";
/// The second place could not be used at the last try.
const FAILED: &str = "key_backup_failed";

/// The scanner for malware does not answer.
pub const SCANNER: &str = "scanner_unavailable";

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

/// What the keeper works with.
#[derive(Clone)]
pub struct Keeper {
    store: Store,
    attention: Attention,
    /// The second place of keys.
    backups: Option<KeyBackups>,
    /// How long a back-up of keys can be opened.
    kept: Duration,
    scanner: Scanner,
}

/// Says in the log, in both languages, what is in doubt.
fn say(doubts: &[TenantDoubt]) {
    for doubt in doubts {
        for text in restored::told(doubt) {
            tracing::error!(doubt = doubt.doubt.as_str(), "{text}");
        }
    }
}

fn warn_of_no_place() {
    tracing::warn!(
        "vault.key_backup_dir is not set: there is no back-up of the keys. When this disk dies, everything that \
         is stored is lost for good, whatever else is backed up"
    );
    tracing::warn!(
        "vault.key_backup_dir is niet ingesteld: er is geen reservekopie van de sleutels. Als deze schijf \
         stukgaat, is alles wat is opgeslagen voorgoed verloren, ook als er andere reservekopieen zijn"
    );
}

impl Keeper {
    /// Keeps `store` as `config` says.
    #[must_use]
    pub fn new(store: Store, config: &Config) -> Self {
        let backups = config.vault.key_backup_dir.clone().map(KeyBackups::new);
        let kept = Duration::from_secs(config.vault.key_backup_days.get() * 86_400);
        Self { store, attention: Attention::default(), backups, kept, scanner: Scanner::off() }
    }

    /// Watches `scanner` from now on, after a first look whether it answers.
    pub async fn watch_scanner(&mut self, scanner: Scanner) {
        self.scanner = scanner;
        self.look_at_scanner().await;
    }

    async fn look_at_scanner(&self) {
        let answers = self.scanner.ping().await;
        self.attention.set(SCANNER, !answers);
    }

    /// What the operator has to know.
    #[must_use]
    pub fn attention(&self) -> Attention {
        self.attention.clone()
    }

    /// The first look, before anything else works: what was erased is destroyed again when a restore
    /// brought it back, and whether content and keys belong together is said.
    ///
    /// # Errors
    /// Those of the stores; when something was restored and the erasure list cannot be read.
    pub async fn first_look(&self) -> anyhow::Result<()> {
        let doubts = self.store.system().watch_stores(true).await?;
        self.attention.set(APART, !doubts.is_empty());
        say(&doubts);
        match &self.backups {
            None => {
                warn_of_no_place();
                self.attention.set(NO_PLACE, true);
            }
            Some(backups) => match backups.replay(&self.store).await {
                Ok(0) => {}
                Ok(count) => tracing::warn!(count, "keys that a restore brought back were destroyed again"),
                // Without a doubt nothing was restored that the list could have an effect on.
                Err(error) if doubts.is_empty() => self.failed("the erasure list was not read", &error),
                Err(error) => {
                    return Err(error).context(
                        "a database was restored and the erasure list cannot be read: mount vault.key_backup_dir, \
                         or what was erased would come back",
                    );
                }
            },
        }
        Ok(())
    }

    fn failed(&self, what: &'static str, error: &KeyBackupError) {
        let error: &(dyn std::error::Error + 'static) = error;
        tracing::error!(error, place = ?self.backups.as_ref().map(KeyBackups::folder), "{what}");
        self.attention.set(FAILED, true);
    }

    /// Looks until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let (mut known, mut round) = (Vec::new(), 0_u32);
        loop {
            if round.is_multiple_of(HOURLY) {
                self.every_hour().await;
            }
            if tokio::time::timeout(EVERY, stop.cancelled()).await.is_ok() {
                return;
            }
            round = round.wrapping_add(1);
            self.look_at_scanner().await;
            match self.store.system().watch_stores(false).await {
                Ok(doubts) => {
                    self.attention.set(APART, !doubts.is_empty());
                    if doubts != known || round.is_multiple_of(HOURLY) {
                        say(&doubts);
                    }
                    known = doubts;
                }
                Err(error) => tracing::warn!(error = %error, "content and keys could not be compared"),
            }
        }
    }

    /// A new epoch begins, the erasure list is brought up to date, a back-up is made once a day, and
    /// what is too old is destroyed.
    async fn every_hour(&self) {
        if let Err(error) = self.store.system().begin_epoch().await {
            tracing::warn!(error = %error, "the installation's own keys were not rotated");
        }
        // What was done for the operator until now is signed, so that it cannot be changed unseen.
        if let Err(error) = self.store.system().sign_installation().await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the installation's ledger was not signed"
            );
        }
        let Some(backups) = &self.backups else { return };
        match self.care(backups).await {
            Ok(()) => self.attention.set(FAILED, false),
            Err(error) => self.failed("the back-up of keys failed", &error),
        }
    }

    async fn care(&self, backups: &KeyBackups) -> Result<(), KeyBackupError> {
        let now = self.store.clock().now();
        // First, whatever happens to the rest: a promise hangs on it.
        for epoch in backups.destroy_due(&self.store, now, self.kept).await? {
            tracing::info!(
                epoch,
                "the key of an epoch was destroyed: its back-ups are unreadable from now on"
            );
        }
        let newest = backups.list()?.last().map(|backup| backup.made_at);
        if newest.is_none_or(|made| now.since(made) >= DAILY || made > now) {
            let made = backups.back_up(&self.store).await?;
            tracing::info!(epoch = made.epoch, "a back-up of the keys was made");
        } else {
            backups.write_erased(&self.store).await?;
        }
        Ok(())
    }
}
