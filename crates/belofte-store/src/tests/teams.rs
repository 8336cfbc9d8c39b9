// SPDX-License-Identifier: EUPL-1.2
//! Teams: who is in one, what it serves, and who and what cannot be.

use belofte_model::{LedgerKind, Purpose, QueueId, Role, TeamId, UserId, UserState};
use uuid::Uuid;

use super::house::houses;
use super::queues::make;
use crate::{MOST_MEMBERS, MOST_TEAMS, StoreError, TeamChange, TeamError, UserChange};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_team_has_members_and_queues_of_its_own_tenant() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let (store, access) = (&house.store, &admin.access.as_for(Purpose::Administration));
        let (queue, shut) = (make(&house, access, "Winkel").await, make(&house, access, "Oud").await);
        store.archive_queue(access, shut, None).await.expect("archived");
        let (agent, blocked) = (
            house.join(&admin, Role::Agent, "een@bakker.example").await,
            house.join(&admin, Role::Agent, "twee@bakker.example").await,
        );
        let block = UserChange { state: Some(UserState::Blocked), ..UserChange::default() };
        store.change_user(access, blocked.id, block).await.expect("blocked");
        let other = house.tenant("slager").await;
        let theirs = store.default_queue(&other.access).await.expect("a queue");
        let team = store.create_team(access, None, "Balie").await.expect("made").team.id;

        let members = |ids: &[UserId]| TeamChange { members: Some(ids.to_vec()), ..TeamChange::default() };
        let serves = |ids: &[QueueId]| TeamChange { queues: Some(ids.to_vec()), ..TeamChange::default() };
        for wrong in [other.id, blocked.id, UserId(Uuid::nil())] {
            let refused = store.change_team(access, team, members(&[admin.id, wrong])).await;
            assert!(matches!(refused, Err(TeamError::NoSuchUser)), "{}", house.name());
        }
        for wrong in [theirs, shut, QueueId(Uuid::nil())] {
            let refused = store.change_team(access, team, serves(&[queue, wrong])).await;
            assert!(matches!(refused, Err(TeamError::NoSuchQueue)), "{}", house.name());
        }
        // What was refused has changed nothing.
        let kept = store.team_set_up(access, team).await.expect("kept");
        assert!(
            kept.members.is_empty() && kept.queues.is_empty() && kept.team.version == 1,
            "{}",
            house.name()
        );

        let both = TeamChange { queues: Some(vec![queue]), ..members(&[agent.id, admin.id, agent.id]) };
        store.change_team(access, team, both).await.expect("changed");
        let kept = store.team_set_up(access, team).await.expect("kept");
        assert_eq!((kept.members.len(), &kept.queues[..]), (2, &[queue][..]), "{}", house.name());
        // Who was blocked since stays until somebody takes them out, and does not come in again.
        store.change_user(access, agent.id, block).await.expect("blocked");
        store.change_team(access, team, members(&[agent.id])).await.expect("stays");
        store.change_team(access, team, members(&[])).await.expect("out");
        let refused = store.change_team(access, team, members(&[agent.id])).await;
        assert!(matches!(refused, Err(TeamError::NoSuchUser)), "{}", house.name());

        let many: Vec<_> = (0..=MOST_MEMBERS as u128).map(|no| UserId(Uuid::from_u128(no))).collect();
        let refused = store.change_team(access, team, members(&many)).await;
        assert!(matches!(refused, Err(TeamError::TooManyMembers)), "{}", house.name());
        let late = TeamChange { version: Some(1), archived: Some(true), ..TeamChange::default() };
        let refused = store.change_team(access, team, late.clone()).await;
        assert!(matches!(refused, Err(TeamError::Store(StoreError::Conflict))), "{}", house.name());
        let now = TeamChange { version: None, name: Some("Toonbank".to_owned()), ..late };
        store.change_team(access, team, now).await.expect("archived");
        let listed = store.teams(access).await.expect("teams");
        assert_eq!((listed[0].name.as_str(), listed[0].archived, listed[0].queues), ("Toonbank", true, 1));

        let stranger = other.access.as_for(Purpose::Administration);
        assert!(store.teams(&stranger).await.expect("none").is_empty(), "{}", house.name());
        let refused = store.change_team(&stranger, team, TeamChange::default()).await;
        assert!(matches!(refused, Err(TeamError::Store(StoreError::NotFound))), "{}", house.name());
        let gone = store.team_set_up(access, TeamId(Uuid::nil())).await;
        assert!(matches!(gone, Err(StoreError::NotFound)), "{}", house.name());
        let leaves = house.leaves(access, LedgerKind::Instruction).await;
        let acts = leaves.iter().filter(|leaf| leaf.detail.value()["what"] == "team").count();
        assert_eq!(acts, 5, "one for each change that was done, {}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_are_so_many_teams_and_no_more() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let access = &admin.access.as_for(Purpose::Administration);
        for no in 0..MOST_TEAMS {
            house.store.create_team(access, None, &no.to_string()).await.expect("made");
        }
        let more = house.store.create_team(access, None, "te veel").await;
        assert!(matches!(more, Err(TeamError::TooMany)), "{}", house.name());
        house.close().await;
    }
}
