// SPDX-License-Identifier: EUPL-1.2
//! What an access sees, asked of every function that reads for one. The list of those functions is
//! taken from the source, so that one without a row in the table fails.

use std::collections::{BTreeMap, BTreeSet};

use belofte_model::{
    AttachmentId, ChannelAccountId, ContactId, ConversationId, Incoming, IntakeId, JobId, MessageId,
    MessageKind, Purpose, QuarantineReason, QueueId, RequestId, Subset, Timestamp, Visible,
};
use belofte_vault::Pii;
use uuid::Uuid;

use super::authorisations::{provider, request, tokens};
use super::channel_accounts::{mailbox, read_at};
use super::contact_list::listed_in_every_order;
use super::desk::{person, says};
use super::drafts::OTHERS as DRAFTS;
use super::fields::OTHERS as FIELDS;
use super::house::{House, Person, email, houses};
use super::mail_rows::OTHERS as MAIL;
use super::notifications::OTHERS as NEWS;
use super::purposes::functions;
use super::queues::OTHERS as QUEUES;
use super::second_factor::OTHERS as FACTORS;
use super::sessions::OTHERS as SESSIONS;
use super::work_of_a_team::OTHERS as WORK;
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::queues::NewQueue;
use crate::sealing::seal_json;
use crate::{
    Access, Assignee, ChangeConversation, ConversationChange, ConversationQuery, Correspondent, Fact, Filed,
    IncomingMail, Message, MessageContent, NewFile, Outgoing, Quarantine, Receive, RecipientRole,
    RemoteImage, ResolvedAccount, SealedEnvelope, StoreError, Tx, Write,
};

/// What each function shows: to who sees everything; who sees the queue Balie; who sees the account
/// info@; and of people, to who sees no names and addresses.
///
/// There are three cases: `ketel` and `pomp` lie in Balie and began through info@, `boiler` lies in
/// Winkel and began through shop@. The second mail of `pomp` came through shop@.
const SHOWS: &[(&str, [&str; 3], Of)] = &[
    ("account_for_delivery", ["info shop", "info shop", "info"], Of::Nobody),
    ("account_for_retrieval", ["info shop", "info shop", "info"], Of::Nobody),
    ("accounting", ["info:3/2 shop:5/4", "info:3/2 shop:5/4", "info:3/2"], Of::Nobody),
    ("activities", ["boiler:queue,Balie,Winkel ketel pomp", "ketel pomp", "ketel pomp"], Of::Nobody),
    ("authorisation_standings", ["info shop", "info shop", "info"], Of::Nobody),
    ("attachment", ["boiler ketel pomp pomp-2", "ketel pomp pomp-2", "ketel pomp"], Of::Nobody),
    ("channel_account", ["info shop", "info shop", "info"], Of::Nobody),
    ("channel_accounts", ["info shop", "info shop", "info"], Of::Nobody),
    (
        "contact",
        ["Els:0 Jan:1 Kees:1 Piet:1 Wim:0", "Els:0 Jan:1 Kees:1 Wim:0", "Els:0 Jan:1 Kees:1 Wim:0"],
        Of::People,
    ),
    ("conversation", ["boiler ketel pomp", "ketel pomp", "ketel pomp"], Of::People),
    ("conversation_counts", ["3", "2", "2"], Of::Nobody),
    ("conversations", ["boiler ketel pomp", "ketel pomp", "ketel pomp"], Of::People),
    ("conversations_by_id", ["boiler ketel pomp", "ketel pomp", "ketel pomp"], Of::People),
    (
        "dead_letters",
        ["boiler info ketel pomp pomp-2 shop", "info ketel pomp pomp-2 shop", "info ketel pomp"],
        Of::Nobody,
    ),
    ("default_queue", ["Balie", "Balie", "Balie"], Of::Nobody),
    (
        "events",
        ["boiler info ketel pomp pomp-2 shop", "info ketel pomp pomp-2 shop", "info ketel pomp"],
        Of::Nobody,
    ),
    ("held_tokens", ["info shop", "info shop", "info"], Of::Nobody),
    ("intake_source", ["info shop", "info shop", "info"], Of::Sources),
    (
        "list_contacts",
        ["Els:0 Jan:1 Kees:1 Piet:1 Wim:0", "Els:0 Jan:1 Kees:1 Wim:0", "Els:0 Jan:1 Kees:1 Wim:0"],
        Of::People,
    ),
    ("message", ["boiler ketel pomp pomp-2", "ketel pomp pomp-2", "ketel pomp"], Of::People),
    ("message_source", ["boiler ketel pomp pomp-2", "ketel pomp pomp-2", "ketel pomp"], Of::Sources),
    ("message_to_answer", ["boiler ketel pomp pomp-2", "ketel pomp pomp-2", "ketel pomp"], Of::Whole),
    ("messages", ["boiler ketel pomp pomp-2", "ketel pomp pomp-2", "ketel pomp"], Of::People),
    (
        "participants",
        ["boiler:2 ketel:2 pomp:2", "boiler:0 ketel:2 pomp:2", "boiler:0 ketel:2 pomp:2"],
        Of::People,
    ),
    ("provider", ["info shop", "info shop", "info"], Of::Nobody),
    ("quarantine", ["info shop", "info shop", "info"], Of::Nobody),
    ("queue_openings", ["Balie Winkel", "Balie", "Balie Winkel"], Of::Nobody),
    ("queue_set_up", ["Balie Winkel", "Balie", "Balie Winkel"], Of::Nobody),
    ("queues", ["Balie Winkel", "Balie", "Balie Winkel"], Of::Nobody),
    ("sent_mailbox", ["info shop", "info shop", "info"], Of::Nobody),
    ("signing_domains", ["info shop", "info shop", "info"], Of::Nobody),
    ("signing_key", ["bakker.example", "bakker.example", "bakker.example"], Of::Nobody),
    ("remote_images", ["boiler ketel pomp pomp-2", "ketel pomp pomp-2", "ketel pomp"], Of::Nobody),
    ("retrieval_standings", ["info shop", "info shop", "info"], Of::Nobody),
    ("retrieval_with_password", ["info shop", "info shop", "info"], Of::Nobody),
    (
        "reply_thread",
        ["boiler:shop ketel:info pomp:shop", "ketel:info pomp:shop", "ketel:info pomp:info"],
        Of::Nobody,
    ),
    ("search", ["boiler ketel pomp pomp-2", "ketel pomp pomp-2", "ketel pomp"], Of::People),
    ("suggest_contacts", ["Jan Kees Piet", "Jan Kees", "Jan Kees"], Of::Found),
    ("suggest_words", ["zonneboiler", "zonneboiler", ""], Of::Nobody),
    ("thread_of_number", ["boiler ketel pomp pomp-2", "ketel pomp pomp-2", "ketel pomp"], Of::Nobody),
    (
        "threads",
        ["boiler:1 ketel:1 pomp:2", "boiler:0 ketel:1 pomp:2", "boiler:0 ketel:1 pomp:1"],
        Of::Nobody,
    ),
];

/// What a function shows of people.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// Nothing.
    Nobody,
    /// Names and addresses, empty to who does not see those.
    People,
    /// The bytes of mails, which are not there for who does not see names and addresses.
    Sources,
    /// It finds people by names and addresses, and nobody for who does not see those.
    Found,
    /// Names and addresses, never shown to anybody.
    Whole,
}

/// What reads or writes for an access and shows nothing of a case: why it need not look at what is
/// visible.
const OTHERS: &[(&str, &str)] = &[
    ("add_contacts", "changes; whose an address is, is told as far as it is seen: new_contacts.rs"),
    ("api_keys", "settings of the tenant; names of programs are told with what they did"),
    ("change_channel_account", "changes; of an account that is seen"),
    ("change_contact", "changes; of a contact that is seen, below"),
    ("change_user", "changes; users are the tenant's"),
    ("chosen_recipients", "settings of the tenant: at whom it hands its mail in"),
    ("create_channel_account", "changes; into a queue that is seen"),
    ("export_ledger", "the ledger is whole or worthless; for its privacy officer"),
    ("file", "takes in"),
    ("file_at_door", "takes in"),
    ("file_copy", "takes in"),
    ("index", "an index is of all messages, and shows none"),
    ("may_upload", "how much room the one who asks has"),
    ("merge_index", "an index is of all messages, and shows none"),
    ("keys", "keys of the tenant, which show nothing"),
    ("ledger_page", "the ledger is whole or worthless; for its privacy officer"),
    ("note_retrieval", "takes in"),
    ("prepare_api_key", "changes; settings of the tenant"),
    ("receive_file", "takes in"),
    ("remove_channel_account", "changes; of an account that is seen"),
    ("revoke_api_key", "changes; settings of the tenant"),
    ("tenant", "the name of the tenant"),
    ("upkeep", "works on all of the tenant, and shows nothing"),
    ("upload", "stores a file that its uploader alone sees"),
    ("user", "users are the tenant's: who can be given a case is known to all who can give one"),
    ("users", "users are the tenant's: who can be given a case is known to all who can give one"),
    ("open_conversation", "changes; through an account into a queue that are seen: writing.rs"),
    ("write", "changes; below"),
    ("write_answered", "changes; as write"),
    ("write_marked", "changes; as write"),
    ("write_out", "changes; of a case that is seen, below"),
];

#[test]
fn every_function_that_takes_an_access_says_what_it_shows() {
    let others = [OTHERS, WORK, DRAFTS, MAIL, NEWS, QUEUES, FACTORS, FIELDS, SESSIONS].concat();
    let names = SHOWS.iter().map(|(name, ..)| *name).chain(others.iter().map(|(name, _)| *name));
    let told: BTreeSet<String> = names.map(str::to_owned).collect();
    assert_eq!(told.len(), SHOWS.len() + others.len(), "a function has two rows");
    let found = functions();
    assert!(found.contains("conversations") && found.len() > 50, "the source is read: {found:?}");
    assert_eq!(found.difference(&told).collect::<Vec<_>>(), Vec::<&String>::new(), "without a row");
    assert_eq!(told.difference(&found).collect::<Vec<_>>(), Vec::<&String>::new(), "rows of nothing");
}

struct SecondQueue(NewQueue, Timestamp);

impl Write for SecondQueue {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        self.0.insert(tx, self.1).await
    }
}

struct Dead {
    kind: &'static str,
    subject: Uuid,
    id: JobId,
}

impl Write for Dead {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute(
            sql!(
                "INSERT INTO job (tenant_id, id, kind, subject_id, state, run_at, attempts, fence, lease_until, \
                 error_code, created_at, changed_at) VALUES ($1, $2, $3, $4, 'dead', 1, 9, 0, NULL, NULL, 1, 1)"
            ),
            params![tenant, self.id, self.kind, self.subject],
        )
        .await
        .map(drop)
    }
}

/// A case without its contact's: the contact stays, without any.
struct Forget(ConversationId);

impl Write for Forget {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let case = self.0;
        for text in [
            sql!("DELETE FROM message WHERE tenant_id = $1 AND conversation_id = $2"),
            sql!("DELETE FROM event WHERE tenant_id = $1 AND conversation_id = $2"),
            sql!("DELETE FROM conversation WHERE tenant_id = $1 AND id = $2"),
        ] {
            tx.execute(text, params![tenant, case]).await?;
        }
        Ok(())
    }
}

pub(super) struct World {
    pub(super) house: House,
    pub(super) admin: Person,
    pub(super) accounts: BTreeMap<&'static str, ResolvedAccount>,
    pub(super) queues: BTreeMap<&'static str, QueueId>,
    pub(super) cases: BTreeMap<&'static str, ConversationId>,
    pub(super) messages: BTreeMap<&'static str, (MessageId, i64, AttachmentId)>,
    pub(super) contacts: BTreeMap<&'static str, ContactId>,
    pub(super) quarantined: BTreeMap<&'static str, IntakeId>,
}

const QUERY: ConversationQuery = ConversationQuery {
    status: None,
    assignee: Assignee::Any,
    queue: None,
    tag: None,
    contact: None,
    after: None,
    limit: 2,
};

impl World {
    pub(super) async fn new(house: House) -> Self {
        let admin = house.tenant("bakker").await;
        let (store, access) = (&house.store, &admin.access);
        let keys = store.keys(access).await.expect("keys");
        let (now, random) = (house.clock.now(), store.random());
        let winkel = QueueId::new(now, random.bytes());
        let name = |queue: QueueId, name: &str| {
            seal_json(&keys, random, columns::QUEUE_NAME, queue.uuid(), &name).expect("sealed")
        };
        let new =
            NewQueue { id: winkel, name: name(winkel, "Winkel"), key: keys.settings.id(), is_default: false };
        store.write(access, SecondQueue(new, now)).await.expect("a queue");
        let balie = store.default_queue(access).await.expect("a queue");
        let mut accounts = BTreeMap::new();
        for (name, queue) in [("info", balie), ("shop", balie)] {
            let address = format!("{name}@bakker.example");
            let retrieval = Some(read_at("mail.bakker.example", crate::PasswordChange::Keep));
            let authorisation = Some(provider("login.bakker.example"));
            let new = crate::NewChannelAccount {
                queue: Some(queue),
                retrieval,
                authorisation,
                ..mailbox(&address)
            };
            let access = access.as_for(Purpose::Administration);
            let added = store.create_channel_account(&access, None, new).await.expect("added").id;
            store.begin_authorisation(&access, added, request()).await.expect("begun");
            let tokens = Some(tokens("t", house.clock.now()));
            store.settle_authorisation(&access, added, tokens).await.expect("kept");
            let found = store.system().account_by_address(&email(&address)).await.expect("asked");
            accounts.insert(name, found.expect("an account"));
        }
        let mut world = Self {
            accounts,
            queues: BTreeMap::from([("Balie", balie), ("Winkel", winkel)]),
            cases: BTreeMap::new(),
            messages: BTreeMap::new(),
            contacts: BTreeMap::new(),
            quarantined: BTreeMap::new(),
            admin,
            house,
        };
        world.fill().await;
        world
    }

    async fn fill(&mut self) {
        self.mail("ketel", "info", "Jan", &[]).await;
        self.mail("boiler", "shop", "Piet", &[]).await;
        self.mail("pomp", "info", "Kees", &[]).await;
        // Three people used a word, and the cases of two of them will be gone.
        let mut gone = Vec::new();
        for name in ["Els", "Wim"] {
            gone.push((name, self.receive("zonneboiler", name, "shop", name, &[]).await.0));
        }
        self.mail("pomp-2", "shop", "Kees", &["pomp"]).await;
        for name in ["info", "shop"] {
            self.set_aside(name).await;
        }
        let (store, access, mut contacts) = (&self.house.store, &self.admin.access, BTreeMap::new());
        let change =
            ConversationChange { queue: Some(self.queues["Winkel"]), ..ConversationChange::default() };
        let change = ChangeConversation::prepare(store, access, self.cases["boiler"], change);
        store.write(access, change).await.expect("moved");
        store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
        store.suggest_words(access, "zonne", 9).await.expect("the lexicon is up to date");
        for (name, case) in gone {
            let contact = store.conversation(access, case).await.expect("a case").contact;
            store.write(access, Forget(case)).await.expect("forgotten");
            contacts.insert(name, contact);
        }
        for (name, case) in &self.cases {
            let known = store.conversation(access, *case).await.expect("a case");
            let of = match *name {
                "ketel" => "Jan",
                "boiler" => "Piet",
                _ => "Kees",
            };
            contacts.insert(of, known.contact);
        }
        let dead = |kind, subject| {
            let id = JobId::new(self.house.clock.now(), store.random().bytes());
            Dead { kind, subject, id }
        };
        for (message, ..) in self.messages.values() {
            store.write(access, dead("deliver", message.uuid())).await.expect("seeded");
        }
        for intake in self.quarantined.values() {
            store.write(access, dead("process_intake", intake.uuid())).await.expect("seeded");
        }
        store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
        self.contacts = contacts;
    }

    async fn job(&self, account: &ResolvedAccount) -> (Access, crate::ClaimedJob, crate::IntakeSource) {
        let (house, store) = (&self.house, &self.house.store);
        let access = Access::channel(account, RequestId(Uuid::nil()), house.clock.clone());
        let envelope = SealedEnvelope::default();
        let receive =
            Receive::prepare(store, &access, account, &envelope, b"raw", None).await.expect("sealed");
        let intake = receive.intake();
        store.write(&access, receive).await.expect("received");
        let jobs = store.system().claim_jobs(access.tenant(), 10, house.clock.now()).await.expect("claimed");
        let job = jobs.into_iter().find(|job| job.subject == intake.uuid()).expect("a job for it");
        let source = store.intake_source(&access, intake).await.expect("a source");
        (access, job, source)
    }

    async fn receive(
        &self,
        word: &str,
        name: &str,
        account: &str,
        from: &str,
        related: &[&str],
    ) -> (ConversationId, MessageId, i64) {
        let (access, job, source) = self.job(&self.accounts[account]).await;
        let content = says(from, name, &format!("{word} water"));
        let mail = IncomingMail {
            author: content.from.address.clone(),
            content,
            external_id: name.to_owned(),
            related: related.iter().map(|id| (*id).to_owned()).collect(),
            reply_thread: None,
            incoming: Incoming::Person,
            files: vec![NewFile {
                name: format!("{name}.txt"),
                media_type: "text/plain".to_owned(),
                content_id: None,
                inline: false,
                bytes: name.as_bytes().to_vec(),
            }],
            sent_at: None,
            report: None,
        };
        match self.house.store.file(&access, &job, &source, &mail).await.expect("filed") {
            Filed::Message { message, conversation, no, .. } => (conversation, message, no),
            other => panic!("{other:?}"),
        }
    }

    async fn mail(&mut self, name: &'static str, account: &str, from: &str, related: &[&str]) {
        let word = if account == "shop" { "zonneboiler" } else { "cvketel" };
        let (case, message, no) = self.receive(word, name, account, from, related).await;
        self.cases.entry(name.split('-').next().expect("a name")).or_insert(case);
        let stored = self.house.store.message(&self.admin.access, message).await.expect("a message");
        self.messages.insert(name, (message, no, stored.attachments[0].id));
        self.house.pass(1);
    }

    async fn set_aside(&mut self, account: &'static str) {
        let (access, job, source) = self.job(&self.accounts[account]).await;
        let (reason, now) = (QuarantineReason::NoSender, self.house.clock.now());
        let aside = Quarantine { job, intake: source.id, reason, signature: None, now };
        self.house.store.write(&access, aside).await.expect("set aside");
        self.quarantined.insert(account, source.id);
    }

    pub(super) fn narrowed(&self, visible: Visible) -> Access {
        let full = &self.admin.access;
        Access::for_test(
            full.tenant(),
            full.actor(),
            full.purpose(),
            full.request(),
            visible,
            self.house.clock.clone(),
        )
    }

    pub(super) fn balie(&self) -> Access {
        self.narrowed(Visible { queues: Subset::Only(vec![self.queues["Balie"]]), ..Visible::all() })
    }

    pub(super) fn info(&self) -> Access {
        self.narrowed(Visible { channels: Subset::Only(vec![self.accounts["info"].id]), ..Visible::all() })
    }

    pub(super) fn nameless(&self) -> Access {
        self.narrowed(Visible { fields: Subset::Only(Vec::new()), ..Visible::all() })
    }

    pub(super) fn answer(&self, case: &str, account: &str) -> Outgoing {
        let (store, to) = (&self.house.store, person("Jan", "jan@klant.example"));
        Outgoing {
            conversation: self.cases[case],
            kind: MessageKind::Reply,
            id: MessageId::new(self.house.clock.now(), store.random().bytes()),
            thread: None,
            account: Some(self.accounts[account].id),
            content: MessageContent {
                to: vec![to.clone()],
                text: "Wij komen.".to_owned(),
                ..MessageContent::default()
            },
            recipients: vec![(RecipientRole::To, to)],
            attachments: Vec::new(),
            how: crate::Handling::default(),
        }
    }

    fn account(&self, id: ChannelAccountId) -> String {
        let known = self.accounts.iter().find(|(_, account)| account.id == id);
        (*known.expect("one of ours").0).to_owned()
    }

    fn named(&self, id: Uuid) -> Option<String> {
        let message = self.messages.iter().find(|(_, (message, ..))| message.uuid() == id);
        let kept = self.quarantined.iter().find(|(_, intake)| intake.uuid() == id);
        message.map(|(name, _)| (*name).to_owned()).or_else(|| kept.map(|(name, _)| (*name).to_owned()))
    }
}

/// What a function showed: of cases, and of people.
#[derive(Default)]
struct Shown {
    what: Vec<String>,
    people: Vec<String>,
}

impl Shown {
    fn person(&mut self, person: &Correspondent) {
        self.people.extend([person.name.clone(), person.address.clone()]);
    }

    fn case(&mut self, case: &crate::Conversation) {
        self.what.push(case.summary.subject.clone());
        self.people.extend([case.summary.name.clone(), case.summary.address.clone()]);
    }

    fn message(&mut self, message: &Message) {
        self.what.push(message.content.subject.clone());
        self.person(&message.content.from);
        for person in &message.content.to {
            self.person(person);
        }
    }

    fn words(mut self) -> String {
        self.what.sort();
        self.what.dedup();
        self.what.join(" ")
    }
}

/// What it gives, or nothing when that does not exist.
fn there<T>(result: Result<T, StoreError>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(StoreError::NotFound) => None,
        Err(other) => panic!("{other}"),
    }
}

#[expect(clippy::too_many_lines, reason = "one arm for each function of the table")]
async fn ask(world: &World, access: &Access, function: &str) -> Shown {
    let store = &world.house.store;
    let (cases, messages) = (&world.cases, &world.messages);
    let mut shown = Shown::default();
    match function {
        "account_for_delivery" => {
            for account in world.accounts.values() {
                let found =
                    there(store.account_for_delivery(&access.as_for(Purpose::Delivery), account.id).await);
                shown.what.extend(found.map(|found| world.account(found.account.id)));
            }
        }
        "account_for_retrieval" | "retrieval_with_password" => {
            let (reads, tries) = (access.as_for(Purpose::Intake), access.as_for(Purpose::Administration));
            for account in world.accounts.values() {
                let read = there(store.account_for_retrieval(&reads, account.id).await).flatten().is_some();
                let tried = there(store.retrieval_with_password(&tries, account.id).await);
                let found = if function == "account_for_retrieval" { read } else { tried.is_some() };
                shown.what.extend(found.then(|| world.account(account.id)));
            }
        }
        "retrieval_standings" => {
            let found = store.retrieval_standings(access).await.expect("standings");
            shown.what.extend(found.keys().map(|id| world.account(*id)));
            shown.what.sort_unstable();
        }
        "signing_domains" => {
            let found = store.signing_domains(access).await.expect("domains");
            let accounts = found.iter().flat_map(|domain| &domain.accounts);
            shown.what.extend(accounts.map(|id| world.account(*id)));
            shown.what.sort_unstable();
        }
        "signing_key" => {
            let full = world.admin.access.as_for(Purpose::Administration);
            let domains = store.signing_domains(&full).await.expect("domains");
            let id = match domains[0].keys.first() {
                Some(key) => key.id,
                None => store.create_signing_key(&full, None, "bakker.example").await.expect("made").id,
            };
            shown.what.extend(there(store.signing_key(access, id).await).map(|key| key.domain));
        }
        "authorisation_standings" => {
            let found = store.authorisation_standings(access).await.expect("standings");
            shown.what.extend(found.keys().map(|id| world.account(*id)));
            shown.what.sort_unstable();
        }
        "held_tokens" | "provider" | "sent_mailbox" => {
            let access = &access.as_for(Purpose::Delivery);
            for (name, account) in &world.accounts {
                let found = match function {
                    "provider" => there(store.provider(access, account.id).await).flatten().map(drop),
                    "sent_mailbox" => there(store.sent_mailbox(access, account.id).await).flatten().map(drop),
                    _ => there(store.held_tokens(access, account.id).await).flatten().map(drop),
                };
                shown.what.extend(found.map(|()| (*name).to_owned()));
            }
        }
        "accounting" => {
            for (name, account) in &world.accounts {
                let found = there(store.accounting(access, account.id).await);
                shown.what.extend(found.map(|sum| format!("{name}:{}/{}", sum.received, sum.imported)));
            }
        }
        "activities" => {
            for (name, case) in cases {
                let Some(found) = there(store.activities(access, *case).await) else { continue };
                let queue = |id: &Option<String>| {
                    let known = |known: &&(&&str, &QueueId)| Some(known.1.to_string()) == *id;
                    let queues: Vec<_> = world.queues.iter().collect();
                    queues.iter().find(known).map_or("-", |(name, _)| **name).to_owned()
                };
                let told =
                    found.iter().map(|one| format!(":{},{},{}", one.kind, queue(&one.from), queue(&one.to)));
                shown.what.push(format!("{name}{}", told.collect::<String>()));
            }
        }
        "attachment" => {
            for (_, _, id) in messages.values() {
                let found = there(store.attachment(access, *id).await);
                shown.what.extend(found.map(|file| file.attachment.name.replace(".txt", "")));
            }
        }
        "channel_account" => {
            for account in world.accounts.values() {
                let found = there(store.channel_account(access, account.id).await);
                shown.what.extend(found.map(|found| world.account(found.id)));
            }
        }
        "channel_accounts" => {
            let found = store.channel_accounts(access).await.expect("accounts");
            shown.what.extend(found.iter().map(|account| world.account(account.id)));
        }
        "contact" => {
            for (name, id) in &world.contacts {
                let Some(found) = there(store.contact(access, *id).await) else { continue };
                shown.what.push(format!("{name}:{}", found.conversations));
                shown.people.push(found.profile.name);
                shown.people.extend(found.identities.into_iter().map(|one| one.value.into_inner()));
            }
        }
        "list_contacts" => {
            for one in listed_in_every_order(store, access).await {
                let known = world.contacts.iter().find(|(_, id)| **id == one.id).expect("ours");
                shown.what.push(format!("{}:{}", known.0, one.conversations));
                shown.people.push(one.name.into_inner());
                shown.people.extend(one.addresses.into_iter().map(Pii::into_inner));
            }
        }
        "conversation" => {
            for case in cases.values() {
                if let Some(found) = there(store.conversation(access, *case).await) {
                    shown.case(&found);
                }
            }
        }
        "conversation_counts" => {
            shown.what.push(store.conversation_counts(access).await.expect("counts").open.to_string());
        }
        "conversations" => {
            // Page by page: what is hidden makes no page shorter and no list end early.
            let mut after = None;
            loop {
                let page = store.conversations(access, ConversationQuery { after, ..QUERY }).await;
                let page = page.expect("a page");
                page.iter().for_each(|case| shown.case(case));
                let Some(last) = page.get(1) else { break };
                after = Some((last.placed_at, last.id));
            }
        }
        "conversations_by_id" => {
            let ids: Vec<_> = cases.values().copied().collect();
            let found = store.conversations_by_id(access, &ids).await.expect("cases");
            found.iter().for_each(|case| shown.case(case));
        }
        "dead_letters" => {
            let found = store.dead_letters(access).await.expect("letters");
            shown.what.extend(found.iter().filter_map(|letter| world.named(letter.subject)));
        }
        "default_queue" => {
            let found = store.default_queue(access).await.expect("a queue");
            assert_eq!(found, world.queues["Balie"]);
            shown.what.push("Balie".to_owned());
        }
        "events" => {
            let found = store.events(access, 0, 99).await.expect("events");
            for fact in found.items {
                let Fact::Seen(event) = fact else { continue };
                let kept = event.account.filter(|_| event.kind.as_str() == "quarantine_changed");
                shown.what.extend(kept.map(|account| world.account(account)));
                let known = cases.iter().find(|(_, case)| event.conversation == Some(**case));
                shown.what.extend(known.map(|(name, _)| (*name).to_owned()));
                shown.what.extend(event.message.and_then(|message| world.named(message.uuid())));
            }
        }
        "intake_source" => {
            for id in world.quarantined.values() {
                let found = there(store.intake_source(access, *id).await);
                shown.what.extend(found.map(|source| world.account(source.account)));
            }
        }
        "message" | "message_to_answer" => {
            for (id, ..) in messages.values() {
                let found = match function {
                    "message" => store.message(access, *id).await,
                    _ => store.message_to_answer(access, *id).await,
                };
                if let Some(found) = there(found) {
                    shown.message(&found);
                }
            }
        }
        "message_source" => {
            for (name, (id, ..)) in messages {
                let found = there(store.message_source(access, *id).await);
                shown.what.extend(found.map(|raw| {
                    assert_eq!(raw, b"raw");
                    (*name).to_owned()
                }));
            }
        }
        "remote_images" => {
            for (name, (id, ..)) in messages {
                let image = RemoteImage { place: 0, bytes: b"dots".to_vec() };
                store.keep_remote_images(&world.admin.access, *id, &[image]).await.expect("kept");
                let found = there(store.remote_images(access, *id).await).into_iter().flatten();
                shown.what.extend(found.map(|image| {
                    assert_eq!(image.bytes, b"dots");
                    (*name).to_owned()
                }));
            }
        }
        "messages" => {
            for case in cases.values() {
                let found = store.messages(access, *case, None, 10).await.expect("messages");
                found.iter().for_each(|message| shown.message(message));
            }
        }
        "participants" => {
            for (name, case) in cases {
                let found = store.participants(access, *case).await.expect("people");
                shown.what.push(format!("{name}:{}", found.len()));
                found.iter().for_each(|person| shown.person(person));
            }
        }
        "quarantine" => {
            let found = store.quarantine(access, None, None, 9).await.expect("a page");
            shown.what.extend(found.iter().map(|mail| world.account(mail.account)));
        }
        "queues" | "queue_openings" | "queue_set_up" => {
            shown.what = super::queues::shown(world, access, function).await;
        }
        "reply_thread" => {
            for (name, case) in cases {
                let found = store.reply_thread(access, *case).await.expect("asked");
                shown.what.extend(found.map(|thread| format!("{name}:{}", world.account(thread.account))));
            }
        }
        "search" => {
            let found = store.search(access, "water ", None, 9).await.expect("hits");
            assert_eq!((found.lag, found.next), (0, None));
            for hit in &found.items {
                shown.message(&hit.message);
                let summary = &hit.conversation.summary;
                shown.people.extend([summary.name.clone(), summary.address.clone()]);
            }
        }
        "suggest_contacts" => {
            for prefix in ["jan", "piet", "kees"] {
                let found = store.suggest_contacts(access, prefix, 9).await.expect("people");
                for one in found {
                    let known = world.contacts.iter().find(|(_, id)| **id == one.id).expect("ours");
                    shown.what.push((*known.0).to_owned());
                    shown.people.extend([one.name, one.address]);
                }
            }
        }
        "suggest_words" => {
            shown.what = store.suggest_words(access, "zonne", 9).await.expect("words");
        }
        "thread_of_number" => {
            for (name, (_, no, _)) in messages {
                let found =
                    store.thread_of_number(&access.as_for(Purpose::Intake), *no).await.expect("asked");
                shown.what.extend(found.map(|_| (*name).to_owned()));
            }
        }
        "threads" => {
            for (name, case) in cases {
                let found = store.threads(access, *case).await.expect("threads");
                shown.what.push(format!("{name}:{}", found.len()));
            }
        }
        other => panic!("nothing says how to ask {other}"),
    }
    shown
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_access_does_not_see_is_in_nothing_that_it_reads() {
    for house in houses().await {
        let world = World::new(house).await;
        let (engine, full) = (world.house.name(), &world.admin.access);
        let mut wrong = Vec::new();
        for (function, expected, of) in SHOWS {
            for (who, access, expected) in [
                ("all", full, expected[0]),
                ("balie", &world.balie(), expected[1]),
                ("info", &world.info(), expected[2]),
            ] {
                let told = ask(&world, access, function).await.words();
                if told != expected {
                    wrong.push(format!("{engine}: {function} to {who}: {told:?} instead of {expected:?}"));
                }
            }
            let (whole, masked) =
                (ask(&world, full, function).await, ask(&world, &world.nameless(), function).await);
            let people = |shown: &Shown| shown.people.iter().any(|text| !text.is_empty());
            let good = match of {
                Of::Nobody => whole.what == masked.what && whole.people.is_empty(),
                Of::People if *function == "participants" => people(&whole) && masked.people.is_empty(),
                Of::People => people(&whole) && !people(&masked) && whole.what == masked.what,
                Of::Sources | Of::Found => !whole.what.is_empty() && masked.what.is_empty(),
                Of::Whole => whole.people == masked.people && people(&whole),
            };
            if !good {
                wrong.push(format!(
                    "{engine}: {function} shows people: {:?} {:?}",
                    masked.what, masked.people
                ));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        world.house.close().await;
    }
}
