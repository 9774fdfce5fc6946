use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::setup::sample;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/argocd")
}

fn settings() -> ArgoSettings {
    let url: RemoteUrl = "https://gitlab.example.com/orbit/deployments.git".parse().unwrap();
    ArgoSettings {
        webhook: Some("https://orbit.example.com/v1/argocd".to_owned()),
        protected: ["production".parse().unwrap()].into(),
        ..ArgoSettings::of(&url)
    }
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_saphyr::from_str(text).unwrap()
}

#[test]
fn the_manifests_are_those_of_the_fixtures() {
    let made = manifests(&sample(), &settings());
    let names = [
        "argocd/applicationset-development.yaml",
        "argocd/applicationset-production.yaml",
        "argocd/applicationset-testing.yaml",
        "argocd/notifications.yaml",
    ];
    assert_eq!(made.keys().collect::<Vec<_>>(), names);
    for (path, text) in made {
        let fixture = fixtures().join(path.strip_prefix("argocd/").unwrap());
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&fixture, &text).unwrap();
        }
        assert_eq!(text, fs::read_to_string(&fixture).unwrap(), "{path}");
    }
}

#[test]
fn without_a_webhook_nobody_subscribes() {
    let made = manifests(&sample(), &ArgoSettings { webhook: None, ..settings() });
    assert_eq!(made.len(), 3);
    for (path, text) in made {
        assert!(!text.contains("notifications"), "{path}");
    }
}

#[test]
fn only_a_protected_environment_waits_for_a_confirmation() {
    for (path, text) in manifests(&sample(), &settings()) {
        assert_eq!(text.contains("Delete=confirm"), path.contains("production"), "{path}");
    }
}

#[derive(serde::Deserialize)]
struct ConfigMap {
    data: BTreeMap<String, String>,
}

#[derive(serde::Deserialize)]
struct Service {
    url: String,
}

#[derive(serde::Deserialize)]
struct Set {
    spec: Spec,
}

#[derive(serde::Deserialize)]
struct Spec {
    template: Template,
}

#[derive(serde::Deserialize)]
struct Template {
    spec: Application,
}

#[derive(serde::Deserialize)]
struct Application {
    project: String,
    destination: Destination,
}

#[derive(serde::Deserialize)]
struct Destination {
    server: String,
}

#[test]
fn no_setting_breaks_out_of_its_value() {
    for odd in ["a\": b", "{{ .name }}", "x\n- y: z # w", "\\", "\u{202e}\u{1F600}", "no", "1_000"]
    {
        let argo = ArgoSettings {
            namespace: odd.to_owned(),
            project: odd.to_owned(),
            destination: odd.to_owned(),
            repository: odd.to_owned(),
            webhook: Some(odd.to_owned()),
            ..settings()
        };
        for (path, text) in manifests(&sample(), &argo) {
            if path == "argocd/notifications.yaml" {
                let map: ConfigMap = read(&text);
                let service: Service = read(&map.data["service.webhook.orbit"]);
                assert_eq!((service.url.as_str(), map.data.len()), (odd, 5));
                continue;
            }
            let set: Set = read(&text);
            let printed = odd.replace("{{", "{{ \"{{\" }}");
            assert_eq!(set.spec.template.spec.project, printed);
            assert_eq!(set.spec.template.spec.destination.server, printed);
        }
    }
}
