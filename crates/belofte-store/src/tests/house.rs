// SPDX-License-Identifier: EUPL-1.2
//! A founded installation on either engine, with a clock that the test moves, and the people who
//! act in it.

use belofte_ledger::Entry;
use belofte_model::{
    Duration, EmailAddress, Language, LedgerKind, Purpose, RequestId, Role, TenantId, Timestamp, UserId,
};
use belofte_vault::Pii;
use uuid::Uuid;

use super::place::{Place, places};
use crate::{
    Access, Attachment, Authenticated, Clock, FileName, NewFile, NewInvitation, NewSession, NewUser, Slug,
    Store, StoreError, UploadError, UploadQuota,
};

pub(crate) struct House {
    pub(crate) place: Place,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
}

/// Somebody who signed in.
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) tenant: TenantId,
    pub(crate) access: Access,
    pub(crate) session: NewSession,
}

pub(crate) async fn houses() -> Vec<House> {
    let mut all = Vec::new();
    for place in places().await {
        let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
        let store = place.open_at(&clock).await.expect("stores");
        store.system().found_system().await.expect("an installation");
        all.push(House { place, store, clock });
    }
    all
}

/// Uploads a file that came in two pieces.
pub(crate) async fn upload(store: &Store, access: &Access, file: NewFile) -> Result<Attachment, StoreError> {
    let mut incoming = store.receive_file(access);
    let (one, two) = file.bytes.split_at(file.bytes.len() / 3);
    incoming.push(one).await?;
    incoming.push(two).await?;
    let received = incoming.finish().await?;
    let about = FileName { name: file.name, media_type: file.media_type };
    let quota = UploadQuota { files: 1_000, bytes: 1 << 30 };
    match store.upload(access, None, about, received, quota).await {
        Ok(made) => Ok(made),
        Err(UploadError::Store(error)) => Err(error),
        Err(UploadError::OverQuota) => panic!("a test uploads little"),
    }
}

pub(crate) fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).expect("an address")
}

pub(crate) fn somebody(address: &str) -> NewUser {
    NewUser {
        name: Pii::new(format!("Name of {address}")),
        email: email(address),
        language: Language::Nl,
        password_hash: Pii::new(format!("hash of {address}")),
        user_agent: Pii::new("Browser 1.0".to_owned()),
    }
}

/// An invitation by whom `access` belongs to.
pub(crate) async fn invite(
    store: &Store,
    access: &Access,
    role: Role,
    privacy_officer: bool,
) -> Result<NewInvitation, StoreError> {
    let access = access.as_for(Purpose::Administration);
    let (change, told) = store.prepare_invitation(&access, role, privacy_officer).await?;
    store.write(&access, change).await?;
    Ok(told)
}

impl House {
    pub(crate) const fn name(&self) -> &'static str {
        self.place.name
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) fn access(&self, who: &Authenticated) -> Access {
        let request = RequestId(Uuid::from_u128(0xacce55));
        Access::authenticated(who, Purpose::Service, request, self.clock.clone())
    }

    pub(crate) async fn accept(&self, token: &str, address: &str) -> Result<Person, StoreError> {
        let system = self.store.system();
        let open = system.invitation_by_token(token).await?.ok_or(StoreError::NotFound)?;
        let session = system.accept_invitation(&open, &somebody(address)).await?;
        let access = self.access(&session.who);
        Ok(Person { id: access.user().expect("a user"), tenant: session.who.tenant(), access, session })
    }

    /// A new tenant and its first admin, who is privacy officer too.
    pub(crate) async fn tenant(&self, slug: &str) -> Person {
        let name = format!("Tenant {slug}");
        let founded = self
            .store
            .system()
            .create_tenant(&Slug::parse(slug).expect("a slug"), &name, "Algemeen")
            .await
            .expect("a tenant");
        let token = founded.invitation.token.expose();
        self.accept(token, &format!("admin@{slug}.example")).await.expect("an admin")
    }

    pub(crate) async fn join(&self, admin: &Person, role: Role, address: &str) -> Person {
        let invitation = invite(&self.store, &admin.access, role, false).await.expect("an invitation");
        self.accept(invitation.token.expose(), address).await.expect("a user")
    }

    /// All of a tenant's ledger, oldest first.
    pub(crate) async fn ledger(&self, access: &Access) -> Vec<Entry> {
        let access = access.as_for(Purpose::Oversight);
        let mut page = self.store.ledger_page(&access, None, 10_000).await.expect("a ledger");
        page.entries.reverse();
        page.entries
    }

    /// The entries of one kind, oldest first.
    pub(crate) async fn leaves(&self, access: &Access, kind: LedgerKind) -> Vec<Entry> {
        self.ledger(access).await.into_iter().filter(|entry| entry.kind == kind).collect()
    }

    pub(crate) async fn close(self) {
        self.store.close().await;
    }
}
