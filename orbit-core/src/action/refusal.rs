//! Why an action is refused before it does anything.

use crate::{ActionId, Environment, ImageId, ImageVersion};

/// Why an action is refused. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The catalog has no such image.
    #[error("there is no image {0}")]
    NoSuchImage(ImageId),
    /// The image is in an environment that is not configured any more.
    #[error("environment {0} is not configured")]
    NoSuchEnvironment(Environment),
    /// Only a restore may be asked of a deleted image.
    #[error("image {0} is deleted; restore it first")]
    ImageDeleted(ImageId),
    /// Only a deleted image can be restored.
    #[error("image {0} is not deleted")]
    NotDeleted(ImageId),
    /// There is no next environment.
    #[error("{0} is the last environment; there is none to transfer to")]
    LastEnvironment(Environment),
    /// The request expects another environment than the image is in, or would go to.
    #[error("the request is for environment {named}, but for this image it is {actual}")]
    WrongEnvironment {
        /// What the request names.
        named: Environment,
        /// Where it would go.
        actual: Environment,
    },
    /// The deploy form names another environment's cluster.
    #[error("the request names cluster {named:?}, but {environment} deploys to {actual:?}")]
    WrongCluster {
        /// What the form names.
        named: String,
        /// The environment's cluster.
        actual: String,
        /// The environment.
        environment: Environment,
    },
    /// A new version must be greater than every version the UID has.
    #[error("version {given} is not greater than {greatest}, the greatest version of this image")]
    VersionNotGreater {
        /// The upload's.
        given: ImageVersion,
        /// The catalog's, deleted ones included.
        greatest: ImageVersion,
    },
    /// Another action works on this UID.
    #[error("action {running} is in progress on this image")]
    ActionInProgress {
        /// The other one.
        running: ActionId,
    },
    /// The idempotency key was used for another request.
    #[error("this idempotency key was used for another request, action {earlier}")]
    KeyReused {
        /// The other one.
        earlier: ActionId,
    },
    /// Another application's entry has the name in the repository.
    #[error("{name} in the deploy list is an entry of another image, {uid}")]
    NameTaken {
        /// The application.
        name: String,
        /// The other image's UID.
        uid: String,
    },
    /// A port answers, but with something that cannot be worked with.
    #[error("{message}")]
    Unusable {
        /// The port's own name of the situation, or `storage-unusable`.
        error_type: &'static str,
        /// What it said.
        message: String,
    },
    /// A store holds something that cannot be read.
    #[error("{what} cannot be read")]
    Damaged {
        /// What.
        what: String,
    },
    /// A store does not hold what its neighbours say it holds.
    #[error("{what} is missing")]
    Missing {
        /// What is missing, and where.
        what: String,
    },
}

impl Refusal {
    /// Returns the stable name of the situation, in kebab case.
    pub const fn error_type(&self) -> &'static str {
        match self {
            Self::NoSuchImage(_) => "image-not-found",
            Self::NoSuchEnvironment(_) => "environment-not-configured",
            Self::ImageDeleted(_) => "image-deleted",
            Self::NotDeleted(_) => "image-not-deleted",
            Self::LastEnvironment(_) => "last-environment",
            Self::WrongEnvironment { .. } => "wrong-environment",
            Self::WrongCluster { .. } => "wrong-cluster",
            Self::VersionNotGreater { .. } => "version-not-greater",
            Self::ActionInProgress { .. } => "action-in-progress",
            Self::KeyReused { .. } => "idempotency-key-reused",
            Self::NameTaken { .. } => "name-taken",
            Self::Unusable { error_type, .. } => error_type,
            Self::Damaged { .. } => "storage-damaged",
            Self::Missing { .. } => "storage-incomplete",
        }
    }
}
