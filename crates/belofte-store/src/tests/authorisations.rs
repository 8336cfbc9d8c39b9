// SPDX-License-Identifier: EUPL-1.2
//! What providers of mailboxes gave: it stays with its provider and its servers, somebody comes back once, and one
//! renews at a time.

use belofte_model::{ChannelAccountId, JobKind, LineSecurity, Purpose, Role, SignInWith, Timestamp};
use belofte_vault::Pii;

use super::channel_accounts::{mailbox, read_at};
use super::house::{House, Person, houses};
use crate::{
    Access, AuthorisationRequest, AuthorisationStanding, ChannelAccountChange, HeldTokens, NewChannelAccount,
    NewProvider, NewRetrieval, NewSubmission, PasswordChange, StoreError, Tokens,
};

pub(super) fn provider(host: &str) -> NewProvider {
    NewProvider {
        authorization_endpoint: format!("https://{host}/authorize"),
        token_endpoint: format!("https://{host}:8443/token"),
        client_id: "belofte".to_owned(),
        client_secret: PasswordChange::Set(Pii::new("klantgeheim".to_owned())),
        scope: "mail".to_owned(),
    }
}

fn reads(host: &str) -> NewRetrieval {
    NewRetrieval { sign_in: SignInWith::Authorisation, ..read_at(host, PasswordChange::Keep) }
}

fn sends(host: &str) -> NewSubmission {
    NewSubmission {
        host: host.to_owned(),
        port: 587,
        security: LineSecurity::StartTls,
        username: Some("desk".to_owned()),
        sign_in: SignInWith::Authorisation,
        password: PasswordChange::Keep,
    }
}

pub(super) fn request() -> AuthorisationRequest {
    AuthorisationRequest { state: Pii::new("s".to_owned()), verifier: Pii::new("bewijs".to_owned()) }
}

pub(super) fn tokens(access: &str, until: Timestamp) -> Tokens {
    Tokens {
        access: Pii::new(access.to_owned()),
        refresh: Some(Pii::new("vernieuw".to_owned())),
        used_until: until,
    }
}

struct World {
    house: House,
    admin: Person,
    access: Access,
    id: ChannelAccountId,
}

impl World {
    async fn new(house: House) -> Self {
        let admin = house.tenant("bakker").await;
        let access = admin.access.as_for(Purpose::Administration);
        let new = NewChannelAccount {
            submission: None,
            retrieval: Some(reads("imap.bakker.example")),
            authorisation: Some(provider("login.bakker.example")),
            ..mailbox("info@bakker.example")
        };
        let id = house.store.create_channel_account(&access, None, new).await.expect("added").id;
        Self { house, admin, access, id }
    }

    async fn begin(&self, state: &str) {
        let request = AuthorisationRequest {
            state: Pii::new(state.to_owned()),
            verifier: Pii::new("bewijs".to_owned()),
        };
        self.house.store.begin_authorisation(&self.access, self.id, request).await.expect("begun");
    }

    async fn come_back(&self, access: &Access) -> Option<String> {
        let taken = self.house.store.take_authorisation_request(access, self.id).await.expect("asked");
        taken.map(|request| request.state.into_inner())
    }

    async fn grant(&self, token: &str) {
        self.begin("s").await;
        let until = self.house.clock.now() + belofte_model::Duration::from_secs(3_300);
        let tokens = Some(tokens(token, until));
        self.house.store.settle_authorisation(&self.access, self.id, tokens).await.expect("kept");
    }

    async fn held(&self) -> HeldTokens {
        self.house.store.held_tokens(&self.access, self.id).await.expect("read").expect("a provider")
    }

    async fn token(&self) -> Option<String> {
        self.held().await.tokens.map(|tokens| tokens.access.into_inner())
    }

    async fn standing(&self) -> Option<AuthorisationStanding> {
        self.house.store.authorisation_standings(&self.access).await.expect("read").get(&self.id).copied()
    }

    async fn change(&self, change: ChannelAccountChange) {
        self.house.store.change_channel_account(&self.access, self.id, change).await.expect("changed");
    }
}

fn nothing() -> ChannelAccountChange {
    ChannelAccountChange::default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_sent_to_a_provider_comes_back_once_and_in_time() {
    for house in houses().await {
        let world = World::new(house).await;
        let name = world.house.name();
        assert_eq!(world.come_back(&world.access).await, None, "{name}: nobody was sent");
        world.begin("eerst").await;
        world.begin("daarna").await;
        assert_eq!(world.come_back(&world.access).await.as_deref(), Some("daarna"), "{name}");
        assert_eq!(world.come_back(&world.access).await, None, "{name}: twice");
        // Somebody else brings what was given to the admin, or has the admin bring theirs.
        world.begin("van de ander").await;
        let other = world.house.join(&world.admin, Role::Admin, "ander@bakker.example").await;
        let other = other.access.as_for(Purpose::Administration);
        assert_eq!(world.come_back(&other).await, None, "{name}: another user");
        world.begin("te laat").await;
        world.house.pass(15 * 60);
        assert_eq!(world.come_back(&world.access).await, None, "{name}: too late");
        world.house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_go_with_their_provider_and_with_the_servers_that_were_named() {
    for house in houses().await {
        let world = World::new(house).await;
        let name = world.house.name();
        assert_eq!(world.standing().await, None, "{name}");
        world.grant("a").await;
        let at = world.house.clock.now();
        assert_eq!(world.standing().await, Some(AuthorisationStanding::Granted { at }), "{name}");

        // What has nothing to do with it changes nothing.
        world.change(ChannelAccountChange { from_name: Some("Bakker".to_owned()), ..nothing() }).await;
        let again = NewProvider { client_secret: PasswordChange::Keep, ..provider("login.bakker.example") };
        world.change(ChannelAccountChange { authorisation: Some(Some(again)), ..nothing() }).await;
        let held = world.held().await;
        assert_eq!(held.tokens.map(|tokens| tokens.access.into_inner()).as_deref(), Some("a"), "{name}");
        assert!(held.provider.recorded, "{name}: the provider is on record");
        let secret = held.provider.client_secret.map(Pii::into_inner);
        assert_eq!(secret.as_deref(), Some("klantgeheim"), "{name}: kept");

        // A server that nobody signed in for would be shown the key to the mailbox.
        let elsewhere =
            ChannelAccountChange { retrieval: Some(Some(reads("imap.elders.example"))), ..nothing() };
        world.change(elsewhere).await;
        assert_eq!((world.token().await, world.standing().await), (None, None), "{name}: another server");
        world.grant("b").await;
        let sending =
            ChannelAccountChange { submission: Some(Some(sends("smtp.elders.example"))), ..nothing() };
        world.change(sending).await;
        assert_eq!(world.token().await, None, "{name}: one more server");
        world.grant("c").await;
        world.change(ChannelAccountChange { submission: Some(None), ..nothing() }).await;
        assert_eq!(world.token().await.as_deref(), Some("c"), "{name}: one server less");
        let in_clear = NewRetrieval { security: LineSecurity::None, ..reads("imap.elders.example") };
        world.change(ChannelAccountChange { retrieval: Some(Some(in_clear)), ..nothing() }).await;
        assert_eq!(world.token().await, None, "{name}: in clear");

        // Another provider gets neither the tokens nor the secret of the one before.
        world.grant("d").await;
        let other = NewProvider { client_secret: PasswordChange::Keep, ..provider("login.elders.example") };
        world.change(ChannelAccountChange { authorisation: Some(Some(other)), ..nothing() }).await;
        let held = world.held().await;
        assert!(held.tokens.is_none() && held.provider.client_secret.is_none(), "{name}: another provider");

        world.grant("e").await;
        world.house.store.remove_channel_account(&world.access, world.id).await.expect("removed");
        assert_eq!(world.standing().await, None, "{name}: removed");
        world.house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_renews_at_a_time_and_what_came_between_is_not_overwritten() {
    for house in houses().await {
        let world = World::new(house).await;
        let (name, store) = (world.house.name(), &world.house.store);
        let (access, id) = (&world.access, world.id);
        world.grant("oud").await;
        let seen = world.held().await.version;
        let claim = |version| store.claim_renewal(access, id, version);
        let claimed = claim(seen).await.expect("asked").expect("the first");
        assert_eq!(claim(seen).await.expect("asked"), None, "{name}: the second saw the same");
        assert_eq!(claim(claimed).await.expect("asked"), None, "{name}: who looks again");
        let later = world.house.clock.now() + belofte_model::Duration::from_secs(3_300);
        store.keep_renewed(access, id, claimed, tokens("nieuw", later)).await.expect("kept");
        assert_eq!(world.token().await.as_deref(), Some("nieuw"), "{name}");

        // Who dies while renewing holds nobody up for longer than a minute.
        let seen = world.held().await.version;
        let dead = claim(seen).await.expect("asked").expect("claimed");
        world.house.pass(59);
        assert_eq!(claim(dead).await.expect("asked"), None, "{name}: not yet");
        world.house.pass(2);
        let claimed = claim(dead).await.expect("asked").expect("after a minute");
        store.give_up_renewal(access, id, claimed).await.expect("given up");

        // Somebody signs in anew while the old one is renewed.
        let claimed = claim(world.held().await.version).await.expect("asked").expect("claimed");
        world.grant("van een mens").await;
        store.keep_renewed(access, id, claimed, tokens("achterhaald", later)).await.expect("not kept");
        store.end_authorisation(access, id, claimed).await.expect("not ended");
        assert_eq!(world.token().await.as_deref(), Some("van een mens"), "{name}");

        let version = world.held().await.version;
        store.end_authorisation(access, id, version).await.expect("ended");
        let at = world.house.clock.now();
        assert_eq!(world.standing().await, Some(AuthorisationStanding::Ended { at }), "{name}");
        assert!(world.held().await.ended, "{name}");
        world.house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mailbox_is_read_anew_when_somebody_has_signed_in_and_who_read_before_ends() {
    for house in houses().await {
        let world = World::new(house).await;
        let (name, store) = (world.house.name(), &world.house.store);
        let claim = async || {
            let jobs = store.system().claim_jobs(world.admin.tenant, 100, world.house.clock.now()).await;
            jobs.expect("claimed").into_iter().find(|job| job.kind == JobKind::Retrieve)
        };
        let job = claim().await.expect("a job");
        let access = Access::job(&job, world.house.clock.clone());
        let account =
            store.account_for_retrieval(&access, world.id).await.expect("read").expect("an account");
        let problem = belofte_model::RetrievalProblem::AuthorisationMissing;
        let pause = Some(belofte_model::Duration::from_secs(900));
        let failed = crate::Noted::Failed(problem);
        store.note_retrieval(&access, &job, &account.retrieval, None, failed, pause).await.expect("noted");
        assert!(claim().await.is_none(), "{name}: it waits for an admin");
        world.grant("a").await;
        let job = claim().await.expect("a job at once");
        let access = Access::job(&job, world.house.clock.clone());
        let note = store.note_retrieval(&access, &job, &account.retrieval, None, crate::Noted::Same, None);
        note.await.expect("it reads");
        world.house.store.settle_authorisation(&world.access, world.id, None).await.expect("forgotten");
        let note = store.note_retrieval(&access, &job, &account.retrieval, None, crate::Noted::Same, None);
        assert!(matches!(note.await, Err(StoreError::Conflict)), "{name}");
        assert_eq!((world.token().await, world.standing().await), (None, None), "{name}");
        world.house.close().await;
    }
}
