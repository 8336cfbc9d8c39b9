// SPDX-License-Identifier: EUPL-1.2
//! A house in which everything is in use: `V<n>` of `fixtures/<engine>` is its root key, the rows of both its databases
//! and what only people know, such as the token of a session.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use belofte_model::{
    ConversationId, DraftKind, GivenCode, HoursSettings, JobKind, LineId, MessageId, MessageKind, NodeId,
    NotificationKind, NotificationWays, OpenSpan, PresenceState, Present, Purpose, QuarantineReason,
    RequestId, Role, Scope, SignInStepKind, SignInWith, Standing, TagColour, Timestamp, code_period,
};
use belofte_vault::{Pii, TotpSecret};
use uuid::Uuid;

use super::base::{Base, Dump, Shape};
use super::{
    Fresh, ahead_of, answered_and_written_to, empty, fixtures, found, give_root, keys_beside, newest, until,
};
use crate::tests::authorisations::{provider, request, tokens};
use crate::tests::channel_accounts::{mailbox, read_at};
use crate::tests::desk::{Desk, person, says};
use crate::tests::house::{House, Person, email, houses, invite, somebody, upload};
use crate::tests::place::Place;
use crate::tests::push::browser;
use crate::tests::upkeep::take;
use crate::{
    Access, Assignee, Authenticated, Begun, ChangeConversation, Clock, ConversationChange, ConversationQuery,
    DraftContent, DraftPlace, DraftSaved, Handling, ImagesFor, LinkConversations, MacroContent, MacroText,
    MacroTexts, Mention, MessageContent, NewChannelAccount, NewFile, NewRetrieval, NewSplit, Outgoing,
    PasswordChange, PresenceRow, Quarantine, Receive, RemoteImage, SealedEnvelope, SecondFactorRuleChange,
    SecondStep, SignInNext, SignInStart, SignInTry, Store, TeamChange, ViewContent,
};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const ADMIN: &str = "admin@bakker.example";
const SANNE: &str = "sanne@bakker.example";
const DAAN: &str = "daan@bakker.example";
const OPERATOR: &str = "beheer@gastheer.example";

/// What people keep for themselves.
type Told = BTreeMap<String, String>;

fn settings(access: &Access) -> Access {
    access.as_for(Purpose::Administration)
}

fn agent() -> Pii<String> {
    Pii::new("Browser 7".to_owned())
}

async fn change(house: &House, by: &Access, case: ConversationId, change: ConversationChange) {
    let change = ChangeConversation::prepare(&house.store, by, case, change);
    assert!(house.store.write(by, change).await.expect("changed"));
}

/// Fills a house that was just founded: nothing that it knows of is unused.
pub(super) async fn make(house: &House) -> Told {
    let desk = Desk::new(house).await;
    let sanne = house.join(&desk.admin, Role::Agent, SANNE).await;
    let daan = house.join(&desk.admin, Role::Agent, DAAN).await;
    let mut told = Told::new();
    set_up(house, &desk, &sanne, &daan, &mut told).await;
    let (ketel, factuur) = work(house, &desk, &daan).await;
    write_and_keep(house, &desk, &daan, (ketel, factuur), &mut told).await;
    sign_in_halfway(house, &sanne, &daan, &mut told).await;
    keep_house(house, &desk, &mut told).await;
    told.insert("ketel".to_owned(), ketel.uuid().to_string());
    told.insert("session".to_owned(), desk.admin.session.token.expose().clone());
    told.insert("now".to_owned(), (house.clock.now().as_micros() / 1_000_000).to_string());
    told
}

/// What an admin sets up once: queues, teams, tags, mailboxes, keys and what browsers are told.
async fn set_up(house: &House, desk: &Desk, sanne: &Person, daan: &Person, told: &mut Told) {
    let (store, admin) = (&house.store, &settings(&desk.admin.access));
    let shop = store.create_queue(admin, None, "Winkel", "Van de toonbank").await.expect("made").queue.id;
    let day = || vec![OpenSpan { from: "09:00".to_owned(), to: "17:00".to_owned() }];
    let hours = HoursSettings {
        zone: "Europe/Amsterdam".to_owned(),
        week: [day(), day(), day(), day(), day(), Vec::new(), Vec::new()],
        holidays: Vec::new(),
        exceptions: Vec::new(),
    };
    store.set_business_hours(admin, shop, None, Some(hours)).await.expect("hours");
    let team = store.create_team(admin, None, "Balie").await.expect("made").team.id;
    let serves = TeamChange {
        members: Some(vec![sanne.id, daan.id]),
        queues: Some(vec![shop]),
        ..TeamChange::default()
    };
    store.change_team(admin, team, serves).await.expect("changed");
    for (name, shared) in [("Van mij", false), ("Van ons", true)] {
        let view = ViewContent { name: name.to_owned(), ..ViewContent::default() };
        store.create_saved_view(admin, None, view, shared).await.expect("kept");
        let text = MacroText { text: format!("Dag, {name}"), html: None };
        let texts = MacroTexts { nl: Some(text), en: None };
        let content = MacroContent { name: name.to_owned(), texts, ..MacroContent::default() };
        store.create_macro(admin, None, content, shared).await.expect("kept");
    }
    // A mailbox that is read by what its provider gave; somebody is under way there again.
    let new = NewChannelAccount {
        submission: None,
        retrieval: Some(NewRetrieval {
            sign_in: SignInWith::Authorisation,
            ..read_at("imap.bakker.example", PasswordChange::Keep)
        }),
        authorisation: Some(provider("login.bakker.example")),
        ..mailbox("winkel@bakker.example")
    };
    let read = store.create_channel_account(admin, None, new).await.expect("added").id;
    store.begin_authorisation(admin, read, request()).await.expect("begun");
    let until = house.clock.now() + belofte_model::Duration::from_secs(90_000);
    store.settle_authorisation(admin, read, Some(tokens("toegang", until))).await.expect("kept");
    store.begin_authorisation(admin, read, request()).await.expect("begun");
    let key = store.create_signing_key(admin, None, "bakker.example").await.expect("made");
    store.note_signing_record(admin, &key, None, None).await.expect("seen");
    let supervisors = SecondFactorRuleChange { supervisor: Some(true), ..SecondFactorRuleChange::default() };
    store.set_second_factor_rule(admin, supervisors).await.expect("set");
    store.allow_push(admin, true, &["push.example".to_owned()]).await.expect("allowed");
    store
        .add_push_device(&settings(&daan.access), None, browser(daan.session.id, "daan"))
        .await
        .expect("added");
    let quiet = NotificationWays { desk: true, push: false };
    let ways = vec![(NotificationKind::CustomerMessage, quiet)];
    store.choose_notification_ways(&settings(&daan.access), ways).await.expect("chosen");
    let ends = house.clock.now() + belofte_model::Duration::from_secs(90_000);
    let (made, key) = store.prepare_api_key(admin, "Kassa", Scope::Read, ends).await.expect("prepared");
    store.write(admin, made).await.expect("made");
    told.insert("api_key".to_owned(), key.key.expose().clone());
    let invited = invite(store, admin, Role::Agent, false).await.expect("invited");
    told.insert("invitation".to_owned(), invited.token.expose().clone());
}

/// Cases that came in and were worked on; gives those about the boiler and the bill.
async fn work(house: &House, desk: &Desk, daan: &Person) -> (ConversationId, ConversationId) {
    let (store, admin) = (&house.store, &desk.admin.access);
    let mut filed = Vec::new();
    for (id, name, subject, text, related) in [
        ("vraag-1@klant.example", "Jan", "Ketel lekt", "De ketel lekt sinds dinsdag.", ""),
        ("vraag-2@klant.example", "Piet", "Factuur", "Klopt factuur 2041 wel?", ""),
        ("vraag-3@klant.example", "Jan", "Re: Ketel lekt", "Graag voor vrijdag.", "vraag-1@klant.example"),
        ("vraag-4@klant.example", "Jan", "Nog iets", "Ook de mandarijn is op.", ""),
        ("vraag-5@klant.example", "Piet", "Re: Factuur", "En het slot is stuk.", "vraag-2@klant.example"),
        ("vraag-6@klant.example", "Els", "Brood", "Hebt u roggebrood?", ""),
        ("vraag-7@klant.example", "Wim", "Taart", "Een taart voor zaterdag.", ""),
    ] {
        let related: Vec<_> = Some(related).filter(|id| !id.is_empty()).into_iter().collect();
        filed.push(desk.file(house, says(name, subject, text), id, &related).await);
        house.pass(60);
    }
    let [ketel, factuur, _, nog, slot, brood, taart] = filed[..] else { panic!("seven") };
    desk.answer(house, ketel, person("Jan", "jan@klant.example"), "Wij komen woensdag.").await;
    for (name, case) in [("Spoed", ketel), ("Geld", factuur)] {
        let tag = store.create_tag(&settings(admin), None, name, TagColour::Blue).await.expect("made").id;
        let tagged = ConversationChange { add_tags: vec![tag], ..ConversationChange::default() };
        change(house, admin, case.conversation, tagged).await;
    }
    let id = ConversationId::new(house.clock.now(), store.random().bytes());
    let own = NewSplit {
        from: factuur.conversation,
        id,
        messages: vec![slot.message],
        subject: Some("Slot stuk".to_owned()),
    };
    store.split_conversation(admin, &own).await.expect("taken out");
    store.merge_conversations(admin, ketel.conversation, &[nog.conversation], false).await.expect("merged");
    let link = LinkConversations::prepare(store, admin, (ketel.conversation, factuur.conversation), true);
    store.write(admin, link).await.expect("linked");
    let until = house.clock.now() + belofte_model::Duration::from_secs(90_000);
    let later =
        ConversationChange { standing: Some(Standing::Snoozed(until)), ..ConversationChange::default() };
    change(house, admin, brood.conversation, later).await;
    let given = ConversationChange { assignee: Some(Some(daan.id)), ..ConversationChange::default() };
    change(house, admin, factuur.conversation, given).await;
    // A queue that is archived, and whose case went on.
    let old = store.create_queue(&settings(admin), None, "Oud", "").await.expect("made").queue.id;
    let moved = ConversationChange { queue: Some(old), ..ConversationChange::default() };
    change(house, admin, taart.conversation, moved).await;
    let first = store.default_queue(admin).await.expect("a queue");
    store.archive_queue(&settings(admin), old, Some(first)).await.expect("archived");
    let due = store.system().claim_jobs(desk.admin.tenant, 50, house.clock.now()).await.expect("claimed");
    let job = due.iter().find(|job| job.kind == JobKind::SettleQueue).expect("it moves");
    store.upkeep(&Access::job(job, house.clock.clone()), job).await.expect("settled");
    (ketel.conversation, factuur.conversation)
}

/// Drafts, a note that names a colleague, and images from elsewhere.
async fn write_and_keep(
    house: &House,
    desk: &Desk,
    daan: &Person,
    (ketel, factuur): (ConversationId, ConversationId),
    told: &mut Told,
) {
    let (store, admin) = (&house.store, &desk.admin.access);
    let file = NewFile {
        name: "plan.txt".to_owned(),
        media_type: "text/plain".to_owned(),
        content_id: None,
        inline: false,
        bytes: b"woensdag om tien uur".to_vec(),
    };
    let file = upload(store, admin, file).await.expect("uploaded").id;
    told.insert("file".to_owned(), file.uuid().to_string());
    let reply = DraftPlace { conversation: Some(ketel), kind: DraftKind::Reply };
    for (place, text, attachments) in
        [(reply, "Beste Jan", vec![file]), (DraftPlace::MAIL, "Geachte leverancier", Vec::new())]
    {
        let words = DraftContent { text: text.to_owned(), attachments, ..DraftContent::default() };
        let saved = store.save_draft(admin, place, 0, Some(&words)).await.expect("saved");
        assert!(matches!(saved, DraftSaved::Kept { .. }), "{saved:?}");
    }
    let note = Outgoing {
        conversation: factuur,
        kind: MessageKind::Note,
        id: MessageId::new(house.clock.now(), store.random().bytes()),
        thread: None,
        account: None,
        content: MessageContent {
            text: "@Daan kijk".to_owned(),
            mentions: vec![Mention { user: daan.id, from: 0, to: 5 }],
            ..MessageContent::default()
        },
        recipients: Vec::new(),
        attachments: Vec::new(),
        how: Handling::default(),
    };
    store.write_out(admin, &note).await.expect("written");
    let case = store.conversation(admin, ketel).await.expect("a case");
    let first = store.messages(admin, ketel, None, 50).await.expect("messages")[0].id;
    let dots = RemoteImage { place: 0, bytes: b"dots".to_vec() };
    store.keep_remote_images(admin, first, &[dots]).await.expect("kept");
    store.choose_images(admin, case.contact, ImagesFor::Everybody, true).await.expect("chosen");
    let place = store.place_of_case(admin, ketel).await.expect("asked").expect("a place");
    let present = Present {
        user: desk.admin.id,
        state: PresenceState::Writing,
        since: house.clock.now(),
        taken_at: None,
    };
    let row = PresenceRow { line: LineId(Uuid::from_u128(3)), conversation: ketel, place, present };
    let upkeep = store.system().upkeep(desk.admin.tenant);
    store.keep_presence(&upkeep, NodeId(Uuid::from_u128(1)), vec![row]).await.expect("kept");
    let begun = store.begin_request(admin, "key", &[1; 32]).await.expect("begun");
    assert!(matches!(begun, Begun::Proceed(_)));
}

/// Sanne has a second factor and showed a wrong code; Daan is setting one up.
async fn sign_in_halfway(house: &House, sanne: &Person, daan: &Person, told: &mut Told) {
    let (store, own) = (&house.store, settings(&sanne.access));
    let secret = store.begin_second_factor(&own, sanne.session.id).await.expect("begun");
    let app = TotpSecret::parse(secret.text.expose()).expect("a secret");
    let password = store.own_password(&own).await.expect("a password");
    let code = GivenCode::Code(app.code(code_period(house.clock.now())));
    let codes =
        store.confirm_second_factor(&own, sanne.session.id, &password, &code).await.expect("confirmed");
    told.insert("app".to_owned(), secret.text.expose().clone());
    told.insert("recovery".to_owned(), codes.0[0].expose().clone());
    house.pass(60);
    let next = after_password(store, SANNE, sanne.tenant).await;
    let SignInNext::Step(step) = next else { panic!("a second step") };
    let open = store.system().step_by_token(step.token.expose()).await.expect("asked").expect("it waits");
    assert_eq!(open.kind, SignInStepKind::Code);
    let from = SecondStep { user_agent: &agent(), network: HERE, known: None };
    store.system().show_second_factor(&open, &code, &from).await.expect_err("it was used");
    store.begin_second_factor(&settings(&daan.access), daan.session.id).await.expect("begun");
    let stranger = begin(store, "niemand@elders.example").await;
    store.system().sign_in_failed(&stranger).await.expect("counted");
}

/// What the house itself keeps: an operator, a mail that was set aside, a signed ledger, and what keys know.
async fn keep_house(house: &House, desk: &Desk, told: &mut Told) {
    let (store, system) = (&house.store, house.store.system());
    let (name, hash) = (Pii::new("Beheer".to_owned()), Pii::new("operator hash".to_owned()));
    system.create_operator(&name, &email(OPERATOR), hash).await.expect("made");
    let start = system.begin_operator_sign_in(&email(OPERATOR), HERE).await.expect("asked");
    let SignInStart::Proceed(attempt) = start else { panic!("nobody waits") };
    let session = system.operator_sign_in(&attempt).await.expect("signed in");
    told.insert("operator".to_owned(), session.token.expose().clone());
    let access = Access::channel(&desk.account, RequestId(Uuid::nil()), house.clock.clone());
    let envelope = SealedEnvelope::default();
    let receive =
        Receive::prepare(store, &access, &desk.account, &envelope, b"raw", None).await.expect("sealed");
    let intake = receive.intake();
    store.write(&access, receive).await.expect("received");
    let jobs = system.claim_jobs(access.tenant(), 50, house.clock.now()).await.expect("claimed");
    let job = jobs.into_iter().find(|job| job.subject == intake.uuid()).expect("a job for it");
    let (reason, now) = (QuarantineReason::NoSender, house.clock.now());
    let aside = Quarantine { job, intake, reason, signature: Some("Eicar".to_owned()), now };
    store.write(&access, aside).await.expect("set aside");
    let (access, job) = take(house, desk.admin.tenant, JobKind::Checkpoint).await;
    store.upkeep(&access, &job).await.expect("signed");
    assert!(system.watch_stores(true).await.expect("compared").is_empty());
}

/// Gives the right password.
async fn after_password(store: &Store, address: &str, tenant: belofte_model::TenantId) -> SignInNext {
    let attempt = begin(store, address).await;
    store.system().after_password(&attempt, tenant, &agent()).await.expect("the password is right")
}

async fn begin(store: &Store, address: &str) -> SignInTry {
    match store.system().begin_sign_in(&email(address), HERE).await.expect("asked") {
        SignInStart::Proceed(attempt) => attempt,
        SignInStart::Wait(wait) => panic!("{wait:?}"),
    }
}

/// A house that was dumped.
pub(super) struct Kept {
    /// The version of its content.
    pub(super) content: usize,
    /// The version of its keys.
    pub(super) keys: usize,
    folder: PathBuf,
    dumps: [Dump; 2],
}

impl Kept {
    pub(super) fn empty_tables(&self) -> Vec<&str> {
        self.dumps.iter().flat_map(|dump| &dump.empty).map(String::as_str).collect()
    }

    fn told(&self) -> Told {
        let text = fs::read_to_string(self.folder.join("told.txt")).expect("what people know");
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

/// The houses that were dumped, the oldest first.
pub(super) fn dumps(engine: &str) -> Vec<Kept> {
    let entries =
        fs::read_dir(fixtures().join(engine)).expect("a folder").map(|entry| entry.expect("one").path());
    let mut all: Vec<_> = entries
        .filter(|path| path.is_dir())
        .map(|folder| {
            let read = |name: &str| Dump::parse(&fs::read_to_string(folder.join(name)).expect("a dump"));
            let dumps = [read("content.sql"), read("keys.sql")];
            let [content, keys] = [dumps[0].version, dumps[1].version];
            assert!(folder.ends_with(format!("V{content}")), "{}", folder.display());
            Kept { content, keys, folder, dumps }
        })
        .collect();
    all.sort_by_key(|kept| kept.content);
    all
}

/// Fills a house on each engine, and keeps its rows below `folder`.
pub(super) async fn write(folder: &Path) {
    for house in houses().await {
        let told = make(&house).await;
        let place = &house.place;
        let folder = folder.join(place.name).join(format!("V{}", newest(place)));
        fs::create_dir_all(&folder).expect("a folder");
        fs::copy(place.folder.path().join("root.key"), folder.join("root.key")).expect("copied");
        house.store.close().await;
        let versions = super::texts(place).map(<[_]>::len);
        for ((base, name), version) in Base::both(place).iter().zip(["content.sql", "keys.sql"]).zip(versions)
        {
            fs::write(folder.join(name), base.dump(version).await).expect("written");
        }
        let mut text = String::new();
        for (name, value) in told {
            writeln!(text, "{name} {value}").expect("written");
        }
        fs::write(folder.join("told.txt"), text).expect("written");
    }
}

/// The house at this version of its content, on the engine of `of`, and what people know of it.
async fn at(of: &Place, version: usize) -> (Place, Told) {
    let mut all = dumps(of.name);
    let later = all.iter().rposition(|kept| kept.content <= version).unwrap_or(0);
    let mut kept = all.swap_remove(later);
    let place = empty(of).await;
    give_root(&place, &kept.folder);
    let keys = keys_beside(&place, version);
    place.open(&until(version.min(kept.content), keys.min(kept.keys))).await.expect("stores").close().await;
    take_back(&place, version, &mut kept.dumps);
    for (base, dump) in Base::both(&place).iter().zip(&kept.dumps) {
        base.put(dump).await;
    }
    if version > kept.content {
        place.open(&until(version, keys)).await.expect("that version").close().await;
    }
    (place, kept.told())
}

/// What there could not have been yet in columns that there were.
fn take_back(place: &Place, version: usize, dumps: &mut [Dump; 2]) {
    let nobody = if place.name == "postgres" {
        "'00000000-0000-0000-0000-000000000000'".to_owned()
    } else {
        format!("X'{}'", "00".repeat(16))
    };
    if version < ahead_of(place, "installation") {
        for (dump, table) in [(0, "ledger_leaf"), (0, "ledger_checkpoint"), (1, "witness")] {
            dumps[dump].without(table, "tenant_id", &nobody);
        }
    }
    if version < ahead_of(place, "work_of_a_team") {
        dumps[0].replace("conversation", "status", "'snoozed'", "'open'");
        dumps[0].without("job", "kind", "'wake'");
    }
}

/// Who acts in a house that was upgraded, and what its version knew of.
struct Visit<'a> {
    store: &'a Store,
    clock: &'a Clock,
    told: &'a Told,
    had: &'a Shape,
    name: &'a str,
    admin: Access,
    daan: Access,
}

impl<'a> Visit<'a> {
    /// The session of an admin goes on, and a colleague signs in.
    async fn new(store: &'a Store, clock: &'a Clock, told: &'a Told, had: &'a Shape, name: &'a str) -> Self {
        let acts = |who: &Authenticated| {
            Access::authenticated(who, Purpose::Service, RequestId(Uuid::nil()), clock.clone())
        };
        let session = store.system().session_by_token(&told["session"]).await.expect("asked");
        let admin = acts(&session.unwrap_or_else(|| panic!("{name}: a session")));
        let attempt = begin(store, DAAN).await;
        let password: Vec<_> = attempt.candidates.iter().map(|one| one.password.expose().clone()).collect();
        assert_eq!(password, [format!("hash of {DAAN}")], "{name}");
        let next = after_password(store, DAAN, admin.tenant()).await;
        let SignInNext::Session(daan) = next else { panic!("{name}: nothing more is asked") };
        Self { store, clock, told, had, name, daan: acts(&daan.who), admin }
    }

    fn had(&self, table: &str) -> bool {
        self.had.contains_key(table)
    }

    /// People, programs and the operator are let in, and nobody else.
    async fn people(&self) {
        let (store, system, name) = (self.store, self.store.system(), self.name);
        let users = store.users(&self.admin).await.expect("users");
        let mut known: Vec<_> = users.iter().map(|user| user.email.expose().as_str()).collect();
        known.sort_unstable();
        if self.had("second_factor") {
            assert_eq!(known, [ADMIN, DAAN, SANNE], "{name}");
            let next = after_password(store, SANNE, self.admin.tenant()).await;
            let SignInNext::Step(step) = next else { panic!("{name}: a second step") };
            let open = system.step_by_token(step.token.expose()).await.expect("asked").expect("it waits");
            let from = SecondStep { user_agent: &agent(), network: HERE, known: None };
            let app = TotpSecret::parse(&self.told["app"]).expect("a secret");
            let code = GivenCode::Code(app.code(code_period(self.clock.now())));
            system.show_second_factor(&open, &code, &from).await.expect("signed in with the app");
            let SignInNext::Step(step) = after_password(store, SANNE, self.admin.tenant()).await else {
                panic!("{name}: a second step")
            };
            let open = system.step_by_token(step.token.expose()).await.expect("asked").expect("it waits");
            let code = GivenCode::parse(&self.told["recovery"]).expect("a code");
            let sanne = system.show_second_factor(&open, &code, &from).await.expect("signed in without it");
            let request = RequestId(Uuid::nil());
            let own = Access::authenticated(&sanne.who, Purpose::Administration, request, self.clock.clone());
            assert_eq!(store.second_factor(&own).await.expect("asked").recovery_codes, 9, "{name}");
            let rule = store.second_factor_rule(&settings(&self.admin)).await.expect("asked");
            assert!(rule.supervisor && !rule.agent, "{name}");
        } else {
            // Whose proof speaks of a second factor was not there when there was none.
            assert_eq!(known, [ADMIN, DAAN], "{name}");
            assert!(begin(store, SANNE).await.candidates.is_empty(), "{name}");
        }
        assert!(system.operator_by_token(&self.told["operator"]).await.expect("asked").is_some(), "{name}");
        assert!(system.api_key_by_token(&self.told["api_key"]).await.expect("asked").is_some(), "{name}");
        let open = system.invitation_by_token(&self.told["invitation"]).await.expect("asked").expect("open");
        system.accept_invitation(&open, &somebody("nieuw@bakker.example")).await.expect("a new colleague");
        assert_eq!(store.users(&self.admin).await.expect("users").len(), known.len() + 1, "{name}");
    }

    /// Cases, words and files are there; gives the case about the boiler.
    async fn cases(&self) -> ConversationId {
        let (store, admin, name) = (self.store, &self.admin, self.name);
        let query = ConversationQuery {
            status: None,
            assignee: Assignee::Any,
            queue: None,
            tag: None,
            contact: None,
            after: None,
            limit: 50,
        };
        let cases = store.conversations(admin, query).await.expect("cases");
        let mut subjects: Vec<_> = cases.iter().map(|case| case.summary.subject.as_str()).collect();
        subjects.sort_unstable();
        assert_eq!(subjects, ["Brood", "Factuur", "Ketel lekt", "Slot stuk", "Taart"], "{name}");
        let of = |subject: &str| cases.iter().find(|case| case.summary.subject == subject).expect("a case");
        let (ketel, factuur) = (of("Ketel lekt"), of("Factuur"));
        assert_eq!(ketel.id.uuid().to_string(), self.told["ketel"], "{name}");
        assert_eq!(factuur.assignee, self.daan.user(), "{name}");
        let counts = store.conversation_counts(admin).await.expect("counts");
        let snoozed = i64::from(self.had("tag"));
        assert_eq!((counts.waiting + counts.open, counts.snoozed), (5 - snoozed, snoozed), "{name}");
        assert_eq!(of("Brood").snoozed_until.is_some(), self.had("tag"), "{name}");
        let texts = async |id| -> Vec<String> {
            let messages = store.messages(admin, id, None, 50).await.expect("messages");
            messages.into_iter().map(|message| message.content.text).collect()
        };
        let said = [
            "De ketel lekt sinds dinsdag.",
            "Graag voor vrijdag.",
            "Ook de mandarijn is op.",
            "Wij komen woensdag.",
        ];
        assert_eq!(texts(ketel.id).await, said, "{name}");
        assert_eq!(texts(factuur.id).await, ["Klopt factuur 2041 wel?", "@Daan kijk"], "{name}");
        assert_eq!(texts(of("Slot stuk").id).await, ["En het slot is stuk."], "{name}");
        for case in &cases {
            assert!(!case.summary.name.is_empty(), "{name}: with whom it is");
            store.contact(admin, case.contact).await.expect("it opens");
            store.activities(admin, case.id).await.expect("they open");
        }
        let first = &store.messages(admin, ketel.id, None, 50).await.expect("messages")[0];
        assert_eq!(store.message_source(admin, first.id).await.expect("it opens"), b"raw", "{name}");
        let file = store.attachment(admin, self.id("file")).await.expect("a file");
        assert_eq!(file.read(0..u64::MAX).await.expect("it opens"), b"woensdag om tien uur", "{name}");
        self.beside_cases(ketel.id, factuur.id, first.id).await;
        ketel.id
    }

    /// What later versions put beside a case.
    async fn beside_cases(&self, ketel: ConversationId, factuur: ConversationId, first: MessageId) {
        let (store, admin, name) = (self.store, &self.admin, self.name);
        let had = |table, count: usize| if self.had(table) { count } else { 0 };
        let merged = store.merged_conversations(admin, ketel).await.expect("merged");
        assert_eq!(merged.len(), had("merged_conversation", 1), "{name}");
        let linked = store.linked_conversations(admin, ketel).await.expect("linked");
        let beside: Vec<_> = linked.iter().map(|case| case.id).collect();
        assert_eq!(beside, [factuur][..had("conversation_link", 1)], "{name}");
        let drafts = store.drafts(admin).await.expect("drafts");
        let mut words: Vec<_> = drafts.iter().map(|(draft, _)| draft.content.text.as_str()).collect();
        words.sort_unstable();
        assert_eq!(words, ["Beste Jan", "Geachte leverancier"][..had("draft", 2)], "{name}");
        let images = store.remote_images(admin, first).await.expect("they open");
        assert_eq!(images.len(), had("remote_image", 1), "{name}");
        let choices = store.image_choices(admin).await.expect("choices");
        let contact = store.conversation(admin, ketel).await.expect("a case").contact;
        assert_eq!(choices.shows(contact).is_some(), self.had("image_choice"), "{name}");
        let lines = store.notifications(&self.daan).await.expect("lines");
        let mut kinds: Vec<_> = lines.iter().map(|(line, _)| line.kind).collect();
        kinds.sort_unstable_by_key(|kind| kind.as_str());
        let told = [NotificationKind::Assigned, NotificationKind::Mentioned];
        assert_eq!(kinds, told[..had("notification", 2)], "{name}");
        let tagged = store.conversation(admin, ketel).await.expect("a case").tags.len();
        assert_eq!(tagged, had("tag", 1), "{name}");
    }

    /// What an admin had set up.
    async fn set_up(&self) {
        let (store, admin, name) = (self.store, &settings(&self.admin), self.name);
        let had = |table, count: usize| if self.had(table) { count } else { 0 };
        assert_eq!(store.tags(admin).await.expect("tags").len(), had("tag", 2), "{name}");
        assert_eq!(store.saved_views(admin).await.expect("views").len(), had("saved_view", 2), "{name}");
        let macros = store.macros(admin).await.expect("macros");
        assert_eq!(macros.len(), had("macro", 2), "{name}");
        for one in macros {
            store.macro_with_texts(admin, one.id).await.expect("it opens");
        }
        let queues = store.queues(admin).await.expect("queues");
        assert_eq!(queues.len(), 3, "{name}");
        let archived = queues.iter().filter(|queue| queue.archived).count();
        assert_eq!(archived, had("queue_hours", 1), "{name}");
        let shop = queues.iter().find(|queue| queue.name == "Winkel").expect("a queue").id;
        let shop = store.queue_set_up(admin, shop).await.expect("it opens");
        assert_eq!(shop.hours.is_some(), self.had("queue_hours"), "{name}");
        assert_eq!(shop.description == "Van de toonbank", self.had("queue_hours"), "{name}");
        let teams = store.teams(admin).await.expect("teams");
        assert_eq!(teams.len(), had("team", 1), "{name}");
        for team in teams {
            assert_eq!(store.team_set_up(admin, team.id).await.expect("it opens").members.len(), 2, "{name}");
        }
        let sends = admin.as_for(Purpose::Delivery);
        let signer = store.mail_signer(&sends, &email("info@bakker.example")).await.expect("asked");
        assert_eq!(signer.is_some(), self.had("signing_key"), "{name}");
        let accounts = store.channel_accounts(admin).await.expect("accounts");
        assert_eq!(accounts.len(), 2, "{name}");
        let read =
            accounts.iter().find(|one| one.address == email("winkel@bakker.example")).expect("a mailbox").id;
        let held = store.held_tokens(admin, read).await.expect("read");
        let tokens = held.and_then(|held| held.tokens);
        assert_eq!(tokens.is_some(), self.had("authorisation"), "{name}");
        let standings = store.retrieval_standings(admin).await.expect("standings");
        assert_eq!(standings.contains_key(&read), self.had("retrieval"), "{name}");
        // Of before there was a register, the start put them on record.
        assert!(!store.chosen_recipients(admin).await.expect("recipients").is_empty(), "{name}");
        let allowed = store.push_setting(admin).await.expect("asked").is_some();
        assert_eq!(allowed, self.had("push_setting"), "{name}");
        let devices = store.push_devices(&settings(&self.daan)).await.expect("devices");
        assert_eq!(devices.len(), had("push_device", 1), "{name}");
        let ways = store.notification_ways(&settings(&self.daan)).await.expect("ways");
        let chosen = ways.iter().filter(|(_, ways)| *ways != NotificationWays::ALL).count();
        assert_eq!(chosen, had("notification_preference", 1), "{name}");
        let aside = store.system().figures().await.expect("figures").quarantined;
        assert_eq!(aside, 1, "{name}");
        let ledger =
            store.ledger_page(&admin.as_for(Purpose::Oversight), None, 1_000).await.expect("it opens");
        assert!(ledger.entries.len() > 40, "{name}: {}", ledger.entries.len());
    }

    /// The house works: what was merged is itself again, a draft is sent, and a case is answered.
    async fn goes_on(&self, ketel: ConversationId) {
        let (store, admin, name) = (self.store, &self.admin, self.name);
        store.index(&admin.as_for(Purpose::Upkeep)).await.expect("indexed");
        for word in ["ketel", "roggebrood", "mandarijn", "woensdag", "jan@klant.example"] {
            assert!(found(store, admin, word).await > 0, "{name}: {word}");
        }
        if let Some(one) = store.merged_conversations(admin, ketel).await.expect("merged").pop() {
            store.unmerge_conversations(admin, ketel, &[one.conversation.id]).await.expect("taken apart");
            let case = store.conversation(admin, one.conversation.id).await.expect("itself again");
            assert_eq!((case.summary.subject.as_str(), case.messages), ("Nog iets", 1), "{name}");
        }
        let account = store.system().account_by_address(&email("info@bakker.example")).await.expect("asked");
        let account = account.expect("an account");
        let case = (ketel, "vraag-1@klant.example");
        answered_and_written_to(store, &account, self.clock, case, name).await;
    }

    fn id<T: From<Uuid>>(&self, name: &str) -> T {
        Uuid::parse_str(&self.told[name]).expect("an id").into()
    }
}

/// Each version of the content since there were proofs, with the keys that stood beside it.
pub(super) async fn each(of: &Place, fresh: &Fresh) {
    for version in ahead_of(of, "proof")..=newest(of) {
        let (place, told) = at(of, version).await;
        let had = Base::both(&place)[0].shape().await;
        let now = told["now"].parse().expect("a time");
        // Some minutes later.
        let clock = Clock::manual(Timestamp::from_secs(now) + belofte_model::Duration::from_secs(600));
        let name = format!("{} from version {version}", place.name);
        let store = fresh.upgrade(&place, &clock, version, |_| (), &name).await;
        let visit = Visit::new(&store, &clock, &told, &had, &name).await;
        visit.people().await;
        visit.set_up().await;
        let ketel = visit.cases().await;
        visit.goes_on(ketel).await;
        fresh.examine(&place, &store, &clock, &name).await;
        store.close().await;
    }
}
