// SPDX-License-Identifier: EUPL-1.2
//! The tenant's own fields: who reads and writes them, what becomes of values when their field changes, and data that
//! nobody keeps without having signed for it.

use belofte_model::{
    Audience, ContactId, ConversationId, Duration, FieldFault, FieldId, FieldKind, FieldOption,
    FieldOverride, FieldSettings, FieldValue, GivenValue, JobKind, Language, LedgerKind, MOST_FIELDS,
    OwnWords, Purpose, QueueId, RecordKind, Role, Sensitivity, Timestamp, ValueFault,
};
use uuid::Uuid;

use super::desk::{Desk, again, says};
use super::house::{House, houses};
use super::queues::make;
use super::visible::World;
use crate::engine::{params, sql};
use crate::{
    Access, ClaimedJob, FieldChange, FieldError, Read, RecordId, StoreError, Tx, ValueChange, ValueError,
    Write,
};

/// Why what is done to fields need not look at what is visible.
pub(super) const OTHERS: &[(&str, &str)] = &[
    ("change_field", "changes; fields are the tenant's"),
    ("change_fields_of", "changes; of a record that is seen, below"),
    ("create_field", "changes; fields are the tenant's"),
    ("field_set_up", "fields are the tenant's"),
    ("field_set_ups", "fields are the tenant's"),
    ("fields", "fields are the tenant's; those that who asks reads"),
    ("fields_of", "of a record that is seen, below"),
    ("order_fields", "changes; the order of all fields, which shows none"),
    ("preview_kind", "counts; what stands in a field only to who sees every case, below"),
    ("remove_field", "changes; fields are the tenant's"),
];

fn words(nl: &str) -> OwnWords {
    OwnWords { nl: nl.to_owned(), en: String::new() }
}

pub(super) fn settings(label: &str, kind: FieldKind) -> FieldSettings {
    FieldSettings {
        kind,
        label: words(label),
        help: OwnWords::default(),
        purpose: "Terugvinden".to_owned(),
        sensitivity: Sensitivity::Ordinary,
        signed: None,
        options: Vec::new(),
        next_option: 1,
        rules: belofte_model::FieldRules::default(),
        required: false,
        default: None,
        queues: Vec::new(),
        readers: Audience::ALL.to_vec(),
        writers: Audience::ALL.to_vec(),
    }
}

fn text(text: &str) -> Option<GivenValue> {
    Some(GivenValue::Text(text.to_owned()))
}

fn set(field: FieldId, value: Option<GivenValue>) -> Vec<ValueChange> {
    vec![ValueChange { field, field_version: None, version: None, value }]
}

/// A tenant with a case and the person of it.
struct Scene {
    desk: Desk,
    /// The admin who sets up, …
    admin: Access,
    /// … and works on cases.
    at_work: Access,
    case: ConversationId,
    contact: ContactId,
}

impl Scene {
    async fn new(house: &House) -> Self {
        let desk = Desk::new(house).await;
        let admin = desk.admin.access.as_for(Purpose::Administration);
        let at_work = desk.admin.access.clone();
        let case =
            desk.file(house, says("Els", "Brood", "Vraag"), "<1@klant.example>", &[]).await.conversation;
        let contact = house.store.conversation(&at_work, case).await.expect("a case").contact;
        Self { desk, admin, at_work, case, contact }
    }

    async fn other_contact(&self, house: &House) -> ContactId {
        let case =
            self.desk.file(house, says("Jan", "Kaas", "Vraag"), "<2@klant.example>", &[]).await.conversation;
        house.store.conversation(&self.at_work, case).await.expect("a case").contact
    }

    async fn make(&self, house: &House, record: RecordKind, settings: FieldSettings) -> FieldId {
        house.store.create_field(&self.admin, None, record, settings).await.expect("made").id
    }

    async fn put(&self, house: &House, field: FieldId, value: Option<GivenValue>) {
        let id = RecordId::Contact(self.contact);
        house.store.change_fields_of(&self.at_work, id, set(field, value)).await.expect("changed");
    }

    /// What stands in a field of the person: the value, and what was given before.
    async fn stands(
        &self,
        house: &House,
        field: FieldId,
    ) -> Option<(Option<FieldValue>, Option<FieldValue>)> {
        let id = RecordId::Contact(self.contact);
        let all = house.store.fields_of(&self.at_work, id).await.expect("fields");
        all.into_iter().find(|one| one.field.id == field).map(|one| (one.value, one.was))
    }

    async fn change(&self, house: &House, field: FieldId, change: FieldChange) -> Result<(), FieldError> {
        house.store.change_field(&self.admin, field, change).await.map(drop)
    }

    async fn set_up(&self, house: &House, field: FieldId, settings: FieldSettings) -> Result<(), FieldError> {
        self.change(house, field, FieldChange { settings: Some(settings), ..FieldChange::default() }).await
    }

    /// Claims what removes fields and is due.
    async fn due(&self, house: &House) -> Vec<ClaimedJob> {
        let jobs = house.store.system().claim_jobs(self.admin.tenant(), 20, house.clock.now()).await;
        jobs.expect("claimed").into_iter().filter(|job| job.kind == JobKind::RemoveField).collect()
    }
}

fn faults(refused: Result<impl std::fmt::Debug, FieldError>) -> Vec<(String, FieldFault)> {
    match refused {
        Err(FieldError::Settings(faults)) => faults,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_defines_its_fields_and_says_who_reads_and_writes_them() {
    for house in houses().await {
        let scene = Scene::new(&house).await;
        let (store, admin) = (&house.store, &scene.admin);
        let number = scene.make(&house, RecordKind::Contact, settings("Klantnummer", FieldKind::Text)).await;
        let secret = FieldSettings {
            readers: vec![Audience::Admin, Audience::Agent],
            writers: vec![Audience::Admin],
            ..settings("Kredietruimte", FieldKind::Decimal)
        };
        let secret = scene.make(&house, RecordKind::Contact, secret).await;
        let of_case = scene.make(&house, RecordKind::Conversation, settings("Order", FieldKind::Text)).await;
        let taken =
            store.create_field(admin, None, RecordKind::Contact, settings("klantnummer", FieldKind::Date));
        assert_eq!(faults(taken.await), [("label.nl".to_owned(), FieldFault::Taken)], "{}", house.name());
        // On the other kind of record it is another one.
        scene.make(&house, RecordKind::Conversation, settings("Klantnummer", FieldKind::Text)).await;

        let read = async |access: &Access| {
            let all = store.fields_of(access, RecordId::Contact(scene.contact)).await.expect("fields");
            all.into_iter().map(|one| one.field.settings.label.nl).collect::<Vec<_>>()
        };
        assert_eq!(read(&scene.at_work).await, ["Klantnummer", "Kredietruimte"], "{}", house.name());
        for (audience, reads, writes) in [
            (Audience::Agent, &["Klantnummer", "Kredietruimte"][..], false),
            (Audience::Supervisor, &["Klantnummer"], false),
            (Audience::Program, &["Klantnummer"], false),
            (Audience::Admin, &["Klantnummer", "Kredietruimte"], true),
        ] {
            let access = scene.at_work.reading_as(audience);
            assert_eq!(read(&access).await, reads, "{audience:?} {}", house.name());
            let written = store
                .change_fields_of(&access, RecordId::Contact(scene.contact), set(secret, text("12.50")))
                .await;
            assert_eq!(written.is_ok(), writes, "{audience:?} {written:?} {}", house.name());
        }
        // Whoever is nobody's reader, such as a job, has none.
        let nobody = super::access(scene.admin.tenant()).as_for(Purpose::Service);
        assert!(store.fields(&nobody).await.expect("none").is_empty(), "{}", house.name());

        store.order_fields(admin, RecordKind::Contact, vec![secret, number]).await.expect("in order");
        assert_eq!(read(&scene.at_work).await, ["Kredietruimte", "Klantnummer"], "{}", house.name());
        for wrong in [vec![secret], vec![secret, secret], vec![secret, number, of_case]] {
            let refused = store.order_fields(admin, RecordKind::Contact, wrong).await;
            assert!(matches!(refused, Err(FieldError::NotAll)), "{refused:?} {}", house.name());
        }
        let archived = FieldChange { archived: Some(true), version: Some(1), ..FieldChange::default() };
        scene.change(&house, secret, archived.clone()).await.expect("archived");
        let late = scene.change(&house, secret, archived).await;
        assert!(matches!(late, Err(FieldError::Store(StoreError::Conflict))), "{late:?}");
        assert_eq!(read(&scene.at_work).await, ["Klantnummer"], "{}", house.name());
        let back = FieldChange { archived: Some(false), ..FieldChange::default() };
        scene.change(&house, secret, back).await.expect("in use");
        let kept = scene.stands(&house, secret).await.expect("a field").0;
        assert_eq!(kept.map(|value| value.given()), text("12.5"), "{}", house.name());

        let stranger = house.tenant("slager").await.access.as_for(Purpose::Administration);
        let refused = store.order_fields(&stranger, RecordKind::Contact, vec![secret, number]).await;
        assert!(matches!(refused, Err(FieldError::Store(StoreError::NotFound))), "{}", house.name());
        assert!(store.field_set_ups(&stranger).await.expect("none").is_empty(), "{}", house.name());
        let refused = store.change_field(&stranger, number, FieldChange::default()).await;
        assert!(matches!(refused, Err(FieldError::Store(StoreError::NotFound))), "{}", house.name());
        let elsewhere = stranger.as_for(Purpose::Service);
        let theirs = store.fields_of(&elsewhere, RecordId::Contact(scene.contact)).await;
        assert!(matches!(theirs, Err(StoreError::NotFound)), "{}", house.name());
        let leaves = house.leaves(admin, LedgerKind::Instruction).await;
        let told = leaves.iter().filter(|leaf| leaf.detail.value()["what"] == "field").count();
        assert_eq!(told, 4 + 1 + 2, "one for each change that was done, {}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_stands_on_the_forms_of_queues_in_use_and_there_are_so_many_fields() {
    for house in houses().await {
        let scene = Scene::new(&house).await;
        let (store, admin) = (&house.store, &scene.admin);
        let shut = make(&house, admin, "Oud").await;
        let of = |queue| FieldSettings { queues: vec![queue], ..settings("Order", FieldKind::Text) };
        let field = scene.make(&house, RecordKind::Conversation, of(shut)).await;
        store.archive_queue(admin, shut, None).await.expect("archived");
        // What was archived since may stay, and does not come in.
        scene.set_up(&house, field, of(shut)).await.expect("stays");
        let theirs = store.default_queue(&house.tenant("slager").await.access).await.expect("a queue");
        for wrong in [shut, theirs, QueueId(Uuid::nil())] {
            let other = FieldSettings { label: words("Andere"), ..of(wrong) };
            let refused = store.create_field(admin, None, RecordKind::Conversation, other).await;
            assert!(matches!(refused, Err(FieldError::NoSuchQueue)), "{}", house.name());
        }
        for no in 1..MOST_FIELDS {
            let named = settings(&format!("Veld {no}"), FieldKind::Text);
            scene.make(&house, RecordKind::Conversation, named).await;
        }
        let more =
            store.create_field(admin, None, RecordKind::Conversation, settings("Te veel", FieldKind::Text));
        assert!(matches!(more.await, Err(FieldError::TooMany)), "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_are_changed_all_or_none_and_nobody_overwrites_unseen() {
    for house in houses().await {
        let scene = Scene::new(&house).await;
        let (store, access) = (&house.store, &scene.at_work);
        for (record, id) in [
            (RecordKind::Contact, RecordId::Contact(scene.contact)),
            (RecordKind::Conversation, RecordId::Conversation(scene.case)),
        ] {
            let first = scene.make(&house, record, settings("Een", FieldKind::Text)).await;
            let must = FieldSettings { required: true, ..settings("Twee", FieldKind::Integer) };
            let must = scene.make(&house, record, must).await;
            let version = async |field: FieldId| {
                let all = store.fields_of(access, id).await.expect("fields");
                all.iter().find(|one| one.field.id == field).expect("a field").version
            };
            let change = |field, version, value| ValueChange {
                field,
                field_version: None,
                version: Some(version),
                value,
            };
            assert_eq!(version(first).await, 0);
            let both = vec![change(must, 0, Some(GivenValue::Number(7))), change(first, 0, text("een"))];
            store.change_fields_of(access, id, both.clone()).await.expect("changed");
            let late = store.change_fields_of(access, id, both).await;
            assert!(matches!(late, Err(ValueError::Changed(_))), "{late:?} {}", house.name());
            // One that does not hold keeps the other from changing.
            let wrong = vec![change(first, version(first).await, text("twee")), change(must, 1, None)];
            let refused = store.change_fields_of(access, id, wrong).await;
            assert!(matches!(refused, Err(ValueError::Required(field)) if field == must), "{refused:?}");
            let wrong = vec![change(first, version(first).await, text("twee")), change(must, 1, text("7"))];
            let refused = store.change_fields_of(access, id, wrong).await;
            assert!(matches!(refused, Err(ValueError::Value(_, ValueFault::Invalid))), "{refused:?}");
            let stale = vec![
                change(first, version(first).await, text("twee")),
                change(must, 1, Some(GivenValue::Number(8))),
            ];
            let refused = store.change_fields_of(access, id, stale).await;
            assert!(matches!(refused, Err(ValueError::Changed(field)) if field == must), "{refused:?}");
            let stands = async || {
                let all = store.fields_of(access, id).await.expect("fields");
                all.into_iter().find(|one| one.field.id == first).expect("a field").value
            };
            assert_eq!(stands().await, Some(FieldValue::Text("een".to_owned())), "{}", house.name());
            // What was emptied and filled again is not what it was.
            let before = version(first).await;
            store.change_fields_of(access, id, set(first, None)).await.expect("empty");
            assert_eq!((stands().await, version(first).await), (None, 0), "{}", house.name());
            store.change_fields_of(access, id, set(first, text("een"))).await.expect("filled");
            assert!(version(first).await > 0 && before > 0);
            let refused = store.change_fields_of(access, id, vec![change(first, before, None)]).await;
            if house.clock.now() > Timestamp::from_micros(before) {
                assert!(matches!(refused, Err(ValueError::Changed(_))), "{refused:?} {}", house.name());
            }
            let twice = [set(first, text("a")), set(first, text("b"))].concat();
            let refused = store.change_fields_of(access, id, twice).await;
            assert!(matches!(refused, Err(ValueError::Value(..))), "{refused:?}");
            // A field of the other kind of record is none of this one.
            let other =
                scene.make(&house, RecordKind::ALL[1 - usize::from(record == RecordKind::Conversation)], {
                    settings(&format!("Van {record:?}"), FieldKind::Text)
                });
            let other = other.await;
            let on_both = store.field_set_up(&scene.admin, other).await.expect("a field").record != record;
            let refused = store.change_fields_of(access, id, set(other, text("a"))).await;
            assert_eq!(matches!(refused, Err(ValueError::NoSuchField(_))), on_both, "{refused:?}");
        }
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_gets_another_kind_and_nothing_that_stands_in_it_is_lost() {
    for house in houses().await {
        let scene = Scene::new(&house).await;
        let (store, other) = (&house.store, scene.other_contact(&house).await);
        let field = scene.make(&house, RecordKind::Contact, settings("Aantal", FieldKind::Text)).await;
        scene.put(&house, field, text("12")).await;
        let words_of = RecordId::Contact(other);
        store
            .change_fields_of(&scene.at_work, words_of, set(field, text("een paar")))
            .await
            .expect("changed");
        let preview = store
            .preview_kind(&scene.admin, field, (FieldKind::Integer, &[]), Language::Nl)
            .await
            .expect("a preview");
        assert_eq!((preview.values, preview.looked_at, preview.convert), (2, 2, 1), "{}", house.name());
        assert_eq!(preview.stay, ["een paar"], "{}", house.name());
        // Not to who does not read it, and not of whom to who sees some cases alone.
        let blind = super::access(scene.admin.tenant()).as_for(Purpose::Administration);
        let refused = store.preview_kind(&blind, field, (FieldKind::Integer, &[]), Language::Nl).await;
        assert!(matches!(refused, Err(FieldError::Store(StoreError::NotFound))), "{}", house.name());

        let number = FieldSettings { kind: FieldKind::Integer, ..settings("Aantal", FieldKind::Text) };
        scene.set_up(&house, field, number.clone()).await.expect("of another kind");
        assert_eq!(scene.stands(&house, field).await, Some((Some(FieldValue::Integer(12)), None)));
        let all = store.fields_of(&scene.at_work, words_of).await.expect("fields");
        let was = Some(FieldValue::Text("een paar".to_owned()));
        assert_eq!((all[0].value.clone(), all[0].was.clone()), (None, was.clone()), "{}", house.name());
        // Back again it is what it was.
        scene.set_up(&house, field, settings("Aantal", FieldKind::Text)).await.expect("as before");
        let all = store.fields_of(&scene.at_work, words_of).await.expect("fields");
        assert_eq!((all[0].value.clone(), all[0].was.clone()), (was, None), "{}", house.name());

        // The words of options come back as options, and what they were called is remembered.
        let option = |no, label: &str| FieldOption {
            no,
            label: words(label),
            within: None,
            archived: false,
            former: Vec::new(),
        };
        let choice = FieldSettings {
            kind: FieldKind::Choice,
            options: vec![option(1, "Een paar"), option(2, "12")],
            ..settings("Aantal", FieldKind::Text)
        };
        scene.set_up(&house, field, choice.clone()).await.expect("a choice");
        assert_eq!(scene.stands(&house, field).await, Some((Some(FieldValue::Choice(2)), None)));
        scene.put(&house, field, Some(GivenValue::Number(1))).await;
        let less = FieldSettings { options: vec![option(2, "12")], ..choice.clone() };
        let told = faults(scene.set_up(&house, field, less).await);
        assert_eq!(
            told,
            [("options".to_owned(), FieldFault::Required)],
            "an option is archived, not taken away"
        );
        let text_again = FieldSettings { kind: FieldKind::Text, ..choice };
        scene.set_up(&house, field, text_again).await.expect("text");
        let kept = scene.stands(&house, field).await;
        assert_eq!(kept, Some((Some(FieldValue::Text("Een paar".to_owned())), None)), "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_data_is_kept_and_read_as_long_as_somebody_signed_for_it() {
    for house in houses().await {
        let scene = Scene::new(&house).await;
        let day = Duration::from_secs(24 * 3_600);
        let store = &house.store;
        for sensitivity in Sensitivity::ALL.iter().copied().filter(|one| one.is_refused()) {
            let label = sensitivity.as_str();
            let refused = FieldSettings { sensitivity, ..settings(label, FieldKind::Text) };
            let made = store.create_field(&scene.admin, None, RecordKind::Contact, refused.clone()).await;
            assert_eq!(faults(made), [("override".to_owned(), FieldFault::Required)], "{label}");
            let until = |ends_at: Timestamp| FieldSettings {
                signed: Some(FieldOverride {
                    // What the caller says of these two does not count.
                    sensitivity: Sensitivity::Ordinary,
                    kind: FieldKind::Boolean,
                    legal_basis: "Uitdrukkelijke toestemming".to_owned(),
                    purpose: "Hulp ter plaatse".to_owned(),
                    ends_at,
                    signed_at: Timestamp::from_secs(0),
                }),
                ..refused.clone()
            };
            let now = house.clock.now();
            for wrong in [now, now + Duration::from_secs(367 * 24 * 3_600)] {
                let made = store.create_field(&scene.admin, None, RecordKind::Contact, until(wrong)).await;
                assert!(
                    faults(made).contains(&("override.ends_at".to_owned(), FieldFault::OutOfRange)),
                    "{label}"
                );
            }
            let field = scene.make(&house, RecordKind::Contact, until(now + day)).await;
            let set_up = store.field_set_up(&scene.admin, field).await.expect("a field").settings;
            let signed = set_up.signed.clone().expect("signed");
            assert_eq!(
                (signed.sensitivity, signed.kind, signed.signed_at),
                (sensitivity, FieldKind::Text, now)
            );
            let entry =
                house.leaves(&scene.admin, LedgerKind::Instruction).await.pop().expect("an instruction");
            let told = &entry.detail.value()["after"]["settings"]["signed"];
            assert_eq!(told["legal_basis"], "Uitdrukkelijke toestemming", "{told}");

            scene.put(&house, field, text("gevoelig")).await;
            // With what stands in it, it cannot become data like any other.
            let plain = FieldSettings { sensitivity: Sensitivity::Ordinary, signed: None, ..set_up.clone() };
            let freed = scene.set_up(&house, field, plain.clone()).await;
            assert!(matches!(freed, Err(FieldError::HoldsRefused)), "{freed:?} {}", house.name());
            // Nor other data, or of another form, than was signed for.
            let longer = FieldSettings { kind: FieldKind::LongText, ..set_up.clone() };
            assert_eq!(
                faults(scene.set_up(&house, field, longer).await),
                [("override".to_owned(), FieldFault::Required)]
            );
            // Another label needs no other signature, and moves nothing of this one.
            let renamed = FieldSettings { label: words(&format!("{label} 2")), ..set_up.clone() };
            scene.set_up(&house, field, renamed).await.expect("renamed");
            house.clock.advance(day);
            assert_eq!(scene.stands(&house, field).await, None, "it has lapsed, {}", house.name());
            let id = RecordId::Contact(scene.contact);
            let written = store.change_fields_of(&scene.at_work, id, set(field, text("meer"))).await;
            assert!(matches!(written, Err(ValueError::NoSuchField(_))), "{written:?} {}", house.name());
            let shown =
                store.preview_kind(&scene.admin, field, (FieldKind::LongText, &[]), Language::Nl).await;
            assert!(matches!(shown, Err(FieldError::Store(StoreError::NotFound))), "{}", house.name());
            let freed = scene.set_up(&house, field, plain.clone()).await;
            assert!(matches!(freed, Err(FieldError::HoldsRefused)), "{freed:?} {}", house.name());
            // Signed again it is read again.
            scene.set_up(&house, field, until(house.clock.now() + day)).await.expect("signed again");
            let stands = scene.stands(&house, field).await;
            assert_eq!(
                stands,
                Some((Some(FieldValue::Text("gevoelig".to_owned())), None)),
                "{}",
                house.name()
            );
            scene.put(&house, field, None).await;
            scene.set_up(&house, field, plain).await.expect("empty, it can");
        }
        house.close().await;
    }
}

struct Count;

impl Read for Count {
    type Out = (i64, i64, i64);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let mut counts = [0; 3];
        for (place, text) in [
            sql!("SELECT CAST(count(*) AS bigint) FROM field WHERE tenant_id = $1"),
            sql!("SELECT CAST(count(*) AS bigint) FROM contact_field_value WHERE tenant_id = $1"),
            sql!("SELECT CAST(count(*) AS bigint) FROM conversation_field_value WHERE tenant_id = $1"),
        ]
        .into_iter()
        .enumerate()
        {
            counts[place] = tx.query_one(text, params![tenant], |row| row.int(0)).await?;
        }
        Ok((counts[0], counts[1], counts[2]))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_field_is_gone_at_once_and_so_is_in_the_end_what_stood_in_it() {
    for house in houses().await {
        let scene = Scene::new(&house).await;
        let store = &house.store;
        let field = scene.make(&house, RecordKind::Contact, settings("Weg", FieldKind::Text)).await;
        let stays = scene.make(&house, RecordKind::Contact, settings("Blijft", FieldKind::Text)).await;
        scene.put(&house, field, text("weg")).await;
        scene.put(&house, stays, text("blijft")).await;
        let refused = store.remove_field(&scene.admin, field).await;
        assert!(matches!(refused, Err(FieldError::NotArchived)), "{}", house.name());
        let archive = FieldChange { archived: Some(true), ..FieldChange::default() };
        scene.change(&house, field, archive).await.expect("archived");
        store.remove_field(&scene.admin, field).await.expect("removed");
        let gone = store.field_set_up(&scene.admin, field).await;
        assert!(matches!(gone, Err(StoreError::NotFound)), "{}", house.name());
        assert_eq!(store.read(&scene.admin, Count).await.expect("counted"), (2, 2, 0), "{}", house.name());
        // Who began dies; who comes after finds the rest.
        assert_eq!(scene.due(&house).await.len(), 1, "{}", house.name());
        let house = again(house).await;
        house.clock.advance(JobKind::RemoveField.lease() + Duration::from_secs(1));
        for job in scene.due(&house).await {
            let access = Access::job(&job, house.clock.clone());
            house.store.upkeep(&access, &job).await.expect("removed");
        }
        assert_eq!(
            house.store.read(&scene.admin, Count).await.expect("counted"),
            (1, 1, 0),
            "{}",
            house.name()
        );
        assert!(scene.due(&house).await.is_empty(), "{}", house.name());
        let kept = scene.stands(&house, stays).await;
        assert_eq!(kept, Some((Some(FieldValue::Text("blijft".to_owned())), None)), "{}", house.name());
        house.close().await;
    }
}

/// The sealed values of the tenant, and one put in the place of another.
struct Sealed;

impl Read for Sealed {
    type Out = Vec<Vec<u8>>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let text = sql!("SELECT value FROM contact_field_value WHERE tenant_id = $1");
        tx.query(text, params![tenant], |row| row.bytes(0)).await
    }
}

struct Exchange {
    from: FieldId,
    to: FieldId,
}

impl Write for Exchange {
    type Out = u64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        let tenant = tx.tenant();
        tx.execute(
            sql!(
                "UPDATE contact_field_value SET value = (SELECT value FROM contact_field_value v \
                 WHERE v.tenant_id = $1 AND v.field_id = $2) WHERE tenant_id = $1 AND field_id = $3"
            ),
            params![tenant, self.from, self.to],
        )
        .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_opens_in_its_own_place_alone_and_its_length_tells_nothing() {
    for house in houses().await {
        let scene = Scene::new(&house).await;
        let yes = scene.make(&house, RecordKind::Contact, settings("Een", FieldKind::Boolean)).await;
        let no = scene.make(&house, RecordKind::Contact, settings("Twee", FieldKind::Boolean)).await;
        scene.put(&house, yes, Some(GivenValue::Boolean(true))).await;
        scene.put(&house, no, Some(GivenValue::Boolean(false))).await;
        let sealed = house.store.read(&scene.admin, Sealed).await.expect("values");
        assert_eq!(sealed.len(), 2);
        assert_eq!(sealed[0].len(), sealed[1].len(), "{}", house.name());
        house.store.write(&scene.admin, Exchange { from: yes, to: no }).await.expect("exchanged");
        let read = house.store.fields_of(&scene.at_work, RecordId::Contact(scene.contact)).await;
        assert!(matches!(read, Err(StoreError::Vault(_))), "{read:?} {}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_seen_has_no_fields() {
    for house in houses().await {
        let world = World::new(house).await;
        let (store, admin) = (&world.house.store, world.admin.access.as_for(Purpose::Administration));
        for (record, label) in [(RecordKind::Contact, "Nummer"), (RecordKind::Conversation, "Order")] {
            store.create_field(&admin, None, record, settings(label, FieldKind::Text)).await.expect("made");
        }
        let (balie, info) =
            (world.balie().reading_as(Audience::Agent), world.info().reading_as(Audience::Agent));
        let fields = store.field_set_ups(&admin).await.expect("fields");
        let on = |record| fields.iter().find(|field| field.record == record).expect("a field").id;
        for (name, seen) in [("Jan", true), ("Piet", false)] {
            let id = RecordId::Contact(world.contacts[name]);
            assert_eq!(store.fields_of(&balie, id).await.is_ok(), seen, "{name}");
            let changed = store.change_fields_of(&balie, id, set(on(RecordKind::Contact), text("7"))).await;
            assert_eq!(changed.is_ok(), seen, "{name}");
        }
        for (name, seen) in [("ketel", true), ("boiler", false)] {
            let id = RecordId::Conversation(world.cases[name]);
            for access in [&balie, &info] {
                assert_eq!(store.fields_of(access, id).await.is_ok(), seen, "{name}");
                let change = set(on(RecordKind::Conversation), text("8"));
                assert_eq!(store.change_fields_of(access, id, change).await.is_ok(), seen, "{name}");
            }
        }
        // Who sees some cases alone is told how many values would not convert, and not which.
        let setter = balie.as_for(Purpose::Administration);
        let narrow =
            store.preview_kind(&setter, on(RecordKind::Contact), (FieldKind::Date, &[]), Language::Nl).await;
        let narrow = narrow.expect("a preview");
        assert_eq!((narrow.looked_at, narrow.convert, narrow.stay.len()), (1, 0, 0));
        let whole =
            store.preview_kind(&admin, on(RecordKind::Contact), (FieldKind::Date, &[]), Language::Nl).await;
        assert_eq!(whole.expect("a preview").stay, ["7"]);
        let agent = world.house.join(&world.admin, Role::Agent, "een@bakker.example").await;
        let shown = store.fields_of(&agent.access, RecordId::Contact(world.contacts["Jan"])).await;
        assert_eq!(shown.expect("fields").len(), 1, "who signs in reads as what they are");
        world.house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_case_has_is_read_where_it_went_and_is_its_own_again_when_it_is_taken_apart() {
    for house in houses().await {
        let scene = Scene::new(&house).await;
        let (store, access, one) = (&house.store, &scene.at_work, scene.case);
        let again = scene.desk.file(&house, says("Els", "Nog iets", "Vraag"), "<2@klant.example>", &[]).await;
        let (two, on) = (again.conversation, RecordId::Conversation);
        let mut fields = Vec::new();
        for label in ["Order", "Onderdeel", "Leeg"] {
            fields.push(scene.make(&house, RecordKind::Conversation, settings(label, FieldKind::Text)).await);
        }
        let put = async |case, field, value| {
            house.clock.advance(Duration::from_secs(1));
            store.change_fields_of(access, on(case), set(field, value)).await
        };
        let read = async |case| {
            let all = store.fields_of(access, on(case)).await.expect("fields");
            let text = |value: Option<FieldValue>| value.map(|value| value.words(&[], Language::Nl));
            all.into_iter().map(|one| text(one.value)).collect::<Vec<_>>()
        };
        let told =
            |texts: [&str; 3]| texts.map(|one| Some(one.to_owned()).filter(|one| !one.is_empty())).to_vec();
        put(one, fields[0], text("een")).await.expect("filled in");
        put(two, fields[0], text("twee")).await.expect("filled in");
        put(two, fields[1], text("ketel")).await.expect("filled in");
        put(two, fields[2], text("weg")).await.expect("filled in");
        store.merge_conversations(access, one, &[two], false).await.expect("merged");
        assert_eq!(read(one).await, told(["een", "ketel", "weg"]), "{}", house.name());
        // Nobody fills in what is not there any more; what is filled in now belongs to the whole.
        let gone = put(two, fields[0], text("drie")).await;
        assert!(matches!(gone, Err(ValueError::Store(StoreError::NotFound))), "{gone:?} {}", house.name());
        let version = store.fields_of(access, on(one)).await.expect("fields")[1].version;
        let change = |version, value| {
            vec![ValueChange { field: fields[1], field_version: None, version: Some(version), value }]
        };
        let stale = store.change_fields_of(access, on(one), change(0, text("pomp"))).await;
        assert!(matches!(stale, Err(ValueError::Changed(_))), "{stale:?} {}", house.name());
        store.change_fields_of(access, on(one), change(version, text("pomp"))).await.expect("filled in");
        put(one, fields[2], None).await.expect("emptied");
        assert_eq!(read(one).await, told(["een", "pomp", ""]), "{}", house.name());
        store.unmerge_conversations(access, one, &[two]).await.expect("taken apart");
        assert_eq!(read(one).await, told(["een", "pomp", ""]), "{}", house.name());
        assert_eq!(read(two).await, told(["twee", "ketel", ""]), "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_is_of_the_field_that_it_was_given_for() {
    for house in houses().await {
        let scene = Scene::new(&house).await;
        let (store, id) = (&house.store, RecordId::Contact(scene.contact));
        let option = |no, label: &str| FieldOption {
            no,
            label: words(label),
            within: None,
            archived: false,
            former: vec!["van een vreemde".to_owned()],
        };
        let field = scene.make(&house, RecordKind::Contact, settings("Aantal", FieldKind::Integer)).await;
        let choice = FieldSettings {
            kind: FieldKind::Choice,
            options: vec![option(1, "Rood"), option(2, "Blauw"), option(3, "Geel")],
            ..settings("Aantal", FieldKind::Text)
        };
        scene.set_up(&house, field, choice.clone()).await.expect("a choice");
        let given = |field_version| {
            let value = Some(GivenValue::Number(3));
            vec![ValueChange { field, field_version: Some(field_version), version: None, value }]
        };
        let late = store.change_fields_of(&scene.at_work, id, given(1)).await;
        assert!(
            matches!(late, Err(ValueError::Changed(_))),
            "three pieces are not the third colour: {late:?}"
        );
        store.change_fields_of(&scene.at_work, id, given(2)).await.expect("a colour");

        // Text that became a choice stays it, also under another name.
        let plain = FieldSettings { kind: FieldKind::Text, ..choice.clone() };
        scene.set_up(&house, field, plain).await.expect("text");
        scene.put(&house, field, text("rood")).await;
        scene.set_up(&house, field, choice.clone()).await.expect("a choice");
        let mut renamed = choice.clone();
        renamed.options[0].label = words("Vuurrood");
        scene.set_up(&house, field, renamed.clone()).await.expect("renamed");
        assert_eq!(scene.stands(&house, field).await, Some((Some(FieldValue::Choice(1)), None)));
        let kept = store.field_set_up(&scene.admin, field).await.expect("a field").settings;
        assert_eq!(kept.options[0].former, ["Rood"], "{}", house.name());

        // Another field has the name by now: the archived one comes back under another.
        let archived = FieldChange { archived: Some(true), ..FieldChange::default() };
        scene.change(&house, field, archived).await.expect("archived");
        let other = scene.make(&house, RecordKind::Contact, settings("Aantal", FieldKind::Text)).await;
        let back = FieldChange { archived: Some(false), ..FieldChange::default() };
        let refused = faults(scene.change(&house, field, back.clone()).await);
        assert_eq!(refused, [("label.nl".to_owned(), FieldFault::Taken)], "{}", house.name());
        scene.set_up(&house, other, settings("Stuks", FieldKind::Text)).await.expect("renamed");
        scene.change(&house, field, back).await.expect("in use");

        // What is said of a field is opened at each look, and has an end.
        let long = |no| option(no, &format!("{no}{}", "€".repeat(75)));
        let large = FieldSettings { options: (1..=400).map(long).collect(), ..renamed };
        let told = faults(store.create_field(&scene.admin, None, RecordKind::Conversation, large).await);
        assert_eq!(told, [("options".to_owned(), FieldFault::TooLong)], "{}", house.name());
        house.close().await;
    }
}
