//! Every port in memory: stricter than the real ones, and breakable at any call.

mod catalog;
mod delivery;
mod log;
mod render;
mod stores;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::intent::CommitId;
use crate::place::{ChartPlace, Slot};
use crate::port::{
    ActionRecord, BeginKey, Clock, Entropy, Entry, Kind, Lease, Owner, PortError, Ports, Record,
    RecordKey, Row, Stored, StoredChart,
};
use crate::saga::Outcome;
use crate::{ActionId, Digest, ImageId, ImageUid, Orbit, Timestamp};

/// Every port in memory. Clones share one state.
///
/// No call ever waits: [`run`](super::run) is executor enough for what only calls a world.
#[derive(Clone, Default)]
pub struct World {
    shared: Arc<Mutex<Shared>>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}

/// How a call breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request never arrives.
    RequestLost,
    /// The request takes effect, but its answer never arrives.
    AnswerLost,
    /// The port refuses for good.
    Refused,
    /// The request seems lost, and arrives when [`World::deliver_late`] is called.
    Late,
}

/// Which calls break: `times` in a row, from the call that is `at`th from now, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// The first call that breaks.
    pub at: usize,
    /// How many calls break.
    pub times: usize,
    /// How.
    pub fault: Fault,
}

type LateCall = Box<dyn FnOnce(&mut State) + Send>;

#[derive(Default)]
struct Shared {
    state: State,
    n_calls: usize,
    broken: Vec<Break>,
    late: Vec<LateCall>,
    calls: Vec<&'static str>,
}

/// What the world holds.
#[derive(Default)]
struct State {
    now: i64,
    n_random: u64,
    n_tags: u64,
    objects: BTreeMap<Slot, (Stored, Bytes)>,
    charts: BTreeMap<ChartPlace, StoredChart>,
    rows: BTreeMap<ImageId, Row>,
    records: BTreeMap<RecordKey, Record>,
    actions: BTreeMap<ActionId, Action>,
    locks: BTreeMap<ImageUid, ActionId>,
    keys: BTreeMap<String, (BeginKey, ActionId, Timestamp)>,
    blobs: BTreeSet<Digest>,
    tags: BTreeMap<String, Digest>,
    branch: Vec<Revision>,
}

struct Action {
    record: ActionRecord,
    lease: Lease,
    entries: Vec<Entry>,
    events: Vec<crate::event::Event>,
    ended: Option<(Outcome, Timestamp)>,
}

/// One commit of the world's repository.
struct Revision {
    id: CommitId,
    action: Option<ActionId>,
    files: BTreeMap<String, String>,
}

impl World {
    /// Returns an empty world with a repository that holds the lists of the default environments.
    pub fn new() -> Self {
        let world = Self::default();
        {
            let mut shared = world.lock();
            shared.state.now = 1_737_799_200_000;
            let environments = crate::Environments::default();
            let lists = environments.iter().flat_map(|spec| {
                let paths = [
                    crate::intent::deploy_list_path(&spec.name),
                    crate::intent::delete_list_path(&spec.name),
                ];
                paths.map(|path| (path, "[]\n".to_owned()))
            });
            let (id, files) = (CommitId("0".repeat(40)), lists.collect());
            shared.state.branch.push(Revision { id, action: None, files });
        }
        world
    }

    /// Returns its ports.
    pub fn ports(&self) -> Ports {
        let world = || Arc::new(self.clone());
        Ports {
            images: world(),
            charts: world(),
            catalog: world(),
            log: world(),
            audit: world(),
            records: world(),
            registry: world(),
            gitops: world(),
            scanner: world(),
            clock: world(),
            entropy: world(),
        }
    }

    /// Returns an installation on this world, driven by `owner`.
    pub fn orbit(&self, owner: &str) -> Orbit {
        let settings = crate::action::Settings::default();
        Orbit { ports: self.ports(), settings, owner: Owner(owner.to_owned()) }
    }

    /// Breaks calls from now on; the count of calls begins at 0 again. Where several breaks meet, the
    /// first counts.
    pub fn break_calls(&self, broken: &[Break]) {
        let mut shared = self.lock();
        (shared.n_calls, shared.broken) = (0, broken.to_vec());
        shared.calls.clear();
    }

    /// Returns the calls since the last [`break_calls`](Self::break_calls), in order.
    pub fn calls(&self) -> Vec<&'static str> {
        self.lock().calls.clone()
    }

    /// Lets the late requests arrive, and returns how many there were.
    pub fn deliver_late(&self) -> usize {
        let mut shared = self.lock();
        let late = std::mem::take(&mut shared.late);
        let n_late = late.len();
        for call in late {
            call(&mut shared.state);
        }
        n_late
    }

    /// Moves the clock on.
    pub fn pass(&self, millis: i64) {
        self.lock().state.now += millis;
    }

    /// Returns the actions that have not ended.
    pub fn running(&self) -> Vec<ActionId> {
        let shared = self.lock();
        let running = shared.state.actions.iter().filter(|(_, action)| action.ended.is_none());
        running.map(|(id, _)| id.clone()).collect()
    }

    /// Returns the digest that a tag in the registry stands for.
    pub fn pulled(&self, repository: &str, tag: &str) -> Option<Digest> {
        self.lock().state.tags.get(&format!("{repository}:{tag}")).copied()
    }

    /// Puts a file into the repository by hand, as a commit of its own.
    pub fn edit_by_hand(&self, path: &str, text: &str) {
        let mut shared = self.lock();
        let mut files = shared.state.head().files.clone();
        files.insert(path.to_owned(), text.to_owned());
        let id = CommitId(format!("{:040x}", shared.state.branch.len()));
        shared.state.branch.push(Revision { id, action: None, files });
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries a call out, unless it breaks.
    fn call<T>(
        &self,
        name: &'static str,
        act: impl FnOnce(&mut State) -> Result<T, PortError> + Send + 'static,
    ) -> Result<T, PortError> {
        let mut shared = self.lock();
        let index = shared.n_calls;
        shared.n_calls += 1;
        shared.calls.push(name);
        let hit = |broken: &Break| (broken.at..broken.at + broken.times).contains(&index);
        let lost = |what| PortError::new(Kind::Unavailable, format!("{name}: {what} was lost"));
        match shared.broken.iter().find(|broken| hit(broken)).map(|broken| broken.fault) {
            None => act(&mut shared.state),
            Some(Fault::RequestLost) => Err(lost("the request")),
            Some(Fault::AnswerLost) => {
                // Whatever the call came to, nobody hears of it.
                drop(act(&mut shared.state));
                Err(lost("the answer"))
            }
            Some(Fault::Refused) => {
                Err(PortError::new(Kind::Rejected, format!("{name} was refused")))
            }
            Some(Fault::Late) => {
                shared.late.push(Box::new(move |state| drop(act(state))));
                Err(lost("the request"))
            }
        }
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.lock().state.now)
    }
}

impl Entropy for World {
    /// Fills with a counter: the bytes differ at every call, and grow.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), PortError> {
        let mut shared = self.lock();
        shared.state.n_random += 1;
        let n = shared.state.n_random;
        let count = n.to_be_bytes();
        for (index, byte) in bytes.iter_mut().rev().enumerate() {
            *byte = match count.iter().rev().nth(index) {
                Some(&digit) => digit,
                None => u8::try_from(index % 240).unwrap_or(0),
            };
        }
        Ok(())
    }
}

fn conflict(message: impl Into<String>) -> PortError {
    PortError::new(Kind::Conflict, message)
}

fn not_found(message: impl Into<String>) -> PortError {
    PortError::new(Kind::NotFound, message)
}

fn rejected(message: impl Into<String>) -> PortError {
    PortError::new(Kind::Rejected, message)
}
