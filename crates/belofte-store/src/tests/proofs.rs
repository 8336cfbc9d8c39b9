// SPDX-License-Identifier: EUPL-1.2
//! D88: after the first invitation nobody but the tenant makes, impersonates or resets a user of a
//! tenant, also not who can write into the database. Rows are seeded here on each path, as exactly as
//! somebody could who knows the schema, and grant nothing.

use std::net::Ipv4Addr;
use std::sync::Arc;

use belofte_model::{ChannelAccountId, EmailAddress, Purpose, Role, TenantId, UserState};
use belofte_vault::{Pii, token_hash};

use super::channel_accounts::mailbox;
use super::house::{House, Person, email, houses, invite, somebody};
use crate::engine::{Sql, params, sql};
use crate::{Param, SignInStart, StoreError, Tx, UserChange, Write};

/// Statements of somebody who holds the database. `$1` is the tenant, `$2` a hash or a password,
/// `$3` an id.
struct Seed {
    statement: &'static Sql,
    value: Vec<u8>,
    id: uuid::Uuid,
}

impl Write for Seed {
    type Out = u64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        let tenant = tx.tenant();
        tx.execute(self.statement, &[tenant.into(), Param::Bytes(&self.value), self.id.into()]).await
    }
}

async fn seed(house: &House, victim: &Person, statement: &'static Sql, value: &[u8], id: uuid::Uuid) {
    let seed = Seed { statement, value: value.to_vec(), id };
    assert!(house.store.write(&victim.access, seed).await.expect("written") > 0, "{}", house.name());
}

const FRESH: uuid::Uuid = uuid::Uuid::from_u128(0xd88);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d88_a_seeded_invitation_opens_nothing() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let system = house.store.system();
        let hash = token_hash(b"chosen by the operator");
        // All of it: a row of their own, and one that has the proof of a real invitation.
        let own = sql!(
            "INSERT INTO invitation (tenant_id, id, token_hash, role, privacy_officer, created_by, created_at, expires_at) \
             VALUES ($1, $3, $2, 'admin', 1, NULL, 1800000000000000, 1900000000000000)"
        );
        seed(&house, &admin, own, &hash, FRESH).await;
        assert!(system.invitation_by_token("chosen by the operator").await.expect("asked").is_none());
        let real = invite(&house.store, &admin.access, Role::Agent, false).await.expect("invited");
        let swapped = sql!("UPDATE invitation SET token_hash = $2 WHERE tenant_id = $1 AND id = $3");
        let hash = token_hash(b"another");
        seed(&house, &admin, swapped, &hash, real.id.uuid()).await;
        assert!(system.invitation_by_token("another").await.expect("asked").is_none(), "{}", house.name());
        // One's own invitation as an agent does not become one as an admin.
        let real = invite(&house.store, &admin.access, Role::Agent, false).await.expect("invited");
        let raised = sql!(
            "UPDATE invitation SET role = 'admin' WHERE tenant_id = $1 AND CAST($2 AS bytea) IS NOT NULL AND id = $3"
        );
        seed(&house, &admin, raised, b"", real.id.uuid()).await;
        assert!(system.invitation_by_token(real.token.expose()).await.expect("asked").is_none());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d88_the_first_invitation_is_not_used_twice() {
    for house in houses().await {
        let system = house.store.system();
        let slug = crate::Slug::parse("bakker").expect("a slug");
        let founded = system.create_tenant(&slug, "Bakker", "Algemeen").await.expect("a tenant");
        let token = founded.invitation.token.expose();
        let before = system.invitation_by_token(token).await.expect("asked").expect("open");
        let admin = house.accept(token, "admin@bakker.example").await.expect("an admin");
        // The operator printed its link, and makes it new.
        let renewed = sql!(
            "UPDATE invitation SET used_at = NULL WHERE tenant_id = $1 AND CAST($2 AS bytea) IS NOT NULL AND id = $3"
        );
        seed(&house, &admin, renewed, b"", founded.invitation.id.uuid()).await;
        assert!(system.invitation_by_token(token).await.expect("asked").is_none(), "{}", house.name());
        // With a copy of the whole row it is refused as well: its user is there.
        let again = system.accept_invitation(&before, &somebody("operator@huis.example")).await;
        assert!(matches!(again, Err(StoreError::NotFound)), "{}: {again:?}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d88_a_seeded_session_signs_nobody_in() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let agent = house.join(&admin, Role::Agent, "agent@bakker.example").await;
        let system = house.store.system();
        let hash = token_hash(b"chosen by the operator");
        let own = sql!(
            "INSERT INTO session (tenant_id, token_hash, id, user_id, created_at, last_seen_at, expires_at, agent, \
             key_id) SELECT tenant_id, $2, $3, user_id, created_at, last_seen_at, expires_at, agent, key_id \
             FROM session WHERE tenant_id = $1 LIMIT 1"
        );
        seed(&house, &admin, own, &hash, FRESH).await;
        assert!(system.session_by_token("chosen by the operator").await.expect("asked").is_none());
        assert!(!system.session_holds("chosen by the operator").await.expect("asked"), "{}", house.name());
        // The session of an agent is not turned into one of an admin.
        let token = agent.session.token.expose();
        assert!(system.session_by_token(token).await.expect("asked").is_some());
        let turned = sql!("UPDATE session SET user_id = $3 WHERE tenant_id = $1 AND token_hash = $2");
        seed(&house, &admin, turned, &token_hash(token.as_bytes()), admin.id.uuid()).await;
        assert!(system.session_by_token(token).await.expect("asked").is_none(), "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d88_a_seeded_api_key_opens_nothing() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let system = house.store.system();
        let own = sql!(
            "INSERT INTO api_key (tenant_id, id, token_hash, scope, name, key_id, created_by, created_at, expires_at) \
             SELECT tenant_id, $3, $2, 'write', profile, key_id, id, created_at, 1900000000000000 \
             FROM user_account WHERE tenant_id = $1 LIMIT 1"
        );
        seed(&house, &admin, own, &token_hash(b"belofte_chosen"), FRESH).await;
        assert!(system.api_key_by_token("belofte_chosen").await.expect("asked").is_none());
        // A key that the tenant gave the operator to read with does not write, nor longer.
        let until = house.clock.now() + belofte_model::Duration::from_secs(3_600);
        let scope = belofte_model::Scope::Read;
        let (create, key) = house
            .store
            .prepare_api_key(&admin.access.as_for(Purpose::Administration), "Kassa", scope, until)
            .await
            .expect("prepared");
        house.store.write(&admin.access, create).await.expect("made");
        assert!(system.api_key_by_token(key.key.expose()).await.expect("asked").is_some());
        let raised = sql!(
            "UPDATE api_key SET scope = 'write', expires_at = 1900000000000000 WHERE tenant_id = $1 \
             AND CAST($2 AS bytea) IS NOT NULL AND id = $3"
        );
        seed(&house, &admin, raised, b"", key.id.uuid()).await;
        assert!(
            system.api_key_by_token(key.key.expose()).await.expect("asked").is_none(),
            "{}",
            house.name()
        );
        house.close().await;
    }
}

/// Whom a sign-in with this address may check a password of.
async fn candidates(house: &House, address: &str) -> Vec<String> {
    let nowhere = Ipv4Addr::UNSPECIFIED.into();
    match house.store.system().begin_sign_in(&email(address), nowhere).await.expect("asked") {
        SignInStart::Proceed(attempt) => {
            attempt.candidates.iter().map(|one| one.password.expose().clone()).collect()
        }
        SignInStart::Wait(_) => panic!("nothing was tried"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d88_a_password_role_state_or_login_that_was_written_by_hand_lets_nobody_in() {
    let (password, role, state, duty, login, user) = (
        sql!("UPDATE user_account SET credential = $2 WHERE tenant_id = $1 AND id = $3"),
        sql!(
            "UPDATE user_account SET role = 'admin' WHERE tenant_id = $1 AND CAST($2 AS bytea) IS NOT NULL AND id = $3"
        ),
        sql!(
            "UPDATE user_account SET state = 'active' WHERE tenant_id = $1 AND CAST($2 AS bytea) IS NOT NULL AND id = $3"
        ),
        sql!(
            "UPDATE user_account SET privacy_officer = 1 WHERE tenant_id = $1 AND CAST($2 AS bytea) IS NOT NULL AND id = $3"
        ),
        sql!("INSERT INTO login (tenant_id, login_index, user_id) VALUES ($1, $2, $3)"),
        sql!(
            "UPDATE user_account SET credential = (SELECT credential FROM user_account WHERE tenant_id = $1 \
             AND id <> $3 LIMIT 1) WHERE tenant_id = $1 AND CAST($2 AS bytea) IS NOT NULL AND id = $3"
        ),
    );
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let system = house.store.system();
        for (n, statement) in [password, role, state, duty, user].into_iter().enumerate() {
            let address = format!("agent{n}@bakker.example");
            let agent = house.join(&admin, Role::Agent, &address).await;
            assert_eq!(candidates(&house, &address).await, [format!("hash of {address}")]);
            if n == 2 {
                let blocked = UserChange { state: Some(UserState::Blocked), ..UserChange::default() };
                house
                    .store
                    .change_user(&admin.access.as_for(Purpose::Administration), agent.id, blocked)
                    .await
                    .expect("blocked");
            }
            seed(&house, &admin, statement, b"hash of a chosen password", agent.id.uuid()).await;
            let told = candidates(&house, &address).await;
            assert_eq!(told, Vec::<String>::new(), "{}: {n}", house.name());
            let token = agent.session.token.expose();
            assert!(system.session_by_token(token).await.expect("asked").is_none(), "{}: {n}", house.name());
            // A change by an honest admin does not make it good, and lists show what is true.
            let named = UserChange { privacy_officer: Some(false), ..UserChange::default() };
            assert!(
                house
                    .store
                    .change_user(&admin.access.as_for(Purpose::Administration), agent.id, named)
                    .await
                    .is_err(),
                "{n}"
            );
            let users = house.store.users(&admin.access).await.expect("a list");
            assert!(users.iter().all(|user| user.id != agent.id), "{n}");
        }
        let own = system.login_index(&email("operator@huis.example")).await.expect("an index");
        seed(&house, &admin, login, &own, admin.id.uuid()).await;
        assert_eq!(candidates(&house, "operator@huis.example").await, Vec::<String>::new());
        house.close().await;
    }
}

/// A row of the address index by somebody who holds the database: `index` leads to an account.
struct Lead {
    index: Vec<u8>,
    tenant: TenantId,
    account: ChannelAccountId,
    /// Whether the account gets the settings of the other one as well.
    settings_of: Option<ChannelAccountId>,
}

impl Write for Lead {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        tx.execute(sql!("DELETE FROM account_address WHERE address_index = $1"), params![&self.index])
            .await?;
        tx.execute_one(
            sql!("INSERT INTO account_address (address_index, tenant_id, account_id) VALUES ($1, $2, $3)"),
            params![&self.index, self.tenant, self.account],
        )
        .await?;
        if let Some(other) = self.settings_of {
            tx.execute_one(
                sql!(
                    "UPDATE channel_account SET settings = (SELECT settings FROM channel_account WHERE id = $2), \
                     key_id = (SELECT key_id FROM channel_account WHERE id = $2) WHERE id = $1"
                ),
                params![self.account, other],
            )
            .await?;
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_was_led_elsewhere_by_hand_leads_nowhere() {
    for house in houses().await {
        let (store, system) = (&house.store, house.store.system());
        let mut accounts = Vec::new();
        for slug in ["bakker", "slager"] {
            let admin = house.tenant(slug).await;
            let new = mailbox(&format!("info@{slug}.example"));
            let account = store
                .create_channel_account(&admin.access.as_for(Purpose::Administration), None, new)
                .await
                .expect("added");
            accounts.push((admin.tenant, account.id));
        }
        let [(_, theirs), (tenant, account)] = accounts[..] else { panic!("two accounts") };
        let (own, taken, free) =
            (email("info@slager.example"), email("info@bakker.example"), email("vrij@bakker.example"));
        let keys = store.tenant_keys(crate::keys::SYSTEM).await.expect("keys");
        let index =
            |address: &EmailAddress| keys.lookup.index("account_address", &address.normalised()).to_vec();
        let found = system.account_by_address(&taken).await.expect("asked").expect("an account");
        assert_eq!(found.id, theirs, "{}", house.name());
        for address in [&taken, &free] {
            let lead = Lead { index: index(address), tenant, account, settings_of: None };
            store.write_for(None, Arc::new(lead)).await.expect("seeded");
            let led = system.account_by_address(address).await;
            assert!(matches!(led, Err(StoreError::Inconsistent { .. })), "{}: {led:?}", house.name());
        }
        let found = system.account_by_address(&own).await.expect("asked").expect("an account");
        assert_eq!(found.id, account, "{}: one's own is one's own", house.name());
        // Settings are sealed for their account: those of another do not open.
        let lead = Lead { index: index(&taken), tenant, account, settings_of: Some(theirs) };
        store.write_for(None, Arc::new(lead)).await.expect("seeded");
        let led = system.account_by_address(&taken).await;
        assert!(matches!(led, Err(StoreError::Vault(_) | StoreError::KeyGone(_))), "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d88_a_user_that_was_written_by_hand_is_nobody() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let system = house.store.system();
        let own = system.login_index(&email("operator@huis.example")).await.expect("an index");
        let user = sql!(
            "INSERT INTO user_account (tenant_id, id, role, privacy_officer, state, language, colour_scheme, \
             shortcuts, login_index, profile, key_id, created_at, credential, credential_key_id, proof) \
             SELECT tenant_id, $3, role, privacy_officer, state, language, colour_scheme, shortcuts, $2, profile, \
             key_id, created_at, credential, credential_key_id, proof FROM user_account WHERE tenant_id = $1 LIMIT 1"
        );
        seed(&house, &admin, user, &own, FRESH).await;
        let login = sql!("INSERT INTO login (tenant_id, login_index, user_id) VALUES ($1, $2, $3)");
        seed(&house, &admin, login, &own, FRESH).await;
        assert_eq!(candidates(&house, "operator@huis.example").await, Vec::<String>::new());
        assert_eq!(house.store.users(&admin.access).await.expect("a list").len(), 1, "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d88_an_operator_has_no_way_to_a_user_and_is_made_by_the_command_alone() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let system = house.store.system();
        let (name, address) = (Pii::new("Wacht".to_owned()), email("wacht@huis.example"));
        system.create_operator(&name, &address, Pii::new("their hash".to_owned())).await.expect("made");
        // The token of an operator is none of a user, whichever door it knocks at.
        let nowhere = Ipv4Addr::UNSPECIFIED.into();
        let SignInStart::Proceed(attempt) =
            system.begin_operator_sign_in(&address, nowhere).await.expect("asked")
        else {
            panic!("nothing was tried")
        };
        let session = system.operator_sign_in(&attempt).await.expect("signed in");
        let token = session.token.expose();
        assert!(system.operator_by_token(token).await.expect("asked").is_some());
        assert!(system.session_by_token(token).await.expect("asked").is_none());
        assert!(system.api_key_by_token(token).await.expect("asked").is_none());
        assert!(system.invitation_by_token(token).await.expect("asked").is_none());
        assert_eq!(candidates(&house, "wacht@huis.example").await, Vec::<String>::new());
        // Rows written by hand make no operator user either.
        let session = sql!(
            "INSERT INTO operator_session (token_hash, operator_id, created_at, expires_at) \
             SELECT $2, operator_id, created_at, expires_at FROM operator_session WHERE CAST($1 AS uuid) IS NOT NULL AND CAST($3 AS uuid) IS NOT NULL"
        );
        seed(&house, &admin, session, &token_hash(b"chosen"), FRESH).await;
        assert!(system.operator_by_token("chosen").await.expect("asked").is_none(), "{}", house.name());
        let password = sql!(
            "UPDATE operator_user SET password = 'chosen' WHERE CAST($1 AS uuid) IS NOT NULL AND CAST($2 AS bytea) IS NOT NULL AND CAST($3 AS uuid) IS NOT NULL"
        );
        seed(&house, &admin, password, b"", FRESH).await;
        let SignInStart::Proceed(attempt) =
            system.begin_operator_sign_in(&address, nowhere).await.expect("asked")
        else {
            panic!("nothing was tried")
        };
        assert!(attempt.candidate.is_none(), "{}", house.name());
        house.close().await;
    }
}
