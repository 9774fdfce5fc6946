//! Any order of actions and of what others push ends with the lists that the actions call for, and
//! leaves everything else as it was, byte for byte.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use orbit_core::intent::{CommitId, Intent, delete_list_path, deploy_list_path};
use orbit_core::list::{Entry, Listed as _, Tombstone};
use orbit_core::port::{GitOps as _, Kind};
use orbit_core::{ActionId, AppName, Environment};
use orbit_gitops::Remote;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tokio::task::JoinSet;

use crate::place::Place;
use crate::sample::{action, commit_in, entry_in, files, name, tombstone};
use crate::servers::Writer;

const N_APPS: u32 = 4;
const ENVIRONMENTS: [&str; 2] = ["development", "testing"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    Deploy,
    Retire,
    Clear,
}

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// Actions on different applications, at once; each may want what does not fit.
    Actions(Vec<(usize, u32, Want)>),
    /// A comment before a line of a list.
    Comment { environment: usize, line: usize },
    /// An entry of somebody else's.
    Entry { environment: usize },
    /// A file of somebody else's.
    File { environment: usize },
    /// Another process takes over, with an empty directory or with the one that is there.
    Restart { is_fresh: bool },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let want =
        prop_oneof![4 => Just(Want::Deploy), 2 => Just(Want::Retire), 2 => Just(Want::Clear)];
    let environment = 0..ENVIRONMENTS.len();
    let actions = prop::collection::vec((environment.clone(), 0..N_APPS, want), 1..4);
    let step = prop_oneof![
        8 => actions.prop_map(Step::Actions),
        2 => (environment.clone(), 0..60_usize)
            .prop_map(|(environment, line)| Step::Comment { environment, line }),
        1 => environment.clone().prop_map(|environment| Step::Entry { environment }),
        1 => environment.prop_map(|environment| Step::File { environment }),
        1 => any::<bool>().prop_map(|is_fresh| Step::Restart { is_fresh }),
    ];
    prop::collection::vec(step, 30)
}

/// The lists as they should be.
#[derive(Debug, Default)]
struct Model {
    deploy: BTreeMap<AppName, Entry>,
    delete: BTreeMap<AppName, Tombstone>,
    /// The applications that have a directory, and the action that wrote it.
    directories: BTreeMap<AppName, (u32, ActionId)>,
}

impl Model {
    /// Returns what an action wants of an application, by what the model knows of it.
    fn intent(&self, environment: &Environment, n: u32, by: &ActionId, want: Want) -> Intent {
        let there = self.deploy.get(&name(n));
        match want {
            Want::Deploy => Intent::Deploy {
                entry: Box::new(entry_in(environment, n, by)),
                files: files(n, by),
                replaces: there.map(|entry| entry.deployment_id.clone()),
            },
            Want::Retire => {
                let absent = entry_in(environment, n, &action(0));
                Intent::Retire { tombstone: Box::new(tombstone(there.unwrap_or(&absent), by)) }
            }
            Want::Clear => {
                let stone = self.delete.get(&name(n));
                let left_by = stone.map_or(action(0), |stone| stone.deletion.action_id.clone());
                Intent::Clear { name: name(n), left_by }
            }
        }
    }

    /// Makes the change of an intent, and tells whether it fits.
    fn apply(&mut self, n: u32, by: &ActionId, intent: &Intent) -> bool {
        match intent {
            Intent::Deploy { entry, .. } => {
                self.deploy.insert(name(n), (**entry).clone());
                self.delete.remove(&name(n));
                self.directories.insert(name(n), (n, by.clone()));
                true
            }
            Intent::Retire { tombstone } => {
                let fits = self.deploy.remove(&name(n)).is_some();
                if fits {
                    self.delete.insert(name(n), (**tombstone).clone());
                }
                fits
            }
            Intent::Clear { .. } => {
                let fits = self.delete.remove(&name(n)).is_some();
                if fits {
                    self.directories.remove(&name(n));
                }
                fits
            }
        }
    }
}

/// A repository, the clone that works on it, and what should be there.
struct Run {
    place: Place,
    writer: Writer,
    repository: Option<std::sync::Arc<Remote>>,
    models: Vec<Model>,
    first: CommitId,
    n_actions: u32,
    n_edits: u32,
    n_caches: u32,
    made: BTreeSet<(String, String)>,
}

fn environment(index: usize) -> Environment {
    ENVIRONMENTS[index].parse().unwrap()
}

impl Run {
    fn new() -> Self {
        let place = Place::new();
        Self {
            writer: place.writer(),
            repository: Some(place.open().into()),
            models: ENVIRONMENTS.iter().map(|_| Model::default()).collect(),
            first: CommitId(place.bare.head()),
            place,
            n_actions: 0,
            n_edits: 0,
            n_caches: 0,
            made: BTreeSet::new(),
        }
    }

    async fn take(&mut self, step: &Step) {
        self.n_edits += 1;
        let n = self.n_edits;
        match step {
            Step::Actions(wants) => self.act(wants).await,
            Step::Comment { environment: index, line } => {
                let path = deploy_list_path(&environment(*index));
                self.writer.edit(&path, |text| with_comment(&text, *line, n));
            }
            Step::Entry { environment: index } => {
                let entry = entry_in(&environment(*index), 100 + n, &action(0));
                let path = deploy_list_path(&environment(*index));
                self.writer.edit(&path, |text| with_entry(&text, &entry));
                self.models[*index].deploy.insert(entry.name.clone(), entry);
            }
            Step::File { environment: index } => {
                let path = format!("environments/{}/notes/{n}.txt", environment(*index));
                self.writer.push(|work| {
                    fs::create_dir_all(work.join(&path).parent().unwrap()).unwrap();
                    fs::write(work.join(&path), format!("{n}\r\n\u{0}")).unwrap();
                });
            }
            Step::Restart { is_fresh } => {
                self.repository = None;
                self.n_caches += u32::from(*is_fresh);
                let cache = format!("cache-{}", self.n_caches);
                self.repository = Some(self.place.open_another(&cache).into());
            }
        }
    }

    async fn act(&mut self, wants: &[(usize, u32, Want)]) {
        let mut taken = BTreeSet::new();
        let mut answers = JoinSet::new();
        let before = self.place.bare.head();
        for (index, n, want) in wants {
            if !taken.insert((*index, *n)) {
                continue;
            }
            self.n_actions += 1;
            let by = action(self.n_actions);
            let intent = self.models[*index].intent(&environment(*index), *n, &by, *want);
            let mine = commit_in(&environment(*index), &by, &self.first, intent);
            let fits = self.models[*index].apply(*n, &by, &mine.intent);
            let repository = self.repository.clone().unwrap();
            answers.spawn(async move { (fits, repository.commit(&mine).await, by) });
        }
        for (fits, answer, by) in answers.join_all().await {
            match answer {
                Ok(id) => {
                    assert!(fits, "{by} does not fit");
                    self.made.insert((by.to_string(), id.0));
                }
                Err(error) => {
                    assert_eq!((error.kind(), fits), (Kind::Conflict, false), "{error:?}");
                }
            }
        }
        self.check_only_their_lines_changed(&before);
    }

    /// Checks of every commit since a head that it changed the lines of its application and no others.
    fn check_only_their_lines_changed(&self, before: &str) {
        let bare = &self.place.bare;
        let range = format!("{before}..main");
        for id in bare.git(&["rev-list", &range]).lines() {
            let subject = bare.git(&["log", "-1", "--format=%s", id]);
            let (environment, app) = subject
                .strip_prefix("test(")
                .and_then(|rest| rest.split_once("): "))
                .map(|(environment, rest)| (environment, rest.split(' ').next().unwrap()))
                .unwrap();
            let environment: Environment = environment.parse().unwrap();
            let lists = [deploy_list_path(&environment), delete_list_path(&environment)];
            let directory = format!("environments/{environment}/apps/{app}/");
            let parent = format!("{id}^");
            for path in bare.git(&["diff", "--name-only", &parent, id]).lines() {
                let is_own = lists.iter().any(|list| list == path) || path.starts_with(&directory);
                assert!(is_own, "{subject} changed {path}");
            }
            for list in lists {
                let show = |id: &str| bare.git(&["show", &format!("{id}:{list}")]);
                let (old, new) = (show(&parent), show(id));
                // A comment right above an entry goes with it; to a new entry it is somebody else's.
                let is_kept = [true, false]
                    .iter()
                    .any(|with| without(&old, app, *with) == without(&new, app, true));
                let (old, new) = (without(&old, app, true), without(&new, app, true));
                assert!(
                    is_kept,
                    "{subject} changed lines that are not its own in {list}: {old:#?} to {new:#?}"
                );
            }
        }
    }

    async fn check(&self) {
        let repository = self.repository.as_ref().unwrap();
        for (index, model) in self.models.iter().enumerate() {
            let environment = environment(index);
            let lists = repository.read(&environment).await.unwrap();
            let by_name = |entry: Entry| (entry.name.clone(), entry);
            let deploy: BTreeMap<_, _> = lists.deploy.into_iter().map(by_name).collect();
            assert_eq!(deploy, model.deploy);
            let by_name = |stone: Tombstone| (stone.entry.name.clone(), stone);
            let delete: BTreeMap<_, _> = lists.delete.into_iter().map(by_name).collect();
            assert_eq!(delete, model.delete);
            let below = format!("environments/{environment}/apps/");
            let found: BTreeSet<_> =
                self.place.bare.files(&below).iter().map(|line| path(line)).collect();
            let expected: BTreeSet<_> = model
                .directories
                .iter()
                .flat_map(|(app, (n, by))| {
                    files(*n, by).into_keys().map(move |path| format!("apps/{app}/{path}"))
                })
                .map(|path| format!("environments/{environment}/{path}"))
                .collect();
            assert_eq!(found, expected);
        }
        let arrived = self.place.bare.actions();
        assert_eq!(arrived.len(), self.made.len(), "an action has two commits");
        assert_eq!(arrived.into_iter().collect::<BTreeSet<_>>(), self.made);
        self.place.bare.fsck();
    }
}

fn path(listed: &str) -> String {
    listed.split('\t').next_back().unwrap().to_owned()
}

/// Puts a comment before a line; after the list's last line if it has fewer.
fn with_comment(text: &str, line: usize, n: u32) -> String {
    let mut lines: Vec<_> = text.split_inclusive('\n').map(str::to_owned).collect();
    // Between the keys of an entry a comment is the entry's own, and may go with it.
    let is_between = |line: &String| line.starts_with("  ");
    let mut at = line.min(lines.len());
    while lines.get(at).is_some_and(is_between) {
        at += 1;
    }
    lines.insert(at, format!("# by hand, {n}\u{a0}\u{e9} \n"));
    lines.concat()
}

/// Puts an entry at the end of a list, as somebody may write it.
fn with_entry(text: &str, entry: &Entry) -> String {
    let mut written = String::new();
    for (index, (key, value)) in entry.fields().iter().enumerate() {
        let indent = if index == 0 { "-   " } else { "    " };
        written += &format!("{indent}{key}:  '{value}'   # {index}\n");
    }
    let kept: String = text.split_inclusive('\n').filter(|line| *line != "[]\n").collect();
    kept + &written
}

/// Returns a list without the lines of an entry, with or without the comments right above it.
fn without(text: &str, app: &str, with_comments: bool) -> Vec<String> {
    let mut kept = Vec::<String>::new();
    let mut is_own = false;
    for line in text.lines() {
        if line.starts_with('-') {
            is_own = line.contains(&format!("name: \"{app}\""));
            while is_own && !with_comments && kept.last().is_some_and(|line| line.starts_with('#'))
            {
                kept.pop();
            }
        } else if !line.starts_with(' ') {
            is_own = false;
        }
        if !is_own && line != "[]" {
            kept.push(line.to_owned());
        }
    }
    kept
}

proptest! {
    // Seeded, so that a run is the same everywhere; each case is half a minute of pushes at most.
    #![proptest_config(ProptestConfig {
        cases: 8,
        max_shrink_iters: 30,
        rng_seed: RngSeed::Fixed(2026),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_order_of_actions_and_edits_by_hand_ends_as_it_should(steps in steps()) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let mut run = Run::new();
            for step in &steps {
                run.take(step).await;
            }
            run.check().await;
        });
    }
}
