use std::io;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::Environments;

fn app() -> AppName {
    "trolls-7f3k2q".parse().unwrap()
}

fn target<'a>(environment: &'a EnvironmentSpec, deployment: Option<&str>) -> Target<'a> {
    Target {
        environment,
        reference: "docker.io/k8or-orbit-aws/trolls-7f3k2q".to_owned(),
        digest: Digest::of(b""),
        deployment: deployment.map(|id| id.parse().unwrap()),
    }
}

proptest! {
    #[test]
    fn every_file_is_read_back_as_what_was_written(chart in strategy::charts(app())) {
        let environments = Environments::default();
        let target = target(environments.first(), Some("01JC0000000000000000000000"));
        let mut expected = base::files(&chart);
        expected.extend(overlay::files(&chart, &target));
        let files = files(&chart, &target).into_iter();
        let read: BTreeMap<String, Value> =
            files.map(|(path, text)| (path, serde_saphyr::from_str(&text).unwrap())).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn the_base_is_the_same_for_every_deployment(
        chart in strategy::charts(app()),
        detail in strategy::details(),
    ) {
        let mut environments: Vec<EnvironmentSpec> = Environments::default().into();
        environments[1].image_pull_secret = Some("registry".to_owned());
        let mut here = files(&chart, &target(&environments[0], None));
        let there = chart.with_detail(detail);
        let mut there = files(&there, &target(&environments[1], Some("01JC0000000000000000000000")));
        for files in [&mut here, &mut there] {
            files.retain(|path, _| path.starts_with("base/"));
        }
        prop_assert_eq!(here.len(), 4);
        prop_assert_eq!(here, there);
    }

    #[test]
    fn a_stored_chart_keeps_its_revision(chart in strategy::charts(app())) {
        let stored = serde_json::to_string(&chart).unwrap();
        let loaded: Chart = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(loaded.revision(), chart.revision());
        prop_assert_eq!(chart.revision().to_string().parse(), Ok(chart.revision()));
        prop_assert_eq!(loaded, chart);
    }

    #[test]
    fn other_details_are_another_revision(
        chart in strategy::charts(app()),
        detail in strategy::details(),
    ) {
        let is_same = chart.detail == detail;
        prop_assert_eq!(chart.with_detail(detail).revision() == chart.revision(), is_same);
    }

    #[test]
    fn a_template_holds_no_action(chart in strategy::charts(app())) {
        let environments = Environments::default();
        let target = target(environments.first(), None);
        let archive = helm(&chart, &target);
        prop_assert_eq!(&archive, &helm(&chart, &target));
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&archive[..]));
        let mut n_templates = 0;
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().into_owned();
            let text = io::read_to_string(&mut entry).unwrap();
            if path.starts_with("trolls-7f3k2q/templates") {
                n_templates += 1;
                prop_assert!(!text.contains("{{"), "{}", text);
            }
        }
        prop_assert_eq!(n_templates, 3);
    }
}

#[test]
fn every_deployment_changes_the_directory_but_not_the_pods() {
    let environments = Environments::default();
    let chart = plain();
    let first = target(environments.first(), Some("01JC0000000000000000000000"));
    let second = target(environments.first(), Some("01JC0000000000000000000001"));
    assert_ne!(files(&chart, &first), files(&chart, &second));
    let [first, second] = [first, second].map(|target| rendered(&chart, &target)[2].clone());
    assert_ne!(first["metadata"], second["metadata"]);
    assert_eq!(first["spec"], second["spec"]);
}

#[test]
fn a_chart_that_is_looked_at_has_no_patches() {
    let environments = Environments::default();
    let files = files(&plain(), &target(environments.first(), None));
    let paths: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "base/configmap.yaml",
            "base/deployment.yaml",
            "base/kustomization.yaml",
            "base/service.yaml",
            "kustomization.yaml",
        ]
    );
    assert!(!files["kustomization.yaml"].contains("patches"));
}

#[test]
fn the_port_of_a_deployment_replaces_the_forms() {
    let environments = Environments::default();
    let detail =
        DeploymentDetail { container_port: Some("9090".parse().unwrap()), ..Default::default() };
    let objects = rendered(&plain().with_detail(detail), &target(environments.first(), None));
    assert_eq!(objects[1]["spec"]["ports"], json!([{"port": 9090, "targetPort": 9090}]));
    let container = &objects[2]["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["ports"], json!([{"containerPort": 9090}]));
}

#[test]
fn every_fault_of_the_details_is_found_with_its_place() {
    let some = |text: &str| Some(text.to_owned());
    let text = DetailText {
        container_port: some("0"),
        replica_number: some("many"),
        cpu_limit: some("-1"),
        memory_limit: some("1GB"),
    };
    let faults = DeploymentDetail::read(&text).unwrap_err();
    let pointers: Vec<_> = faults.0.iter().map(|field| field.pointer.as_str()).collect();
    let fields = ["containerPort", "replicaNumber", "cpuLimit", "memoryLimit"];
    assert_eq!(pointers, fields.map(|field| format!("/deploymentDetail/{field}")));
    let detail = DeploymentDetail::read(&DetailText::default()).unwrap();
    assert_eq!(detail.replicas.get(), 1);
}

#[test]
fn json_is_one_list_of_the_objects() {
    let environments = Environments::default();
    let target = target(environments.first(), None);
    let list: Vec<Value> = serde_json::from_str(&json(&plain(), &target)).unwrap();
    assert_eq!(list, rendered(&plain(), &target));
}

fn plain() -> Chart {
    let uid = "Het5SfSA6NJdRVdhTUhwev9A528QH4gwdJQMSA857PStLeyRnpGffDpDMJq5";
    Chart {
        app: app(),
        image: ImageId { uid: uid.parse().unwrap(), version: "v0-0-01".parse().unwrap() },
        image_name: "Trolls World Tour (2020)".to_owned(),
        form: ChartForm::default(),
        detail: DeploymentDetail::default(),
    }
}
