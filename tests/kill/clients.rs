//! Clients that ask for random actions, and that ask again until they are answered.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use orbit_core::testing::archives::docker_archive;
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::harness::{Answer, CONTENT_TYPE, Client, Form, Image, Server, image, metadata};

/// How many images there are at most; new versions of them come all the time.
const MOST_IMAGES: usize = 6;

/// What the clients share.
pub(crate) struct Clients {
    scene: Mutex<Scene>,
    changed: Condvar,
}

#[derive(Default)]
struct Scene {
    /// The servers as they are now, each with how many there were before it in its place.
    servers: Vec<(u32, Client)>,
    images: Vec<Image>,
    n_versions: u32,
    is_over: bool,
}

/// Ends the asking when it is dropped.
pub(crate) struct Ending<'a>(&'a Clients);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let mut scene = self.0.scene.lock().unwrap_or_else(PoisonError::into_inner);
        scene.is_over = true;
        self.0.changed.notify_all();
    }
}

/// What one client was told.
#[derive(Default)]
pub(crate) struct Talk {
    /// The actions that were accepted.
    pub(crate) accepted: Vec<String>,
    /// How often nobody answered.
    pub(crate) n_unanswered: usize,
    /// How often a server said to come back later.
    pub(crate) n_put_off: usize,
}

/// How long a client waits that was told to come back later; it is told more, for the sake of people.
const LATER: Duration = Duration::from_millis(200);

/// A request that is sent until it is answered, always with the same key.
struct Request {
    path: String,
    key: String,
    media_type: &'static str,
    body: Vec<u8>,
}

impl Clients {
    pub(crate) fn new() -> Self {
        Self { scene: Mutex::default(), changed: Condvar::new() }
    }

    /// Shows the clients a server that they are to ask from now on, in the place of an earlier one or
    /// as one more.
    pub(crate) fn meet(&self, place: usize, server: &Server) {
        let mut scene = self.scene.lock().unwrap();
        let client = Client::clone(server);
        match scene.servers.get_mut(place) {
            Some((n_before, there)) => {
                *n_before += 1;
                *there = client;
            }
            None => scene.servers.push((0, client)),
        }
        self.changed.notify_all();
    }

    /// Lets the clients ask for that long; nothing wakes the caller earlier.
    pub(crate) fn let_time_pass(&self, time: Duration) {
        let scene = self.scene.lock().unwrap();
        let is_early = |scene: &mut Scene| !scene.is_over;
        drop(self.changed.wait_timeout_while(scene, time, is_early).unwrap());
    }

    /// Returns what lets every client end its last request and no other once it is dropped, even if
    /// that is because the test failed.
    pub(crate) fn ending(&self) -> Ending<'_> {
        Ending(self)
    }

    /// Asks for one action after the other until the end.
    pub(crate) fn ask_on(&self, mut dice: Dice) -> Talk {
        let mut talk = Talk::default();
        while !self.scene.lock().unwrap().is_over {
            let request = self.think_of(&mut dice);
            let answer = self.ask(&request, &mut dice, &mut talk);
            self.hear(&answer, &mut talk);
        }
        talk
    }

    fn think_of(&self, dice: &mut Dice) -> Request {
        let images = self.scene.lock().unwrap().images.clone();
        let wait = if dice.below(2) == 0 { "?wait=2" } else { "" };
        let key = format!("key-{}", dice.below(u64::MAX));
        let is_upload = dice.below(4) == 0;
        match dice.one_of(&images) {
            Some(image) if !is_upload => {
                let actions =
                    ["deploy", "deploy", "deploy", "transfer", "scan", "delete", "restore"];
                let action = dice.one_of(&actions).unwrap();
                let detail = json!({ "deploymentDetail": { "replicaNumber": 1 + dice.below(3) } });
                let body = if *action == "deploy" { detail } else { json!({}) };
                Request {
                    path: format!("{}{wait}", image.path(action)),
                    key,
                    media_type: "application/json",
                    body: body.to_string().into_bytes(),
                }
            }
            of => {
                let of = of.filter(|_| images.len() >= MOST_IMAGES);
                let said = self.described(of);
                let archive = docker_archive(&image(&key));
                let body = Form::of(&said).body(&archive);
                Request { path: format!("/v1/images{wait}"), key, media_type: CONTENT_TYPE, body }
            }
        }
    }

    /// Returns the metadata of a new image, or of a new version of one.
    fn described(&self, of: Option<&Image>) -> Value {
        let Some(image) = of else { return metadata("Killed", "v0-0-01") };
        let mut scene = self.scene.lock().unwrap();
        scene.n_versions += 1;
        let mut said = metadata("Killed", &format!("v0-{}-01", scene.n_versions));
        said["imageMetadata"]["imageUID"] = json!(image.uid);
        said
    }

    /// Sends a request to one server after the other until one answers, and does not put it off.
    fn ask(&self, request: &Request, dice: &mut Dice, talk: &mut Talk) -> Answer {
        let mut silent = BTreeSet::new();
        loop {
            let (place, n_before, client) = self.any_server_but(&silent, dice);
            let headers =
                [("content-type", request.media_type), ("idempotency-key", request.key.as_str())];
            match client.try_ask("POST", &request.path, &headers, &request.body) {
                Ok(answer) if answer.status == 503 => {
                    assert_ne!(answer.header("retry-after"), "", "{}", answer.text());
                    talk.n_put_off += 1;
                    let scene = self.scene.lock().unwrap();
                    drop(self.changed.wait_timeout(scene, LATER).unwrap());
                }
                Ok(answer) => return answer,
                Err(_) => {
                    talk.n_unanswered += 1;
                    silent.insert((place, n_before));
                }
            }
        }
    }

    /// Waits for a server that is not among those that did not answer.
    fn any_server_but(
        &self,
        silent: &BTreeSet<(usize, u32)>,
        dice: &mut Dice,
    ) -> (usize, u32, Client) {
        let others = |scene: &Scene| -> Vec<_> {
            let servers = scene.servers.iter().enumerate();
            let servers = servers.map(|(place, (n_before, client))| (place, *n_before, client));
            let servers =
                servers.filter(|(place, n_before, _)| !silent.contains(&(*place, *n_before)));
            servers.map(|(place, n_before, client)| (place, n_before, client.clone())).collect()
        };
        let scene = self.scene.lock().unwrap();
        let nobody = |scene: &mut Scene| !scene.is_over && others(scene).is_empty();
        let scene = self.changed.wait_while(scene, nobody).unwrap();
        dice.one_of(&others(&scene)).expect("the last servers answer").clone()
    }

    fn hear(&self, answer: &Answer, talk: &mut Talk) {
        assert!(answer.status < 500, "{}", answer.text());
        let told = answer.json();
        if !matches!(answer.status, 200 | 202) {
            return;
        }
        talk.accepted.push(told["actionId"].as_str().unwrap().to_owned());
        let image = Image::of(&told);
        let mut scene = self.scene.lock().unwrap();
        if !scene.images.contains(&image) {
            scene.images.push(image);
        }
    }
}
