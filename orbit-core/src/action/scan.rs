//! Scan: report on the stored image and keep the report.

use serde_json::Value;

use super::{Look, Refusal, Scene, Verdict};
use crate::event::EventType;
use crate::place::{RecordTable, Shelf, Slot};
use crate::plan::{ActionResult, Decide, Known, Prepare, Step, Swap};
use crate::port::Row;

pub(super) fn look(row: &Row) -> Look {
    let shelf = Shelf::Live(row.image.environment.clone());
    let slots = vec![Slot { shelf, image: row.image.id.clone() }];
    Look { slots, inspection: true, ..Look::default() }
}

pub(super) fn plan(scene: &Scene<'_>) -> Result<Verdict, Refusal> {
    scene.refuse_deleted()?;
    let pen = scene.pen();
    let slot = scene.slot(scene.live());
    let object = scene.object(&slot)?.clone();
    let scan = Prepare::Scan {
        slot: slot.clone(),
        object: object.clone(),
        image: Box::new(scene.inspection()?.clone()),
        report: scene.record(RecordTable::ScanReport, "report", Value::Null),
    };
    let prepare = vec![
        pen.step(
            EventType::ScanImageRetrievalStarted,
            Prepare::Verify { slot, object },
            EventType::ScanImageRetrieved,
        ),
        Step {
            before: vec![pen.event(EventType::ScanImageScanStarted)],
            work: scan,
            after: vec![
                pen.event(EventType::ScanImageScanned),
                pen.event(EventType::ScanReportSaved),
            ],
        },
    ];
    let image = scene.image().scanned(scene.action(), scene.case.at);
    let known = Known {
        decide: pen.step(
            EventType::ScanDatabaseUpdateStarted,
            Decide::Swap(Box::new(Swap { expected: scene.row.revision, image })),
            EventType::ScanDatabaseUpdated,
        ),
        settle: vec![],
        closing: vec![pen.event(EventType::ScanCompleted)],
        result: ActionResult::Scan,
    };
    Ok(scene.planned(prepare, known))
}
