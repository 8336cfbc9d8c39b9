// SPDX-License-Identifier: EUPL-1.2
//! Questions of one kind that many ask at the same time, asked together.
//!
//! On the server engine a question is a transaction of its own, and most of what it costs is not its
//! statements but what stands around them: journeys, BEGIN and COMMIT, plans made ready and put
//! away. Of each tenant one such question is on the way at a time. Whoever asks while none is goes
//! at once; all who ask meanwhile go with the next. Nobody who asks alone waits for company.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use belofte_model::{Duration, TenantId};
use deadpool_postgres::Pool;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use super::group::{self, Session};
use super::postgres::Open;
use super::{Read, Tx};
use crate::StoreError;

/// So many go together at most: one statement with that many rows is still a short one.
const MOST: usize = 64;

/// A journey for which somebody waits already begins so long after the one before it at the earliest.
const PACE: Duration = Duration::from_millis(3);

/// A question that can be asked with others of its kind.
pub(crate) trait Together: Read {
    /// Asks all of them in one transaction; the answers are in the order of the questions.
    ///
    /// # Errors
    /// Any [`StoreError`] of the engine. Every one of the askers is told.
    fn run_all(
        questions: &[Arc<Self>],
        tx: &mut Tx<'_>,
    ) -> impl Future<Output = Result<Vec<Self::Out>, StoreError>> + Send;
}

/// Several questions as one.
struct All<Q>(Vec<Arc<Q>>);

impl<Q: Together> Read for All<Q> {
    type Out = Vec<Q::Out>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        Q::run_all(&self.0, tx).await
    }
}

struct Asked<Q: Together> {
    question: Arc<Q>,
    answer: oneshot::Sender<Result<Q::Out, StoreError>>,
}

/// Those who wait, by tenant. Where there is an entry, one of that tenant is on the way.
type Waiting<Q> = HashMap<TenantId, VecDeque<Asked<Q>>>;

/// Questions of one kind that wait for the next journey.
pub(crate) struct Gathering<Q: Together> {
    waiting: Mutex<Waiting<Q>>,
}

impl<Q: Together> Default for Gathering<Q> {
    fn default() -> Self {
        Self { waiting: Mutex::new(HashMap::new()) }
    }
}

impl<Q: Together> Gathering<Q> {
    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting<Q>> {
        // What is locked is whole at any time.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks `question` of `tenant` over a connection of `pool`, in a task of `tasks` on `threads`, with
    /// those who ask at the same time.
    ///
    /// # Errors
    /// What [`Together::run_all`] answers, [`StoreError::Busy`] when the store is closed, and the
    /// engine's errors.
    pub(super) async fn ask(
        self: &Arc<Self>,
        pool: &Pool,
        (tasks, threads): (&TaskTracker, &Handle),
        tenant: TenantId,
        question: Arc<Q>,
    ) -> Result<Q::Out, StoreError> {
        let (answer, answered) = oneshot::channel();
        let first = {
            let mut waiting = self.waiting();
            let first = !waiting.contains_key(&tenant);
            waiting.entry(tenant).or_default().push_back(Asked { question, answer });
            first
        };
        if first {
            // A task of its own, so that nobody's answer hangs on somebody else's patience.
            let way = Way { gathering: Arc::clone(self), tenant, ended: false };
            tasks.spawn_on(way.go(pool.clone()), threads);
        }
        answered.await.map_err(|_| StoreError::Busy)?
    }
}

/// The way of a tenant's questions, for as long as somebody waits.
struct Way<Q: Together> {
    gathering: Arc<Gathering<Q>>,
    tenant: TenantId,
    ended: bool,
}

impl<Q: Together> Way<Q> {
    async fn go(mut self, pool: Pool) {
        loop {
            let asked: Vec<Asked<Q>> = {
                let mut waiting = self.gathering.waiting();
                let queue = waiting.entry(self.tenant).or_default();
                if queue.is_empty() {
                    // Under the lock: whoever comes next finds nobody on the way.
                    waiting.remove(&self.tenant);
                    self.ended = true;
                    return;
                }
                let most = queue.len().min(MOST);
                queue.drain(..most).collect()
            };
            let pace = tokio::time::sleep(PACE);
            let questions = asked.iter().map(|asked| Arc::clone(&asked.question)).collect();
            match self.answers(&pool, All(questions)).await {
                Ok(answers) => {
                    for (asked, answer) in asked.into_iter().zip(answers) {
                        // Who asked may have gone away.
                        let _ = asked.answer.send(Ok(answer));
                    }
                }
                Err(error) => {
                    for asked in asked {
                        let _ = asked.answer.send(Err(error.copy()));
                    }
                }
            }
            let somebody_waits =
                self.gathering.waiting().get(&self.tenant).is_some_and(|queue| !queue.is_empty());
            if somebody_waits {
                pace.await;
            }
        }
    }

    async fn answers(&self, pool: &Pool, all: All<Q>) -> Result<Vec<Q::Out>, StoreError> {
        let mut session = Session::new(Open::get(pool).await?, group::READ);
        let answers = session.asked(Some(self.tenant), &all).await;
        session.leave().await;
        let answers = answers?;
        if answers.len() == all.0.len() {
            Ok(answers)
        } else {
            Err(StoreError::Inconsistent { what: "not as many answers as questions" })
        }
    }
}

impl<Q: Together> Drop for Way<Q> {
    /// Ended half-way (a panic, the end of the runtime): those who wait are told, and the next one
    /// finds the way free.
    fn drop(&mut self) {
        if !self.ended {
            self.gathering.waiting().remove(&self.tenant);
        }
    }
}
