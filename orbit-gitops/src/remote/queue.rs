//! Who waits for the server, and which thread works for all of them.
//!
//! Whoever asks while nobody works starts a thread; it takes whatever waits, round by round, and
//! ends when nothing waits any more. A thread that hangs is left behind: its callers get an error,
//! and the next one takes over with a clone of its own handle. It begins no push any more; what it has
//! sent already cannot do harm, because the server compares the branch with what the push says, nor can
//! the commit that it may be making, which nothing names.

use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The waiting asks, the ones that are worked on, and what the worker keeps between rounds.
#[derive(Debug)]
pub(crate) struct Queue<A, R, K> {
    inner: Mutex<Inner<A, R, K>>,
    /// Told when something is added, and when a wait for that is over.
    changed: Condvar,
}

#[derive(Debug)]
struct Inner<A, R, K> {
    waiting: VecDeque<(A, R)>,
    working: Vec<R>,
    turn: Turn,
    is_led: bool,
    kept: Option<K>,
}

/// One thread's time at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn(u64);

impl<A, R, K> Queue<A, R, K> {
    /// Returns a queue whose first worker gets what is `kept`.
    pub(crate) fn new(kept: Option<K>) -> Self {
        let (waiting, working) = (VecDeque::new(), Vec::new());
        let inner = Inner { waiting, working, turn: Turn(0), is_led: false, kept };
        Self { inner: Mutex::new(inner), changed: Condvar::new() }
    }

    /// Adds an ask, and returns the turn of the worker that must be started, if there is none.
    pub(crate) fn add(&self, ask: A, reply: R) -> Option<Turn> {
        let mut inner = self.lock();
        inner.waiting.push_back((ask, reply));
        self.changed.notify_all();
        inner.next_turn()
    }

    /// Returns number `n`, counted from 0, of those that wait and that `pick` takes, as soon as there are
    /// so many; it stays where it is. Returns `None` once the wait or the turn is over.
    pub(crate) fn look_ahead<T>(
        &self,
        turn: Turn,
        n: usize,
        is_over: &AtomicBool,
        pick: impl Fn(&A) -> Option<T>,
    ) -> Option<T> {
        let mut inner = self.lock();
        while inner.is_turn(turn) && !is_over.load(Ordering::SeqCst) {
            let found = inner.waiting.iter().filter_map(|(ask, _)| pick(ask)).nth(n);
            if found.is_some() {
                return found;
            }
            inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        None
    }

    /// Ends the waits of [`look_ahead`](Self::look_ahead) that have this mark.
    pub(crate) fn end_wait(&self, is_over: &AtomicBool) {
        // Under the lock, nobody is between its look at the mark and its wait.
        let _inner = self.lock();
        is_over.store(true, Ordering::SeqCst);
        self.changed.notify_all();
    }

    /// Returns the turn of the thread that works now, or `None` if nobody does.
    pub(crate) fn turn(&self) -> Option<Turn> {
        let inner = self.lock();
        inner.is_led.then_some(inner.turn)
    }

    /// Takes what the last worker kept.
    pub(crate) fn take_kept(&self, turn: Turn) -> Option<K> {
        let mut inner = self.lock();
        if inner.is_turn(turn) { inner.kept.take() } else { None }
    }

    /// Takes what a worker does next: all that waits, but of those that `is_heavy` tells only the
    /// first `most`. Returns `None` and ends the turn if nothing waits or it is over already.
    pub(crate) fn take(
        &self,
        turn: Turn,
        kept: &mut Option<K>,
        most: usize,
        is_heavy: impl Fn(&A) -> bool,
    ) -> Option<Vec<A>> {
        let mut inner = self.lock();
        if !inner.is_turn(turn) {
            return None;
        }
        if inner.waiting.is_empty() {
            inner.is_led = false;
            inner.kept = kept.take();
            return None;
        }
        let (mut taken, mut n_heavy) = (Vec::new(), 0);
        for (ask, reply) in mem::take(&mut inner.waiting) {
            let may_go = !is_heavy(&ask) || n_heavy < most;
            n_heavy += usize::from(is_heavy(&ask));
            if may_go {
                taken.push(ask);
                inner.working.push(reply);
            } else {
                inner.waiting.push_back((ask, reply));
            }
        }
        Some(taken)
    }

    /// Ends a round and returns who waits for its answers, in the order of the asks; nobody, if the
    /// turn is over.
    pub(crate) fn finish(&self, turn: Turn) -> Vec<R> {
        let mut inner = self.lock();
        if inner.is_turn(turn) { mem::take(&mut inner.working) } else { Vec::new() }
    }

    /// Ends the turn of a worker that hangs. Returns who waits for it in vain, and the turn of the
    /// worker that must be started for the others.
    pub(crate) fn give_up(&self, turn: Turn) -> (Vec<R>, Option<Turn>) {
        let mut inner = self.lock();
        if !inner.is_turn(turn) {
            return (Vec::new(), None);
        }
        inner.is_led = false;
        self.changed.notify_all();
        let left = mem::take(&mut inner.working);
        let next = if inner.waiting.is_empty() { None } else { inner.next_turn() };
        (left, next)
    }

    /// Ends the turn of a worker that could not be started, and returns all who wait: for them another
    /// one could not be started either.
    pub(crate) fn abandon(&self, turn: Turn) -> Vec<R> {
        let mut inner = self.lock();
        if !inner.is_turn(turn) {
            return Vec::new();
        }
        inner.is_led = false;
        let waiting = mem::take(&mut inner.waiting);
        waiting.into_iter().map(|(_, reply)| reply).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner<A, R, K>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A, R, K> Inner<A, R, K> {
    fn is_turn(&self, turn: Turn) -> bool {
        self.is_led && self.turn == turn
    }

    fn next_turn(&mut self) -> Option<Turn> {
        if self.is_led {
            return None;
        }
        self.is_led = true;
        self.turn = Turn(self.turn.0 + 1);
        Some(self.turn)
    }
}

#[cfg(test)]
mod tests;
