//! The two lists of an environment, as an intent finds and leaves them.

use super::Misfit;
use crate::Environment;
use crate::list::{self, DeleteList, DeployList, Finding, ListError};

/// Returns the path of an environment's deploy list.
pub fn deploy_list_path(environment: &Environment) -> String {
    format!("environments/{environment}/deploy-list.yaml")
}

/// Returns the path of an environment's delete list.
pub fn delete_list_path(environment: &Environment) -> String {
    format!("environments/{environment}/delete-list.yaml")
}

/// The text of an environment's two lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListTexts {
    /// `deploy-list.yaml`.
    pub deploy: String,
    /// `delete-list.yaml`.
    pub delete: String,
}

/// An environment's two lists, read: the texts, and the entries in them.
///
/// What one intent leaves the next one finds, so that intents in a row read no list twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadLists {
    texts: ListTexts,
    deploy: DeployList,
    delete: DeleteList,
}

impl ReadLists {
    /// Reads the two lists of an environment.
    ///
    /// # Errors
    /// [`Misfit::List`] where a list is outside of the dialect, or an entry is not one of Orbit's.
    pub fn read(environment: &Environment, texts: ListTexts) -> Result<Self, Misfit> {
        let in_list = |path| move |source: ListError| Misfit::List { path, source };
        let deploy =
            DeployList::read(&texts.deploy).map_err(in_list(deploy_list_path(environment)))?;
        let delete =
            DeleteList::read(&texts.delete).map_err(in_list(delete_list_path(environment)))?;
        Ok(Self { texts, deploy, delete })
    }

    /// Reads the two lists of an environment, if they may be pushed.
    pub(super) fn sound(environment: &Environment, texts: ListTexts) -> Result<Self, Vec<Finding>> {
        let (deploy, delete) = list::read_sound(&texts.deploy, &texts.delete, Some(environment))?;
        Ok(Self { texts, deploy, delete })
    }

    /// Returns their texts.
    pub const fn texts(&self) -> &ListTexts {
        &self.texts
    }

    /// Returns the deploy list.
    pub const fn deploy(&self) -> &DeployList {
        &self.deploy
    }

    /// Returns the delete list.
    pub const fn delete(&self) -> &DeleteList {
        &self.delete
    }
}

#[cfg(test)]
mod tests {
    use crate::intent::Intent;
    use crate::list::{Deletion, Entry, Tombstone};
    use crate::testing::samples::{action_id, image};

    use super::*;

    fn entry(n: u32) -> Entry {
        let image = image(n, 1);
        Entry {
            name: image.app.clone(),
            image_uid: image.id.uid.clone(),
            image_version: image.id.version,
            image_name: "Film portal".to_owned(),
            environment: "testing".parse().unwrap(),
            image: "docker.io/k8or/film".to_owned(),
            digest: image.digest,
            namespace: "testing".to_owned(),
            deployment_id: action_id(n).to_string(),
        }
    }

    #[test]
    fn what_an_intent_leaves_is_what_its_texts_say() {
        let environment = "testing".parse().unwrap();
        let texts = ListTexts { deploy: "# ours\n[]\n".to_owned(), delete: "[]\n".to_owned() };
        let mut lists = ReadLists::read(&environment, texts).unwrap();
        let deploy =
            |n| Intent::Deploy { entry: Box::new(entry(n)), files: [].into(), replaces: None };
        let deletion = Deletion {
            deleted_at: "2025-01-25T10:00:00Z".to_owned(),
            deleted_by: "ada".to_owned(),
            action_id: action_id(9),
        };
        let tombstone = Box::new(Tombstone { entry: entry(1), deletion });
        let clear = Intent::Clear { name: entry(1).name, left_by: action_id(9) };
        let sizes = [(1, 0), (2, 0), (1, 1), (1, 0)];
        for (intent, sizes) in
            [deploy(1), deploy(2), Intent::Retire { tombstone }, clear].into_iter().zip(sizes)
        {
            lists = intent.apply(&environment, &lists).unwrap();
            assert_eq!(ReadLists::read(&environment, lists.texts().clone()), Ok(lists.clone()));
            assert_eq!((lists.deploy().entries().len(), lists.delete().entries().len()), sizes);
        }
        assert!(lists.texts().deploy.starts_with("# ours\n"), "{lists:?}");
    }
}
