//! The world's repository, registry and scanner.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256};

use super::{Revision, State, World, conflict, rejected};
use crate::archive::Inspection;
use crate::intent::{
    Commit, CommitId, Intent, ListTexts, Misfit, ReadLists, app_path, delete_list_path,
    deploy_list_path,
};
use crate::list::{DeleteList, DeployList};
use crate::port::{BlobSource, ByteStream, GitOps, Lists, PortError, Registry, Scanner};
use crate::scan::Report;
use crate::{ActionId, Digest, Environment};

impl State {
    /// Returns the newest commit; the first one is there from the beginning.
    pub(super) fn head(&self) -> &Revision {
        self.branch.last().expect("World::new puts the first commit")
    }

    fn list_texts(&self, environment: &Environment) -> Result<ListTexts, PortError> {
        let read = |path: String| {
            let text = self.head().files.get(&path).cloned();
            text.ok_or_else(|| rejected(format!("{path} is missing")))
        };
        Ok(ListTexts {
            deploy: read(deploy_list_path(environment))?,
            delete: read(delete_list_path(environment))?,
        })
    }

    fn find_commit(&self, action: &ActionId, since: &CommitId) -> Option<CommitId> {
        let newer = self.branch.iter().rev().take_while(|revision| revision.id != *since);
        let mut own = newer.filter(|revision| revision.action.as_ref() == Some(action));
        own.next().map(|revision| revision.id.clone())
    }

    fn commit(&mut self, commit: &Commit) -> Result<CommitId, PortError> {
        if let Some(earlier) = self.find_commit(&commit.action, &commit.since) {
            return Ok(earlier);
        }
        let environment = &commit.environment;
        let before = ReadLists::read(environment, self.list_texts(environment)?);
        let after = before.and_then(|before| commit.intent.apply(environment, &before));
        let after = after.map_err(|misfit| match misfit {
            Misfit::List { .. } | Misfit::Unsound { .. } => {
                PortError::caused(crate::port::Kind::Rejected, "no edit", misfit)
            }
            Misfit::Unexpected { .. } => conflict(misfit.to_string()),
        })?;
        let after = after.texts().clone();
        let mut files = self.head().files.clone();
        files.insert(deploy_list_path(environment), after.deploy);
        files.insert(delete_list_path(environment), after.delete);
        put_directory(&mut files, environment, &commit.intent);
        if files == self.head().files {
            return Err(conflict("the commit would change nothing"));
        }
        let said = format!("{}{}{files:?}", self.head().id, commit.subject);
        let id = CommitId(Digest::of(said.as_bytes()).hex().chars().take(40).collect());
        let action = Some(commit.action.clone());
        self.branch.push(Revision { id: id.clone(), action, files });
        Ok(id)
    }
}

fn put_directory(files: &mut BTreeMap<String, String>, environment: &Environment, intent: &Intent) {
    let root = format!("{}/", app_path(environment, intent.name()));
    match intent {
        Intent::Retire { .. } => {}
        Intent::Clear { .. } => files.retain(|path, _| !path.starts_with(&root)),
        Intent::Deploy { files: new, .. } => {
            files.retain(|path, _| !path.starts_with(&root));
            files.extend(new.iter().map(|(path, text)| (format!("{root}{path}"), text.clone())));
        }
    }
}

#[async_trait]
impl GitOps for World {
    async fn read(&self, environment: &Environment) -> Result<Lists, PortError> {
        let environment = environment.clone();
        self.call("gitops.read", move |state| {
            let texts = state.list_texts(&environment)?;
            let deploy = DeployList::read(&texts.deploy).map_err(|e| rejected(e.to_string()))?;
            let delete = DeleteList::read(&texts.delete).map_err(|e| rejected(e.to_string()))?;
            let commit = state.head().id.clone();
            Ok(Lists { commit, deploy: deploy.into_entries(), delete: delete.into_entries() })
        })
    }

    async fn commit(&self, commit: &Commit) -> Result<CommitId, PortError> {
        let commit = commit.clone();
        self.call("gitops.commit", move |state| state.commit(&commit))
    }

    async fn find(
        &self,
        action: &ActionId,
        since: &CommitId,
    ) -> Result<Option<CommitId>, PortError> {
        let (action, since) = (action.clone(), since.clone());
        self.call("gitops.find", move |state| Ok(state.find_commit(&action, &since)))
    }
}

#[async_trait]
impl Registry for World {
    async fn push(
        &self,
        repository: &str,
        tag: &str,
        image: &Inspection,
        source: &dyn BlobSource,
    ) -> Result<(), PortError> {
        let mut pushed = vec![image.manifest.digest];
        for blob in image.layers.iter().chain([&image.config]) {
            if self.lock().state.blobs.contains(&blob.digest) {
                continue;
            }
            let (mut stream, mut hash, mut size) = (source.open(blob).await?, Sha256::new(), 0);
            while let Some(chunk) = stream.next().await {
                let chunk = chunk?;
                hash.update(&chunk);
                size += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            }
            if Digest::from_bytes(hash.finalize().into()) != blob.digest || size != blob.size {
                return Err(rejected(format!("the bytes of {} are something else", blob.digest)));
            }
            pushed.push(blob.digest);
        }
        let (name, manifest) = (format!("{repository}:{tag}"), image.manifest.digest);
        self.call("registry.push", move |state| {
            state.blobs.extend(pushed);
            state.tags.insert(name, manifest);
            Ok(())
        })
    }
}

#[async_trait]
impl Scanner for World {
    async fn scan(&self, image: &Inspection, mut archive: ByteStream) -> Result<Report, PortError> {
        let mut inventory = crate::scan::Inventory::new(image);
        while let Some(chunk) = archive.next().await {
            inventory.feed(&chunk?).map_err(|fault| rejected(fault.to_string()))?;
        }
        let found = inventory.finish().map_err(|fault| rejected(fault.to_string()))?;
        self.call("scanner.scan", move |_| Ok(Report::of(found)))
    }
}
