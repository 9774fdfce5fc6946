//! Delete: set image and chart aside; the row stays, marked deleted.

use serde_json::json;

use super::{Look, Refusal, Scene, Verdict, one_line};
use crate::event::EventType;
use crate::intent::Intent;
use crate::list::{Deletion, Tombstone};
use crate::place::{RecordTable, Shelf, Slot};
use crate::plan::{ActionResult, Decide, Known, Prepare, Settle, Step, Swap};
use crate::port::Row;

pub(super) fn look(row: &Row) -> Look {
    let here = row.image.environment.clone();
    let shelves = [Shelf::Live(here.clone()), Shelf::Deleted(here.clone())];
    let slot = |shelf| Slot { shelf, image: row.image.id.clone() };
    Look {
        slots: shelves.into_iter().map(slot).collect(),
        shelves: vec![Shelf::Live(here.clone())],
        lists: Some(here),
        ..Look::default()
    }
}

pub(super) fn plan(scene: &Scene<'_>) -> Result<Verdict, Refusal> {
    scene.refuse_deleted()?;
    let (from, to) = (scene.slot(scene.live()), scene.slot(scene.deleted()));
    let object = scene.object(&from)?.clone();
    let charts = scene.charts(&scene.live())?;
    let pen = scene.pen();
    let mut prepare = super::sweep(scene.case, std::slice::from_ref(&to));
    let copy = Prepare::Copy { from: from.clone(), object: object.clone(), to };
    let (started, archived) =
        (EventType::DeleteImageArchiveStarted, EventType::DeleteImageArchived);
    prepare.push(pen.step(started, copy, archived));
    let events = (
        pen.event(EventType::DeleteManifestArchiveStarted),
        pen.event(EventType::DeleteManifestArchived),
    );
    prepare.extend(scene.copy_charts(charts, &scene.deleted(), events));
    let (decide, mut settle) = decide(scene)?;
    settle.extend(scene.remove_all(&from, &object, charts));
    settle.push(Step::silent(log_record(scene)));
    let known = Known {
        decide,
        settle,
        closing: vec![pen.event(EventType::DeletionCompleted)],
        result: ActionResult::Delete,
    };
    Ok(scene.planned(prepare, known))
}

/// A listed image's entry moves first and its row follows; any other image's row is all there is.
fn decide(scene: &Scene<'_>) -> Result<(Step<Decide>, Vec<Step<Settle>>), Refusal> {
    let pen = scene.pen();
    let image = scene.image().deleted(scene.case.at);
    let swap = Box::new(Swap { expected: scene.row.revision, image });
    let started = EventType::DeleteDatabaseUpdateStarted;
    let updated = EventType::DeleteDatabaseUpdated;
    let Some(tombstone) = tombstone(scene)? else {
        return Ok((pen.step(started, Decide::Swap(swap), updated), vec![]));
    };
    let intent = Intent::Retire { tombstone: Box::new(tombstone) };
    let commit = pen.step(
        EventType::DeleteListUpdateStarted,
        Decide::Commit(Box::new(scene.commit("delete", intent)?)),
        EventType::DeleteListUpdated,
    );
    Ok((commit, vec![pen.step(started, Settle::Swap(swap), updated)]))
}

/// Returns what takes the place of the image's entry, or `None` if it is not listed.
pub(super) fn tombstone(scene: &Scene<'_>) -> Result<Option<Tombstone>, Refusal> {
    Ok(scene.listed()?.map(|entry| Tombstone {
        entry: entry.clone(),
        deletion: Deletion {
            deleted_at: scene.case.at.rfc3339(),
            deleted_by: one_line(&scene.case.action.actor.username),
            action_id: scene.action(),
        },
    }))
}

fn log_record(scene: &Scene<'_>) -> Settle {
    let image = scene.image();
    let body = json!({
        "eventType": "deleted",
        "imageUID": image.id.uid,
        "imageVersion": image.id.version,
        "environment": scene.here.name.label(),
    });
    Settle::Record(scene.record(RecordTable::DeploymentLog, "deleted", body))
}
