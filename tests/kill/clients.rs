//! Clients that ask for random actions, and that ask again until they are answered.

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
    /// The server as it is now, and how many there were before it.
    server: Option<(u32, Client)>,
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
}

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

    /// Shows the clients the server that they are to ask from now on.
    pub(crate) fn meet(&self, server: &Server) {
        let mut scene = self.scene.lock().unwrap();
        let n_before = scene.server.as_ref().map_or(0, |(number, _)| number + 1);
        scene.server = Some((n_before, Client::clone(server)));
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
            let answer = self.ask(&request, &mut talk);
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

    /// Sends a request to one server after the other until one answers.
    fn ask(&self, request: &Request, talk: &mut Talk) -> Answer {
        let mut next = 0;
        loop {
            let (number, client) = self.server_from(next);
            let headers =
                [("content-type", request.media_type), ("idempotency-key", request.key.as_str())];
            match client.try_ask("POST", &request.path, &headers, &request.body) {
                Ok(answer) => return answer,
                Err(_) => talk.n_unanswered += 1,
            }
            next = number + 1;
        }
    }

    /// Waits for a server with that number or a later one.
    fn server_from(&self, number: u32) -> (u32, Client) {
        let scene = self.scene.lock().unwrap();
        let is_there = |(there, _): &&(u32, Client)| *there >= number;
        let waits =
            |scene: &mut Scene| !scene.is_over && scene.server.as_ref().filter(is_there).is_none();
        let scene = self.changed.wait_while(scene, waits).unwrap();
        scene.server.as_ref().filter(is_there).expect("the last server answers").clone()
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
