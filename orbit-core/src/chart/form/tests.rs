use proptest::prelude::*;

use super::*;
use crate::chart::strategy;

fn pairs(rows: &[(&str, &str)]) -> Vec<Pair> {
    rows.iter().map(|(key, value)| Pair::new(key, value)).collect()
}

fn faults(text: &FormText) -> Vec<(String, FormFault)> {
    let faults = ChartForm::read(text).unwrap_err();
    faults.0.into_iter().map(|field| (field.pointer, field.fault)).collect()
}

fn pointers(text: &FormText) -> Vec<String> {
    faults(text).into_iter().map(|(pointer, _)| pointer).collect()
}

#[test]
fn every_fault_is_found_with_its_place() {
    let text = FormText {
        port: Some("http".to_owned()),
        env_vars: pairs(&[("GOOD", "1"), ("NOT GOOD", "\0"), ("GOOD", "2")]),
        volumes: pairs(&[("relative", "/data"), ("/srv", "/data/"), ("/srv", "/a/../b")]),
        image_labels: pairs(&[("app", "x"), ("x", "-"), ("k8s.io/x", "")]),
        entrypoint_override: Some("sh -c 'x".to_owned()),
        command_override: Some("[1]".to_owned()),
        working_dir: Some("app".to_owned()),
    };
    let expected = [
        "port",
        "envVars/1/key",
        "envVars/1/value",
        "envVars/2/key",
        "volumes/0/key",
        "volumes/1/value",
        "volumes/2/value",
        "imageLabels/0/key",
        "imageLabels/1/value",
        "imageLabels/2/key",
        "entrypointOverride",
        "commandOverride",
        "workingDir",
    ];
    assert_eq!(pointers(&text), expected.map(|field| format!("/imageMetadata/{field}")));
    let all = ChartForm::read(&text).unwrap_err().to_string();
    assert!(all.starts_with("/imageMetadata/port: port is \"http\", expected a number from 1"));
}

#[test]
fn an_absent_field_and_a_blank_one_are_the_same() {
    let blank = || Some(" \t".to_owned());
    let text = FormText {
        port: blank(),
        entrypoint_override: blank(),
        command_override: blank(),
        working_dir: blank(),
        ..FormText::default()
    };
    let form = ChartForm::read(&text).unwrap();
    assert_eq!(form, ChartForm::default());
    assert_eq!(form.port(), Port::DEFAULT);
}

#[test]
fn variables_are_named_as_config_maps_name_their_keys() {
    let long = "k".repeat(253);
    let good = pairs(&[(&long, ""), ("-", ""), (".a", ""), ("a.b_c-d", ""), ("1", "")]);
    assert_eq!(
        ChartForm::read(&FormText { env_vars: good.clone(), ..FormText::default() })
            .unwrap()
            .env_vars(),
        good
    );
    let longer = "k".repeat(254);
    for key in ["", ".", "..", "..a", "a b", "a=b", "é", "a\n", &longer] {
        let text = FormText { env_vars: pairs(&[(key, "")]), ..FormText::default() };
        assert_eq!(pointers(&text), ["/imageMetadata/envVars/0/key"], "{key}");
    }
}

#[test]
fn characters_that_kustomize_loses_are_refused() {
    for found in ['\0', '\u{7f}', '\u{80}', '\u{85}', '\u{9f}', '\u{fffe}', '\u{ffff}'] {
        let text =
            FormText { env_vars: pairs(&[("A", &format!("x{found}"))]), ..FormText::default() };
        let expected =
            ("/imageMetadata/envVars/0/value".to_owned(), FormFault::Character { found });
        assert_eq!(faults(&text), [expected]);
        let command = Value::from(vec![format!("x{found}")]).to_string();
        let text = FormText { command_override: Some(command), ..FormText::default() };
        assert_eq!(pointers(&text), ["/imageMetadata/commandOverride"], "{found:?}");
    }
}

#[test]
fn a_place_in_the_container_is_mounted_once() {
    for place in ["/data", "/data/", "//data", "/./data/."] {
        let volumes = pairs(&[("/srv", "/data"), ("/srv", place)]);
        let text = FormText { volumes, ..FormText::default() };
        let fault = FormFault::Twice { found: "data".to_owned() };
        assert_eq!(faults(&text), [("/imageMetadata/volumes/1/value".to_owned(), fault)]);
    }
    for place in ["", "/", "//", "data", "/a:b", "/a/..", "/../a", "/a\n", "/a\0"] {
        let text = FormText { volumes: pairs(&[("/", place)]), ..FormText::default() };
        assert_eq!(pointers(&text), ["/imageMetadata/volumes/0/value"], "{place:?}");
    }
}

#[test]
fn labels_follow_kubernetes_and_leave_the_reserved_ones_alone() {
    let long = "l".repeat(63);
    let good = pairs(&[
        (&long, &long),
        ("a", ""),
        ("example.org/A.b_c-d", "1.0_x"),
        ("myk8s.io/x", "x"),
        ("example.org/app", "x"),
    ]);
    let text = FormText { image_labels: good.clone(), ..FormText::default() };
    assert_eq!(ChartForm::read(&text).unwrap().labels(), good);
    let longer = "l".repeat(64);
    for key in ["", "/a", "a/", "a/b/c", "-a", "a-", "A.org/x", "a..b/x", "é", "a b", &longer] {
        let text = FormText { image_labels: pairs(&[(key, "")]), ..FormText::default() };
        assert_eq!(pointers(&text), ["/imageMetadata/imageLabels/0/key"], "{key}");
    }
    for value in ["-", "a b", "é", ".", &longer] {
        let text = FormText { image_labels: pairs(&[("a", value)]), ..FormText::default() };
        assert_eq!(pointers(&text), ["/imageMetadata/imageLabels/0/value"], "{value}");
    }
    let reserved = [
        "app",
        "release",
        "orbit.k8or.com/x",
        "a.orbit.k8or.com/x",
        "kubernetes.io/x",
        "app.kubernetes.io/instance",
        "k8s.io/x",
        "argocd.argoproj.io/instance",
    ];
    for key in reserved {
        let text = FormText { image_labels: pairs(&[(key, "")]), ..FormText::default() };
        let fault = FormFault::Reserved { found: key.to_owned() };
        assert_eq!(faults(&text), [("/imageMetadata/imageLabels/0/key".to_owned(), fault)]);
    }
}

#[test]
fn sizes_are_limited_and_the_limit_is_named() {
    let rows = vec![Pair::new("A", ""); 1_001];
    let text = FormText { env_vars: rows, ..FormText::default() };
    let fault = FormFault::Entries { found: 1_001, max: 1_000 };
    assert_eq!(faults(&text), [("/imageMetadata/envVars".to_owned(), fault)]);

    let long = "x".repeat(131_072);
    let text = FormText { env_vars: pairs(&[("A", &long)]), ..FormText::default() };
    let fault = FormFault::Length { found: 131_072, max: 131_071 };
    assert_eq!(faults(&text), [("/imageMetadata/envVars/0/value".to_owned(), fault)]);

    let rows = (0..9).map(|n| Pair::new(&format!("A{n}"), long.split_at(130_000).0)).collect();
    let text = FormText { env_vars: rows, ..FormText::default() };
    let fault = FormFault::Length { found: 1_170_018, max: 1_048_576 };
    assert_eq!(faults(&text), [("/imageMetadata/envVars".to_owned(), fault)]);
}

#[test]
fn a_port_is_read_from_a_number_and_from_a_text() {
    for port in [serde_json::json!(8080), serde_json::json!("8080")] {
        let form: ChartForm = serde_json::from_value(serde_json::json!({"port": port})).unwrap();
        assert_eq!(form.port().get(), 8080);
    }
    assert!(serde_json::from_value::<ChartForm>(serde_json::json!({"port": [80]})).is_err());
}

proptest! {
    #[test]
    fn a_form_is_read_back_from_its_text(form in strategy::forms()) {
        prop_assert_eq!(ChartForm::read(&FormText::from(form.clone())), Ok(form));
    }
}
