//! Upload: store an image in the first environment. It never deploys.

use serde_json::json;

use super::{Case, Look, Pen, Refusal, Settings, Verdict, chart_place};
use crate::chart::{Chart, DeploymentDetail};
use crate::event::EventType;
use crate::image::{Image, Status};
use crate::place::{Names, RecordTable, Shelf, Slot};
use crate::plan::{ActionResult, Decide, Known, Plan, Prepare, Rest, Settle, Step};
use crate::port::{Record, RecordKey};
use crate::request::Upload;
use crate::saga::Received;
use crate::{AppName, ImageId};

fn slots(image: &ImageId, settings: &Settings) -> (Slot, Slot) {
    let live = Shelf::Live(settings.environments.first().name.clone());
    let slot = |shelf| Slot { shelf, image: image.clone() };
    (slot(Shelf::Temporary), slot(live))
}

pub(super) fn look(image: &ImageId, settings: &Settings) -> Look {
    let (temporary, live) = slots(image, settings);
    let record = |table| RecordKey {
        table,
        partition: image.uid.to_string(),
        sort: image.version.to_string(),
    };
    let records = vec![record(RecordTable::ImageMetadata), record(RecordTable::UserInput)];
    Look { slots: vec![temporary, live], records, ..Look::default() }
}

pub(super) fn plan(
    case: Case<'_>,
    upload: &Upload,
    received: Option<&Received>,
) -> Result<Verdict, Refusal> {
    refuse(case, upload)?;
    let (prepare, rest) = match received {
        None => (first_part(case), Rest::AfterInspection),
        Some(received) => {
            let (more, known) = second_part(case, upload, received);
            let prepare = received.prepare.iter().cloned().chain(more).collect();
            (prepare, Rest::Known(Box::new(known)))
        }
    };
    let (action, kind) = (case.action.id.clone(), case.action.request.kind());
    let plan = Plan { action, kind, prepare, rest };
    Ok(Verdict::Plan(Box::new(plan)))
}

fn pen(settings: &Settings) -> Pen {
    let numbers = Names::new(&settings.environments).numbers(&settings.environments.first().name);
    Pen { here: numbers, next: numbers }
}

fn refuse(case: Case<'_>, upload: &Upload) -> Result<(), Refusal> {
    let image = &case.action.request.image;
    let versions = &case.seen.versions;
    if upload.names_uid && versions.is_empty() {
        return Err(Refusal::NoSuchImage(image.clone()));
    }
    let greatest = versions.iter().map(|row| row.image.id.version).max();
    match greatest.filter(|greatest| image.version <= *greatest) {
        Some(greatest) => Err(Refusal::VersionNotGreater { given: image.version, greatest }),
        None => Ok(()),
    }
}

/// Up to the inspection, after which the rest is known.
fn first_part(case: Case<'_>) -> Vec<Step<Prepare>> {
    let pen = pen(case.settings);
    let (temporary, live) = slots(&case.action.request.image, case.settings);
    let mut steps = super::sweep(case, &[temporary.clone(), live]);
    steps.push(Step {
        before: vec![],
        work: Prepare::Receive { slot: temporary.clone() },
        after: vec![
            pen.event(EventType::UploadImageReceived),
            pen.event(EventType::UploadTemporaryImageStored),
        ],
    });
    steps.push(pen.step(
        EventType::UploadImageValidationStarted,
        Prepare::Inspect { slot: temporary },
        EventType::UploadImageValidated,
    ));
    steps
}

fn second_part(
    case: Case<'_>,
    upload: &Upload,
    received: &Received,
) -> (Vec<Step<Prepare>>, Known) {
    let (temporary, live) = slots(&case.action.request.image, case.settings);
    let chart = new_chart(case, upload);
    let image = new_image(case, upload, received, &chart);
    let pen = pen(case.settings);
    let after = |work, event| Step { before: vec![], work, after: vec![pen.event(event)] };
    let [user_data, metadata, user_input] = records(case, upload, received);
    let place = chart_place(live.shelf.clone(), image.id.clone(), chart.revision());
    let copy = Prepare::Copy { from: temporary.clone(), object: received.object.clone(), to: live };
    let prepare = vec![
        after(copy, EventType::UploadImageStored),
        after(Prepare::Record(user_data), EventType::UploadUserDataSaved),
        after(Prepare::Record(metadata), EventType::UploadImageMetadataSaved),
        after(Prepare::Record(user_input), EventType::UploadUserInputSaved),
        pen.step(
            EventType::UploadKustomizationStarted,
            Prepare::Chart { place, chart: Box::new(chart) },
            EventType::UploadKustomizationCompleted,
        ),
    ];
    let tag = received.object.tag.clone();
    let known = Known {
        result: ActionResult::Upload { digest: image.digest, size: image.size },
        decide: pen.step(
            EventType::UploadDatabaseUpdateStarted,
            Decide::Insert(Box::new(image)),
            EventType::UploadDatabaseUpdated,
        ),
        settle: vec![Step::silent(Settle::RemoveImage { slot: temporary, tag })],
        closing: vec![pen.event(EventType::UploadCompleted)],
    };
    (prepare, known)
}

/// Returns the chart of the image, which also fixes the application's name.
fn new_chart(case: Case<'_>, upload: &Upload) -> Chart {
    let image = case.action.request.image.clone();
    let known = case.seen.versions.first().map(|row| row.image.app.clone());
    Chart {
        app: known.unwrap_or_else(|| AppName::of(&upload.labels.name, &image.uid)),
        image,
        image_name: upload.labels.name.clone(),
        form: upload.form.clone(),
        detail: DeploymentDetail::default(),
    }
}

fn new_image(case: Case<'_>, upload: &Upload, received: &Received, chart: &Chart) -> Image {
    Image {
        id: chart.image.clone(),
        app: chart.app.clone(),
        labels: upload.labels.clone(),
        environment: case.settings.environments.first().name.clone(),
        status: Status::Stored,
        report: None,
        digest: received.inspection.manifest.digest,
        size: received.object.size,
        chart: chart.revision(),
        created: case.action.at,
        updated: case.action.at,
    }
}

/// Returns the records of user data, image metadata and user input.
fn records(case: Case<'_>, upload: &Upload, received: &Received) -> [Record; 3] {
    let (action, image) = (case.action, &case.action.request.image);
    let (uid, version) = (image.uid.to_string(), image.version.to_string());
    let record = |table, partition, sort, body| Record {
        key: RecordKey { table, partition, sort },
        body,
        at: case.at,
        writer: action.id.clone(),
    };
    let (username, id) = (action.actor.username.clone(), action.id.to_string());
    let (metadata, actor) = (&upload.metadata, &action.actor);
    let inspection = &received.inspection;
    [
        record(
            RecordTable::UserData,
            username,
            id,
            json!({ "imageUID": uid, "imageVersion": version, "userMetadata": actor }),
        ),
        record(
            RecordTable::ImageMetadata,
            uid.clone(),
            version.clone(),
            json!({ "imageMetadata": metadata, "userMetadata": actor, "inspection": inspection }),
        ),
        record(
            RecordTable::UserInput,
            uid,
            version,
            json!({ "form": upload.form, "userMetadata": actor }),
        ),
    ]
}
