//! The manifests that make stock Argo CD deploy what the lists say, and tell Orbit how that went.
//!
//! They lie in the repository for an operator to apply (`kubectl apply -f argocd/`); nobody but
//! [`Remote::set_up`](crate::Remote::set_up) writes them, and what was edited is left.

use std::collections::{BTreeMap, BTreeSet};

use orbit_core::intent::deploy_list_path;
use orbit_core::{Environment, EnvironmentSpec, quote_yaml};

use crate::remote::url::RemoteUrl;
use crate::setup::Setup;

/// The annotation that says which deployment an Application is of.
const DEPLOYMENT_ID: &str = "orbit.k8or.com/deployment-id";

/// What the manifests say of the Argo CD that reads them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgoSettings {
    /// The namespace that Argo CD runs in, `argocd`.
    pub namespace: String,
    /// The Argo CD project of all Applications, `default`. It is a literal: an entry of a list cannot
    /// choose one.
    pub project: String,
    /// The API server that is deployed to, `https://kubernetes.default.svc`.
    pub destination: String,
    /// The repository's URL as Argo CD has it.
    pub repository: String,
    /// Where Orbit hears of deployments, or `None` if it only polls.
    pub webhook: Option<String>,
    /// The environments in which nothing is deleted that was not confirmed.
    pub protected: BTreeSet<Environment>,
}

impl ArgoSettings {
    /// Returns the settings of an Argo CD that runs and deploys as its installation manual has it, and
    /// reads the repository from where Orbit writes it.
    pub fn of(url: &RemoteUrl) -> Self {
        Self {
            namespace: "argocd".to_owned(),
            project: "default".to_owned(),
            destination: "https://kubernetes.default.svc".to_owned(),
            repository: url.to_string(),
            webhook: None,
            protected: BTreeSet::new(),
        }
    }
}

/// Returns the manifests, each by its path in the repository: an `ApplicationSet` for each
/// environment, so that a mistake in one of them does not stop the others, and the notifications.
pub fn manifests(setup: &Setup, argo: &ArgoSettings) -> BTreeMap<String, String> {
    let sets = setup.environments.iter().map(|environment| {
        let path = format!("argocd/applicationset-{}.yaml", environment.name);
        (path, application_set(setup, argo, environment))
    });
    let notifications = argo.webhook.as_ref().map(|webhook| {
        ("argocd/notifications.yaml".to_owned(), notifications(&argo.namespace, webhook))
    });
    sets.chain(notifications).collect()
}

fn application_set(setup: &Setup, argo: &ArgoSettings, environment: &EnvironmentSpec) -> String {
    let name = &environment.name;
    let subscriptions = argo.webhook.as_ref().map_or("", |_| SUBSCRIPTIONS);
    let confirm = if argo.protected.contains(name) { CONFIRM } else { "" };
    let revision = format!("refs/heads/{}", setup.branch);
    format!(
        include_str!("argo/applicationset.yaml"),
        environment = name,
        set = quote_yaml(&format!("orbit-{name}")),
        argocd = quote_yaml(&argo.namespace),
        repository = quote_yaml(&argo.repository),
        revision = quote_yaml(&revision),
        list = quote_yaml(&deploy_list_path(name)),
        application = quote_yaml(&format!("{name}-{{{{ .name }}}}")),
        subscriptions = subscriptions,
        project = quote_yaml(&literal(&argo.project)),
        source = quote_yaml(&literal(&argo.repository)),
        target = quote_yaml(&literal(&revision)),
        path = quote_yaml(&format!("environments/{name}/apps/{{{{ .name }}}}")),
        server = quote_yaml(&literal(&argo.destination)),
        namespace = quote_yaml(&literal(&environment.namespace)),
        confirm = confirm,
    )
}

/// Subscribes an Application to the triggers of [`notifications`].
const SUBSCRIPTIONS: &str = r#"
        "notifications.argoproj.io/subscribe.orbit-deployed.orbit": ""
        "notifications.argoproj.io/subscribe.orbit-failed.orbit": """#;
/// Lets Argo CD wait until somebody confirms that an Application's resources may go.
const CONFIRM: &str = "\n          - \"Delete=confirm\"";

fn notifications(namespace: &str, webhook: &str) -> String {
    format!(
        include_str!("argo/notifications.yaml"),
        argocd = quote_yaml(namespace),
        webhook = quote_yaml(webhook),
        deployment = DEPLOYMENT_ID,
    )
}

/// Returns a text that a Go template prints as it is.
fn literal(text: &str) -> String {
    text.replace("{{", r#"{{ "{{" }}"#)
}

#[cfg(test)]
mod tests;
