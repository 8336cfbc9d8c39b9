// SPDX-License-Identifier: EUPL-1.2
//! Questions that PostgreSQL is asked together: each answer goes to who asked, nobody waits for
//! company, and a question that fails or ends half-way blocks nobody after it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use belofte_model::{MessageId, TenantId, ThreadId};
use belofte_vault::Random;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::desk::{Desk, says};
use super::house::houses;
use super::place::places;
use crate::engine::{Gathering, Postgres, Together, params, sql};
use crate::filing_plan::{FilingPlan, FilingQuestion};
use crate::intake::{email_index, message_id_index};
use crate::{EngineSettings, MIGRATIONS, Read, StoreError, Tx};

const HERE: TenantId = TenantId(Uuid::from_u128(0xa));
const THERE: TenantId = TenantId(Uuid::from_u128(0xb));

/// What becomes of the journey that a question goes with.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Answer,
    Fail,
    Panic,
}

/// A number to be doubled by the server, for the tenant that the wall lets through.
struct Double {
    number: i64,
    end: End,
    /// Holds its journey back.
    gate: Option<Arc<Semaphore>>,
    entered: Arc<Semaphore>,
    journeys: Arc<Mutex<Vec<usize>>>,
}

impl Read for Double {
    type Out = (i64, Uuid);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        tx.query_one(
            sql!("SELECT $1::bigint * 2, current_setting('belofte.tenant')::uuid"),
            params![self.number],
            |row| Ok((row.int(0)?, row.uuid(1)?)),
        )
        .await
    }
}

impl Together for Double {
    async fn run_all(questions: &[Arc<Self>], tx: &mut Tx<'_>) -> Result<Vec<Self::Out>, StoreError> {
        questions[0].journeys.lock().expect("no panic holds this lock").push(questions.len());
        let mut answers = Vec::new();
        for question in questions {
            question.entered.add_permits(1);
            if let Some(gate) = &question.gate {
                gate.acquire().await.expect("an open gate").forget();
            }
            match question.end {
                End::Answer => answers.push(question.run(tx).await?),
                End::Fail => return Err(StoreError::Full),
                End::Panic => panic!("a test of a question that ends half-way"),
            }
        }
        Ok(answers)
    }
}

struct Asking {
    server: Arc<Postgres>,
    gathering: Arc<Gathering<Double>>,
    journeys: Arc<Mutex<Vec<usize>>>,
}

type Answer = Result<(i64, Uuid), StoreError>;

impl Asking {
    /// `None` without a server.
    async fn new() -> Option<Self> {
        let settings = places().await.into_iter().find_map(|place| match place.engine {
            EngineSettings::Postgres(settings) => Some(settings),
            EngineSettings::Sqlite { .. } => None,
        })?;
        let server = Postgres::open(&settings, &MIGRATIONS, Random::System).await.expect("a server");
        Some(Self { server: Arc::new(server), gathering: Arc::default(), journeys: Arc::default() })
    }

    fn ask(&self, tenant: TenantId, number: i64, end: End) -> JoinHandle<Answer> {
        self.ask_at(tenant, number, end, None, &Arc::new(Semaphore::new(0)))
    }

    fn ask_at(
        &self,
        tenant: TenantId,
        number: i64,
        end: End,
        gate: Option<&Arc<Semaphore>>,
        entered: &Arc<Semaphore>,
    ) -> JoinHandle<Answer> {
        let (server, gathering) = (Arc::clone(&self.server), Arc::clone(&self.gathering));
        let question = Arc::new(Double {
            number,
            end,
            gate: gate.cloned(),
            entered: Arc::clone(entered),
            journeys: Arc::clone(&self.journeys),
        });
        TaskTracker::new().spawn(async move { server.read_together(&gathering, tenant, question).await })
    }

    /// A journey of `HERE` that waits for a permit of the gate.
    async fn held(&self, number: i64, end: End) -> (Arc<Semaphore>, JoinHandle<Answer>) {
        let (gate, entered) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let held = self.ask_at(HERE, number, end, Some(&gate), &entered);
        entered.acquire().await.expect("an open semaphore").forget();
        (gate, held)
    }

    fn journeys(&self) -> Vec<usize> {
        self.journeys.lock().expect("no panic holds this lock").clone()
    }
}

/// Time for what was spawned to ask.
async fn settled() {
    tokio::time::sleep(Duration::from_millis(150)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_meanwhile_goes_with_the_next_and_gets_its_own_answer() {
    let Some(asking) = Asking::new().await else { return };
    let (gate, held) = asking.held(1, End::Answer).await;
    let others: Vec<_> = (2..12).map(|n| asking.ask(HERE, n, End::Answer)).collect();
    settled().await;
    // Another tenant does not wait for this one, and a question alone does not wait for company.
    assert_eq!(
        asking.ask(THERE, 40, End::Answer).await.expect("no panic").expect("asked"),
        (80, THERE.uuid())
    );
    assert_eq!(asking.journeys(), [1, 1]);
    gate.add_permits(1);
    assert_eq!(held.await.expect("no panic").expect("asked"), (2, HERE.uuid()));
    for (n, other) in (2..12).zip(others) {
        assert_eq!(other.await.expect("no panic").expect("asked"), (n * 2, HERE.uuid()));
    }
    assert_eq!(asking.journeys(), [1, 1, 10]);
    asking.server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_goes_in_several_journeys() {
    let Some(asking) = Asking::new().await else { return };
    let (gate, held) = asking.held(1, End::Answer).await;
    let others: Vec<_> = (0..150).map(|n| asking.ask(HERE, n, End::Answer)).collect();
    settled().await;
    gate.add_permits(1);
    held.await.expect("no panic").expect("asked");
    for (n, other) in (0..150).zip(others) {
        assert_eq!(other.await.expect("no panic").expect("asked").0, n * 2);
    }
    assert_eq!(asking.journeys(), [1, 64, 64, 22]);
    asking.server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_and_a_panic_are_told_and_block_nobody_after_them() {
    let Some(asking) = Asking::new().await else { return };
    for end in [End::Fail, End::Panic] {
        let (gate, held) = asking.held(1, end).await;
        let after: Vec<_> = (0..3).map(|n| asking.ask(HERE, n, End::Answer)).collect();
        settled().await;
        gate.add_permits(1);
        let told = held.await.expect("no panic").expect_err("no answer");
        if end == End::Fail {
            assert!(matches!(told, StoreError::Full), "{told:?}");
            for (n, one) in (0..3).zip(after) {
                assert_eq!(one.await.expect("no panic").expect("asked").0, n * 2);
            }
        } else {
            // Those who waited behind it are told to try again.
            assert!(matches!(told, StoreError::Busy), "{told:?}");
            for one in after {
                assert!(matches!(one.await.expect("no panic"), Err(StoreError::Busy)));
            }
        }
        assert_eq!(asking.ask(HERE, 21, End::Answer).await.expect("no panic").expect("asked").0, 42);
    }
    asking.server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_away_takes_nobody_along() {
    let Some(asking) = Asking::new().await else { return };
    let (gate, held) = asking.held(1, End::Answer).await;
    let gone = asking.ask(HERE, 2, End::Answer);
    let stays = asking.ask(HERE, 3, End::Answer);
    settled().await;
    held.abort();
    gone.abort();
    gate.add_permits(1);
    assert_eq!(stays.await.expect("no panic").expect("asked").0, 6);
    asking.server.close().await;
}

/// The questions one by one, or all together.
struct Plans {
    questions: Vec<Arc<FilingQuestion>>,
    together: bool,
}

impl Read for Plans {
    type Out = Vec<FilingPlan>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        if self.together {
            return FilingQuestion::run_all(&self.questions, tx).await;
        }
        let mut plans = Vec::new();
        for question in &self.questions {
            plans.push(question.run(tx).await?);
        }
        Ok(plans)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_are_planned_together_as_each_by_itself() {
    for house in houses().await.into_iter().filter(|house| house.store.is_postgres()) {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let jan = desk.file(&house, says("Jan", "Ketel", "De ketel lekt."), "jan", &[]).await;
        let piet = desk.file(&house, says("Piet", "Factuur", "Dag."), "piet", &[]).await;
        let thread =
            store.reply_thread(access, piet.conversation).await.expect("asked").expect("a thread").thread;

        let keys = store.keys(access).await.expect("keys");
        let question = |id: &str, author: &str, related: &[&str], reply_thread: Option<ThreadId>| {
            Arc::new(FilingQuestion {
                account: desk.account.id,
                external: message_id_index(&keys, id),
                author: email_index(&keys, author),
                related: related.iter().map(|id| message_id_index(&keys, id)).collect(),
                reply_thread,
            })
        };
        let nobody = Some(ThreadId(Uuid::from_u128(1)));
        let questions = vec![
            question("new", "new@klant.example", &[], None),
            question("jan", "jan@klant.example", &[], None),
            question("b", "piet@klant.example", &["unknown", "piet", "jan"], None),
            question("c", "jan@klant.example", &["jan", "piet"], Some(thread)),
            question("d", "new@klant.example", &["unknown"], Some(thread)),
            question("e", "piet@klant.example", &["unknown"], nobody),
            Arc::new(FilingQuestion {
                account: belofte_model::ChannelAccountId(Uuid::from_u128(2)),
                external: message_id_index(&keys, "jan"),
                author: email_index(&keys, "jan@klant.example"),
                related: vec![message_id_index(&keys, "piet")],
                reply_thread: None,
            }),
            question("f", "piet@klant.example", &[], Some(thread)),
        ];
        let ask = |together| Plans { questions: questions.clone(), together };
        let alone = store.read(access, ask(false)).await.expect("asked");
        let together = store.read(access, ask(true)).await.expect("asked");
        let facts = |plans: &[FilingPlan]| -> Vec<_> {
            plans
                .iter()
                .map(|plan| {
                    let thread = plan.thread.as_ref().map(|known| {
                        let status = known.status.as_str();
                        (
                            known.thread,
                            known.conversation,
                            known.contact,
                            known.queue,
                            known.key,
                            known.version,
                            status,
                        )
                    });
                    (plan.duplicate, plan.erased, plan.contact, plan.queue, thread)
                })
                .collect()
        };
        assert_eq!(facts(&together), facts(&alone));
        // … and both say what is so.
        let cases: Vec<_> =
            together.iter().map(|plan| plan.thread.as_ref().map(|known| known.conversation)).collect();
        let (jans, piets) = (Some(jan.conversation), Some(piet.conversation));
        assert_eq!(cases, [None, None, piets, jans, piets, None, piets, piets]);
        let copies: Vec<Option<MessageId>> = together.iter().map(|plan| plan.duplicate).collect();
        assert_eq!(copies[..2], [None, Some(jan.message)]);
        assert!(copies[2..].iter().all(Option::is_none));
        let queues: Vec<bool> = together.iter().map(|plan| plan.queue.is_some()).collect();
        assert_eq!(queues, [true, true, true, true, true, true, false, true]);
        let known: Vec<bool> = together.iter().map(|plan| plan.contact.is_some()).collect();
        assert_eq!(known, [false, true, true, true, false, true, true, true]);
        house.store.close().await;
    }
}
