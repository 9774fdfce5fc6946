//! One round of work on the server: what was asked for together is answered together.

use std::sync::Arc;

use orbit_core::intent::{Commit, CommitId};
use orbit_core::port::Lists;
use orbit_core::{ActionId, Environment};

use crate::fault::Fault;
use crate::lists;
use crate::remote::ahead::Dispatcher;
use crate::remote::mirror::Mirror;

mod push;

/// What a caller wants of the server.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    Read(Environment),
    Find(ActionId, CommitId),
    Commit(Arc<Commit>),
}

/// What it gets.
#[derive(Debug)]
pub(crate) enum Answer {
    Lists(Box<Lists>),
    Found(Option<CommitId>),
    Committed(CommitId),
}

/// A round, on a clone whose head may have been left behind since the last one.
pub(crate) struct Round<'a> {
    mirror: &'a mut Mirror,
    dispatcher: &'a dyn Dispatcher,
    /// Whether the server was asked for its head since the round began.
    is_fresh: bool,
}

impl<'a> Round<'a> {
    pub(crate) const fn new(mirror: &'a mut Mirror, dispatcher: &'a dyn Dispatcher) -> Self {
        Self { mirror, dispatcher, is_fresh: false }
    }

    /// Answers all that was asked, in its order.
    ///
    /// # Errors
    /// [`Fault::Git`] if the clone is damaged: then all of it may be asked again, of a new one.
    pub(crate) fn serve(&mut self, asks: &[Ask]) -> Result<Vec<Result<Answer, Fault>>, Fault> {
        // Whoever reads must see all that was on the server when it asked.
        let is_look = |ask: &Ask| !matches!(ask, Ask::Commit(_));
        if (asks.iter().any(is_look) || self.mirror.head().is_err())
            && let Err(fault) = self.sync()
        {
            return all(fault, asks.len());
        }
        let commits: Vec<_> = asks.iter().filter_map(Ask::commit).cloned().collect();
        let mut answers = Vec::with_capacity(asks.len());
        for ask in asks.iter().filter(|ask| is_look(ask)) {
            answers.push(unless_damaged(self.look(ask))?);
        }
        let (mut looked, mut committed) = (answers.into_iter(), self.commit(&commits)?.into_iter());
        let take = |ask| if is_look(ask) { looked.next() } else { committed.next() };
        Ok(asks.iter().map(take).map(|one| one.unwrap_or(Err(Fault::Unanswered))).collect())
    }

    fn look(&mut self, ask: &Ask) -> Result<Answer, Fault> {
        match ask {
            Ask::Read(environment) => self.read(environment).map(Box::new).map(Answer::Lists),
            Ask::Find(action, since) => {
                let found = self.mirror.find(action, since)?;
                Ok(Answer::Found(found.map(|id| CommitId(id.to_string()))))
            }
            Ask::Commit(_) => Err(Fault::Unanswered),
        }
    }

    fn read(&self, environment: &Environment) -> Result<Lists, Fault> {
        let branch = &self.mirror.branch;
        lists::of(branch, &branch.git.find_commit(self.mirror.head()?)?, environment)
    }

    fn expect_turn(&self) -> Result<(), Fault> {
        if self.dispatcher.has_turn() { Ok(()) } else { Err(Fault::Unanswered) }
    }

    fn sync(&mut self) -> Result<(), Fault> {
        self.expect_turn()?;
        self.mirror.sync()?;
        self.is_fresh = true;
        Ok(())
    }
}

impl Ask {
    pub(crate) const fn commit(&self) -> Option<&Arc<Commit>> {
        match self {
            Self::Commit(commit) => Some(commit),
            Self::Read(_) | Self::Find(..) => None,
        }
    }
}

/// Gives one fault to all, unless it is the clone's.
fn all<T>(fault: Fault, n: usize) -> Result<Vec<Result<T, Fault>>, Fault> {
    if matches!(fault, Fault::Git(_)) {
        return Err(fault);
    }
    let fault = Arc::new(fault);
    Ok((0..n).map(|_| Err(Fault::Shared(Arc::clone(&fault)))).collect())
}

/// Tells the faults of the clone from those of what was asked.
fn unless_damaged<T>(result: Result<T, Fault>) -> Result<Result<T, Fault>, Fault> {
    match result {
        Err(fault @ Fault::Git(_)) => Err(fault),
        other => Ok(other),
    }
}
