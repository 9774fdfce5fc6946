//! Committing what many ask for, by as few pushes as possible.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use git2::Oid;
use orbit_core::intent::{Commit, CommitId};
use tracing::{info, warn};

use super::{Answer, Round, all};
use crate::fault::Fault;
use crate::remote::batch::{self, Draft, Outcome};
use crate::remote::fault::RemoteFault;
use crate::remote::link::Pushed;
use crate::remote::verdict::{self, Status};

/// How often a batch is made again because others moved or locked the branch meanwhile.
const TRIES: u32 = 24;
/// The longest pause after the second of these tries; each one is up to twice as long as the last.
const PAUSE: Duration = Duration::from_millis(20);
/// The longest pause of all.
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// How often a push may be cut off before its commits are given back to those who asked.
const MAX_LOST: u32 = 2;

/// How a group of commits ended.
enum Settled {
    Each(Vec<Outcome>),
    /// The server refuses the push, by this text.
    Refused(String),
}

impl Round<'_> {
    /// Makes a commit for each, one push for all of them.
    ///
    /// A server that refuses the push may mean one of them: it is pushed again in halves, so that no
    /// action fails by another one's commit.
    pub(super) fn commit(
        &mut self,
        commits: &[Arc<Commit>],
    ) -> Result<Vec<Result<Answer, Fault>>, Fault> {
        let mut answers = Vec::with_capacity(commits.len());
        let mut groups = VecDeque::from([commits]);
        while let Some(group) = groups.pop_front() {
            if group.is_empty() {
                continue;
            }
            match self.settle(group, groups.is_empty()) {
                Ok(Settled::Each(outcomes)) => answers.extend(outcomes.into_iter().map(answer)),
                Ok(Settled::Refused(text))
                    if group.len() > 1 && !verdict::is_about_branch(&text) =>
                {
                    let (first, second) = group.split_at(group.len() / 2);
                    groups.push_front(second);
                    groups.push_front(first);
                }
                Ok(Settled::Refused(text)) => {
                    let (server, branch) = self.place();
                    let fault = RemoteFault::Refused { server, branch, text };
                    answers.extend(all(fault.into(), group.len())?);
                }
                // A server that fails is not asked again for the rest.
                Err(fault) => {
                    answers.extend(all(fault, commits.len() - answers.len())?);
                    break;
                }
            }
        }
        Ok(answers)
    }

    /// Makes the group's commits on the head and pushes them, again on the next head when it moved.
    fn settle(&mut self, group: &[Arc<Commit>], is_last: bool) -> Result<Settled, Fault> {
        let mut n_lost = 0;
        for n_tries in 0..TRIES {
            let draft = self.draft(group)?;
            let head = self.mirror.head()?;
            if draft.tip == head {
                if self.is_fresh {
                    return Ok(Settled::Each(draft.outcomes));
                }
                // On an old head nothing is certain, neither that an intent does not fit.
                self.sync()?;
                continue;
            }
            self.expect_turn()?;
            match self.push(head, draft.tip, is_last && n_tries == 0)? {
                Pushed::Answered(Status::Taken) => {
                    self.is_fresh = true;
                    self.log(&draft);
                    return Ok(Settled::Each(draft.outcomes));
                }
                Pushed::Answered(Status::Moved | Status::Locked) => {
                    // Between the look at the head and the push no time may pass.
                    pause(n_tries);
                    self.sync()?;
                }
                Pushed::Answered(Status::Refused(text)) => return Ok(Settled::Refused(text)),
                Pushed::Answered(Status::Failed(text)) => {
                    let (server, branch) = self.place();
                    return Err(RemoteFault::Failed { server, branch, text }.into());
                }
                Pushed::Lost(fault) => {
                    n_lost += 1;
                    if self.is_lost(head, &fault, n_lost) {
                        return Err(fault.into());
                    }
                }
            }
        }
        let (_, branch) = self.place();
        Err(RemoteFault::Contended { branch, tries: TRIES }.into())
    }

    /// Looks whether a push that was cut off arrived; if it did, or the branch moved, or it was the
    /// first one, the same commits are looked for and made again.
    fn is_lost(&mut self, head: Oid, fault: &RemoteFault, n_lost: u32) -> bool {
        warn!("A push was cut off, looking whether it arrived: {fault}");
        match self.sync() {
            Ok(()) => n_lost >= MAX_LOST && self.mirror.head().is_ok_and(|now| now == head),
            Err(_) => true,
        }
    }

    /// Pushes a commit; while the last ones of the round are pushed for the first time, those of the next
    /// round are made. A push that was outrun once may be outrun again.
    fn push(&mut self, head: Oid, tip: Oid, may_go_ahead: bool) -> Result<Pushed, Fault> {
        if may_go_ahead {
            self.mirror.push_and_go_ahead((head, tip), self.dispatcher)
        } else {
            self.mirror.push(head, tip)
        }
    }

    fn draft(&mut self, group: &[Arc<Commit>]) -> Result<Draft, Fault> {
        let ahead = Cell::new(self.mirror.ahead.take());
        self.mirror.deeply(|mirror| {
            let head = mirror.head()?;
            let begun = ahead.take().and_then(|ahead| ahead.draft_of(head, group));
            batch::draft(&mirror.branch, begun.unwrap_or_else(|| Draft::new(head)), group)
        })
    }

    fn log(&self, draft: &Draft) {
        let (server, branch) = self.place();
        let n = draft.n_made();
        info!(git.commits = n, "Pushed to {branch} of {server}, now {}", draft.tip);
    }

    fn place(&self) -> (String, String) {
        (self.mirror.server(), self.mirror.branch.name().to_owned())
    }
}

fn answer(outcome: Outcome) -> Result<Answer, Fault> {
    match outcome {
        Outcome::Made(id) | Outcome::There(id) => Ok(Answer::Committed(CommitId(id.to_string()))),
        Outcome::Unfit(fault) => Err(fault),
    }
}

/// Waits after a try: not after the first, then for a random part of a span that doubles, so that
/// those who met do not meet again.
fn pause(n_tries: u32) {
    let Some(n_doublings) = n_tries.checked_sub(1) else { return };
    let span = PAUSE.saturating_mul(1 << n_doublings.min(10)).min(MAX_PAUSE);
    let part = getrandom::u32().unwrap_or(u32::MAX);
    thread::sleep(span.mul_f64(f64::from(part) / f64::from(u32::MAX)));
}
