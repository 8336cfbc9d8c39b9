// SPDX-License-Identifier: EUPL-1.2
//! The erasure list: one line for each key that was destroyed, or for a tenant as a whole. It holds
//! ids of keys, which say nothing about anybody.
//!
//! A key that a rotation replaced does not stand in it: back-ups from before need it.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;

use belofte_model::{KeyId, TenantId};
use belofte_vault::sha256;
use uuid::Uuid;

use super::{KeyBackupError, KeyBackups, at, epoch_of, list, sync_folder};
use crate::engine::{params, sql};
use crate::keys::SYSTEM;
use crate::{Read, Store, StoreError, Tx, Write};

/// Entries per step.
const BATCH: i64 = 500;
/// In the place of a key: all of the tenant.
const ALL: KeyId = KeyId(Uuid::nil());

/// What was destroyed.
#[derive(Debug, Default)]
pub(super) struct Erased {
    keys: HashSet<(TenantId, KeyId)>,
    entries: u64,
}

impl Erased {
    /// Whether the key is not to come back.
    pub(super) fn has(&self, tenant: TenantId, key: KeyId) -> bool {
        self.keys.contains(&(tenant, key)) || self.keys.contains(&(tenant, ALL))
    }

    /// How many entries there are, repetitions counted.
    pub(super) const fn entries(&self) -> u64 {
        self.entries
    }
}

fn line(tenant: TenantId, key: KeyId) -> String {
    let text = format!("{tenant} {key}");
    format!("{text} {}\n", check(&text))
}

/// Tells a line that was cut off from a whole one.
fn check(text: &str) -> String {
    sha256(text.as_bytes())[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn parse(line: &str) -> Option<(TenantId, KeyId)> {
    let (text, given) = line.rsplit_once(' ')?;
    let (tenant, key) = text.split_once(' ')?;
    (check(text) == given).then_some(())?;
    Some((TenantId(Uuid::parse_str(tenant).ok()?), KeyId(Uuid::parse_str(key).ok()?)))
}

/// Destroyed keys after a place in their order: those that are not listed, or all.
struct Destroyed {
    after: (TenantId, KeyId),
    all: bool,
}

impl Read for Destroyed {
    type Out = Vec<(TenantId, KeyId, bool)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let text = if self.all {
            sql!(
                "SELECT tenant_id, id, class FROM key WHERE (tenant_id, id) > ($1, $2) AND state = 'destroyed' \
                 AND class IN ('contact', 'conversation', 'tenant') ORDER BY tenant_id, id LIMIT $3"
            )
        } else {
            sql!(
                "SELECT tenant_id, id, class FROM key WHERE (tenant_id, id) > ($1, $2) AND state = 'destroyed' \
                 AND listed = 0 AND class IN ('contact', 'conversation', 'tenant') ORDER BY tenant_id, id LIMIT $3"
            )
        };
        let row = |row: &crate::Row<'_>| Ok((row.id(0)?, row.id(1)?, row.text(2)? == "tenant"));
        tx.query(text, params![self.after.0, self.after.1, BATCH], row).await
    }
}

/// Whether a tenant has a key of its own.
struct Lives(TenantId);

impl Read for Lives {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let text = sql!(
            "SELECT id FROM key WHERE tenant_id = $1 AND class = 'tenant' AND state <> 'destroyed' LIMIT 1"
        );
        Ok(tx.query_opt(text, params![self.0], |_| Ok(())).await?.is_some())
    }
}

struct Listed(Vec<(TenantId, KeyId)>);

impl Write for Listed {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        for (tenant, key) in &self.0 {
            tx.execute(
                sql!("UPDATE key SET listed = 1 WHERE tenant_id = $1 AND id = $2 AND state = 'destroyed'"),
                params![*tenant, *key],
            )
            .await?;
        }
        Ok(())
    }
}

/// Destroys keys that the list names. Runs on the key database.
struct Replay(Vec<(TenantId, KeyId)>);

impl Write for Replay {
    type Out = u64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        let mut gone = 0;
        for (tenant, key) in &self.0 {
            let nothing: &[u8] = &[];
            gone += if *key == ALL {
                let all = sql!(
                    "UPDATE key SET state = 'destroyed', wrapped = $2, listed = 1 WHERE tenant_id = $1 \
                     AND state <> 'destroyed'"
                );
                tx.execute(all, params![*tenant, nothing]).await?
            } else {
                let one = sql!(
                    "UPDATE key SET state = 'destroyed', wrapped = $3, listed = 1 WHERE tenant_id = $1 AND id = $2 \
                     AND state <> 'destroyed'"
                );
                tx.execute(one, params![*tenant, *key, nothing]).await?
            };
        }
        Ok(gone)
    }
}

impl KeyBackups {
    fn lists(&self) -> Result<Vec<PathBuf>, KeyBackupError> {
        let folder = self.folder.join("erased");
        let names = list(&folder)?;
        Ok(names.iter().filter(|name| name.ends_with(".list")).map(|name| folder.join(name)).collect())
    }

    /// Reads the list.
    pub(super) fn erased(&self) -> Result<Erased, KeyBackupError> {
        let mut erased = Erased::default();
        for path in self.lists()? {
            let text = fs::read_to_string(&path).map_err(at(&path))?;
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            for line in whole.lines() {
                // Where an entry was cut off and the next begins in the same line, the next counts.
                let entry = parse(line).or_else(|| parse(tail(line)));
                let what = "a line of the erasure list";
                let entry = entry.ok_or_else(|| KeyBackupError::Damaged { path: path.clone(), what })?;
                erased.keys.insert(entry);
                erased.entries += 1;
            }
        }
        Ok(erased)
    }

    pub(super) fn erased_count(&self) -> Result<u64, KeyBackupError> {
        Ok(self.erased()?.entries())
    }

    /// Adds the keys that were destroyed since the last time to the erasure list; gives how many.
    /// They are on disk there when this returns. When the list is gone, it is written anew.
    ///
    /// # Errors
    /// [`KeyBackupError`].
    pub async fn write_erased(&self, store: &Store) -> Result<u64, KeyBackupError> {
        let (mut after, mut written) = ((TenantId(Uuid::nil()), ALL), 0);
        let all = self.lists()?.is_empty();
        let mut tenants = HashSet::new();
        loop {
            let page = store.read_keys(SYSTEM, Destroyed { after, all }).await?;
            let Some((tenant, key, _)) = page.last() else { break };
            after = (*tenant, *key);
            let (mut lines, mut listed) = (String::new(), Vec::new());
            for (tenant, key, of_tenant) in page {
                if !of_tenant {
                    lines.push_str(&line(tenant, key));
                    listed.push((tenant, key));
                } else if tenants.insert(tenant) && !store.read_keys(tenant, Lives(tenant)).await? {
                    lines.push_str(&line(tenant, ALL));
                    listed.push((tenant, key));
                }
            }
            if listed.is_empty() {
                continue;
            }
            written += listed.len() as u64;
            self.append(store, &lines)?;
            store.write_keys(None, Listed(listed)).await?;
        }
        if all && written == 0 {
            // An empty list is a list: it says that it was not lost.
            self.append(store, "")?;
        }
        Ok(written)
    }

    fn append(&self, store: &Store, lines: &str) -> Result<(), KeyBackupError> {
        let folder = self.room("erased")?;
        let path = folder.join(format!("epoch-{}.list", epoch_of(store.clock().now())));
        let new = !path.exists();
        let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(at(&path))?;
        file.write_all(lines.as_bytes()).and_then(|()| file.sync_all()).map_err(at(&path))?;
        if new {
            sync_folder(&folder)?;
        }
        Ok(())
    }

    /// Destroys every key that the erasure list names and the key database still has: what a restore
    /// brought back. Called before a server serves. Gives how many.
    ///
    /// # Errors
    /// [`KeyBackupError`].
    pub async fn replay(&self, store: &Store) -> Result<u64, KeyBackupError> {
        let mut gone = 0;
        // The second place has to be there; a list need not.
        fs::metadata(&self.folder).map_err(at(&self.folder))?;
        let keys: Vec<_> = self.erased()?.keys.into_iter().collect();
        for some in keys.chunks(500) {
            gone += store.write_keys(None, Replay(some.to_vec())).await?;
        }
        Ok(gone)
    }
}

/// The last entry of a line in which one was cut off: two ids and a check have a fixed length.
fn tail(line: &str) -> &str {
    const LENGTH: usize = 36 + 1 + 36 + 1 + 8;
    line.len().checked_sub(LENGTH).and_then(|from| line.get(from..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_was_cut_off_does_not_hide_the_next() {
        let (tenant, key) = (TenantId(Uuid::from_u128(1)), KeyId(Uuid::from_u128(2)));
        let whole = line(tenant, key);
        assert_eq!(parse(whole.trim_end()), Some((tenant, key)));
        for cut in 0..whole.len() - 1 {
            let text = format!("{}{}", &whole[..cut], whole.trim_end());
            assert_eq!(parse(&text).or_else(|| parse(tail(&text))), Some((tenant, key)), "{text}");
            assert_eq!(parse(&whole[..cut]), None);
        }
    }
}
