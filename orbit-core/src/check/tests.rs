use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Violation, check};
use crate::action::{self, Case, Seen, Settings, Verdict};
use crate::chart::DeploymentDetail;
use crate::chart::form::ChartForm;
use crate::image::{ClusterState, Deployment, Image};
use crate::intent::CommitId;
use crate::list::{Deletion, Entry, Tombstone};
use crate::place::{Shelf, Slot};
use crate::plan::{Decide, Plan, Prepare, Rest, Settle, Step};
use crate::port::{ActionRecord, Lists, Row, Stored, StoredChart, Tag};
use crate::request::{Ask, Request, Upload};
use crate::saga::Received;
use crate::testing::samples::{self, NOW, action_id, chart, chart_place};
use crate::{ActionId, Digest, Environment, Timestamp};

/// The action that is planned; every other writer in a snapshot is an earlier one.
const ACTION: u32 = 100;

fn environment() -> impl Strategy<Value = Environment> {
    select(vec!["development", "testing", "production", "retired"])
        .prop_map(|name| name.parse().unwrap())
}

fn image() -> impl Strategy<Value = Image> {
    (1..4_u32, environment(), 0..3_u8, any::<bool>()).prop_map(
        |(patch, environment, status, scan)| {
            let image = Image { environment, ..samples::image(7, patch) };
            let deployment = Deployment {
                action: action_id(patch),
                chart: chart(7, 2).revision(),
                cluster: ClusterState::NotAttached,
                at: NOW,
            };
            let image = match status {
                0 => image,
                1 => image.deployed(deployment),
                _ => image.deleted(NOW),
            };
            if scan { image.scanned(action_id(1), NOW) } else { image }
        },
    )
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (image(), 1..5_u64).prop_map(|(image, revision)| Row {
        image,
        revision,
        writer: action_id(1),
    });
    vec(row, 0..4).prop_map(|mut rows| {
        rows.sort_by_key(|row| row.image.id.version);
        rows.dedup_by_key(|row| row.image.id.version);
        rows
    })
}

fn shelf() -> impl Strategy<Value = Shelf> {
    prop_oneof![
        1 => Just(Shelf::Temporary),
        4 => environment().prop_map(Shelf::Live),
        2 => environment().prop_map(Shelf::Deleted),
    ]
}

fn stored(n: u32, writer: u32) -> Stored {
    let tag = Tag(format!("tag-{n}"));
    Stored { size: 10, digest: Digest::of(&n.to_be_bytes()), writer: action_id(writer), tag }
}

fn objects() -> impl Strategy<Value = BTreeMap<Slot, Option<Stored>>> {
    let writer = prop_oneof![6 => 1..4_u32, 1 => Just(ACTION)];
    let object = (shelf(), 1..4_u32, 0..100_u32, writer).prop_map(|(shelf, patch, n, writer)| {
        (Slot { shelf, image: samples::image_id(7, patch) }, Some(stored(n, writer)))
    });
    vec(object, 0..12).prop_map(|objects| objects.into_iter().collect())
}

fn charts() -> impl Strategy<Value = BTreeMap<Shelf, Vec<StoredChart>>> {
    let shelf_of_charts = (shelf(), 1..4_u32, 0..3_u32).prop_map(|(shelf, patch, n)| {
        let stored = |replicas| {
            let mut chart = chart(7, replicas);
            chart.image = samples::image_id(7, patch);
            let mut place = chart_place(shelf.clone(), &chart);
            // The row names this revision, whatever version's chart it is.
            place.revision = samples::chart(7, replicas).revision();
            StoredChart { place, chart: samples::chart(7, replicas), writer: action_id(1) }
        };
        (shelf.clone(), (1..=n).map(stored).collect())
    });
    vec(shelf_of_charts, 0..8).prop_map(|charts| charts.into_iter().collect())
}

fn entry(image: &Image, deployment: &ActionId) -> Entry {
    Entry {
        name: image.app.clone(),
        image_uid: image.id.uid.clone(),
        image_version: image.id.version,
        image_name: image.labels.name.clone(),
        environment: image.environment.clone(),
        image: format!("docker.io/k8or-orbit-aws/{}", image.app),
        digest: image.digest,
        namespace: image.environment.to_string(),
        deployment_id: deployment.to_string(),
    }
}

fn lists() -> impl Strategy<Value = Option<Lists>> {
    let stranger = samples::image(8, 1);
    let deploy = option::of((image(), any::<bool>())).prop_map(move |listed| {
        let own = listed.map(|(image, foreign)| {
            let mut own = entry(&image, &action_id(1));
            if foreign {
                own.image_uid = samples::uid(9);
            }
            own
        });
        own.into_iter().chain([entry(&stranger, &action_id(2))]).collect()
    });
    let delete = option::of(image()).prop_map(|buried| {
        let tombstone = |image: Image| Tombstone {
            entry: entry(&image, &action_id(1)),
            deletion: Deletion {
                deleted_at: NOW.rfc3339(),
                deleted_by: "jamesbond".to_owned(),
                action_id: action_id(3),
            },
        };
        buried.map(tombstone).into_iter().collect()
    });
    let lists = (deploy, delete).prop_map(|(deploy, delete)| Lists {
        commit: CommitId("0".repeat(40)),
        deploy,
        delete,
    });
    option::weighted(0.9, lists)
}

/// Puts what a row says is there into a snapshot.
fn believe(seen: &mut Seen, image: &Image) {
    let here = image.environment.clone();
    let shelf = if image.is_deleted() { Shelf::Deleted(here) } else { Shelf::Live(here) };
    let slot = Slot { shelf: shelf.clone(), image: image.id.clone() };
    seen.objects.insert(slot, Some(stored(50, 1)));
    let mut charts = Vec::new();
    for replicas in [1, 2] {
        let chart = chart(7, replicas);
        let mut place = chart_place(shelf.clone(), &chart);
        place.image = image.id.clone();
        charts.push(StoredChart { place, chart, writer: action_id(1) });
    }
    seen.charts.insert(shelf, charts);
}

/// Snapshots in which most rows are right about the stores, and some are not.
fn seen() -> impl Strategy<Value = Seen> {
    let objects = prop_oneof![3 => Just(BTreeMap::new()), 1 => objects()];
    let charts = prop_oneof![3 => Just(BTreeMap::new()), 1 => charts()];
    (rows(), objects, charts, lists(), option::weighted(0.9, Just(()))).prop_map(
        |(versions, objects, charts, lists, inspected)| {
            let inspection = inspected.map(|()| samples::inspection());
            let records = BTreeMap::new();
            let mut seen = Seen { versions, objects, records, charts, lists, inspection };
            for row in seen.versions.clone() {
                if row.revision < 4 {
                    believe(&mut seen, &row.image);
                }
            }
            seen
        },
    )
}

fn ask() -> impl Strategy<Value = Ask> {
    let upload = any::<bool>().prop_map(|names_uid| {
        let labels = samples::image(7, 1).labels;
        let form = ChartForm::default();
        let metadata = serde_json::Value::Null;
        Ask::Upload(Box::new(Upload { labels, form, names_uid, metadata }))
    });
    let deploy = (1..4_u32, option::of(Just("K3s Development Cluster".to_owned()))).prop_map(
        |(replicas, cluster)| {
            let replicas = replicas.to_string().parse().unwrap();
            let detail = DeploymentDetail { replicas, ..DeploymentDetail::default() };
            Ask::Deploy { detail, cluster }
        },
    );
    prop_oneof![
        upload,
        deploy,
        (option::of(environment()), option::of(environment()))
            .prop_map(|(from, expected)| Ask::Transfer { from, expected }),
        Just(Ask::Scan),
        Just(Ask::Delete),
        option::of(environment()).prop_map(|expected| Ask::Restore { expected }),
    ]
}

/// Returns an action that began where the image is.
fn action(ask: Ask, patch: u32, seen: &Seen) -> ActionRecord {
    let request = Request { image: samples::image_id(7, patch), ask };
    let here = action::environment(&request, &seen.versions, &Settings::default());
    ActionRecord {
        id: action_id(ACTION),
        request,
        actor: samples::actor(),
        environment: here.unwrap_or_else(|_| samples::development()),
        at: NOW,
    }
}

/// Looks where the action looks: what the snapshot does not hold is not there.
fn look(action: &ActionRecord, seen: &mut Seen) {
    let settings = Settings::default();
    let Ok(look) = action::look(&action.request, &seen.versions, &settings) else { return };
    for slot in look.slots {
        seen.objects.entry(slot).or_insert(None);
    }
    for (n, key) in look.records.into_iter().enumerate() {
        let leftover = seen.versions.is_empty() && n == 0;
        seen.records.entry(key).or_insert(leftover.then(|| action_id(1)));
    }
}

/// Plans from a snapshot as the driver does: an upload twice.
fn plans(action: &ActionRecord, seen: &mut Seen) -> Vec<Plan> {
    look(action, seen);
    let settings = Settings::default();
    let at = Timestamp::from_millis(NOW.millis() + 1);
    let case = Case { action, settings: &settings, seen, at };
    let plan = |received| match action::plan(case, received) {
        Ok(Verdict::Plan(plan)) => Some(*plan),
        Ok(Verdict::Unchanged { .. }) | Err(_) => None,
    };
    let Some(first) = plan(None) else { return vec![] };
    if !matches!(first.rest, Rest::AfterInspection) {
        return vec![first];
    }
    let (object, inspection) = (stored(1, ACTION), samples::inspection());
    let received = Received { object, inspection, prepare: first.prepare.clone() };
    [Some(first), plan(Some(&received))].into_iter().flatten().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_plan_keeps_what_every_plan_must(seen in seen(), ask in ask(), patch in 1..4_u32) {
        let action = action(ask, patch, &seen);
        let mut seen = seen;
        let plans = plans(&action, &mut seen);
        for plan in &plans {
            prop_assert_eq!(check(plan, &seen, &action.request.image.uid), Ok(()));
        }
        if let [first, second] = plans.as_slice() {
            prop_assert!(second.prepare.starts_with(&first.prepare), "the plans do not fit together");
        }
    }

    #[test]
    fn a_stored_plan_is_read_back_as_it_was(seen in seen(), ask in ask(), patch in 1..4_u32) {
        let action = action(ask, patch, &seen);
        let mut seen = seen;
        for plan in plans(&action, &mut seen) {
            let text = serde_json::to_string(&plan).unwrap();
            prop_assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
        }
    }
}

/// A snapshot in which image 7 v0-0-01 is stored in development, and can be moved.
fn movable() -> Seen {
    let image = samples::image(7, 1);
    let live = Shelf::Live(samples::development());
    let slot = Slot { shelf: live.clone(), image: image.id.clone() };
    let chart = chart(7, 1);
    let place = chart_place(live.clone(), &chart);
    Seen {
        versions: vec![Row { image, revision: 3, writer: action_id(1) }],
        objects: BTreeMap::from([(slot, Some(stored(1, 1)))]),
        records: BTreeMap::new(),
        charts: BTreeMap::from([(live, vec![StoredChart { place, chart, writer: action_id(1) }])]),
        lists: Some(Lists { commit: CommitId("0".repeat(40)), deploy: vec![], delete: vec![] }),
        inspection: Some(samples::inspection()),
    }
}

fn transfer() -> Plan {
    let mut seen = movable();
    let action = action(Ask::Transfer { from: None, expected: None }, 1, &seen);
    plans(&action, &mut seen).into_iter().next().unwrap()
}

fn broken(plan: &Plan) -> Option<Violation> {
    let mut seen = movable();
    look(&action(Ask::Transfer { from: None, expected: None }, 1, &seen), &mut seen);
    check(plan, &seen, &samples::uid(7)).err()
}

#[test]
fn a_removal_without_a_copy_is_a_violation() {
    let mut plan = transfer();
    assert_eq!(broken(&plan), None);
    plan.prepare.retain(|step| !matches!(step.work, Prepare::Copy { .. }));
    assert!(matches!(broken(&plan), Some(Violation::RemovedUncopied(_))));
    let mut plan = transfer();
    plan.prepare.retain(|step| !matches!(step.work, Prepare::Chart { .. }));
    assert!(matches!(broken(&plan), Some(Violation::RemovedUncopied(_))));
}

#[test]
fn a_place_is_filled_once_and_only_when_it_was_empty() {
    let mut plan = transfer();
    let copy = plan.prepare.iter().find(|step| step.work.fills().is_some()).unwrap().clone();
    plan.prepare.push(Step::silent(copy.work));
    assert!(matches!(broken(&plan), Some(Violation::FilledTwice(_))));
    let plan = transfer();
    let mut seen = movable();
    for step in &plan.prepare {
        if let Some(slot) = step.work.fills() {
            seen.objects.insert(slot.clone(), Some(stored(9, 1)));
        }
    }
    let found = check(&plan, &seen, &samples::uid(7));
    assert!(matches!(found, Err(Violation::Occupied(_))), "{found:?}");
    let found = check(&plan, &movable(), &samples::uid(7));
    assert!(matches!(found, Err(Violation::Unseen(_))), "{found:?}");
}

#[test]
fn a_leftover_is_swept_before_its_place_is_filled() {
    let mut seen = movable();
    let action = action(Ask::Transfer { from: None, expected: None }, 1, &seen);
    look(&action, &mut seen);
    let empty: Vec<_> = seen.objects.values_mut().filter(|object| object.is_none()).collect();
    assert_eq!(empty.len(), 2);
    for object in empty {
        *object = Some(stored(9, 2));
    }
    let plan = plans(&action, &mut seen).into_iter().next().unwrap();
    assert_eq!(check(&plan, &seen, &samples::uid(7)), Ok(()));
    let n_swept = plan.prepare.iter().filter(|step| matches!(step.work, Prepare::Sweep(_))).count();
    assert_eq!(n_swept, 2);
}

#[test]
fn a_row_is_changed_once_from_the_revision_that_was_seen() {
    let mut plan = transfer();
    let Rest::Known(known) = &mut plan.rest else { panic!("a transfer is planned at once") };
    let Decide::Swap(swap) = &mut known.decide.work else { panic!("nothing is listed") };
    known.settle.push(Step::silent(Settle::Swap(swap.clone())));
    assert!(matches!(broken(&plan), Some(Violation::ChangedTwice(_))));
    let Rest::Known(known) = &mut plan.rest else { panic!("a transfer is planned at once") };
    known.settle.pop();
    let Decide::Swap(swap) = &mut known.decide.work else { panic!("nothing is listed") };
    swap.expected = 9;
    assert!(matches!(broken(&plan), Some(Violation::UnseenRevision(_))));
}

#[test]
fn an_event_stands_once_and_in_its_order() {
    let mut plan = transfer();
    let first = plan.prepare.iter_mut().find(|step| !step.before.is_empty()).unwrap();
    first.before.extend(first.before.clone());
    assert!(matches!(broken(&plan), Some(Violation::MisplacedEvent(_))));
    let mut plan = transfer();
    plan.prepare.reverse();
    assert!(matches!(broken(&plan), Some(Violation::MisplacedEvent(_))));
}

/// The properties above would hold of nothing at all if no snapshot led to a plan.
#[test]
fn arbitrary_snapshots_lead_to_plans_of_every_kind() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut planned = BTreeMap::new();
    for _ in 0..2_000 {
        let tree = (seen(), ask(), 1..4_u32).new_tree(&mut runner).unwrap();
        let (mut seen, ask, patch) = tree.current();
        for plan in plans(&action(ask, patch, &seen), &mut seen) {
            *planned.entry(plan.kind).or_insert(0) += 1;
        }
    }
    for kind in crate::event::ActionKind::ALL {
        assert!(planned.get(&kind).is_some_and(|n| *n >= 5), "{kind}: {planned:?}");
    }
}
