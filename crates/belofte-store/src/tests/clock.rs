// SPDX-License-Identifier: EUPL-1.2
//! The clock test: hours, weeks, months and years pass in milliseconds, through the changes of summer time,
//! and at each moment everything that depends on time is what it must be. The upkeep runs as the worker runs it.

use belofte_model::{
    ConversationId, ConversationStatus, DraftKind, Duration, JobKind, KeyClass, KeyState, LineId, NodeId,
    OpenSpan, PresenceState, Present, Purpose, Role, Scope, Standing, TenantId, Timestamp, UserId,
};
use belofte_vault::RootKey;
use uuid::Uuid;

use super::desk::{Desk, Stored, says};
use super::house::{House, houses, invite, somebody, upload, utc, wall, zone};
use super::place::open_with_root;
use super::upkeep::{Count, Tamper, deliver, key_rows, opens, shop, sweep};
use crate::engine::sql;
use crate::{
    Access, Begun, ChangeConversation, ConversationChange, DraftContent, DraftPlace, DraftSaved, EPOCH,
    FinishJob, KeyBackupError, KeyBackups, NewFile, NotificationLines, Opening, PresenceRow, RemoteImage,
    SecondFactorRuleChange, SignInNext, Sql, epoch_of, epoch_start,
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
/// The least that a clock can show.
const MOMENT: Duration = Duration::from_micros(1);

async fn count(house: &House, access: &Access, text: &'static Sql) -> i64 {
    house.store.read(access, Count(text)).await.expect("counted")
}

async fn invited(house: &House, token: &str) -> bool {
    house.store.system().invitation_by_token(token).await.expect("asked").is_some()
}

fn file(bytes: &[u8]) -> NewFile {
    NewFile {
        name: "bon.txt".to_owned(),
        media_type: "text/plain".to_owned(),
        content_id: None,
        inline: false,
        bytes: bytes.to_vec(),
    }
}

async fn change(house: &House, access: &Access, id: ConversationId, change: ConversationChange) {
    let change = ChangeConversation::prepare(&house.store, access, id, change);
    assert!(house.store.write(access, change).await.expect("changed"), "{}", house.name());
}

async fn put_off(house: &House, access: &Access, id: ConversationId, until: Timestamp) {
    let standing = Some(Standing::Snoozed(until));
    change(house, access, id, ConversationChange { standing, ..ConversationChange::default() }).await;
}

async fn draft(house: &House, access: &Access, of: Stored) {
    let place = DraftPlace { conversation: Some(of.conversation), kind: DraftKind::Reply };
    let id = upload(&house.store, access, file(b"bij het antwoord")).await.expect("uploaded").id;
    let words =
        DraftContent { text: "Beste Jan".to_owned(), attachments: vec![id], ..DraftContent::default() };
    let saved = house.store.save_draft(access, place, 0, Some(&words)).await.expect("saved");
    assert!(matches!(saved, DraftSaved::Kept { .. }), "{}: {saved:?}", house.name());
}

/// Somebody who is in a case, as the node `1` tells the others.
async fn present(house: &House, desk: &Desk, of: Stored) {
    let (store, access) = (&house.store, &desk.admin.access);
    let place = store.place_of_case(access, of.conversation).await.expect("asked").expect("a place");
    let now = house.clock.now();
    let (user, state) = (desk.admin.id, PresenceState::Writing);
    let present = Present { user, state, since: now, taken_at: Some(now) };
    let line = LineId(Uuid::from_u128(3));
    let row = PresenceRow { line, conversation: of.conversation, place, present };
    let upkeep = store.system().upkeep(access.tenant());
    store.keep_presence(&upkeep, NodeId(Uuid::from_u128(1)), vec![row]).await.expect("kept");
}

async fn seen_elsewhere(house: &House, tenant: TenantId) -> usize {
    let upkeep = house.store.system().upkeep(tenant);
    house.store.presence_elsewhere(&upkeep, NodeId(Uuid::from_u128(2))).await.expect("asked").len()
}

async fn gives(house: &House, access: &Access, of: Stored, to: UserId) {
    let assignee = Some(Some(to));
    change(house, access, of.conversation, ConversationChange { assignee, ..ConversationChange::default() })
        .await;
}

/// Goes on until just before `to`, in hops in which the upkeep runs and the browser of `token` is used.
async fn walk(house: &House, tenant: TenantId, token: &str, to: Timestamp, hop: Duration) {
    while house.clock.now() + hop < to - MOMENT {
        house.clock.advance(hop);
        house.uses(token).await;
        house.work(tenant).await;
    }
    house.set_clock(to - MOMENT);
    house.uses(token).await;
}

static UPLOADS: &Sql =
    sql!("SELECT count(*) FROM attachment WHERE tenant_id = $1 AND message_id IS NULL AND draft_id IS NULL");
static DRAFTS: &Sql = sql!("SELECT count(*) FROM draft WHERE tenant_id = $1");
static SESSIONS: &Sql = sql!("SELECT count(*) FROM session WHERE tenant_id = $1");
static INVITATIONS: &Sql = sql!("SELECT count(*) FROM invitation WHERE tenant_id = $1");
static REMEMBERED: &Sql = sql!("SELECT count(*) FROM idempotency WHERE tenant_id = $1");
static IMAGES: &Sql = sql!("SELECT count(*) FROM remote_image WHERE tenant_id = $1");
static LINES: &Sql = sql!("SELECT count(*) FROM notification WHERE tenant_id = $1");
static STEPS: &Sql = sql!("SELECT count(*) FROM sign_in_step WHERE tenant_id = $1");
static CHECKPOINTS: &Sql = sql!("SELECT count(*) FROM ledger_checkpoint WHERE tenant_id = $1");
/// Of the second in which every house of a test begins.
static FIRST_EVENTS: &Sql =
    sql!("SELECT count(*) FROM event WHERE tenant_id = $1 AND at <= 1800000000000000");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_term_from_seconds_to_months_ends_at_its_moment_and_not_before() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, system, name) = (&house.store, house.store.system(), house.name());
        let (access, tenant) = (&desk.admin.access, desk.admin.tenant);
        let (own, begun) = (access.as_for(Purpose::Administration), house.clock.now());
        let token = desk.admin.session.token.expose();
        let agent = house.join(&desk.admin, Role::Agent, "agent@bakker.example").await;
        let idle = agent.session.token.expose();
        let rule = SecondFactorRuleChange { supervisor: Some(true), ..SecondFactorRuleChange::default() };
        store.set_second_factor_rule(&own, rule).await.expect("set");
        let asked = invite(store, access, Role::Supervisor, false).await.expect("an invitation");
        let asked = system.invitation_by_token(asked.token.expose()).await.expect("asked").expect("open");
        let next = system.join(&asked, &somebody("chef@bakker.example")).await.expect("joined");
        let SignInNext::Step(step) = next else { panic!("{name}: a second factor is asked") };
        let invitation = invite(store, access, Role::Agent, false).await.expect("an invitation");
        let invitation = invitation.token.expose();
        let ends = begun + DAY * 84;
        let (made, key) = store.prepare_api_key(&own, "Kassa", Scope::Read, ends).await.expect("prepared");
        store.write(&own, made).await.expect("made");
        let request = async || store.begin_request(access, "key", &[1; 32]).await.expect("begun");
        let Begun::Proceed(ticket) = request().await else { panic!("{name}: it is new") };
        store.finish_request(access, &ticket, 200, b"{}").await.expect("finished");
        upload(store, access, file(b"niemand nam het")).await.expect("uploaded");
        let jan = desk.file(&house, says("Jan", "Ketel", "Dag."), "1@klant.example", &[]).await;
        let piet = desk.file(&house, says("Piet", "Kraan", "Dag."), "2@klant.example", &[]).await;
        let image = RemoteImage { place: 0, bytes: b"beeld".to_vec() };
        store.keep_remote_images(access, jan.message, &[image]).await.expect("kept");
        draft(&house, access, jan).await;
        gives(&house, access, jan, agent.id).await;
        gives(&house, access, piet, agent.id).await;
        let of_jan = NotificationLines::Of(jan.conversation);
        store.mark_notifications(&agent.access, of_jan, true).await.expect("read");
        present(&house, &desk, jan).await;
        for _ in 0..5 {
            house.may_try("agent@bakker.example").await.expect("free");
        }

        // Half a minute: the first pause after five wrong passwords.
        house.set_clock(begun + SECOND * 30 - MOMENT);
        assert_eq!(house.may_try("agent@bakker.example").await, Err(MOMENT), "{name}");
        house.set_clock(begun + SECOND * 30);
        assert_eq!(house.may_try("agent@bakker.example").await, Ok(()), "{name}");
        assert_eq!(house.may_try("agent@bakker.example").await, Err(MINUTE), "{name}: it grows");
        // Three quarters of one: who is where, unless it is told again.
        house.set_clock(begun + SECOND * 45 - MOMENT);
        assert_eq!(seen_elsewhere(&house, tenant).await, 1, "{name}");
        house.set_clock(begun + SECOND * 45);
        assert_eq!(seen_elsewhere(&house, tenant).await, 0, "{name}");
        // A quarter of an hour: a second factor that is not set up yet.
        let waits = async || system.step_by_token(step.token.expose()).await.expect("asked").is_some();
        house.set_clock(begun + MINUTE * 15 - MOMENT);
        sweep(&house, tenant).await;
        assert!(waits().await && count(&house, access, STEPS).await == 1, "{name}");
        house.set_clock(begun + MINUTE * 15);
        assert!(!waits().await, "{name}");
        sweep(&house, tenant).await;
        assert_eq!(count(&house, access, STEPS).await, 0, "{name}");
        // Six hours: wrong passwords are remembered, counted from the last.
        let last = begun + SECOND * 30 + HOUR * 6 - MOMENT;
        house.set_clock(last);
        assert_eq!(house.may_try("agent@bakker.example").await, Ok(()), "{name}: the seventh");
        assert_eq!(house.may_try("agent@bakker.example").await, Err(MINUTE * 2), "{name}: not forgotten");

        // Twelve hours: a session that nobody uses.
        walk(&house, tenant, token, begun + HOUR * 12, HOUR * 11).await;
        sweep(&house, tenant).await;
        assert!(house.holds(idle).await && count(&house, access, SESSIONS).await == 2, "{name}");
        house.set_clock(begun + HOUR * 12);
        assert!(!house.holds(idle).await && house.holds(token).await, "{name}");
        sweep(&house, tenant).await;
        assert_eq!(count(&house, access, SESSIONS).await, 1, "{name}: the one that is used");
        house.set_clock(last + HOUR * 6);
        for _ in 0..5 {
            assert_eq!(house.may_try("agent@bakker.example").await, Ok(()), "{name}: all are free again");
        }

        // Twenty-four hours: the answer to a request, and a file that no message took.
        walk(&house, tenant, token, begun + DAY, HOUR * 11).await;
        sweep(&house, tenant).await;
        assert!(matches!(request().await, Begun::Stored(_)), "{name}");
        let kept = [REMEMBERED, UPLOADS, DRAFTS];
        for text in kept {
            assert_eq!(count(&house, access, text).await, 1, "{name}");
        }
        house.set_clock(begun + DAY);
        sweep(&house, tenant).await;
        for (text, left) in kept.into_iter().zip([0, 0, 1]) {
            assert_eq!(count(&house, access, text).await, left, "{name}");
        }
        assert!(matches!(request().await, Begun::Proceed(_)), "{name}: it is a new one");

        // A week: an invitation, and images from elsewhere.
        walk(&house, tenant, token, begun + DAY * 7, HOUR * 11).await;
        sweep(&house, tenant).await;
        assert!(invited(&house, invitation).await && count(&house, access, IMAGES).await == 1, "{name}");
        house.set_clock(begun + DAY * 7);
        assert!(!invited(&house, invitation).await, "{name}");
        sweep(&house, tenant).await;
        assert_eq!(count(&house, access, IMAGES).await, 0, "{name}");
        assert!(
            count(&house, access, INVITATIONS).await > 0,
            "{name}: who was invited can be told for a month"
        );

        // Thirty days: a session however much it is used, live events, and a line that was read.
        walk(&house, tenant, token, begun + DAY * 30, HOUR * 11).await;
        sweep(&house, tenant).await;
        assert!(house.holds(token).await, "{name}");
        assert!(count(&house, access, FIRST_EVENTS).await > 0, "{name}");
        assert_eq!(count(&house, access, LINES).await, 2, "{name}");
        house.set_clock(begun + DAY * 30);
        assert!(!house.holds(token).await && !house.uses(token).await, "{name}");
        sweep(&house, tenant).await;
        for (text, left) in [(SESSIONS, 0), (FIRST_EVENTS, 0), (LINES, 1)] {
            assert_eq!(count(&house, access, text).await, left, "{name}");
        }
        walk(&house, tenant, token, begun + DAY * 37, DAY * 6).await;
        sweep(&house, tenant).await;
        assert!(count(&house, access, INVITATIONS).await > 0, "{name}");
        house.set_clock(begun + DAY * 37);
        sweep(&house, tenant).await;
        assert_eq!(count(&house, access, INVITATIONS).await, 0, "{name}");

        // Eighty-four days, with the change to summer time in them: a key of a program.
        let program = async || system.api_key_by_token(key.key.expose()).await.expect("asked").is_some();
        walk(&house, tenant, token, ends, DAY * 6).await;
        assert!(program().await, "{name}");
        house.set_clock(ends);
        assert!(!program().await, "{name}");
        // Ninety: what was written and not sent, its file, and a line that nobody read.
        walk(&house, tenant, token, begun + DAY * 90, DAY).await;
        sweep(&house, tenant).await;
        for text in [DRAFTS, LINES] {
            assert_eq!(count(&house, access, text).await, 1, "{name}");
        }
        house.set_clock(begun + DAY * 90);
        sweep(&house, tenant).await;
        for text in [DRAFTS, LINES, UPLOADS] {
            assert_eq!(count(&house, access, text).await, 0, "{name}");
        }
        // What customers wrote is nobody's to forget.
        assert_eq!(store.message(access, jan.message).await.expect("a message").content.text, "Dag.");
        house.close().await;
    }
}

/// A moment, and what must hold at it: whether the queue is open and until when, and whether a mail comes
/// just before it and at it.
struct Stop {
    at: Timestamp,
    opening: Option<(bool, Timestamp)>,
    mail: bool,
}

/// A year and its leap day, by what the clock on the wall does in it.
fn stops(meant: &[Timestamp]) -> Vec<Stop> {
    let hours = [
        // Friday at five; the Sunday on which the hour from two is skipped; Monday at nine.
        (utc(2027, 3, 26, 16, 0), false, utc(2027, 3, 28, 0, 30)),
        (utc(2027, 3, 28, 0, 30), true, utc(2027, 3, 28, 1, 30)),
        (utc(2027, 3, 28, 1, 30), false, utc(2027, 3, 29, 7, 0)),
        (utc(2027, 3, 29, 7, 0), true, utc(2027, 3, 29, 15, 0)),
        // Friday at five; the Sunday on which half past two comes twice; Monday at nine.
        (utc(2027, 10, 29, 15, 0), false, utc(2027, 10, 31, 0, 15)),
        (utc(2027, 10, 31, 0, 15), true, utc(2027, 10, 31, 0, 45)),
        (utc(2027, 10, 31, 0, 45), false, utc(2027, 10, 31, 1, 15)),
        (utc(2027, 10, 31, 1, 15), true, utc(2027, 10, 31, 1, 45)),
        (utc(2027, 10, 31, 1, 45), false, utc(2027, 11, 1, 8, 0)),
        // The last day of the year is a Friday; the leap day has hours of its own.
        (utc(2027, 12, 31, 16, 0), false, utc(2028, 1, 3, 8, 0)),
        (utc(2028, 2, 28, 16, 0), false, utc(2028, 2, 29, 9, 0)),
        (utc(2028, 2, 29, 9, 0), true, utc(2028, 2, 29, 11, 0)),
        (utc(2028, 2, 29, 11, 0), false, utc(2028, 3, 1, 8, 0)),
    ];
    let midnights = [(2027, 3, 28), (2027, 3, 29), (2027, 10, 31), (2027, 11, 1)];
    let midnights = midnights.into_iter().chain([(2028, 1, 1), (2028, 2, 29), (2028, 3, 1)]);
    let hours = hours.into_iter().map(|(at, open, until)| (at, Some((open, until)), false));
    let mails = midnights.map(|(year, month, day)| (utc(year, month, day, 0, 0), None, true));
    let wakes = meant.iter().map(|at| (*at, None, false));
    let mut stops: Vec<Stop> =
        hours.chain(mails).chain(wakes).map(|(at, opening, mail)| Stop { at, opening, mail }).collect();
    // Of one moment, what needs the clock just before it comes first.
    stops.sort_by_key(|stop| (stop.at, !stop.mail, stop.opening.is_none()));
    stops
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn months_go_by_and_what_was_meant_by_the_clock_on_the_wall_comes_at_that_hour() {
    let meant = [
        (wall("2027-03-28", "03:00"), utc(2027, 3, 28, 1, 0)),
        (wall("2027-03-29", "09:00"), utc(2027, 3, 29, 7, 0)),
        // Three months of the calendar from nine o'clock: an hour less than ninety days.
        (wall("2027-04-15", "09:00"), utc(2027, 4, 15, 7, 0)),
        // The first of the two.
        (wall("2027-10-31", "02:30"), utc(2027, 10, 31, 0, 30)),
        (wall("2027-11-01", "09:00"), utc(2027, 11, 1, 8, 0)),
        (wall("2028-01-01", "00:00"), utc(2027, 12, 31, 23, 0)),
        (wall("2028-02-29", "09:00"), utc(2028, 2, 29, 8, 0)),
        (wall("2028-03-01", "00:00"), utc(2028, 2, 29, 23, 0)),
    ];
    assert!(meant.iter().all(|(wall, utc)| wall == utc), "{meant:?}");
    let meant = meant.map(|(at, _)| at);
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, name) = (&house.store, house.name());
        let (access, tenant) = (&desk.admin.access, desk.admin.tenant);
        let own = access.as_for(Purpose::Administration);
        let queue = store.default_queue(&own).await.expect("a queue");
        let day = || vec![OpenSpan { from: "09:00".to_owned(), to: "17:00".to_owned() }];
        let week = [day(), day(), day(), day(), day(), Vec::new(), Vec::new()];
        let odd = [
            ("2027-03-28", "01:30", "03:30"),
            ("2027-10-31", "02:15", "02:45"),
            ("2028-02-29", "10:00", "12:00"),
        ];
        store.set_business_hours(&own, queue, None, Some(zone(week, &odd))).await.expect("set");
        let opening = async || store.queue_openings(&own).await.expect("openings").get(&queue).copied();
        let is = |open, at| Some(Opening { open, changes_at: Some(at) });
        let mut cases = Vec::new();
        for (no, until) in meant.iter().enumerate() {
            let id = format!("{no}@klant.example");
            let case = desk.file(&house, says("Jan", "Later", "Dag."), &id, &[]).await.conversation;
            put_off(&house, access, case, *until).await;
            cases.push(case);
        }
        let (mut mails, mut woken) = (0, 0);
        let mut mail = async || {
            mails += 1;
            let id = format!("stop{mails}@klant.example");
            desk.file(&house, says("Piet", "Nu", "Dag."), &id, &[]).await;
        };
        for stop in stops(&meant) {
            if house.clock.now() < stop.at {
                house.set_clock(stop.at - MOMENT);
                let early = house.work(tenant).await;
                assert!(!early.contains(&JobKind::Wake), "{name}: {:?}", stop.at);
            }
            if let Some((open, _)) = stop.opening.filter(|_| house.clock.now() < stop.at) {
                assert_eq!(opening().await, is(!open, stop.at), "{name}: just before {:?}", stop.at);
            }
            if stop.mail {
                mail().await;
            }
            house.set_clock(stop.at);
            let wakes = house.work(tenant).await.iter().filter(|kind| **kind == JobKind::Wake).count();
            if wakes > 0 {
                assert_eq!((wakes, stop.at), (1, meant[woken]), "{name}: one, and the one that is due");
                let case = store.conversation(access, cases[woken]).await.expect("a case");
                let stands = (case.status, case.woken_at, case.snoozed_until);
                assert_eq!(stands, (ConversationStatus::Open, Some(stop.at), None), "{name}");
                woken += 1;
            }
            let due = meant.iter().filter(|at| **at <= stop.at).count();
            assert_eq!(woken, due, "{name}: at {:?}", stop.at);
            if let Some((open, until)) = stop.opening {
                assert_eq!(opening().await, is(open, until), "{name}: at {:?}", stop.at);
            }
            if stop.mail {
                mail().await;
            }
        }
        let numbers = super::statistics::of(&house, access, desk.account.id).await;
        let days = [
            ((2027, 1, 15), 8),
            ((2027, 3, 27), 1),
            ((2027, 3, 28), 2),
            ((2027, 3, 29), 1),
            ((2027, 10, 30), 1),
            ((2027, 10, 31), 2),
            ((2027, 11, 1), 1),
            ((2027, 12, 31), 1),
            ((2028, 1, 1), 1),
            ((2028, 2, 28), 1),
            ((2028, 2, 29), 2),
            ((2028, 3, 1), 1),
        ];
        // A day of numbers has 24 hours, also where that of the wall has 23 or 25.
        let days = days.map(|((year, month, day), n)| (utc(year, month, day, 0, 0).day(), (n, n, 0, 0)));
        assert_eq!(numbers, days, "{name}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_hour_that_is_skipped_or_comes_twice_brings_no_upkeep_less_or_more() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (access, tenant, name) = (&desk.admin.access, desk.admin.tenant, house.name());
        for night in [utc(2027, 3, 27, 22, 15), utc(2027, 10, 30, 22, 15)] {
            house.set_clock(night);
            house.work(tenant).await;
            for hour in 0..6 {
                invite(&house.store, access, Role::Agent, false).await.expect("a leaf");
                let before = count(&house, access, CHECKPOINTS).await;
                house.clock.advance(HOUR - MOMENT);
                assert_eq!(house.work(tenant).await, [], "{name}: too early in hour {hour}");
                house.clock.advance(MOMENT);
                let done = house.work(tenant).await;
                let rotates = done.iter().filter(|kind| **kind == JobKind::RotateKeys).count();
                assert!(rotates <= 1, "{name}: {done:?}");
                let standing: Vec<_> = done.into_iter().filter(|kind| *kind != JobKind::RotateKeys).collect();
                assert_eq!(standing, [JobKind::Checkpoint, JobKind::Sweep], "{name}: hour {hour}");
                assert_eq!(count(&house, access, CHECKPOINTS).await, before + 1, "{name}: hour {hour}");
            }
        }
        house.close().await;
    }
}

/// The hour of the day in which the sweep looks at everything of the tenant.
fn turn(tenant: TenantId) -> i64 {
    i64::from(tenant.uuid().as_bytes()[15]) % 24
}

/// What the keeper of a serving process does every hour: the installation's own keys, the back-ups of keys.
async fn keep(house: &House, backups: &KeyBackups) -> Vec<i64> {
    let (store, now) = (&house.store, house.clock.now());
    store.system().begin_epoch().await.expect("asked");
    let gone = backups.destroy_due(store, now, DAY * 84).await.expect("looked");
    backups.back_up(store).await.expect("backed up");
    assert!(store.system().watch_stores(true).await.expect("compared").is_empty(), "{}", house.name());
    gone
}

/// How many keys of the tenant itself are in use, and how many are a mark without a key.
async fn own_keys(house: &House, tenant: TenantId) -> (usize, usize) {
    let rows = key_rows(house, tenant).await;
    let of = |state, empty: bool| {
        let own = rows.iter().filter(|row| row.class == KeyClass::Tenant);
        own.filter(|row| row.state == state && (row.wrapped == 0) == empty).count()
    };
    (of(KeyState::Active, false), of(KeyState::Destroyed, true))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_84_days_keys_change_every_week_and_then_the_first_back_up_opens_no_more() {
    for house in houses().await {
        let folder = tempfile::tempdir().expect("a folder");
        let backups = KeyBackups::new(folder.path().to_owned());
        let (admin, account) = shop(&house, "bakker").await;
        let (tenant, name) = (admin.tenant, house.name());
        let message = deliver(&house, &admin.access, &account, "jan", 10).await;
        let first = epoch_of(house.clock.now());
        assert!(keep(&house, &backups).await.is_empty(), "{name}");
        let made = backups.list().expect("listed").remove(0);
        let tape = folder.path().join("tape");
        std::fs::copy(&made.path, &tape).expect("copied");
        let at = |week: i64| epoch_start(first + week) + HOUR * u32::try_from(turn(tenant)).expect("small");
        for week in 1..12 {
            house.set_clock(epoch_start(first + week) - MOMENT);
            assert!(!house.store.system().begin_epoch().await.expect("asked"), "{name}: week {week}");
            house.set_clock(at(week) + MINUTE);
            assert!(keep(&house, &backups).await.is_empty(), "{name}: week {week}");
            assert!(house.work(tenant).await.contains(&JobKind::RotateKeys), "{name}: week {week}");
            let progress = house.store.system().rotation_progress(tenant).await.expect("known");
            assert_eq!((progress.epoch, progress.under_way), (week, false), "{name}");
            let old = usize::try_from(week).expect("small");
            assert_eq!(own_keys(&house, tenant).await, (1, old), "{name}: week {week}");
            house.clock.advance(HOUR);
            assert!(!house.work(tenant).await.contains(&JobKind::RotateKeys), "{name}: once a week");
            assert_eq!(backups.epochs().expect("listed").len(), old + 1, "{name}: week {week}");
        }
        // The term is that of the week's first moment: no back-up opens longer than 84 days.
        assert_eq!(EPOCH * 12, DAY * 84);
        let over = epoch_start(first) + DAY * 84;
        assert_eq!(over, utc(2027, 4, 5, 0, 0), "in summer time, at the same hour in UTC");
        house.set_clock(over - MOMENT);
        assert!(keep(&house, &backups).await.is_empty(), "{name}");
        assert!(made.path.exists() && backups.epochs().expect("listed")[0] == first, "{name}");
        house.set_clock(over);
        assert_eq!(keep(&house, &backups).await, [first], "{name}");
        assert!(!made.path.exists(), "{name}");
        assert_eq!(backups.epochs().expect("listed"), (first + 1..=first + 12).collect::<Vec<_>>(), "{name}");
        opens(&house, &admin.access, message, 10).await;

        // The copy on the tape, with the keys lost: nothing comes of it, and of the newest everything.
        let empty = sql!("DELETE FROM key WHERE tenant_id = $1");
        for tenant in [tenant, crate::SYSTEM] {
            house.store.write_keys(Some(tenant), Tamper(empty)).await.expect("emptied");
        }
        let root = RootKey::open_file(&house.place.folder.path().join("root.key")).expect("read");
        let (engine, clock) = (house.place.engine.clone(), house.clock.clone());
        house.store.close().await;
        let store = open_with_root(house.place.folder.path(), engine, root.expect("there"), clock).await;
        let house = House { store: store.expect("stores"), ..house };
        let refused = backups.restore(&house.store, &tape).await;
        assert!(
            matches!(refused, Err(KeyBackupError::EpochGone(epoch)) if epoch == first),
            "{name}: {refused:?}"
        );
        backups.restore(&house.store, folder.path()).await.expect("restored");
        opens(&house, &admin.access, message, 10).await;
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_seven_years_what_has_a_term_is_gone_and_what_has_none_is_there() {
    for house in houses().await {
        let folder = tempfile::tempdir().expect("a folder");
        let backups = KeyBackups::new(folder.path().to_owned());
        let (admin, account) = shop(&house, "bakker").await;
        let (store, system, name) = (&house.store, house.store.system(), house.name());
        let (access, tenant) = (&admin.access, admin.tenant);
        let own = access.as_for(Purpose::Administration);
        let (begun, end) = (house.clock.now(), utc(2034, 1, 15, 8, 0));
        assert_eq!(end.since(begun), DAY * 2_557, "with two leap days");
        let mut messages = vec![deliver(&house, access, &account, "jan0", 10).await];
        let case = store.message(access, messages[0]).await.expect("a message").conversation;
        put_off(&house, access, case, end).await;
        let (made, key) = store.prepare_api_key(&own, "Kassa", Scope::Read, end).await.expect("prepared");
        store.write(&own, made).await.expect("made");
        upload(store, access, file(b"niemand nam het")).await.expect("uploaded");
        assert!(matches!(
            store.begin_request(access, "k", &[1; 32]).await.expect("begun"),
            Begun::Proceed(_)
        ));
        let image = RemoteImage { place: 0, bytes: b"beeld".to_vec() };
        store.keep_remote_images(access, messages[0], &[image]).await.expect("kept");
        keep(&house, &backups).await;
        let first_leaf = house.ledger(access).await.remove(0);
        let program = async || system.api_key_by_token(key.key.expose()).await.expect("asked").is_some();
        for year in 1..8 {
            house.set_clock(utc(2027 + year, 1, 15, 8, 0) - MOMENT);
            assert!(program().await, "{name}: year {year}");
            let early = house.work(tenant).await;
            assert!(!early.contains(&JobKind::Wake), "{name}: year {year}");
            house.clock.advance(MOMENT);
            let wakes = house.work(tenant).await.contains(&JobKind::Wake);
            assert_eq!((wakes, program().await), (year == 7, year < 7), "{name}: year {year}");
            let (size, who) = (if year % 2 == 0 { 10 } else { 100_000 }, format!("jan{year}"));
            messages.push(deliver(&house, access, &account, &who, size).await);
            house.set_clock(utc(2027 + year, 1, 16, turn(tenant), 30));
            assert_eq!(keep(&house, &backups).await.len(), 1, "{name}: year {year}, the epoch of a year ago");
            assert_eq!(backups.list().expect("listed").len(), 1, "{name}: the new one");
            house.work(tenant).await;
            let progress = system.rotation_progress(tenant).await.expect("known");
            assert_eq!((progress.epoch, progress.under_way), (progress.epoch.max(year), false), "{name}");
            let page = store.ledger_page(&access.as_for(Purpose::Oversight), None, 1).await.expect("a page");
            assert!(page.checkpoint.is_some_and(|signed| signed.size > page.size - 10), "{name}: {year}");
        }
        house.clock.advance(HOUR);
        house.work(tenant).await;
        for text in [UPLOADS, REMEMBERED, IMAGES, SESSIONS, INVITATIONS, FIRST_EVENTS] {
            assert_eq!(count(&house, access, text).await, 0, "{name}: its term was over years ago");
        }
        for (year, message) in messages.iter().enumerate() {
            opens(&house, access, *message, if year % 2 == 0 { 10 } else { 100_000 }).await;
        }
        assert_eq!(store.conversation(access, case).await.expect("a case").woken_at, Some(end), "{name}");
        assert_eq!(
            super::statistics::of(&house, access, account.id).await.len(),
            8,
            "{name}: each year's day"
        );
        let ledger = house.ledger(access).await;
        assert_eq!((ledger[0].at, &ledger[0].actor), (first_leaf.at, &first_leaf.actor), "{name}");
        assert!(ledger.is_sorted_by_key(|entry| entry.at), "{name}: nothing of it ever goes");
        assert!(store.dead_letters(access).await.expect("asked").is_empty(), "{name}");
        house.close().await;
    }
}

/// All that a sweep could take, and the keys and files that it could destroy.
async fn kept(house: &House, access: &Access) -> (Vec<i64>, usize, usize) {
    let mut rows = Vec::new();
    for text in [
        UPLOADS,
        DRAFTS,
        SESSIONS,
        INVITATIONS,
        REMEMBERED,
        IMAGES,
        LINES,
        sql!("SELECT count(*) FROM event WHERE tenant_id = $1"),
        sql!("SELECT count(*) FROM message WHERE tenant_id = $1"),
        sql!("SELECT count(*) FROM blob WHERE tenant_id = $1"),
        sql!("SELECT count(*) FROM attachment WHERE tenant_id = $1"),
    ] {
        rows.push(count(house, access, text).await);
    }
    let keys = key_rows(house, access.tenant()).await;
    // A rotation brings a key and takes one.
    let keys = keys.iter().filter(|key| key.state == KeyState::Active).count();
    (rows, keys, house.store.blobs().list(access.tenant(), Uuid::nil()).expect("listed").len())
}

/// A case with everything that is kept for a term; `no` tells one from another.
async fn fill(house: &House, desk: &Desk, no: &str) -> Stored {
    let (store, access) = (&house.store, &desk.admin.access);
    let jan = desk.file(house, says("Jan", "Ketel", no), &format!("{no}@klant.example"), &["1"]).await;
    let begun = store.begin_request(access, no, &[1; 32]).await.expect("begun");
    let Begun::Proceed(ticket) = begun else { panic!("{}: {no} is new", house.name()) };
    store.finish_request(access, &ticket, 200, b"{}").await.expect("finished");
    upload(store, access, file(&[b'u'; 100_000])).await.expect("uploaded");
    let image = RemoteImage { place: 0, bytes: b"beeld".to_vec() };
    store.keep_remote_images(access, jan.message, &[image]).await.expect("kept");
    jan
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_back_an_hour_undoes_nothing_and_brings_no_id_twice() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, name) = (&house.store, house.name());
        let (access, tenant, begun) = (&desk.admin.access, desk.admin.tenant, house.clock.now());
        let agent = house.join(&desk.admin, Role::Agent, "agent@bakker.example").await;
        house.set_clock(begun + MINUTE * 20);
        let late = house.join(&desk.admin, Role::Agent, "late@bakker.example").await;
        house.uses(desk.admin.session.token.expose()).await;
        let mut filed = vec![fill(&house, &desk, "1").await];
        let (soon, later) = (begun + HOUR * 12 + MINUTE * 10, begun + HOUR * 12 + MINUTE * 40);
        let mut cases = Vec::new();
        for (id, until) in [("x", soon), ("y", later)] {
            let case = desk.file(&house, says("Els", id, "Dag."), id, &[]).await.conversation;
            put_off(&house, access, case, until).await;
            cases.push(case);
        }
        // Twelve hours and a half: the agent's session was swept, and the other's is over.
        house.set_clock(begun + HOUR * 12 + MINUTE * 30);
        assert!(house.work(tenant).await.contains(&JobKind::Wake), "{name}");
        sweep(&house, tenant).await;
        let (over, late) = (agent.session.token.expose(), late.session.token.expose());
        assert!(!house.holds(over).await && !house.holds(late).await, "{name}");
        let before = kept(&house, access).await;

        house.set_clock(begun + HOUR * 11 + MINUTE * 30);
        assert!(!house.holds(over).await && !house.holds(late).await, "{name}: what is over stays over");
        let case = store.conversation(access, cases[0]).await.expect("a case");
        assert_eq!(
            (case.status, case.woken_at),
            (ConversationStatus::Open, Some(begun + HOUR * 12 + MINUTE * 30))
        );
        sweep(&house, tenant).await;
        assert_eq!(kept(&house, access).await, before, "{name}: nothing goes early");
        // The same instants once more, with all that was made in them.
        house.set_clock(begun + MINUTE * 20);
        let mut ids = vec![filed[0].message];
        for no in 2..22 {
            filed.push(fill(&house, &desk, &no.to_string()).await);
            ids.push(filed[no - 1].message);
        }
        let numbers: Vec<_> = filed.iter().map(|one| one.no).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{name}: {numbers:?}");
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 21, "{name}");
        let case = filed[0].conversation;
        assert!(filed.iter().all(|one| one.conversation == case), "{name}: one case");
        let list = store.messages(access, case, None, 50).await.expect("messages");
        let order: Vec<_> = list.iter().map(|one| one.id).collect();
        assert_eq!(order, filed.iter().map(|one| one.message).collect::<Vec<_>>(), "{name}: as they came");
        let events = store.events(access, 0, 500).await.expect("events");
        assert!(!events.gap && events.newest >= numbers[20], "{name}");
        // The other case is woken when its moment comes, and not before.
        house.set_clock(later - MOMENT);
        assert!(!house.work(tenant).await.contains(&JobKind::Wake), "{name}");
        house.set_clock(later);
        assert_eq!(
            house.work(tenant).await.iter().filter(|kind| **kind == JobKind::Wake).count(),
            1,
            "{name}"
        );
        // The upkeep has found its hour again.
        house.clock.advance(HOUR);
        let done = house.work(tenant).await;
        assert!(done.contains(&JobKind::Sweep) && done.contains(&JobKind::Checkpoint), "{name}: {done:?}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_was_seven_years_ahead_leaves_nothing_valid_that_long_and_no_work_undone() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (tenant, name, begun) = (desk.admin.tenant, house.name(), house.clock.now());
        let access = &desk.admin.access;
        desk.file(&house, says("Els", "Later", "Dag."), "e", &[]).await;
        house.set_clock(utc(2034, 1, 15, turn(tenant), 0));
        house.work(tenant).await;
        let agent = house.join(&desk.admin, Role::Agent, "agent@bakker.example").await;
        let open = invite(&house.store, access, Role::Agent, false).await.expect("an invitation");
        let (agent, open) = (agent.session.token.expose(), open.token.expose());
        let jan = fill(&house, &desk, "1").await;
        draft(&house, access, jan).await;
        present(&house, &desk, jan).await;
        for _ in 0..5 {
            house.may_try("agent@bakker.example").await.expect("free");
        }
        assert!(house.may_try("agent@bakker.example").await.is_err(), "{name}");
        let answer = desk.answer(&house, jan, super::desk::person("Jan", "jan@klant.example"), "Ja.").await;
        // The server of the recipient asked for another try ten minutes later.
        let later = sql!("UPDATE delivery SET next_try_at = updated_at + 600000000 WHERE tenant_id = $1");
        assert_eq!(house.store.write(access, Tamper(later)).await.expect("put off"), 1, "{name}");
        let before = kept(&house, access).await;

        house.set_clock(begun + HOUR);
        let house = house.restarted().await;
        let (store, system) = (&house.store, house.store.system());
        assert!(!house.uses(agent).await && !house.holds(agent).await, "{name}: a session of seven years");
        assert!(!invited(&house, open).await, "{name}: an invitation of seven years");
        assert_eq!(seen_elsewhere(&house, tenant).await, 0, "{name}: somebody who is there for seven years");
        assert_eq!(house.may_try("agent@bakker.example").await, Ok(()), "{name}: locked for seven years");
        assert_eq!(house.may_try("agent@bakker.example").await, Err(MINUTE), "{name}: it was the sixth");
        // What was to be done is done: the mail goes out now.
        let due = system.claim_jobs(tenant, 10, house.clock.now()).await.expect("claimed");
        let job =
            due.into_iter().find(|job| job.kind == JobKind::Deliver).expect("the answer waits for nothing");
        let tries = store.message(access, answer).await.expect("a message").deliveries;
        assert_eq!(tries[0].next_try_at, Some(house.clock.now() + MINUTE * 10), "{name}");
        let sent = sql!("UPDATE delivery SET state = 'sent' WHERE tenant_id = $1 AND state = 'queued'");
        assert_eq!(store.write(access, Tamper(sent)).await.expect("sent"), 1, "{name}");
        store.write(&Access::job(&job, house.clock.clone()), FinishJob(job)).await.expect("done");
        house.set_clock(utc(2027, 1, 16, turn(tenant), 30));
        let done = house.work(tenant).await;
        for kind in [JobKind::Checkpoint, JobKind::RotateKeys, JobKind::Sweep] {
            assert!(done.contains(&kind), "{name}: {done:?}");
        }
        assert_eq!(kept(&house, access).await, before, "{name}: nothing goes early");
        let epoch = system.rotation_progress(tenant).await.expect("known").epoch;
        house.clock.advance(DAY);
        assert!(!house.work(tenant).await.contains(&JobKind::RotateKeys), "{name}: once");
        assert_eq!(system.rotation_progress(tenant).await.expect("known").epoch, epoch, "{name}");
        // The case goes on, and who signs in now stays for thirty days and no longer.
        let next = fill(&house, &desk, "2").await;
        assert!(next.no > jan.no && next.conversation == jan.conversation, "{name}");
        let list = store.messages(access, jan.conversation, None, 9).await.expect("messages");
        assert_eq!(list.iter().map(|one| one.no).is_sorted().then_some(list.len()), Some(3), "{name}");
        let fresh = house.join(&desk.admin, Role::Agent, "nieuw@bakker.example").await;
        let (fresh, signed_in) = (fresh.session.token.expose(), house.clock.now());
        walk(&house, tenant, fresh, signed_in + DAY * 30, HOUR * 11).await;
        assert!(house.holds(fresh).await, "{name}");
        house.clock.advance(MOMENT);
        assert!(!house.holds(fresh).await && !house.holds(agent).await, "{name}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_falls_back_seven_years_destroys_nothing_until_it_is_right_again() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (tenant, name, begun) = (desk.admin.tenant, house.name(), house.clock.now());
        let (access, token) = (&desk.admin.access, desk.admin.session.token.expose());
        let jan = fill(&house, &desk, "1").await;
        draft(&house, access, jan).await;
        let before = kept(&house, access).await;
        house.set_clock(utc(2020, 1, 15, turn(tenant), 30));
        let house = house.restarted().await;
        for _ in 0..3 {
            house.work(tenant).await;
            sweep(&house, tenant).await;
            house.clock.advance(DAY);
        }
        assert!(!house.holds(token).await, "{name}: it begins in seven years");
        assert_eq!(kept(&house, access).await, before, "{name}");
        let fallen = house.join(&desk.admin, Role::Agent, "agent@bakker.example").await;
        assert!(house.uses(fallen.session.token.expose()).await, "{name}");
        let piet = fill(&house, &desk, "2").await;
        assert_ne!(piet.message, jan.message);

        house.set_clock(begun + HOUR);
        let house = house.restarted().await;
        assert!(house.holds(token).await, "{name}: it goes on");
        assert!(!house.uses(fallen.session.token.expose()).await, "{name}: its time was over long ago");
        sweep(&house, tenant).await;
        house.work(tenant).await;
        for message in [jan.message, piet.message] {
            house.store.message(access, message).await.expect("it opens");
        }
        assert_eq!(count(&house, access, DRAFTS).await, 1, "{name}");
        assert!(house.store.system().watch_stores(true).await.expect("compared").is_empty(), "{name}");
        house.close().await;
    }
}
