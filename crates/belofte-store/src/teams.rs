// SPDX-License-Identifier: EUPL-1.2
//! Teams: people who work together, and the queues that they serve. Nothing is decided by them yet.

use belofte_model::{EventKind, KeyId, LedgerKind, QueueId, TeamId, Timestamp, Use, UserId};
use serde_json::{Value, json};

use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::events::Event;
use crate::sealing::seal_json;
use crate::{Access, NewLeaf, Param, Read, Row, Rows, Store, StoreError, Tx, Write, queues};

/// So many teams a tenant has at most, archived ones included.
pub const MOST_TEAMS: usize = 200;
/// So many members a team has at most.
pub const MOST_MEMBERS: usize = 500;

/// A team.
#[derive(Clone, Debug)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// What it is called.
    pub name: String,
    /// Whether it is used no more.
    pub archived: bool,
    /// So many members it has.
    pub members: i64,
    /// So many queues it serves.
    pub queues: i64,
    /// Changes with every change.
    pub version: i64,
}

/// A team with who is in it.
#[derive(Clone, Debug)]
pub struct TeamSetUp {
    /// The team.
    pub team: Team,
    /// Its members, in the order of their ids.
    pub members: Vec<UserId>,
    /// The queues that it serves, in the order of their ids.
    pub queues: Vec<QueueId>,
}

/// A change of a team; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct TeamChange {
    /// The version that the change was made on; none to change whatever is there.
    pub version: Option<i64>,
    /// What it is called.
    pub name: Option<String>,
    /// Whether it is used no more.
    pub archived: Option<bool>,
    /// All who are to be in it.
    pub members: Option<Vec<UserId>>,
    /// All queues that it is to serve.
    pub queues: Option<Vec<QueueId>>,
}

/// Why a team was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum TeamError {
    /// The tenant has as many as one may have.
    #[error("the tenant has as many teams as one may have")]
    TooMany,
    /// More members than one may have.
    #[error("the team has more members than one may have")]
    TooManyMembers,
    /// A user who is to come in is not there, or cannot sign in.
    #[error("a new member is no active user")]
    NoSuchUser,
    /// A queue that it is to serve is not there, or is archived.
    #[error("a new queue is not in use")]
    NoSuchQueue,
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

struct TeamRow {
    id: TeamId,
    name: Vec<u8>,
    key: KeyId,
    archived: bool,
    version: i64,
    members: i64,
    queues: i64,
}

fn team_row(row: &Row<'_>) -> Result<TeamRow, StoreError> {
    Ok(TeamRow {
        id: row.id(0)?,
        name: row.bytes(1)?,
        key: row.id(2)?,
        archived: row.opt_time(3)?.is_some(),
        version: row.int(4)?,
        members: row.int(5)?,
        queues: row.int(6)?,
    })
}

struct AllTeams;

impl Read for AllTeams {
    type Out = Vec<TeamRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT t.id, t.name, t.key_id, t.archived_at, t.version, \
                 (SELECT CAST(count(*) AS bigint) FROM team_member m WHERE m.tenant_id = t.tenant_id AND m.team_id = t.id), \
                 (SELECT CAST(count(*) AS bigint) FROM team_queue q WHERE q.tenant_id = t.tenant_id AND q.team_id = t.id) \
                 FROM team t WHERE t.tenant_id = $1 ORDER BY t.id"
            ),
            params![tenant],
            team_row,
        )
        .await
    }
}

/// One team with who is in it and what it serves.
struct OneTeam(TeamId);

impl Read for OneTeam {
    type Out = Option<(TeamRow, Vec<UserId>, Vec<QueueId>)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let row = tx
            .query_opt(
                sql!(
                    "SELECT id, name, key_id, archived_at, version, CAST(0 AS bigint), CAST(0 AS bigint) FROM team \
                     WHERE tenant_id = $1 AND id = $2"
                ),
                params![tenant, self.0],
                team_row,
            )
            .await?;
        let Some(mut row) = row else { return Ok(None) };
        let (members, queues) = (members_of(tx, self.0).await?, queues_of(tx, self.0).await?);
        row.members = i64::try_from(members.len()).unwrap_or(i64::MAX);
        row.queues = i64::try_from(queues.len()).unwrap_or(i64::MAX);
        Ok(Some((row, members, queues)))
    }
}

async fn members_of(tx: &mut Tx<'_>, team: TeamId) -> Result<Vec<UserId>, StoreError> {
    let tenant = tx.tenant();
    let text = sql!("SELECT user_id FROM team_member WHERE tenant_id = $1 AND team_id = $2 ORDER BY user_id");
    tx.query(text, params![tenant, team], |row| row.id(0)).await
}

async fn queues_of(tx: &mut Tx<'_>, team: TeamId) -> Result<Vec<QueueId>, StoreError> {
    let tenant = tx.tenant();
    let text =
        sql!("SELECT queue_id FROM team_queue WHERE tenant_id = $1 AND team_id = $2 ORDER BY queue_id");
    tx.query(text, params![tenant, team], |row| row.id(0)).await
}

/// Appends the leaf of a change and tells of it.
async fn record(tx: &mut Tx<'_>, leaf: &NewLeaf, now: Timestamp) -> Result<(), StoreError> {
    let numbers = counters::take(tx, Needs { events: 1, leaves: 1, ..Needs::default() }).await?;
    leaf.append(tx, numbers.leaf).await?;
    Event::new(EventKind::TeamsChanged, now).append(tx, numbers.event).await
}

struct Create {
    id: TeamId,
    name: Vec<u8>,
    key: KeyId,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for Create {
    /// Whether there was room.
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let tenant = tx.tenant();
        // One after the other: two that take the last place would both have it.
        counters::take(tx, Needs::default()).await?;
        let text = sql!("SELECT CAST(count(*) AS bigint) FROM team WHERE tenant_id = $1");
        let count = tx.query_one(text, params![tenant], |row| row.int(0)).await?;
        if usize::try_from(count).unwrap_or(usize::MAX) >= MOST_TEAMS {
            return Ok(false);
        }
        tx.execute_one(
            sql!(
                "INSERT INTO team (tenant_id, id, name, key_id, version, created_at) VALUES ($1, $2, $3, $4, 1, $5) \
                 ON CONFLICT DO NOTHING"
            ),
            params![tenant, self.id, &self.name, self.key, self.now],
        )
        .await?;
        record(tx, &self.leaf, self.now).await?;
        Ok(true)
    }
}

/// Why a change was refused.
enum Refused {
    NoSuchUser,
    NoSuchQueue,
}

struct Change {
    id: TeamId,
    planned_on: i64,
    name: Vec<u8>,
    key: KeyId,
    archived: bool,
    /// Who comes in and who goes, sorted.
    members: (Vec<UserId>, Vec<UserId>),
    queues: (Vec<QueueId>, Vec<QueueId>),
    leaf: NewLeaf,
    now: Timestamp,
}

impl Change {
    /// Refuses whom and what is not there, of another tenant too; they stay so until COMMIT.
    async fn allowed(&self, tx: &mut Tx<'_>) -> Result<Result<(), Refused>, StoreError> {
        let tenant = tx.tenant();
        for queue in &self.queues.0 {
            if !queues::in_use(tx, *queue).await? {
                return Ok(Err(Refused::NoSuchQueue));
            }
        }
        let new = &self.members.0;
        let found = if tx.is_postgres() {
            let ids: Vec<_> = new.iter().map(|user| user.uuid()).collect();
            let text = sql!(
                "SELECT id FROM user_account WHERE tenant_id = $1 AND id = ANY($2) AND state = 'active' ORDER BY id \
                 FOR SHARE"
            );
            tx.query(text, &[tenant.into(), Param::Uuids(&ids)], |row| row.uuid(0)).await?
        } else {
            let text =
                sql!("SELECT id FROM user_account WHERE tenant_id = $1 AND id = $2 AND state = 'active'");
            let sets = new.iter().map(|user| [tenant.into(), (*user).into()]).collect();
            tx.query_each(text, sets, |row| row.uuid(0)).await?
        };
        if found.len() != new.len() {
            return Ok(Err(Refused::NoSuchUser));
        }
        Ok(Ok(()))
    }
}

impl Write for Change {
    type Out = Result<(), Refused>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        if let Err(refused) = self.allowed(tx).await? {
            return Ok(Err(refused));
        }
        // Whoever changed the team meanwhile has changed its version: what comes and goes was planned on this one.
        tx.execute_one(
            sql!(
                "UPDATE team SET name = $3, key_id = $4, version = version + 1, \
                 archived_at = CASE WHEN CAST($5 AS bigint) = 0 THEN NULL ELSE coalesce(archived_at, $6) END \
                 WHERE tenant_id = $1 AND id = $2 AND version = $7"
            ),
            params![tenant, self.id, &self.name, self.key, self.archived, self.now, self.planned_on],
        )
        .await?;
        for user in &self.members.1 {
            let text = sql!("DELETE FROM team_member WHERE tenant_id = $1 AND team_id = $2 AND user_id = $3");
            tx.late(text, params![tenant, self.id, *user], Rows::Any).await?;
        }
        for user in &self.members.0 {
            let text = sql!("INSERT INTO team_member (tenant_id, team_id, user_id) VALUES ($1, $2, $3)");
            tx.late(text, params![tenant, self.id, *user], Rows::Any).await?;
        }
        for queue in &self.queues.1 {
            let text = sql!("DELETE FROM team_queue WHERE tenant_id = $1 AND team_id = $2 AND queue_id = $3");
            tx.late(text, params![tenant, self.id, *queue], Rows::Any).await?;
        }
        for queue in &self.queues.0 {
            let text = sql!("INSERT INTO team_queue (tenant_id, team_id, queue_id) VALUES ($1, $2, $3)");
            tx.late(text, params![tenant, self.id, *queue], Rows::Any).await?;
        }
        record(tx, &self.leaf, self.now).await?;
        Ok(Ok(()))
    }
}

/// What comes and what goes from `before` to `after`, both sorted.
fn difference<T: Copy + Ord>(before: &[T], after: &[T]) -> (Vec<T>, Vec<T>) {
    let not_in = |all: &[T], of: &[T]| {
        of.iter().copied().filter(|one| all.binary_search(one).is_err()).collect::<Vec<T>>()
    };
    (not_in(before, after), not_in(after, before))
}

fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort_unstable();
    all.dedup();
    all
}

/// What the ledger says a team is.
fn told(set_up: &TeamSetUp) -> Value {
    json!({
        "name": set_up.team.name, "archived": set_up.team.archived, "members": set_up.members,
        "queues": set_up.queues,
    })
}

impl Store {
    async fn open_team(&self, access: &Access, row: TeamRow) -> Result<Team, StoreError> {
        let TeamRow { id, name, key, archived, version, members, queues } = row;
        let name = self.open_json(access.tenant(), columns::TEAM_NAME, id.uuid(), key, &name).await?;
        Ok(Team { id, name, archived, members, queues, version })
    }

    /// The teams of the tenant, archived ones too, by name; without who is in them.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn teams(&self, access: &Access) -> Result<Vec<Team>, StoreError> {
        access.to(Use::Configure)?;
        let mut teams = Vec::new();
        for row in self.read(access, AllTeams).await? {
            teams.push(self.open_team(access, row).await?);
        }
        teams.sort_by_cached_key(|team| (team.name.to_lowercase(), team.id));
        Ok(teams)
    }

    /// One team with who is in it and what it serves.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; the engine's errors and those of sealing.
    pub async fn team_set_up(&self, access: &Access, id: TeamId) -> Result<TeamSetUp, StoreError> {
        access.to(Use::Configure)?;
        let (row, members, queues) = self.read(access, OneTeam(id)).await?.ok_or(StoreError::NotFound)?;
        Ok(TeamSetUp { team: self.open_team(access, row).await?, members, queues })
    }

    /// Makes a team, without members; with `intended` under that id, and the one that an earlier try of the same
    /// request made under it is the answer.
    ///
    /// # Errors
    /// [`TeamError::TooMany`]; those of the store.
    pub async fn create_team(
        &self,
        access: &Access,
        intended: Option<TeamId>,
        name: &str,
    ) -> Result<TeamSetUp, TeamError> {
        access.to(Use::Configure)?;
        if let Some(id) = intended {
            match self.team_set_up(access, id).await {
                Err(StoreError::NotFound) => {}
                made => return Ok(made?),
            }
        }
        let (keys, now) = (self.keys(access).await?, access.clock().now());
        let id = intended.unwrap_or_else(|| TeamId::new(now, self.random().bytes()));
        let team = Team { id, name: name.to_owned(), archived: false, members: 0, queues: 0, version: 1 };
        let made = TeamSetUp { team, members: Vec::new(), queues: Vec::new() };
        let detail = json!({
            "what": "team", "act": "created", "id": id, "name": name, "before": null, "after": told(&made),
        });
        let create = Create {
            id,
            name: seal_json(&keys, self.random(), columns::TEAM_NAME, id.uuid(), &name)?,
            key: keys.settings.id(),
            leaf: NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, detail)?,
            now,
        };
        if self.write(access, create).await? { Ok(made) } else { Err(TeamError::TooMany) }
    }

    /// Renames or archives a team, or says who is in it and what it serves. Who comes in is an active user, and what
    /// is added a queue in use; who was blocked since and what was archived since may stay.
    ///
    /// # Errors
    /// [`TeamError`]; [`StoreError::NotFound`], [`StoreError::Conflict`] when somebody else changed it.
    pub async fn change_team(
        &self,
        access: &Access,
        id: TeamId,
        change: TeamChange,
    ) -> Result<TeamSetUp, TeamError> {
        access.to(Use::Configure)?;
        let before = self.team_set_up(access, id).await?;
        if change.version.is_some_and(|expected| expected != before.team.version) {
            return Err(StoreError::Conflict.into());
        }
        let mut after = before.clone();
        after.team.version += 1;
        after.team.name = change.name.unwrap_or(after.team.name);
        after.team.archived = change.archived.unwrap_or(after.team.archived);
        after.members = change.members.map_or(after.members, sorted);
        after.queues = change.queues.map_or(after.queues, sorted);
        if after.members.len() > MOST_MEMBERS {
            return Err(TeamError::TooManyMembers);
        }
        let members = difference(&before.members, &after.members);
        let queues = difference(&before.queues, &after.queues);
        if queues.0.iter().any(|queue| !access.visible().queues.contains(queue)) {
            return Err(TeamError::NoSuchQueue);
        }
        after.team.members = i64::try_from(after.members.len()).unwrap_or(i64::MAX);
        after.team.queues = i64::try_from(after.queues.len()).unwrap_or(i64::MAX);
        let keys = self.keys(access).await?;
        let detail = json!({
            "what": "team", "act": "changed", "id": id, "name": &after.team.name,
            "before": told(&before), "after": told(&after),
        });
        let write = Change {
            id,
            planned_on: before.team.version,
            name: seal_json(&keys, self.random(), columns::TEAM_NAME, id.uuid(), &after.team.name)?,
            key: keys.settings.id(),
            archived: after.team.archived,
            members,
            queues,
            leaf: NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, detail)?,
            now: access.clock().now(),
        };
        match self.write(access, write).await? {
            Ok(()) => Ok(after),
            Err(Refused::NoSuchUser) => Err(TeamError::NoSuchUser),
            Err(Refused::NoSuchQueue) => Err(TeamError::NoSuchQueue),
        }
    }
}
