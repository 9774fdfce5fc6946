//! Showing what would be applied, in four forms.

use hyper::StatusCode;
use hyper::header::{CONTENT_DISPOSITION, HeaderValue};
use orbit_core::chart::{self, Chart, Target};
use orbit_core::place::{ChartPlace, Shelf};
use orbit_core::{Environment, Image, ImageId, Status};
use serde_json::json;

use super::images;
use crate::app::App;
use crate::reply::{self, Part, Problem, Reply};
use crate::wire::Query;

/// A form that a chart is shown in.
#[derive(Debug, Clone, Copy)]
enum Form {
    Yaml,
    Json,
    Kustomize,
    Helm,
}

const FORMS: [(&str, Form); 4] = [
    ("yaml", Form::Yaml),
    ("json", Form::Json),
    ("kustomize", Form::Kustomize),
    ("helm", Form::Helm),
];

/// Answers `GET …/chart`.
///
/// # Errors
/// `image-not-found`, `environment-not-found`, `chart-not-found`, `invalid-request`,
/// `port-unavailable`.
pub(crate) async fn get(app: &App, mut query: Query, id: &ImageId) -> Result<Reply, Problem> {
    let form = query.one_of("format", &FORMS).unwrap_or(Form::Yaml);
    let named = query.parsed("environment");
    query.end().map_err(Problem::invalid)?;
    let image = images::row(app, id).await?.image;
    let chart = stored(app, &image).await?;
    let target = target(app, &image, named)?;
    Ok(show(form, &chart, &target))
}

/// Returns the chart that the image's row names.
async fn stored(app: &App, image: &Image) -> Result<Chart, Problem> {
    let here = image.environment.clone();
    let shelf = if image.is_deleted() { Shelf::Deleted(here) } else { Shelf::Live(here) };
    let place = ChartPlace { shelf, image: image.id.clone(), revision: image.chart };
    let found = app.orbit.ports.charts.find(&place).await;
    let found = found.map_err(|error| Problem::port(Part::Charts, &error))?;
    let missing = || Problem::of("chart-not-found", format!("there is no chart in {place}"));
    found.map(|stored| stored.chart).ok_or_else(missing)
}

/// Returns where the chart would be deployed to: the image's environment, unless another is named.
fn target<'a>(
    app: &'a App,
    image: &Image,
    named: Option<Environment>,
) -> Result<Target<'a>, Problem> {
    let settings = &app.orbit.settings;
    let name = named.unwrap_or_else(|| image.environment.clone());
    let environment = settings.environments.find(&name).ok_or_else(|| {
        Problem::of("environment-not-found", format!("environment {name} is not configured"))
    })?;
    let deployment = match &image.status {
        Status::Deployed { deployment, .. } if name == image.environment => {
            Some(deployment.clone())
        }
        Status::Deployed { .. } | Status::Stored | Status::Deleted { .. } => None,
    };
    let reference = format!("{}/{}", settings.registry, image.app);
    Ok(Target { environment, reference, digest: image.digest, deployment })
}

fn show(form: Form, chart: &Chart, target: &Target<'_>) -> Reply {
    match form {
        Form::Yaml => reply::bytes(StatusCode::OK, "application/yaml", chart::yaml(chart, target)),
        Form::Json => reply::bytes(StatusCode::OK, "application/json", chart::json(chart, target)),
        Form::Kustomize => {
            reply::json(StatusCode::OK, &json!({ "files": chart::files(chart, target) }))
        }
        Form::Helm => {
            let mut reply =
                reply::bytes(StatusCode::OK, "application/gzip", chart::helm(chart, target));
            let file = format!("{}-{}.tgz", chart.app, chart.image.version);
            if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{file}\"")) {
                reply.headers_mut().insert(CONTENT_DISPOSITION, value);
            }
            reply
        }
    }
}
