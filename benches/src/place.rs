// SPDX-License-Identifier: EUPL-1.2
//! A house with a tenant and its mailboxes, in a folder that is gone afterwards.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, anyhow};
use belofte_core::Core;
use belofte_model::{ChannelKind, EmailAddress, Language, Purpose, RequestId, Role, TenantId};
use belofte_store::{
    Access, Authenticated, Clock, EngineSettings, NewChannelAccount, NewUser, PostgresSettings,
    ResolvedAccount, Slug, Store, StoreSettings,
};
use belofte_vault::{Pii, Random, RootKey};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::data::{MAILBOXES, mailbox};
use crate::peers::Cluster;

/// Which engine holds the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Embedded.
    Sqlite,
    /// A cluster of the bench's own.
    Postgres,
}

impl Engine {
    /// What the names of its figures begin with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => "postgres_",
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A new folder on the disk of the machine's temporary files, in a region of that disk to itself.
///
/// ext4 gives no inode away again within five minutes after it was freed, and looks at every such inode before it takes
/// another one (`recently_deleted` in `fs/ext4/ialloc.c`). Beside what a run before this one left behind, making a file
/// took 400 µs instead of 13. Below a folder with the attribute `T` each folder begins elsewhere (chattr(1)); other
/// file systems do without.
pub fn folder(name: &str) -> anyhow::Result<tempfile::TempDir> {
    // Each user has one of their own; peers that give up root go through it.
    let owner = fs::metadata("/proc/self")?.uid();
    let parent = std::env::temp_dir().join(format!("belofte-bench-{owner}"));
    fs::create_dir_all(&parent)?;
    fs::set_permissions(&parent, fs::Permissions::from_mode(0o755))?;
    let _ = Command::new("chattr").arg("+T").arg(&parent).stderr(Stdio::null()).status();
    Ok(tempfile::Builder::new().prefix(&format!("{name}-")).tempdir_in(parent)?)
}

/// A place with a founded house.
pub struct Place {
    /// Its data folder.
    pub folder: tempfile::TempDir,
    /// Its two databases, where they are on a server.
    pub databases: Option<(String, String)>,
    /// Its tenant.
    pub tenant: TenantId,
    /// The tenant's first admin.
    admin: Authenticated,
    /// The secret of an invitation for another one.
    pub invitation: String,
}

/// An opened house: the stores and the verbs over them.
pub struct House {
    /// The verbs.
    pub core: Core,
    /// The accounts of the mailboxes, by their numbers.
    pub accounts: Vec<ResolvedAccount>,
}

impl Place {
    /// Founds a house with one tenant and its mailboxes.
    pub async fn found(engine: Engine, cluster: Option<&Cluster>) -> anyhow::Result<Self> {
        let folder = folder("house")?;
        let databases = match (engine, cluster) {
            (Engine::Sqlite, _) => None,
            (Engine::Postgres, Some(cluster)) => {
                Some((cluster.database("content").await?, cluster.database("keys").await?))
            }
            (Engine::Postgres, None) => return Err(anyhow!("a cluster is needed")),
        };
        let store = open(folder.path(), databases.as_ref()).await?;
        store.system().found_system().await?;
        let slug = Slug::parse("bench").context("a short name")?;
        let founded = store.system().create_tenant(&slug, "Bench", "Inbox").await?;
        let tenant = founded.tenant;
        let first = store.system().invitation_by_token(founded.invitation.token.expose()).await?;
        let user = NewUser {
            name: Pii::new("Bench".to_owned()),
            email: EmailAddress::parse("bench@bench.example").map_err(|_| anyhow!("an address"))?,
            language: Language::Nl,
            password_hash: Pii::new("no password is checked here".to_owned()),
            user_agent: Pii::new(String::new()),
        };
        let first = first.context("an invitation")?;
        let admin = store.system().accept_invitation(&first, &user).await?.who;
        let access = access(&admin, Purpose::Administration);
        let (invite, invitation) = store.prepare_invitation(&access, Role::Admin, true).await?;
        store.write(&access, invite).await?;
        for number in 0..MAILBOXES {
            let address = EmailAddress::parse(&mailbox(number)).map_err(|_| anyhow!("an address"))?;
            let new = NewChannelAccount {
                kind: ChannelKind::Email,
                address,
                from_name: "Klantenservice".to_owned(),
                signature: String::new(),
                queue: None,
                reply_language: Language::Nl,
                submission: None,
                retrieval: None,
                authorisation: None,
            };
            store.create_channel_account(&access, None, new).await?;
        }
        store.close().await;
        Ok(Self { folder, databases, tenant, admin, invitation: invitation.token.expose().clone() })
    }

    /// Drops its databases.
    pub async fn close(self, cluster: Option<&Cluster>) -> anyhow::Result<()> {
        if let (Some((content, keys)), Some(cluster)) = (&self.databases, cluster) {
            cluster.drop_database(content).await?;
            cluster.drop_database(keys).await?;
        }
        Ok(())
    }

    /// What somebody sees who helps customers.
    pub fn service(&self) -> Access {
        access(&self.admin, Purpose::Service)
    }

    /// What somebody may who sets up.
    pub fn administration(&self) -> Access {
        access(&self.admin, Purpose::Administration)
    }

    /// Opens the house as the product does.
    pub async fn open(&self) -> anyhow::Result<House> {
        let store = open(self.folder.path(), self.databases.as_ref()).await?;
        store.system().found_system().await?;
        let mut accounts = Vec::new();
        for number in 0..MAILBOXES {
            let address = EmailAddress::parse(&mailbox(number)).map_err(|_| anyhow!("an address"))?;
            let account = store.system().account_by_address(&address).await?;
            accounts.push(account.context("a mailbox that was founded")?);
        }
        let core = Core::new(store, TaskTracker::new(), CancellationToken::new());
        Ok(House { core, accounts })
    }

    /// Founds so many more tenants, with nothing in them.
    pub async fn found_more(&self, count: usize) -> anyhow::Result<()> {
        let store = open(self.folder.path(), self.databases.as_ref()).await?;
        store.system().found_system().await?;
        for number in 0..count {
            let slug = Slug::parse(&format!("bench{number}")).context("a short name")?;
            store.system().create_tenant(&slug, "Bench", "Inbox").await?;
        }
        store.close().await;
        Ok(())
    }

    /// The index file of the tenant.
    pub fn index_file(&self) -> PathBuf {
        self.folder.path().join("idx").join(format!("{}.db", self.tenant.uuid().simple()))
    }
}

fn access(who: &Authenticated, purpose: Purpose) -> Access {
    Access::authenticated(who, purpose, RequestId(Uuid::nil()), Clock::System)
}

impl House {
    /// Ends the background work and closes the stores.
    pub async fn close(self) {
        self.core.shutdown.cancel();
        self.core.tasks.close();
        self.core.tasks.wait().await;
        self.core.store.close().await;
    }
}

/// Connections of the store comparison on PostgreSQL: one for each lane.
const CONNECTIONS: usize = 32;

async fn open(folder: &Path, databases: Option<&(String, String)>) -> anyhow::Result<Store> {
    let file = folder.join("root.key");
    let root = match RootKey::open_file(&file)? {
        Some(root) => root,
        None => RootKey::create_file(&file, &Random::System)?,
    };
    let engine = match databases {
        None => EngineSettings::Sqlite { readers: 4 },
        Some((content, keys)) => EngineSettings::Postgres(PostgresSettings {
            content_url: content.clone(),
            keys_url: keys.clone(),
            connections: CONNECTIONS,
            tls: belofte_store::PostgresTls::default(),
        }),
    };
    let settings = StoreSettings { folder: folder.to_owned(), engine };
    Ok(Store::open(&settings, root, Clock::System, Random::System).await?)
}
