//! A history of so many actions: what real ones left in a world in memory, each with an id, an image, a
//! user and a time of its own.

use orbit_core::chart::DeploymentDetail;
use orbit_core::chart::form::ChartForm;
use orbit_core::event::{ActionKind, Event};
use orbit_core::port::{
    ActionRecord, Audit as _, Begin, Entry, EventFilter, EventLog as _, Owner, State,
};
use orbit_core::request::{Ask, Request, Upload};
use orbit_core::saga::{Fact, Failure, Outcome, Saga};
use orbit_core::testing::samples::{self, NOW, action_id, actor, archive, body, image_id};
use orbit_core::testing::{World, run};
use orbit_core::{
    Accepted, ActionId, ImageId, ImageLabels, ImageUid, ImageVersion, Timestamp, Until,
};

use super::dice::Dice;

/// The history spans two years.
const SPAN_MS: i64 = 2 * 365 * 24 * 3_600_000;
/// Between two entries of an action.
const STEP_MS: i64 = 150;
/// So many users; one of them is a pipeline.
const N_USERS: usize = 500;
/// One in so many actions is the pipeline's.
const PIPELINE: usize = 4;
/// One in so many fails.
const FAILED: usize = 50;
/// From the image of one action to that of the next: a prime.
const STRIDE: u32 = 7_919;
/// The last ones still run.
const N_RUNNING: u32 = 20;
/// How often each kind is asked for, of sixteen times.
const KINDS: [(ActionKind, usize); 6] = [
    (ActionKind::Upload, 4),
    (ActionKind::Deploy, 4),
    (ActionKind::Scan, 4),
    (ActionKind::Transfer, 2),
    (ActionKind::Delete, 1),
    (ActionKind::Restore, 1),
];

/// An action that was carried out.
struct Template {
    record: ActionRecord,
    first: Event,
    entries: Vec<Entry>,
    outcome: Outcome,
}

/// A history; each number below [`n_actions`](Self::n_actions) is an action of it.
pub(crate) struct History {
    templates: Vec<Template>,
    pub(crate) n_actions: u32,
}

/// An action of the history.
pub(crate) struct Action {
    pub(crate) record: ActionRecord,
    /// All events, each with the number of the entry that it was written with.
    pub(crate) events: Vec<(u32, Event)>,
    pub(crate) state: State,
    pub(crate) end: Option<(Outcome, Timestamp)>,
    template: usize,
}

impl History {
    /// Returns a history of about so many events.
    pub(crate) fn of(n_events: u32) -> Self {
        let templates = templates();
        let n_each = |(kind, times): &(ActionKind, usize)| {
            let is_it = |template: &&Template| template.record.request.kind() == *kind;
            let template = templates.iter().find(is_it).unwrap();
            let events = template.entries.iter().map(|entry| entry.events.len()).sum::<usize>();
            (events + 1) * times
        };
        let in_sixteen: usize = KINDS.iter().map(n_each).sum();
        let n_actions = u64::from(n_events) * 16 / u64::try_from(in_sixteen).unwrap();
        Self { templates, n_actions: u32::try_from(n_actions).unwrap().max(N_RUNNING) }
    }

    /// Returns the first version of image number `n`; ten actions are on each image.
    pub(crate) fn image(&self, n: u32) -> ImageId {
        let letters: Vec<char> = ('a'..='z').chain('A'..='Z').chain('0'..='9').collect();
        let uid = Dice::new(u64::from(n) << 32).text(&letters, 60);
        let uid: ImageUid = uid.parse().unwrap();
        ImageId { uid, version: ImageVersion::new(0, 0, 1) }
    }

    /// Returns how many images there are.
    pub(crate) const fn n_images(&self) -> u32 {
        self.n_actions.div_ceil(10)
    }

    /// Returns when action `n` began. Those behind the history follow it.
    pub(crate) fn begun(&self, n: u32) -> Timestamp {
        Timestamp::from_millis(NOW.millis() + SPAN_MS / i64::from(self.n_actions) * i64::from(n))
    }

    /// Returns the id of action `n`.
    pub(crate) fn id(&self, n: u32) -> ActionId {
        let mut random = [0; 10];
        let dice = &mut Dice::new(u64::from(n) << 1);
        random.fill_with(|| u8::try_from(dice.below(256)).unwrap());
        ActionId::new(self.begun(n), random)
    }

    /// Returns action `n`.
    pub(crate) fn action(&self, n: u32) -> Action {
        let dice = &mut Dice::new(n.into());
        let (template, user) = (self.template(dice), user(dice));
        let is_running = n >= self.n_actions - N_RUNNING && n < self.n_actions;
        // Each that runs, and each behind the history, has an image of its own: it holds its lock.
        // So do any that begin about the same time.
        let is_over = n < self.n_actions - N_RUNNING;
        let image = if is_over { n.wrapping_mul(STRIDE) % self.n_images() } else { n };
        let failure = dice.once_in(FAILED).then(failure);
        let version = *dice.of(&[1, 2, 3]);
        let made = &self.templates[template];
        let mut record = made.record.clone();
        (record.id, record.at, record.request.image) =
            (self.id(n), self.begun(n), self.image(image));
        record.request.image.version = ImageVersion::new(0, 0, version);
        record.actor.username = user;
        let with_entries = made
            .entries
            .iter()
            .flat_map(|entry| entry.events.iter().map(|event| (entry.number, event)));
        let events = [(0, &made.first)].into_iter().chain(with_entries);
        let events: Vec<_> =
            events.map(|(entry, event)| (entry, own(event, &record, entry))).collect();
        let end = (!is_running).then(|| {
            let outcome = failure.map_or_else(|| made.outcome.clone(), Outcome::Failed);
            (outcome, events.last().unwrap().1.at)
        });
        let state = State::of(end.as_ref().map(|(outcome, _)| outcome));
        Action { record, events, state, end, template }
    }

    fn template(&self, dice: &mut Dice) -> usize {
        let kinds = KINDS.iter().flat_map(|(kind, times)| std::iter::repeat_n(*kind, *times));
        let kind = *dice.of(&kinds.collect::<Vec<_>>());
        let is_it = |template: &Template| template.record.request.kind() == kind;
        self.templates.iter().position(is_it).unwrap()
    }

    /// Returns how an action begins.
    pub(crate) fn begin(&self, action: &Action, owner: &str) -> Begin {
        let (record, event) = (action.record.clone(), action.events[0].1.clone());
        Begin { record, key: None, event, owner: Owner(owner.to_owned()) }
    }

    /// Returns the entries of an action as the driver appends them.
    pub(crate) fn entries(&self, action: &Action) -> Vec<Entry> {
        let entries = self.templates[action.template].entries.iter().map(|entry| {
            let events = action.events.iter().filter(|(number, _)| *number == entry.number);
            let events: Vec<_> = events.map(|(_, event)| event.clone()).collect();
            let at = later(action.record.at, entry.number);
            let fact = match (&entry.fact, &action.end) {
                (Fact::Ended(_), Some((outcome, _))) => Fact::Ended(outcome.clone()),
                (fact, _) => fact.clone(),
            };
            Entry { number: entry.number, fact, events, at }
        });
        entries.collect()
    }

    /// Returns one entry with all events of an action, which ends it unless it runs.
    pub(crate) fn only_entry(&self, action: &Action) -> Entry {
        let events: Vec<_> = action.events[1..].iter().map(|(_, event)| event.clone()).collect();
        let at = events.last().unwrap().at;
        let earlier = || Fact::Unchanged { earlier: action_id(1) };
        let fact = action.end.as_ref().map_or_else(earlier, |(end, _)| Fact::Ended(end.clone()));
        Entry { number: 1, fact, events, at }
    }
}

/// Returns the name of user `n`.
pub(crate) fn username(n: usize) -> String {
    format!("user.{n:03}@example.org")
}

/// The user that a quarter of all actions is of.
pub(crate) const PIPELINE_USER: &str = "release-pipeline";

fn user(dice: &mut Dice) -> String {
    if dice.once_in(PIPELINE) { PIPELINE_USER.to_owned() } else { username(dice.below(N_USERS)) }
}

fn own(event: &Event, record: &ActionRecord, entry: u32) -> Event {
    let (sequence, at) = (event.sequence, later(record.at, entry));
    samples::event(record, sequence, event.draft.clone(), at)
}

fn later(at: Timestamp, entry: u32) -> Timestamp {
    Timestamp::from_millis(at.millis() + STEP_MS * i64::from(entry))
}

fn failure() -> Failure {
    let message = "layer 3 has digest sha256:98e0, expected sha256:7f4a".to_owned();
    Failure { error_type: "archive-damaged".to_owned(), message, refused: false }
}

/// Carries one action of each kind out, on one image, and returns what they left.
fn templates() -> Vec<Template> {
    let world = World::new();
    let detail = DeploymentDetail::default();
    let asks = [
        upload(),
        Ask::Scan,
        Ask::Deploy { detail, cluster: None },
        Ask::Transfer { from: None, expected: None },
        Ask::Delete,
        Ask::Restore { expected: None },
    ];
    asks.map(|ask| carry_out(&world, ask)).into()
}

fn upload() -> Ask {
    let labels = ImageLabels {
        name: "Trolls World Tour (2020)".to_owned(),
        category: "Movie".to_owned(),
        description: Some("A film for the seats of the upper deck".to_owned()),
        part: Some("21117-1".to_owned()),
        tail: Some("G-0042".to_owned()),
        icao: None,
    };
    let metadata = serde_json::json!({ "imageMetadata": { "imageName": labels.name } });
    let form = ChartForm::default();
    Ask::Upload(Box::new(Upload { labels, form, names_uid: false, metadata }))
}

fn carry_out(world: &World, ask: Ask) -> Template {
    let orbit = world.orbit("bench");
    let receives = matches!(ask, Ask::Upload(_));
    let request = Request { image: image_id(7, 1), ask };
    let Accepted::New(id, _) = run(orbit.begin(request, actor(), None)).unwrap() else {
        panic!("no action has a key");
    };
    if receives {
        run(orbit.receive(&id, body(&archive()))).unwrap();
    }
    let outcome = run(orbit.drive(&id, Until::Ended)).unwrap().unwrap();
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    let history = run(world.load(&id)).unwrap().unwrap();
    Saga::replay(history.entries.iter().map(|entry| &entry.fact)).unwrap();
    let first = EventFilter { action: Some(id), limit: 1, ..EventFilter::default() };
    let first = run(world.events(&first)).unwrap().events.remove(0);
    Template { record: history.record, first, entries: history.entries, outcome }
}
