// SPDX-License-Identifier: EUPL-1.2
//! The readers of the embedded engine: a fixed number of threads, each with read-only connections
//! of its own to both files, so that statements stay prepared and pages stay warm.
//!
//! The thread that rested last is woken first: its connections are the warmest.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle, Thread};

use belofte_model::TenantId;
use futures_util::FutureExt;
use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot};

use super::{Read, Tx, sqlite};
use crate::StoreError;

/// Questions waiting for a thread beyond this make callers wait.
const QUEUE: usize = 256;

type Job = Box<dyn FnOnce(&mut Hands) + Send>;

/// The threads.
pub(crate) struct Readers {
    shared: Arc<Shared>,
    places: Arc<Semaphore>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// Who rests, the last one last.
    resting: Vec<Thread>,
    closed: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic holds this lock")
    }

    /// The next job; waits for one. `None` when the engine is closed and nothing is left to do.
    fn next(&self) -> Option<Job> {
        let me = thread::current();
        loop {
            {
                let mut state = self.state();
                // Woken without need, it may still be listed.
                state.resting.retain(|other| other.id() != me.id());
                if let Some(job) = state.jobs.pop_front() {
                    return Some(job);
                }
                if state.closed {
                    return None;
                }
                state.resting.push(me.clone());
            }
            thread::park();
        }
    }

    /// Gives `job` to a reader that rests; `false` when none does.
    fn help(&self, job: Job) -> bool {
        let woken = {
            let mut state = self.state();
            if state.closed || !state.jobs.is_empty() {
                return false;
            }
            let Some(woken) = state.resting.pop() else { return false };
            state.jobs.push_back(job);
            woken
        };
        woken.unpark();
        true
    }

    /// `false` when the engine is closed.
    fn put(&self, job: Job) -> bool {
        let woken = {
            let mut state = self.state();
            if state.closed {
                return false;
            }
            state.jobs.push_back(job);
            state.resting.pop()
        };
        if let Some(thread) = woken {
            thread.unpark();
        }
        true
    }
}

impl Readers {
    /// Starts `count` threads, at least one, that read the two files.
    ///
    /// # Errors
    /// [`StoreError::Blob`] when a thread cannot be started.
    pub(crate) fn start(content: PathBuf, keys: PathBuf, count: usize) -> Result<Self, StoreError> {
        let readers = Self {
            shared: Arc::default(),
            places: Arc::new(Semaphore::new(QUEUE)),
            threads: Mutex::default(),
        };
        for _ in 0..count.max(1) {
            let shared = Arc::clone(&readers.shared);
            let mut hands = Hands {
                content: Hand::new(content.clone()),
                keys: Hand::new(keys.clone()),
                shared: Arc::clone(&shared),
            };
            let run = move || {
                while let Some(job) = shared.next() {
                    // The caller of a job that panics sees its answer missing.
                    if catch_unwind(AssertUnwindSafe(|| job(&mut hands))).is_err() {
                        hands.let_go();
                    }
                }
            };
            let thread = thread::Builder::new().name("sqlite-reader".to_owned()).spawn(run)?;
            readers.threads.lock().expect("no panic holds this lock").push(thread);
        }
        Ok(readers)
    }

    /// Runs `act` on a thread that can read both files. What nobody waits for any more when its
    /// turn comes is not run.
    ///
    /// # Errors
    /// What `act` answers; [`StoreError::Busy`] when the engine is closed or `act` panicked.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Hands) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| StoreError::Busy)?;
        let (sender, receiver) = oneshot::channel();
        let job = Box::new(move |hands: &mut Hands| {
            drop(place);
            if !sender.is_closed() {
                // The caller may have gone away meanwhile.
                let _ = sender.send(act(hands));
            }
        });
        if !self.shared.put(job) {
            return Err(StoreError::Busy);
        }
        receiver.await.map_err(|_| StoreError::Busy)?
    }

    /// Takes no more questions, answers those that wait and closes the connections.
    pub(crate) fn close(&self) {
        self.places.close();
        let resting = {
            let mut state = self.shared.state();
            state.closed = true;
            std::mem::take(&mut state.resting)
        };
        for thread in resting {
            thread.unpark();
        }
        let threads = std::mem::take(&mut *self.threads.lock().expect("no panic holds this lock"));
        for reader in threads {
            // The last handle of the stores may be dropped by a question itself.
            if reader.thread().id() != thread::current().id() {
                let _ = reader.join();
            }
        }
    }
}

/// What a reader holds: a connection to each file.
pub(crate) struct Hands {
    content: Hand,
    keys: Hand,
    shared: Arc<Shared>,
}

/// A part of a work that two readers can do at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Half {
    /// Done by the reader that has the work.
    First,
    /// Done by another one, if one rests.
    Second,
}

/// A connection that is opened when it is first needed.
struct Hand {
    path: PathBuf,
    connection: Option<Connection>,
}

impl Hands {
    /// Runs a question on a snapshot of the content.
    ///
    /// # Errors
    /// What the body answers, and the engine's errors.
    pub(crate) fn content<R: Read>(
        &mut self,
        tenant: Option<TenantId>,
        value: &R,
    ) -> Result<R::Out, StoreError> {
        self.content.read(tenant, value)
    }

    /// Runs a question on a snapshot of the keys.
    ///
    /// # Errors
    /// What the body answers, and the engine's errors.
    pub(crate) fn keys<R: Read>(
        &mut self,
        tenant: Option<TenantId>,
        value: &R,
    ) -> Result<R::Out, StoreError> {
        self.keys.read(tenant, value)
    }

    /// Does both halves of a work, each on a snapshot of its own: the second by a reader that rests, at
    /// the same time, or else after the first. Nobody ever waits for a reader that has not begun.
    ///
    /// # Errors
    /// What `act` answers for either half; [`StoreError::Busy`] when it panicked for the second.
    pub(crate) fn both<T: Send + 'static>(
        &mut self,
        act: &Arc<impl Fn(&mut Self, Half) -> Result<T, StoreError> + Send + Sync + 'static>,
    ) -> Result<(T, T), StoreError> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let begun = Arc::new(AtomicBool::new(false));
        let (helper, helped) = (Arc::clone(act), Arc::clone(&begun));
        let job = Box::new(move |hands: &mut Self| {
            if !helped.swap(true, Ordering::AcqRel) {
                let _ = sender.send(helper(hands, Half::Second));
            }
        });
        let asked = self.shared.help(job);
        let first = act(self, Half::First);
        let begun = begun.swap(true, Ordering::AcqRel);
        let first = first?;
        let second = if asked && begun {
            receiver.recv().map_err(|_| StoreError::Busy)??
        } else {
            act(self, Half::Second)?
        };
        Ok((first, second))
    }

    fn let_go(&mut self) {
        (self.content.connection, self.keys.connection) = (None, None);
    }
}

impl Hand {
    const fn new(path: PathBuf) -> Self {
        Self { path, connection: None }
    }

    fn read<R: Read>(&mut self, tenant: Option<TenantId>, value: &R) -> Result<R::Out, StoreError> {
        // Kept only when the transaction was ended in order.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => sqlite::connect(&self.path, true)?,
        };
        connection.prepare_cached("BEGIN")?.execute([])?;
        let out = value.run(&mut Tx::lite(&mut connection, tenant)).now_or_never();
        connection.prepare_cached("COMMIT")?.execute([])?;
        self.connection = Some(connection);
        out.unwrap_or(Err(StoreError::Inconsistent { what: "a body of SQLite waited" }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::engine::{params, sql};

    /// Files with a table of one row.
    fn readers(folder: &tempfile::TempDir, count: usize) -> Readers {
        let paths = ["content.db", "keys.db"].map(|name| folder.path().join(name));
        for (path, value) in paths.iter().zip([1, 2]) {
            let connection = sqlite::connect(path, false).expect("a database");
            let text =
                format!("CREATE TABLE item (value INTEGER NOT NULL); INSERT INTO item VALUES ({value})");
            connection.execute_batch(&text).expect("a table");
        }
        let [content, keys] = paths;
        Readers::start(content, keys, count).expect("threads")
    }

    struct Value;

    impl Read for Value {
        type Out = i64;
        async fn run(&self, tx: &mut Tx<'_>) -> Result<i64, StoreError> {
            tx.query_one(sql!("SELECT value FROM item"), params![], |row| row.int(0)).await
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn each_question_is_answered_once_from_its_own_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let readers = Arc::new(readers(&folder, 3));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..2_000 {
            let readers = Arc::clone(&readers);
            tasks.spawn(async move {
                readers.run(|hands| Ok((hands.content(None, &Value)?, hands.keys(None, &Value)?))).await
            });
        }
        let mut answered = 0;
        while let Some(done) = tasks.join_next().await {
            assert_eq!(done.expect("no panic").expect("an answer"), (1, 2));
            answered += 1;
        }
        assert_eq!(answered, 2_000);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_panic_costs_its_caller_the_answer_and_nobody_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let readers = readers(&folder, 1);
        let panicked: Result<(), _> = readers.run(|_| panic!("on purpose")).await;
        assert!(matches!(panicked, Err(StoreError::Busy)), "{panicked:?}");
        assert_eq!(readers.run(|hands| hands.content(None, &Value)).await.expect("an answer"), 1);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn closing_answers_what_waits_and_takes_no_more() {
        let folder = tempfile::tempdir().expect("a folder");
        let readers = Arc::new(readers(&folder, 1));
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let done = Arc::new(AtomicUsize::new(0));
        let mut tasks = tokio::task::JoinSet::new();
        let first = Arc::clone(&readers);
        let mut ahead = tokio::task::JoinSet::new();
        let (started, running) = oneshot::channel();
        let act = move |_: &mut Hands| {
            let _ = started.send(());
            wait.recv().map_err(|_| StoreError::Busy)
        };
        ahead.spawn(async move { first.run(act).await });
        running.await.expect("the only thread is taken");
        for _ in 0..20 {
            let (readers, done) = (Arc::clone(&readers), Arc::clone(&done));
            tasks.spawn(async move {
                let act = move |hands: &mut Hands| {
                    done.fetch_add(1, Ordering::SeqCst);
                    hands.content(None, &Value)
                };
                readers.run(act).await
            });
        }
        while readers.shared.state().jobs.len() < 20 {
            tokio::task::yield_now().await;
        }
        let closing = {
            let readers = Arc::clone(&readers);
            tokio::task::spawn_blocking(move || readers.close())
        };
        while !readers.shared.state().closed {
            tokio::task::yield_now().await;
        }
        go.send(()).expect("somebody waits");
        closing.await.expect("closed");
        ahead.join_next().await.expect("one").expect("no panic").expect("an answer");
        while let Some(answered) = tasks.join_next().await {
            assert_eq!(answered.expect("no panic").expect("an answer"), 1);
        }
        assert_eq!(done.load(Ordering::SeqCst), 20);
        assert!(matches!(readers.run(|_| Ok(())).await, Err(StoreError::Busy)));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_nobody_waits_for_is_not_run() {
        let folder = tempfile::tempdir().expect("a folder");
        let readers = readers(&folder, 1);
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let first = readers.run(move |_| wait.recv().map_err(|_| StoreError::Busy));
        let ran = Arc::new(AtomicUsize::new(0));
        let noted = Arc::clone(&ran);
        let second = readers.run(move |_| {
            noted.fetch_add(1, Ordering::SeqCst);
            Ok(())
        });
        let mut first = Box::pin(first);
        assert!(first.as_mut().now_or_never().is_none());
        {
            let mut second = Box::pin(second);
            assert!(second.as_mut().now_or_never().is_none());
        }
        go.send(()).expect("somebody waits");
        first.await.expect("an answer");
        readers.run(|_| Ok(())).await.expect("an answer");
        assert_eq!(ran.load(Ordering::SeqCst), 0);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_last_handle_may_be_dropped_by_a_question() {
        let folder = tempfile::tempdir().expect("a folder");
        let readers = Arc::new(readers(&folder, 2));
        let (held, (sender, receiver)) = (Arc::clone(&readers), oneshot::channel());
        let act = move |_: &mut Hands| {
            held.close();
            let _ = sender.send(());
            Ok(())
        };
        readers.run(act).await.expect("an answer");
        receiver.await.expect("closed from within");
    }

    /// The threads that did the halves of a work.
    async fn halves(
        readers: &Readers,
        act: impl Fn(Half) -> Result<(), StoreError> + Send + Sync + 'static,
    ) -> Result<(thread::ThreadId, thread::ThreadId), StoreError> {
        let act = Arc::new(move |hands: &mut Hands, half| {
            act(half)?;
            assert_eq!(hands.content(None, &Value)?, 1);
            Ok(thread::current().id())
        });
        readers.run(move |hands| hands.both(&act)).await
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn two_readers_do_the_halves_of_a_work_at_the_same_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let readers = readers(&folder, 2);
        while readers.shared.state().resting.len() < 2 {
            tokio::task::yield_now().await;
        }
        // Each waits for the other.
        let meet = std::sync::Barrier::new(2);
        let (first, second) = halves(&readers, move |_| {
            meet.wait();
            Ok(())
        })
        .await
        .expect("done");
        assert_ne!(first, second);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_reader_without_help_does_both_halves() {
        let folder = tempfile::tempdir().expect("a folder");
        let readers = readers(&folder, 1);
        let (first, second) = halves(&readers, |_| Ok(())).await.expect("done");
        assert_eq!(first, second);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn either_half_may_fail_and_the_readers_go_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let readers = readers(&folder, 2);
        for failing in [Half::First, Half::Second] {
            let failed = halves(&readers, move |half| match half == failing {
                true => Err(StoreError::Full),
                false => Ok(()),
            });
            assert!(matches!(failed.await, Err(StoreError::Full)), "{failing:?}");
            let panicked = halves(&readers, move |half| match half == failing {
                true => panic!("on purpose"),
                false => Ok(()),
            });
            assert!(matches!(panicked.await, Err(StoreError::Busy)), "{failing:?}");
        }
        for _ in 0..200 {
            halves(&readers, |_| Ok(())).await.expect("done");
        }
    }
}
