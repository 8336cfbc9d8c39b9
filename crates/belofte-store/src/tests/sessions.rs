// SPDX-License-Identifier: EUPL-1.2
//! Sessions: their two ends, and that their use is not written down at every request.

use belofte_model::{LedgerKind, Purpose, Role};

use super::house::houses;
use super::upkeep::{Count, sweep};
use crate::engine::sql;
use crate::{StoreError, Who};

/// Why what users do with their own sessions and requests need not look at what is visible.
pub(super) const OTHERS: &[(&str, &str)] = &[
    ("abandon_request", "the request of the one who asks"),
    ("begin_request", "the request of the one who asks: what was told to them once is told again"),
    ("end_session", "the session of the one who asks"),
    ("finish_request", "the request of the one who asks"),
    ("invitations", "users are the tenant's"),
    ("own_password", "the password of the one who asks"),
    ("prepare_invitation", "changes; users are the tenant's"),
    ("prepare_password", "changes; the password of the one who asks"),
    ("revoke_invitation", "changes; users are the tenant's"),
    ("sessions", "the sessions of the one who asks"),
    ("set_preferences", "changes; the settings of the one who asks"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_slides_while_it_is_used_and_ends_after_thirty_days() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let system = house.store.system();
        let token = admin.session.token.expose();
        // Used every eleven hours, sixty-five times: one hour short of thirty days.
        for use_no in 0..65 {
            house.pass(11 * 3600);
            assert!(
                system.session_by_token(token).await.expect("asked").is_some(),
                "{}: {use_no}",
                house.name()
            );
        }
        house.pass(5 * 3600);
        assert!(system.session_by_token(token).await.expect("asked").is_none(), "{}: over", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unused_session_ends_after_twelve_hours_and_is_swept() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let (store, system) = (&house.store, house.store.system());
        let token = admin.session.token.expose();
        house.pass(12 * 3600 - 1);
        assert!(system.session_by_token(token).await.expect("asked").is_some());
        house.pass(12 * 3600);
        assert!(system.session_by_token(token).await.expect("asked").is_none(), "{}", house.name());
        assert!(
            store.sessions(&admin.access.as_for(Purpose::Administration)).await.expect("sessions").is_empty()
        );
        sweep(&house, admin.tenant).await;
        let left = sql!("SELECT CAST(count(*) AS bigint) FROM session WHERE tenant_id = $1");
        assert_eq!(store.read(&admin.access, Count(left)).await.expect("counted"), 0, "{}", house.name());
        assert!(system.session_by_token("no such token").await.expect("asked").is_none());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_use_is_written_down_once_a_minute() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let (store, system) = (&house.store, house.store.system());
        let token = admin.session.token.expose();
        let seen = async || {
            let sessions =
                store.sessions(&admin.access.as_for(Purpose::Administration)).await.expect("sessions");
            let user = store.user(&admin.access, admin.id).await.expect("a user");
            (sessions[0].last_seen_at, user.last_seen_at.expect("seen"))
        };
        let begun = house.clock.now();
        house.pass(59);
        system.session_by_token(token).await.expect("asked");
        assert_eq!(seen().await, (begun, begun), "{}", house.name());
        house.pass(1);
        system.session_by_token(token).await.expect("asked");
        assert_eq!(seen().await, (house.clock.now(), house.clock.now()), "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_see_and_end_their_own_sessions_only() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let agent = house.join(&admin, Role::Agent, "agent@bakker.example").await;
        let (store, system) = (&house.store, house.store.system());
        let own = store.sessions(&agent.access.as_for(Purpose::Administration)).await.expect("sessions");
        assert_eq!(own.iter().map(|one| one.id).collect::<Vec<_>>(), [agent.session.id]);
        assert_eq!(own[0].user_agent.expose(), "Browser 1.0");
        let refused =
            store.end_session(&admin.access.as_for(Purpose::Administration), agent.session.id).await;
        assert!(matches!(refused, Err(StoreError::NotFound)), "{}", house.name());
        let who = system.session_by_token(agent.session.token.expose()).await.expect("asked").expect("held");
        assert!(matches!(who.who(), Who::User { role: Role::Agent, privacy_officer: false, .. }));
        store
            .end_session(&agent.access.as_for(Purpose::Administration), agent.session.id)
            .await
            .expect("ended");
        let gone = system.session_by_token(agent.session.token.expose()).await.expect("asked");
        assert!(gone.is_none(), "{}", house.name());
        let leaf = house.leaves(&admin.access, LedgerKind::SignIn).await.pop().expect("a leaf");
        assert_eq!(leaf.detail.value()["act"], "signed_out");
        house.close().await;
    }
}
