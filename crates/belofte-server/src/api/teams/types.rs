// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about teams.

use belofte_model::{QueueId, TeamId, UserId};
use belofte_store as store;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A team in the list.
#[derive(Serialize, ToSchema)]
pub struct Team {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: TeamId,
    /// Its name.
    pub name: String,
    /// Whether it is used no more.
    pub archived: bool,
    /// So many members it has.
    pub member_count: i64,
    /// So many queues it serves.
    pub queue_count: i64,
}

impl From<store::Team> for Team {
    fn from(team: store::Team) -> Self {
        let store::Team { id, name, archived, members, queues, .. } = team;
        Self { id, name, archived, member_count: members, queue_count: queues }
    }
}

/// The teams.
#[derive(Serialize, ToSchema)]
pub struct TeamList {
    /// By name.
    pub items: Vec<Team>,
}

/// A team with who is in it.
#[derive(Serialize, ToSchema)]
pub struct TeamDetails {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: TeamId,
    /// Its name.
    pub name: String,
    /// Whether it is used no more.
    pub archived: bool,
    /// Its members, those who were blocked since too.
    #[schema(value_type = Vec<Uuid>)]
    pub member_ids: Vec<UserId>,
    /// The queues that it serves, those that were archived since too.
    #[schema(value_type = Vec<Uuid>)]
    pub queue_ids: Vec<QueueId>,
    /// Goes up by one with each change.
    pub version: i64,
}

impl From<store::TeamSetUp> for TeamDetails {
    fn from(set_up: store::TeamSetUp) -> Self {
        let store::TeamSetUp { team, members, queues } = set_up;
        Self {
            id: team.id,
            name: team.name,
            archived: team.archived,
            member_ids: members,
            queue_ids: queues,
            version: team.version,
        }
    }
}

/// A team to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTeam {
    /// What it is called.
    #[schema(min_length = 1, max_length = 80)]
    pub name: String,
}

/// A change of a team; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateTeam {
    /// The version that the change was made on; a later one is a conflict.
    #[serde(default)]
    pub version: Option<i64>,
    /// What it is called.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 80)]
    pub name: Option<String>,
    /// Whether it is used no more.
    #[serde(default)]
    pub archived: Option<bool>,
    /// All who are to be in it; who comes in is an active user.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Uuid>>, max_items = 500)]
    pub member_ids: Option<Vec<UserId>>,
    /// All queues that it is to serve; what is added is in use.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Uuid>>, max_items = 200)]
    pub queue_ids: Option<Vec<QueueId>>,
}
