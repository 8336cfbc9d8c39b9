// SPDX-License-Identifier: EUPL-1.2
//! A founded installation on either engine, with a clock that the test moves, and the people who
//! act in it.

use std::sync::atomic::Ordering;

use belofte_ledger::Entry;
use belofte_model::{
    Duration, EmailAddress, HoursException, HoursSettings, JobKind, Language, LedgerKind, NodeId, OpenSpan,
    Purpose, RequestId, Role, TenantId, Timestamp, UserId,
};
use belofte_vault::Pii;
use uuid::Uuid;

use super::place::{Place, furnished_places};
use crate::{
    Access, Attachment, Authenticated, Clock, FileName, NewFile, NewInvitation, NewSession, NewUser,
    SignInStart, Slug, Store, StoreError, UploadError, UploadQuota,
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

/// An instant of the Gregorian calendar in UTC.
pub(crate) const fn utc(year: i64, month: i64, day: i64, hour: i64, minute: i64) -> Timestamp {
    // Years that begin in March: the leap day is the last of its year then.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Timestamp::from_secs(((days * 24 + hour) * 60 + minute) * 60)
}

/// A calendar in Amsterdam: the hours of a week, and days that are otherwise.
pub(crate) fn zone(week: [Vec<OpenSpan>; 7], exceptions: &[(&str, &str, &str)]) -> HoursSettings {
    let day = |(date, from, to): &(&str, &str, &str)| HoursException {
        date: (*date).to_owned(),
        hours: vec![OpenSpan { from: (*from).to_owned(), to: (*to).to_owned() }],
    };
    let exceptions = exceptions.iter().map(day).collect();
    HoursSettings { zone: "Europe/Amsterdam".to_owned(), week, holidays: Vec::new(), exceptions }
}

/// When the clock on a wall in Amsterdam shows `time` on `date`, as somebody means who puts a case off.
pub(crate) fn wall(date: &str, time: &str) -> Timestamp {
    let hours = zone(<[Vec<OpenSpan>; 7]>::default(), &[(date, time, "24:00")]);
    hours.check().expect("a calendar").next_opening(utc(2027, 1, 15, 8, 0)).expect("it is a moment")
}

pub(crate) async fn houses() -> Vec<House> {
    let mut all = Vec::new();
    for place in furnished_places().await {
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

    /// Sets the clock, backwards too.
    pub(crate) fn set_clock(&self, at: Timestamp) {
        let Clock::Manual(micros) = &self.clock else { panic!("a clock that a test moves") };
        micros.store(at.as_micros(), Ordering::SeqCst);
    }

    /// Does all upkeep that is due, as a worker does; gives what it was.
    pub(crate) async fn work(&self, tenant: TenantId) -> Vec<JobKind> {
        let mut done = Vec::new();
        for _ in 0..20 {
            let due = self.store.system().claim_jobs(tenant, 50, self.clock.now()).await.expect("claimed");
            if due.is_empty() {
                done.sort_by_key(|kind: &JobKind| kind.as_str());
                return done;
            }
            for job in due {
                let access = Access::job(&job, self.clock.clone());
                self.store.upkeep(&access, &job).await.expect("done");
                done.push(job.kind);
            }
        }
        panic!("{}: the work has no end", self.name());
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

    /// Whether the session of `token` holds and is used.
    pub(crate) async fn uses(&self, token: &str) -> bool {
        self.store.system().session_by_token(token).await.expect("asked").is_some()
    }

    /// Whether it holds; to look is no use of it.
    pub(crate) async fn holds(&self, token: &str) -> bool {
        self.store.system().session_holds(token).await.expect("asked")
    }

    /// Whether a try to sign in may be made now, or how long it has to wait; it counts.
    pub(crate) async fn may_try(&self, address: &str) -> Result<(), Duration> {
        let here = std::net::Ipv4Addr::new(192, 0, 2, 1).into();
        match self.store.system().begin_sign_in(&email(address), here).await.expect("asked") {
            SignInStart::Proceed(_) => Ok(()),
            SignInStart::Wait(wait) => Err(wait),
        }
    }

    /// A new process on the same stores, as it starts.
    pub(crate) async fn restarted(mut self) -> Self {
        self.store.close().await;
        self.store = self.place.open_at(&self.clock).await.expect("stores");
        let system = self.store.system();
        system.serve_as(NodeId(Uuid::from_u128(9))).await.expect("it serves");
        assert_eq!(system.ensure_upkeep(self.clock.now()).await.expect("planned"), 0);
        self
    }

    pub(crate) async fn close(self) {
        self.store.close().await;
    }
}

#[test]
fn the_calendar_of_these_tests_is_right() {
    assert_eq!(utc(1970, 1, 1, 0, 0), Timestamp::from_secs(0));
    assert_eq!(utc(2027, 1, 15, 8, 0), Timestamp::from_secs(1_800_000_000));
    assert_eq!(utc(2028, 3, 1, 0, 0) - Duration::from_secs(86_400), utc(2028, 2, 29, 0, 0));
    assert_eq!(utc(2027, 3, 1, 0, 0) - Duration::from_secs(86_400), utc(2027, 2, 28, 0, 0));
    assert_eq!(utc(2034, 1, 15, 8, 0), utc(2027, 1, 15, 8, 0) + Duration::from_secs(2_557 * 86_400));
}
