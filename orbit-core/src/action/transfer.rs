//! Transfer: move an image to the next environment, and keep a copy of what it was.

use super::{Look, Pen, Refusal, Scene, Settings, Verdict};
use crate::event::EventType;
use crate::intent::Intent;
use crate::list::Tombstone;
use crate::place::{Names, Shelf, Slot};
use crate::plan::{ActionResult, Decide, Known, Prepare, Settle, Step, Swap};
use crate::port::{Row, Stored, StoredChart};
use crate::{Environment, EnvironmentSpec};

pub(super) fn look(row: &Row, settings: &Settings) -> Look {
    let here = row.image.environment.clone();
    let next = settings.environments.after(&here).map(|spec| Shelf::Live(spec.name.clone()));
    let shelves = [Shelf::Live(here.clone()), Shelf::Deleted(here.clone())];
    let slot = |shelf| Slot { shelf, image: row.image.id.clone() };
    Look {
        slots: shelves.iter().cloned().chain(next).map(slot).collect(),
        shelves: vec![Shelf::Live(here.clone())],
        lists: Some(here),
        ..Look::default()
    }
}

pub(super) fn plan(
    scene: &Scene<'_>,
    from: Option<&Environment>,
    expected: Option<&Environment>,
) -> Result<Verdict, Refusal> {
    scene.refuse_deleted()?;
    if let Some(named) = from.filter(|named| **named != scene.here.name) {
        let (named, actual) = (named.clone(), scene.here.name.clone());
        return Err(Refusal::WrongEnvironment { named, actual });
    }
    let environments = &scene.case.settings.environments;
    let next = environments.after(&scene.here.name);
    let next = next.ok_or_else(|| Refusal::LastEnvironment(scene.here.name.clone()))?;
    if let Some(named) = expected.filter(|named| **named != next.name) {
        let (named, actual) = (named.clone(), next.name.clone());
        return Err(Refusal::WrongEnvironment { named, actual });
    }
    let move_ = Move::see(scene, next)?;
    Ok(scene.planned(move_.prepare(), move_.known()?))
}

/// A transfer that was not refused.
struct Move<'a> {
    scene: &'a Scene<'a>,
    next: &'a EnvironmentSpec,
    pen: Pen,
    from: Slot,
    object: &'a Stored,
    charts: &'a [StoredChart],
    tombstone: Option<Tombstone>,
}

impl<'a> Move<'a> {
    fn see(scene: &'a Scene<'a>, next: &'a EnvironmentSpec) -> Result<Self, Refusal> {
        let names = Names::new(&scene.case.settings.environments);
        let pen = Pen { here: names.numbers(&scene.here.name), next: names.numbers(&next.name) };
        let from = scene.slot(scene.live());
        Ok(Self {
            object: scene.object(&from)?,
            charts: scene.charts(&scene.live())?,
            tombstone: super::delete::tombstone(scene)?,
            scene,
            next,
            pen,
            from,
        })
    }

    fn prepare(&self) -> Vec<Step<Prepare>> {
        let (pen, scene) = (self.pen, self.scene);
        let copy = |shelf| Prepare::Copy {
            from: self.from.clone(),
            object: self.object.clone(),
            to: scene.slot(shelf),
        };
        let next = Shelf::Live(self.next.name.clone());
        let place = super::chart_place(scene.live(), scene.id(), scene.image().chart);
        let targets = [scene.slot(next.clone()), scene.slot(scene.deleted())];
        let mut steps = super::sweep(scene.case, &targets);
        steps.extend([
            pen.step(
                EventType::TransferImageRetrievalStarted,
                Prepare::Verify { slot: self.from.clone(), object: self.object.clone() },
                EventType::TransferImageRetrieved,
            ),
            pen.step(
                EventType::TransferImageUploadStarted,
                copy(next.clone()),
                EventType::TransferImageUploaded,
            ),
            Step::silent(copy(scene.deleted())),
            pen.step(
                EventType::TransferManifestRetrievalStarted,
                Prepare::VerifyChart { place },
                EventType::TransferManifestRetrieved,
            ),
        ]);
        let save = EventType::TransferManifestSaveStarted;
        let events = (pen.event(save), pen.event(EventType::TransferManifestSaved));
        steps.extend(scene.copy_charts(self.charts, &next, events));
        let kept = scene.deleted();
        steps.extend(self.charts.iter().map(|stored| super::put_chart(stored, &kept)));
        steps
    }

    fn known(&self) -> Result<Known, Refusal> {
        let (pen, scene) = (self.pen, self.scene);
        let to = self.next.name.clone();
        let image = scene.image().moved(to.clone(), scene.case.at);
        let swap = Box::new(Swap { expected: scene.row.revision, image });
        let started = EventType::TransferDatabaseUpdateStarted;
        let updated = EventType::TransferDatabaseUpdated;
        let mut settle = Vec::new();
        let decide = match &self.tombstone {
            None => pen.step(started, Decide::Swap(swap), updated),
            Some(tombstone) => {
                settle.push(pen.step(started, Settle::Swap(swap), updated));
                let intent = Intent::Retire { tombstone: Box::new(tombstone.clone()) };
                pen.step(
                    EventType::TransferDeleteListUpdateStarted,
                    Decide::Commit(Box::new(scene.commit("transfer", intent)?)),
                    EventType::TransferDeleteListUpdated,
                )
            }
        };
        settle.extend(scene.remove_all(&self.from, self.object, self.charts));
        let closing = vec![pen.event(EventType::TransferCompleted)];
        Ok(Known { decide, settle, closing, result: ActionResult::Transfer { environment: to } })
    }
}
