//! Restore: bring a deleted image back to the environment it was deleted from. It never deploys.

use super::{Look, Refusal, Scene, Verdict};
use crate::Environment;
use crate::event::EventType;
use crate::intent::Intent;
use crate::place::{Shelf, Slot};
use crate::plan::{ActionResult, Decide, Known, Prepare, Settle, Step, Swap};
use crate::port::Row;

pub(super) fn look(row: &Row) -> Look {
    let here = row.image.environment.clone();
    let shelves = [Shelf::Live(here.clone()), Shelf::Deleted(here.clone())];
    let slot = |shelf| Slot { shelf, image: row.image.id.clone() };
    Look {
        slots: shelves.into_iter().map(slot).collect(),
        shelves: vec![Shelf::Deleted(here.clone())],
        lists: Some(here),
        ..Look::default()
    }
}

pub(super) fn plan(scene: &Scene<'_>, expected: Option<&Environment>) -> Result<Verdict, Refusal> {
    if !scene.image().is_deleted() {
        return Err(Refusal::NotDeleted(scene.id()));
    }
    let actual = &scene.here.name;
    if let Some(named) = expected.filter(|named| *named != actual) {
        let (named, actual) = (named.clone(), actual.clone());
        return Err(Refusal::WrongEnvironment { named, actual });
    }
    let (from, to) = (scene.slot(scene.deleted()), scene.slot(scene.live()));
    let object = scene.object(&from)?.clone();
    let charts = scene.charts(&scene.deleted())?;
    let pen = scene.pen();
    let mut prepare = super::sweep(scene.case, std::slice::from_ref(&to));
    let copy = Prepare::Copy { from: from.clone(), object: object.clone(), to };
    let (started, restored) = (EventType::RestoreImageStarted, EventType::RestoreImageRestored);
    prepare.push(pen.step(started, copy, restored));
    let events = (
        pen.event(EventType::RestoreManifestStarted),
        pen.event(EventType::RestoreManifestRestored),
    );
    prepare.extend(scene.copy_charts(charts, &scene.live(), events));
    let (decide, mut settle) = decide(scene)?;
    settle.extend(scene.remove_all(&from, &object, charts));
    let known = Known {
        decide,
        settle,
        closing: vec![pen.event(EventType::RestoreCompleted)],
        result: ActionResult::Restore { environment: actual.clone() },
    };
    Ok(scene.planned(prepare, known))
}

fn decide(scene: &Scene<'_>) -> Result<(Step<Decide>, Vec<Step<Settle>>), Refusal> {
    let pen = scene.pen();
    let image = scene.image().restored(scene.case.at);
    let swap = Box::new(Swap { expected: scene.row.revision, image });
    let started = EventType::RestoreDatabaseUpdateStarted;
    let updated = EventType::RestoreDatabaseUpdated;
    let Some(tombstone) = scene.tombstone()? else {
        return Ok((pen.step(started, Decide::Swap(swap), updated), vec![]));
    };
    let intent = Intent::Clear {
        name: tombstone.entry.name.clone(),
        left_by: tombstone.deletion.action_id.clone(),
    };
    let commit = pen.step(
        EventType::RestoreDeleteListUpdateStarted,
        Decide::Commit(Box::new(scene.commit("restore", intent)?)),
        EventType::RestoreDeleteListUpdated,
    );
    Ok((commit, vec![pen.step(started, Settle::Swap(swap), updated)]))
}
