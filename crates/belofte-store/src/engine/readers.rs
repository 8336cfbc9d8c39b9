// SPDX-License-Identifier: EUPL-1.2
//! The readers of the embedded engine: a fixed number of threads, each with read-only connections
//! of its own to both files, so that statements stay prepared and pages stay warm.
//!
//! The thread that rested last is woken first: its connections are the warmest.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::TryRecvError;
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

/// The next part of a work, while there is one.
fn take(next: &AtomicUsize, parts: usize) -> Option<usize> {
    // What a part brings travels through a channel: the number orders nothing.
    let part = next.fetch_add(1, Ordering::Relaxed);
    (part < parts).then_some(part)
}

/// So often a reader looks whether the other one is done before it sleeps: a few dozen microseconds, about what being
/// woken takes.
const LOOKS: usize = 400;

/// What the other reader brings next.
fn soon<T>(receiver: &std::sync::mpsc::Receiver<T>) -> Result<T, StoreError> {
    for _ in 0..LOOKS {
        match receiver.try_recv() {
            Ok(brought) => return Ok(brought),
            Err(TryRecvError::Empty) => std::hint::spin_loop(),
            Err(TryRecvError::Disconnected) => return Err(StoreError::Busy),
        }
    }
    receiver.recv().map_err(|_| StoreError::Busy)
}

/// A connection that is opened when it is first needed.
struct Hand {
    path: PathBuf,
    connection: Option<Connection>,
    /// Whether questions are asked of one snapshot until [`Hand::release`] …
    held: bool,
    /// … and whether that was begun.
    begun: bool,
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

    /// Does the parts of a work, those of each reader on one snapshot, together with a reader that rests, if one
    /// does: whoever is free takes the next part, so that a reader whose processor is taken away holds up
    /// one part and no more. Nobody ever waits for a reader that has not begun. Gives what each part
    /// brought, in order.
    ///
    /// # Errors
    /// What `act` answers for a part; [`StoreError::Busy`] when it panicked for the other reader.
    pub(crate) fn share<T: Send + 'static>(
        &mut self,
        parts: usize,
        act: &Arc<impl Fn(&mut Self, usize) -> Result<T, StoreError> + Send + Sync + 'static>,
    ) -> Result<Vec<T>, StoreError> {
        let (sender, receiver) = std::sync::mpsc::channel();
        let next = Arc::new(AtomicUsize::new(0));
        let (helper, helped) = (Arc::clone(act), Arc::clone(&next));
        let job = Box::new(move |hands: &mut Self| {
            hands.hold();
            while let Some(part) = take(&helped, parts) {
                let _ = sender.send((part, helper(hands, part)));
            }
            hands.release();
        });
        self.shared.help(job);
        let mut done: Vec<Option<T>> = (0..parts).map(|_| None).collect();
        self.hold();
        let mut own = Ok(());
        while let Some(part) = take(&next, parts) {
            match act(self, part) {
                Ok(brought) => done[part] = Some(brought),
                Err(error) => {
                    next.store(parts, Ordering::Relaxed);
                    own = Err(error);
                }
            }
        }
        self.release();
        own?;
        while done.iter().any(Option::is_none) {
            let (part, brought) = soon(&receiver)?;
            done[part] = Some(brought?);
        }
        Ok(done.into_iter().flatten().collect())
    }

    /// From here on all questions are asked of one snapshot of each file.
    fn hold(&mut self) {
        (self.content.held, self.keys.held) = (true, true);
    }

    fn release(&mut self) {
        self.content.release();
        self.keys.release();
    }

    fn let_go(&mut self) {
        self.content.drop_connection();
        self.keys.drop_connection();
    }
}

impl Hand {
    const fn new(path: PathBuf) -> Self {
        Self { path, connection: None, held: false, begun: false }
    }

    fn read<R: Read>(&mut self, tenant: Option<TenantId>, value: &R) -> Result<R::Out, StoreError> {
        // Kept only when the transaction was ended in order, or is to go on.
        let begun = std::mem::take(&mut self.begun);
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => sqlite::connect(&self.path, true)?,
        };
        if !begun {
            connection.prepare_cached("BEGIN")?.execute([])?;
        }
        let out = value.run(&mut Tx::lite(&mut connection, tenant)).now_or_never();
        if self.held {
            self.begun = true;
        } else {
            connection.prepare_cached("COMMIT")?.execute([])?;
        }
        self.connection = Some(connection);
        out.unwrap_or(Err(StoreError::Inconsistent { what: "a body of SQLite waited" }))
    }

    /// Ends the snapshot. A connection that cannot is opened anew for the next question.
    fn release(&mut self) {
        self.held = false;
        if !std::mem::take(&mut self.begun) {
            return;
        }
        let ended = match &self.connection {
            Some(connection) => connection.prepare_cached("COMMIT").and_then(|mut end| end.execute([])),
            None => return,
        };
        if ended.is_err() {
            self.drop_connection();
        }
    }

    fn drop_connection(&mut self) {
        (self.connection, self.held, self.begun) = (None, false, false);
    }
}

#[cfg(test)]
mod tests {
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

    /// The threads that did the parts of a work.
    async fn shared(
        readers: &Readers,
        parts: usize,
        act: impl Fn(usize) -> Result<(), StoreError> + Send + Sync + 'static,
    ) -> Result<Vec<(usize, thread::ThreadId)>, StoreError> {
        let act = Arc::new(move |hands: &mut Hands, part| {
            act(part)?;
            assert_eq!(hands.content(None, &Value)?, 1);
            Ok((part, thread::current().id()))
        });
        readers.run(move |hands| hands.share(parts, &act)).await
    }

    async fn all_rest(readers: &Readers, count: usize) {
        while readers.shared.state().resting.len() < count {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn two_readers_do_parts_of_a_work_at_the_same_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let readers = readers(&folder, 2);
        all_rest(&readers, 2).await;
        // Each waits for the other, part for part.
        let meet = std::sync::Barrier::new(2);
        let done = shared(&readers, 2, move |_| {
            meet.wait();
            Ok(())
        })
        .await
        .expect("done");
        assert_eq!(done.iter().map(|(part, _)| *part).collect::<Vec<_>>(), [0, 1]);
        assert_ne!(done[0].1, done[1].1);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_reader_that_is_held_up_holds_up_one_part() {
        let folder = tempfile::tempdir().expect("a folder");
        let readers = readers(&folder, 2);
        all_rest(&readers, 2).await;
        // Whoever takes the first part does not go on before the other five are done.
        let others = Arc::new(std::sync::Barrier::new(2));
        let left = AtomicUsize::new(5);
        let done = shared(&readers, 6, move |part| {
            if part == 0 || left.fetch_sub(1, Ordering::SeqCst) == 1 {
                others.wait();
            }
            Ok(())
        })
        .await
        .expect("done");
        assert_eq!(done.iter().map(|(part, _)| *part).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
        assert!(done[1..].iter().all(|(_, thread)| *thread == done[1].1 && *thread != done[0].1));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_reader_without_help_does_all_parts() {
        let folder = tempfile::tempdir().expect("a folder");
        let readers = readers(&folder, 1);
        let done = shared(&readers, 5, |_| Ok(())).await.expect("done");
        assert_eq!(done.len(), 5);
        assert!(done.iter().all(|(_, thread)| *thread == done[0].1));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn any_part_may_fail_and_the_readers_go_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let readers = readers(&folder, 2);
        for failing in 0..4 {
            let failed = shared(&readers, 4, move |part| match part == failing {
                true => Err(StoreError::Full),
                false => Ok(()),
            });
            assert!(matches!(failed.await, Err(StoreError::Full)), "{failing}");
            let panicked = shared(&readers, 4, move |part| match part == failing {
                true => panic!("on purpose"),
                false => Ok(()),
            });
            assert!(matches!(panicked.await, Err(StoreError::Busy)), "{failing}");
        }
        for _ in 0..200 {
            assert_eq!(shared(&readers, 3, |_| Ok(())).await.expect("done").len(), 3);
        }
    }
}
