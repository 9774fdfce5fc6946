//! Environments and their lists.

use hyper::StatusCode;
use orbit_core::Environment;
use orbit_core::port::{Kind, Lists};
use serde_json::json;

use crate::app::App;
use crate::reply::{self, Part, Problem, Reply};
use crate::wire::{Query, show};

/// Answers `GET /v1/environments`, in their order.
///
/// # Errors
/// `invalid-request`.
pub(crate) fn list(app: &App, query: Query) -> Result<Reply, Problem> {
    query.end().map_err(Problem::invalid)?;
    let environments = &app.orbit.settings.environments;
    let shown = environments.iter().map(|spec| show::environment(spec, environments));
    Ok(reply::list(shown.collect(), None))
}

/// One of the two lists of an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// What is to be deployed.
    Deploy,
    /// What is to be removed.
    Delete,
}

/// Answers `GET /v1/environments/{env}/deploy-list` and `/delete-list`.
///
/// # Errors
/// `environment-not-found`, `storage-unusable`, `port-unavailable`.
pub(crate) async fn list_of(
    app: &App,
    query: Query,
    name: Environment,
    which: Which,
) -> Result<Reply, Problem> {
    let lists = lists(app, query, &name).await?;
    let items = match which {
        Which::Deploy => json!(lists.deploy),
        Which::Delete => json!(lists.delete),
    };
    let body = json!({
        "environment": name.label(),
        "commitId": lists.commit,
        "items": items,
        "nextCursor": null,
    });
    Ok(reply::json(StatusCode::OK, &body))
}

async fn lists(app: &App, query: Query, name: &Environment) -> Result<Lists, Problem> {
    query.end().map_err(Problem::invalid)?;
    if app.orbit.settings.environments.find(name).is_none() {
        let detail = format!("environment {name} is not configured");
        return Err(Problem::of("environment-not-found", detail));
    }
    app.orbit.ports.gitops.read(name).await.map_err(|error| match error.kind() {
        Kind::Unavailable => Problem::port(Part::Repository, &error),
        Kind::NotFound | Kind::Conflict | Kind::Rejected => {
            let name = error.error_type().unwrap_or("storage-unusable");
            Problem::of(name, error.chain())
        }
    })
}
