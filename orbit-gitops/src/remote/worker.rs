//! The thread that works for all who wait, and the watch over it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use orbit_core::intent::Commit;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};
use tracing::warn;

use crate::fault::Fault;
use crate::remote::ahead::Dispatcher;
use crate::remote::fault::RemoteFault;
use crate::remote::heartbeat::Heartbeat;
use crate::remote::mirror::{Mirror, Place};
use crate::remote::queue::{Queue, Turn};
use crate::remote::round::{Answer, Ask, Round};
use crate::remote::thread_limit::ThreadLimit;

/// In how many parts the time is counted in which a thread must show life.
const PARTS: u32 = 4;

/// The name of the threads that work on a repository.
pub(crate) const THREAD: &str = "orbit-gitops";

type Reply = oneshot::Sender<Result<Answer, Fault>>;

/// All that the clones of one `Remote` share.
pub(crate) struct Worker {
    queue: Queue<Ask, Reply, Mirror>,
    watch: Watch,
    place: Place,
    commits_per_push: usize,
    threads: ThreadLimit,
}

/// How long a silent server is waited for.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    pub(crate) server: String,
    pub(crate) limit: Duration,
    pub(crate) heartbeat: Heartbeat,
}

impl Watch {
    pub(crate) fn fault(&self) -> Fault {
        let (server, seconds) = (self.server.clone(), self.limit.as_secs());
        RemoteFault::Silent { server, seconds }.into()
    }

    fn part(&self) -> Duration {
        self.limit / PARTS
    }

    /// Runs work on a thread of its own and waits for it, as long as it shows life.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let (sender, receiver) = mpsc::channel();
        // Who was given up sends to nobody.
        start(move || drop(sender.send(work())))?;
        let (mut seen, mut n_silent) = (self.heartbeat.count(), 0);
        while n_silent < PARTS {
            match receiver.recv_timeout(self.part()) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Disconnected) => return Err(Fault::Unanswered),
                Err(RecvTimeoutError::Timeout) => {
                    let now = self.heartbeat.count();
                    n_silent = if now == seen { n_silent + 1 } else { 0 };
                    seen = now;
                }
            }
        }
        Err(self.fault())
    }
}

impl Worker {
    pub(crate) fn new(mirror: Mirror, place: Place, watch: Watch, commits_per_push: usize) -> Self {
        let (queue, threads) = (Queue::new(Some(mirror)), ThreadLimit::default());
        Self { queue, watch, place, commits_per_push, threads }
    }

    /// Asks, and waits for the answer as long as the thread that works on it shows life.
    pub(crate) async fn ask(self: &Arc<Self>, ask: Ask) -> Result<Answer, Fault> {
        let (sender, mut receiver) = oneshot::channel();
        if let Some(turn) = self.queue.add(ask, sender) {
            self.start(turn);
        }
        let (mut seen, mut n_silent) = (self.sign(), 0);
        loop {
            match timeout(self.watch.part(), &mut receiver).await {
                Ok(Ok(answer)) => return answer,
                Ok(Err(_)) => return Err(Fault::Unanswered),
                Err(_) => {
                    let now = self.sign();
                    n_silent = if now == seen { n_silent + 1 } else { 0 };
                    seen = now;
                }
            }
            if n_silent >= PARTS
                && let (Some(turn), _) = seen
            {
                self.give_up(turn);
                n_silent = 0;
            }
        }
    }

    /// Returns what changes while a thread works.
    fn sign(&self) -> (Option<Turn>, u64) {
        (self.queue.turn(), self.watch.heartbeat.count())
    }

    fn start(self: &Arc<Self>, turn: Turn) {
        if let Err(fault) = self.try_start(turn) {
            warn!("Cannot work on the repository: {fault}");
            let fault = Arc::new(fault);
            for reply in self.queue.abandon(turn) {
                // Who does not wait any more needs no answer.
                drop(reply.send(Err(Fault::Shared(Arc::clone(&fault)))));
            }
        }
    }

    fn try_start(self: &Arc<Self>, turn: Turn) -> Result<(), Fault> {
        let permit = self.threads.acquire(Instant::now()).map_err(|n_calls| {
            let server = self.watch.server.clone();
            RemoteFault::Stuck { server, n_calls }
        })?;
        let worker = Arc::clone(self);
        start(move || {
            worker.work(turn);
            drop(permit);
        })
    }

    fn give_up(self: &Arc<Self>, turn: Turn) {
        let (left, next) = self.queue.give_up(turn);
        if !left.is_empty() {
            warn!(n = left.len(), "Giving up a call to {}", self.watch.server);
        }
        for reply in left {
            // Who does not wait any more needs no answer.
            drop(reply.send(Err(self.watch.fault())));
        }
        if let Some(next) = next {
            self.start(next);
        }
    }

    fn work(&self, turn: Turn) {
        let mut mirror = self.queue.take_kept(turn);
        loop {
            self.watch.heartbeat.beat();
            let is_heavy = |ask: &Ask| ask.commit().is_some();
            let taken = self.queue.take(turn, &mut mirror, self.commits_per_push, is_heavy);
            let Some(asks) = taken else { return };
            let answers = self.serve(turn, &mut mirror, &asks);
            for (reply, answer) in self.queue.finish(turn).into_iter().zip(answers) {
                // Who does not wait any more needs no answer.
                drop(reply.send(answer));
            }
        }
    }

    /// Answers all of a round; a clone that turns out to be damaged is made anew, once.
    fn serve(
        &self,
        turn: Turn,
        mirror: &mut Option<Mirror>,
        asks: &[Ask],
    ) -> Vec<Result<Answer, Fault>> {
        let dispatcher = WorkerTurn { worker: self, turn };
        let serve = |mirror: &mut Mirror| Round::new(mirror, &dispatcher).serve(asks);
        let served = match self.open(mirror).and_then(serve) {
            Err(Fault::Git(error)) if dispatcher.has_turn() => {
                let path = self.place.path.display();
                warn!("The clone {path} is damaged, making it anew: {}", error.message());
                let made = Mirror::make(&self.place).map(|made| mirror.insert(made));
                made.and_then(serve)
            }
            other => other,
        };
        served.unwrap_or_else(|fault| {
            let fault = Arc::new(fault);
            asks.iter().map(|_| Err(Fault::Shared(Arc::clone(&fault)))).collect()
        })
    }

    fn open<'a>(&self, mirror: &'a mut Option<Mirror>) -> Result<&'a mut Mirror, Fault> {
        let open = match mirror.take() {
            Some(open) => open,
            None => Mirror::open(&self.place)?,
        };
        Ok(mirror.insert(open))
    }
}

/// A worker in the time of one thread.
struct WorkerTurn<'a> {
    worker: &'a Worker,
    turn: Turn,
}

impl Dispatcher for WorkerTurn<'_> {
    fn has_turn(&self) -> bool {
        self.worker.queue.turn() == Some(self.turn)
    }

    fn coming(&self, n: usize, is_over: &AtomicBool) -> Option<Arc<Commit>> {
        if n == self.worker.commits_per_push {
            return None;
        }
        let pick = |ask: &Ask| ask.commit().cloned();
        self.worker.queue.look_ahead(self.turn, n, is_over, pick)
    }

    fn end(&self, is_over: &AtomicBool) {
        self.worker.queue.end_wait(is_over);
    }
}

/// Starts a thread that nobody waits for, as a runtime waits for those of its own when it ends.
fn start(work: impl FnOnce() + Send + 'static) -> Result<(), Fault> {
    let thread = thread::Builder::new().name(THREAD.to_owned()).spawn(work);
    thread.map(drop).map_err(|source| Fault::Thread { source })
}
