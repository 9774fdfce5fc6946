//! Scenarios, and a user and workers that carry them out whatever breaks.

use orbit_core::action::Settings;
use orbit_core::chart::DeploymentDetail;
use orbit_core::chart::form::ChartForm;
use orbit_core::port::{BeginKey, EventLog as _, Kind, Owner, PortError};
use orbit_core::request::{Actor, Ask, Request, Upload};
use orbit_core::saga::{Outcome, Saga};
use orbit_core::testing::{World, run, samples};
use orbit_core::{Accepted, ActionId, Digest, ImageId, ImageLabels, NotBegun, Orbit, Until};

/// The actions before the one that is tested, and that one.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) before: Vec<Request>,
    pub(crate) tested: Request,
}

fn image(patch: u32) -> ImageId {
    samples::image_id(7, patch)
}

fn upload(patch: u32) -> Request {
    let labels = ImageLabels {
        name: "Trolls World Tour (2020)".to_owned(),
        category: "Movie".to_owned(),
        description: None,
        part: None,
        tail: None,
        icao: None,
    };
    let metadata = serde_json::json!({ "imageName": labels.name });
    let form = ChartForm::default();
    let upload = Upload { labels, form, names_uid: patch > 1, metadata };
    Request { image: image(patch), ask: Ask::Upload(Box::new(upload)) }
}

fn ask(patch: u32, ask: Ask) -> Request {
    Request { image: image(patch), ask }
}

fn deploy(patch: u32) -> Request {
    let detail = DeploymentDetail { replicas: "2".parse().unwrap(), ..DeploymentDetail::default() };
    ask(patch, Ask::Deploy { detail, cluster: None })
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    let transfer = || ask(1, Ask::Transfer { from: None, expected: None });
    let restore = || ask(1, Ask::Restore { expected: None });
    let delete = || ask(1, Ask::Delete);
    let of = |name, before: Vec<Request>, tested| Scenario { name, before, tested };
    vec![
        of("upload", vec![], upload(1)),
        of("upload a new version", vec![upload(1), deploy(1)], upload(2)),
        of("deploy", vec![upload(1)], deploy(1)),
        of("deploy another version", vec![upload(1), deploy(1), upload(2)], deploy(2)),
        of("deploy over a tombstone", vec![upload(1), upload(2), deploy(1), delete()], deploy(2)),
        of("deploy what is deployed", vec![upload(1), deploy(1)], deploy(1)),
        of("transfer", vec![upload(1)], transfer()),
        of("transfer what is listed", vec![upload(1), deploy(1)], transfer()),
        of("scan", vec![upload(1)], ask(1, Ask::Scan)),
        of("delete", vec![upload(1)], delete()),
        of("delete what is listed", vec![upload(1), deploy(1)], delete()),
        of("restore", vec![upload(1), delete()], restore()),
        of("restore over a tombstone", vec![upload(1), deploy(1), delete()], restore()),
        of("deploy what is deleted", vec![upload(1), delete()], deploy(1)),
    ]
}

/// A user, and workers that take turns: after every error another process takes the action over.
pub(crate) struct Rig {
    pub(crate) world: World,
    n_owners: u32,
    /// The tick before which late requests arrive, if they arrive during the run.
    pub(crate) deliver_at: Option<u32>,
}

/// More errors in a row than any run here can have.
const PATIENCE: u32 = 30;

impl Rig {
    pub(crate) fn new(before: &[Request]) -> Self {
        let mut rig = Self { world: World::new(), n_owners: 0, deliver_at: None };
        for (index, request) in before.iter().enumerate() {
            rig.run(request, &format!("before-{index}"));
        }
        rig
    }

    fn orbit(&mut self) -> Orbit {
        self.n_owners += 1;
        Orbit {
            ports: self.world.ports(),
            settings: Settings::default(),
            owner: Owner(format!("process-{}", self.n_owners)),
        }
    }

    /// Asks for an action as a patient user does, and lets workers end it. Returns `None` where it
    /// was refused before it began.
    pub(crate) fn run(&mut self, request: &Request, key: &str) -> Option<Outcome> {
        let mut id = None;
        for _ in 0..PATIENCE {
            match self.begin(request, key) {
                Ok(begun) => {
                    id = Some(begun);
                    break;
                }
                Err(NotBegun::Port(_)) => self.work(),
                Err(NotBegun::Refused(_)) => return None,
            }
        }
        let id = id.expect("the user runs out of patience");
        for tick in 0..PATIENCE {
            if let Some(outcome) = self.outcome(&id) {
                return Some(outcome);
            }
            if self.deliver_at == Some(tick) {
                self.world.deliver_late();
            }
            self.work();
        }
        panic!("action {id} did not end within {PATIENCE} ticks: {}", self.world.log());
    }

    fn begin(&mut self, request: &Request, key: &str) -> Result<ActionId, NotBegun> {
        let orbit = self.orbit();
        let key = BeginKey {
            scope: key.to_owned(),
            fingerprint: Digest::of(key.as_bytes()),
            expired_before: samples::NOW,
        };
        let actor: Actor = samples::actor();
        match run(orbit.begin(request.clone(), actor, Some(key)))? {
            Accepted::Earlier(id) => Ok(id),
            Accepted::New(id, _) => {
                // What comes of it is seen by whoever asks for the outcome; errors are the workers'.
                let planned = run(orbit.drive(&id, Until::Planned));
                if planned.is_ok() && matches!(request.ask, Ask::Upload(_)) {
                    drop(run(orbit.receive(&id, samples::body(&samples::archive()))));
                }
                drop(run(orbit.drive(&id, Until::Ended)));
                Ok(id)
            }
        }
    }

    /// One tick of a new process: it takes over what runs, and drives it until an error.
    pub(crate) fn work(&mut self) {
        for id in self.world.running() {
            let orbit = self.orbit();
            let taken = run(async {
                let history = self.world.load(&id).await?;
                let seen =
                    history.ok_or_else(|| PortError::new(Kind::NotFound, "no action"))?.lease;
                self.world.lease(&id, &seen, &orbit.owner).await
            });
            if taken.is_ok() {
                drop(run(orbit.drive(&id, Until::Ended)));
            }
        }
    }

    fn outcome(&self, id: &ActionId) -> Option<Outcome> {
        let history = run(self.world.load(id)).ok().flatten()?;
        let facts = history.entries.iter().map(|entry| &entry.fact);
        Saga::replay(facts).unwrap().outcome().cloned()
    }
}
