//! Deploy: push the image to the registry, then commit manifests and lists at once.

use serde_json::{Value, json};

use super::{Look, Refusal, Scene, Verdict, chart_place};
use crate::ActionId;
use crate::chart::{self, Chart, DeploymentDetail, Target};
use crate::event::EventType;
use crate::image::{ClusterState, Deployment, Status};
use crate::intent::Intent;
use crate::list::Entry;
use crate::place::{RecordTable, Shelf, Slot};
use crate::plan::{ActionResult, Decide, Known, Prepare, Settle, Step, Swap};
use crate::port::Row;

/// No cluster is attached: the commit is all there is to know.
const CLUSTER: ClusterState = ClusterState::NotAttached;

pub(super) fn look(row: &Row) -> Look {
    let environment = row.image.environment.clone();
    let shelf = Shelf::Live(environment.clone());
    Look {
        slots: vec![Slot { shelf: shelf.clone(), image: row.image.id.clone() }],
        shelves: vec![shelf],
        lists: Some(environment),
        inspection: true,
        ..Look::default()
    }
}

pub(super) fn plan(
    scene: &Scene<'_>,
    detail: &DeploymentDetail,
    cluster: Option<&str>,
) -> Result<Verdict, Refusal> {
    scene.refuse_deleted()?;
    refuse_cluster(scene, cluster)?;
    let entry = own_entry(scene)?;
    let stored = scene.chart(&scene.live())?;
    let chart = stored.chart.with_detail(detail.clone());
    if let Some(earlier) = unchanged(scene, entry, &chart) {
        return Ok(Verdict::Unchanged { earlier });
    }
    let pen = scene.pen();
    let known = Known {
        decide: decide(scene, entry, &chart)?,
        settle: settle(scene, &chart),
        closing: vec![pen.detailed(EventType::DeploymentCompleted, json!({ "cluster": CLUSTER }))],
        result: ActionResult::Deploy { image: pinned(scene), cluster: CLUSTER },
    };
    Ok(scene.planned(prepare(scene, chart)?, known))
}

fn refuse_cluster(scene: &Scene<'_>, cluster: Option<&str>) -> Result<(), Refusal> {
    match cluster {
        Some(named) if named != scene.here.cluster => Err(Refusal::WrongCluster {
            named: named.to_owned(),
            actual: scene.here.cluster.clone(),
            environment: scene.here.name.clone(),
        }),
        Some(_) | None => Ok(()),
    }
}

/// Returns the entry of the application's name, which must be of this UID, whatever the version.
fn own_entry<'a>(scene: &Scene<'a>) -> Result<Option<&'a Entry>, Refusal> {
    let image = scene.image();
    let entry = scene.lists()?.deploy.iter().find(|entry| entry.name == image.app);
    match entry {
        Some(other) if other.image_uid != image.id.uid => Err(Refusal::NameTaken {
            name: image.app.to_string(),
            uid: other.image_uid.to_string(),
        }),
        Some(_) | None => Ok(entry),
    }
}

/// Returns the deployment that already did all of this, if one did.
fn unchanged(scene: &Scene<'_>, entry: Option<&Entry>, chart: &Chart) -> Option<ActionId> {
    let image = scene.image();
    let Status::Deployed { deployment, .. } = &image.status else { return None };
    let same = chart.revision() == image.chart && entry == Some(&new_entry(scene, deployment));
    same.then(|| deployment.clone())
}

fn prepare(scene: &Scene<'_>, chart: Chart) -> Result<Vec<Step<Prepare>>, Refusal> {
    let pen = scene.pen();
    let slot = scene.slot(scene.live());
    let object = scene.object(&slot)?.clone();
    let push = Prepare::Push {
        repository: scene.reference(&scene.image().app),
        tag: scene.image().id.version.to_string(),
        slot: slot.clone(),
        object: object.clone(),
        image: Box::new(scene.inspection()?.clone()),
    };
    let place = chart_place(scene.live(), scene.id(), chart.revision());
    Ok(vec![
        pen.step(
            EventType::DeployImageRetrievalStarted,
            Prepare::Verify { slot, object },
            EventType::DeployImageRetrieved,
        ),
        pen.step(EventType::DeployImagePushStarted, push, EventType::DeployImagePushed),
        pen.step(
            EventType::DeployManifestRetrievalStarted,
            Prepare::Chart { place, chart: Box::new(chart) },
            EventType::DeployManifestRetrieved,
        ),
    ])
}

fn decide(
    scene: &Scene<'_>,
    replaced: Option<&Entry>,
    chart: &Chart,
) -> Result<Step<Decide>, Refusal> {
    let entry = new_entry(scene, &scene.action());
    let intent = Intent::Deploy {
        entry: Box::new(entry),
        files: chart::files(chart, &target(scene)),
        replaces: replaced.map(|entry| entry.deployment_id.clone()),
    };
    let pen = scene.pen();
    Ok(Step {
        before: vec![pen.event(EventType::DeployManifestPushStarted)],
        work: Decide::Commit(Box::new(scene.commit("deploy", intent)?)),
        after: vec![
            pen.event(EventType::DeployManifestPushed),
            pen.event(EventType::DeployListUpdateStarted),
            pen.event(EventType::DeployListUpdated),
        ],
    })
}

fn new_entry(scene: &Scene<'_>, deployment: &ActionId) -> Entry {
    let image = scene.image();
    Entry {
        name: image.app.clone(),
        image_uid: image.id.uid.clone(),
        image_version: image.id.version,
        image_name: image.labels.name.clone(),
        environment: scene.here.name.clone(),
        image: scene.reference(&image.app),
        digest: image.digest,
        namespace: scene.here.namespace.clone(),
        deployment_id: deployment.to_string(),
    }
}

/// The version that is replaced becomes `Deployed: none`, then this one is marked deployed, then
/// every resource of the deployment is logged.
fn settle(scene: &Scene<'_>, chart: &Chart) -> Vec<Step<Settle>> {
    let (image, at) = (scene.image(), scene.case.at);
    let replaced = scene.case.seen.versions.iter().filter(|row| {
        let other = &row.image;
        let deployed = matches!(other.status, Status::Deployed { .. });
        other.id != image.id && other.environment == image.environment && deployed
    });
    let swap = |row: &Row, image| Settle::Swap(Box::new(Swap { expected: row.revision, image }));
    let mut steps: Vec<_> =
        replaced.map(|row| Step::silent(swap(row, row.image.replaced(at)))).collect();
    let deployment =
        Deployment { action: scene.action(), chart: chart.revision(), cluster: CLUSTER, at };
    steps.push(Step {
        before: vec![],
        work: swap(scene.row, image.deployed(deployment)),
        after: vec![scene.pen().event(EventType::DeploymentStatusUpdated)],
    });
    let resources = chart::rendered(chart, &target(scene));
    steps.extend(resources.iter().map(|resource| Step::silent(log_record(scene, resource))));
    steps
}

/// Returns the record of one Kubernetes resource of the deployment.
fn log_record(scene: &Scene<'_>, resource: &Value) -> Settle {
    let image = scene.image();
    let text = |pointer: &str| resource.pointer(pointer).and_then(Value::as_str).unwrap_or("");
    let name = format!("{}/{}", text("/kind"), text("/metadata/name"));
    let body = json!({
        "eventType": "deployed",
        "resource": name,
        "imageUID": image.id.uid,
        "imageVersion": image.id.version,
        "environment": scene.here.name.label(),
        "image": pinned(scene),
        "cluster": CLUSTER,
    });
    Settle::Record(scene.record(RecordTable::DeploymentLog, &name, body))
}

fn target<'a>(scene: &Scene<'a>) -> Target<'a> {
    let image = scene.image();
    Target {
        environment: scene.here,
        reference: scene.reference(&image.app),
        digest: image.digest,
        deployment: Some(scene.action()),
    }
}

fn pinned(scene: &Scene<'_>) -> String {
    format!("{}@{}", scene.reference(&scene.image().app), scene.image().digest)
}
