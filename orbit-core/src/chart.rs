//! Charts: the Kubernetes manifests of an image, as a kustomize base and one overlay a deployment.
//!
//! Everything here is computed from a [`Chart`] and a [`Target`]: the files that Orbit commits, and
//! four views of what they make: objects, YAML, JSON and a Helm chart.

pub mod form;
#[cfg(any(test, feature = "testing"))]
pub mod strategy;

mod base;
mod helm;
mod overlay;
mod words;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::form::{ChartForm, Faults, FormFaults};
use crate::ident::text_type;
use crate::quantity::{Cpu, Memory, Port, Replicas};
use crate::{ActionId, AppName, Digest, DigestFault, EnvironmentSpec, ImageId, yaml};

/// What a deployment changes of a chart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeploymentDetail {
    /// The port of the container and the Service instead of the form's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_port: Option<Port>,
    /// The number of pods.
    #[serde(rename = "replicaNumber")]
    pub replicas: Replicas,
    /// The most processor time a pod gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_limit: Option<Cpu>,
    /// The most memory a pod gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_limit: Option<Memory>,
}

/// A deployment's details as they are sent: texts, in the words of `deploymentDetail`.
///
/// An absent text and a blank one are the same: not given. The cluster's name is not among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DetailText {
    /// The port of the container and the Service.
    pub container_port: Option<String>,
    /// The number of pods.
    pub replica_number: Option<String>,
    /// The most processor time a pod gets.
    pub cpu_limit: Option<String>,
    /// The most memory a pod gets.
    pub memory_limit: Option<String>,
}

impl DeploymentDetail {
    /// Checks every field and returns the details; without a number of replicas there is one.
    ///
    /// # Errors
    /// [`FormFaults`] with every fault, not only the first.
    pub fn read(text: &DetailText) -> Result<Self, FormFaults> {
        let mut faults = Faults::of("/deploymentDetail");
        let detail = Self {
            container_port: faults.parsed("containerPort", text.container_port.as_deref()),
            replicas: faults
                .parsed("replicaNumber", text.replica_number.as_deref())
                .unwrap_or_default(),
            cpu_limit: faults.parsed("cpuLimit", text.cpu_limit.as_deref()),
            memory_limit: faults.parsed("memoryLimit", text.memory_limit.as_deref()),
        };
        faults.none_or(detail)
    }
}

/// The manifests of one version of an image, as they are kept: they never change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chart {
    /// The application, which names all objects.
    pub app: AppName,
    /// The image and its version.
    pub image: ImageId,
    /// The image's name as its user wrote it.
    pub image_name: String,
    /// The manifest input of the upload.
    pub form: ChartForm,
    /// The details of the deployment that the chart was made for.
    pub detail: DeploymentDetail,
}

impl Chart {
    /// Returns the same chart for a deployment with other details: another revision.
    pub fn with_detail(&self, detail: DeploymentDetail) -> Self {
        Self { detail, ..self.clone() }
    }

    /// Returns the name of the chart's content: equal charts have one revision, others never do.
    #[expect(clippy::missing_panics_doc, reason = "a chart is texts and numbers, which JSON holds")]
    pub fn revision(&self) -> ChartRevision {
        // No map is in it, so the order of its fields is the order of their declaration.
        let json = serde_json::to_vec(self).expect("a chart is texts and numbers");
        ChartRevision(Digest::of(&json))
    }
}

/// Names a chart by its content: 64 lower-case hex digits of SHA-256.
///
/// It is not shortened: revisions are keys that are written without looking whether they are taken,
/// and user text is in what they are made from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChartRevision(Digest);
text_type!(ChartRevision, DigestFault);

impl fmt::Display for ChartRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.hex())
    }
}

impl FromStr for ChartRevision {
    type Err = DigestFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        format!("sha256:{text}").parse().map(Self)
    }
}

/// Where a chart is deployed to, and as which image.
#[derive(Debug, Clone)]
pub struct Target<'a> {
    /// The environment: its namespace and its image pull secret.
    pub environment: &'a EnvironmentSpec,
    /// The image's repository in the registry, `docker.io/k8or-orbit-aws/<name>`.
    pub reference: String,
    /// The digest of the image's manifest.
    pub digest: Digest,
    /// The deployment, or `None` for a chart that is only looked at.
    pub deployment: Option<ActionId>,
}

/// Returns the files of the application's directory: a kustomize base, which is the chart as it was
/// uploaded, and the overlay of one deployment.
///
/// Every string in them is quoted, and the same chart and target give the same bytes.
pub fn files(chart: &Chart, target: &Target<'_>) -> BTreeMap<String, String> {
    let mut files = base::files(chart);
    files.extend(overlay::files(chart, target));
    files.into_iter().map(|(path, content)| (path, yaml::quoted(&content))).collect()
}

/// Returns the objects that `kubectl kustomize` makes of [`files`], in its order.
pub fn rendered(chart: &Chart, target: &Target<'_>) -> Vec<Value> {
    overlay::rendered(chart, target)
}

/// Returns [`rendered`] as the YAML that `kubectl kustomize` prints, byte by byte.
pub fn yaml(chart: &Chart, target: &Target<'_>) -> String {
    let objects = rendered(chart, target);
    objects.iter().map(yaml::as_kustomize).collect::<Vec<_>>().join("---\n")
}

/// Returns [`rendered`] as one JSON list.
pub fn json(chart: &Chart, target: &Target<'_>) -> String {
    format!("{:#}\n", Value::from(rendered(chart, target)))
}

/// Returns a Helm chart as `.tgz` whose templates render to [`rendered`], whatever texts are in it.
///
/// The same chart and target give the same bytes.
pub fn helm(chart: &Chart, target: &Target<'_>) -> Vec<u8> {
    helm::archive(chart, &rendered(chart, target))
}

#[cfg(test)]
mod tests;
