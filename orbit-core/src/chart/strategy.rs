//! Charts of every kind of hostile form, for property tests.

#![expect(
    clippy::missing_panics_doc,
    reason = "a strategy that leaves the grammar is a fault of its own"
)]

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::form::{ChartForm, FormText, Pair};
use super::{Chart, DeploymentDetail, DetailText};
use crate::{AppName, ImageId, ImageVersion};

/// Texts that some reader of YAML, some template or some shell takes for something else.
pub const TRICKY: &[&str] = &[
    "",
    " ",
    "~",
    "null",
    "Null",
    "nulL",
    "y",
    "N",
    "no",
    "NO",
    "yEs",
    "on",
    "Off",
    "true",
    "=",
    "<<",
    "-",
    "--",
    "---",
    "--- a",
    "...",
    "... a",
    "- a",
    "? a",
    "?",
    ":",
    ": a",
    "a:",
    "a: b",
    "#a",
    "a #b",
    "a#b",
    "'",
    "'a",
    "\"",
    "\"a\"",
    "it's: x",
    "\\",
    "a\\n",
    "%a",
    "@a",
    "`a",
    "[a",
    "a]",
    "{a",
    "}a",
    ",a",
    "a,b",
    "*a",
    "&a",
    "!a",
    "|",
    ">",
    "{{",
    "{{{",
    "{{ .Values.x }}",
    "{{- end }}",
    "$(HOME)",
    "${x}",
    "$$",
    "1",
    "1_000",
    "0x1F",
    "0x_1",
    "0o17",
    "0777",
    "089",
    "0b1",
    "0b2",
    "-0b11",
    "1e3",
    "1e999",
    "1.",
    ".1",
    ".1_0",
    "._1",
    ".e1",
    "+1",
    "-.5",
    ".inf",
    "-.INF",
    ".nan",
    "inf",
    "1:30",
    "1:99",
    "1:2:3.4",
    "2001-01-01",
    "2001-1-1",
    "2001-13-01",
    "2001-02-29",
    "2001-01-01T00:00:00Z",
    "2001-01-01t1:2:3.5+01:00",
    "2001-01-01 10:00:00",
    "2001-01-01T00:00:00",
    "9223372036854775808",
    "-9223372036854775809",
    "0xFFFFFFFFFFFFFFFFFF",
    "1.2.3",
    "\u{feff}",
    "é",
    "\u{202e}\u{2066}",
    "\u{1f600}",
];
/// Pieces that make texts with breaks, blanks and folds in every place.
const PIECES: &[&str] = &[
    " ",
    "  ",
    "\n",
    "\n\n",
    "\t",
    "\r\n",
    "\u{2028}",
    "\u{2029}",
    "a",
    "word ",
    "a longer word ",
    "é",
    "'",
    "\"",
    ": ",
    " #",
    "\u{1}",
    "\u{1f600}",
];

/// Texts that a form takes.
fn texts() -> impl Strategy<Value = String> {
    let is_carried = |c: &char| !matches!(c, '\0' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
    prop_oneof![
        select(TRICKY).prop_map(str::to_owned),
        vec(select(PIECES), 0..60).prop_map(|pieces| pieces.concat()),
        any::<String>().prop_map(move |text| text.chars().filter(is_carried).collect()),
    ]
}

fn rows(
    keys: impl Strategy<Value = String>,
    values: impl Strategy<Value = String>,
) -> impl Strategy<Value = Vec<Pair>> {
    let rows = |map: BTreeMap<String, String>| {
        map.into_iter().map(|(key, value)| Pair { key, value }).collect()
    };
    btree_map(keys, values, 0..8).prop_map(rows)
}

/// Digits only at the end: kustomize has no order for `2`, `10` and `1a`.
fn config_keys() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z_-][a-zA-Z_.-]{0,5}[0-9]{0,3}",
        "k{120,140}",
        select(&["no", "y", "1", ".5"][..]).prop_map(str::to_owned)
    ]
}

fn volumes() -> impl Strategy<Value = Vec<Pair>> {
    let paths = "/[a-z0-9 .'\"#{}%é\u{202e}\u{2028}]{0,12}";
    let rows = |paths: Vec<(String, String)>| {
        let paths =
            paths.into_iter().filter(|(host, place)| !format!("{host}{place}").contains(".."));
        let rows = paths.enumerate();
        rows.map(|(n, (host, place))| Pair { key: host, value: format!("/{n}{place}") }).collect()
    };
    vec((paths, paths), 0..3).prop_map(rows)
}

fn commands() -> impl Strategy<Value = Option<String>> {
    option::of(vec(texts(), 1..5).prop_map(|words| serde_json::Value::from(words).to_string()))
}

/// Forms that are read without a fault, with all that may stand in them.
pub fn forms() -> impl Strategy<Value = ChartForm> {
    let labels =
        rows("x[a-z]{1,7}(/[a-zA-Z0-9]{1,9})?", "([A-Za-z0-9][A-Za-z0-9._-]{0,20}[a-z0-9])?");
    let directory = option::of("/[a-z #'{}]{0,9}");
    let port = option::of((1..=u16::MAX).prop_map(|port| port.to_string()));
    let fields =
        (port, rows(config_keys(), texts()), volumes(), labels, commands(), commands(), directory);
    fields.prop_map(|(port, env_vars, volumes, image_labels, entrypoint, command, working_dir)| {
        let text = FormText {
            port,
            env_vars,
            volumes,
            image_labels,
            entrypoint_override: entrypoint,
            command_override: command,
            working_dir,
        };
        ChartForm::read(&text).expect("the strategy stays within the grammars")
    })
}

/// Details of deployments.
pub fn details() -> impl Strategy<Value = DeploymentDetail> {
    let port = option::of((1..=u16::MAX).prop_map(|port| port.to_string()));
    let replicas = option::of((0..=1000_u32).prop_map(|number| number.to_string()));
    let limit =
        |limits: &'static [&'static str]| option::of(select(limits).prop_map(str::to_owned));
    let cpu = limit(&["100m", "0.5", "1", "1e3", ".5", "1."]);
    let memory = limit(&["256Mi", "1Gi", "128974848", "1e9", "0.5Gi"]);
    (port, replicas, cpu, memory).prop_map(
        |(container_port, replica_number, cpu_limit, memory_limit)| {
            let text = DetailText { container_port, replica_number, cpu_limit, memory_limit };
            DeploymentDetail::read(&text).expect("the strategy stays within the grammars")
        },
    )
}

/// Charts of one application.
pub fn charts(app: AppName) -> impl Strategy<Value = Chart> {
    (forms(), details(), texts(), any::<(u32, u32, u32)>()).prop_map(
        move |(form, detail, image_name, version)| {
            let uid = "Het5SfSA6NJdRVdhTUhwev9A528QH4gwdJQMSA857PStLeyRnpGffDpDMJq5";
            let uid = uid.parse().expect("a constant in the right form");
            let image =
                ImageId { uid, version: ImageVersion::new(version.0, version.1, version.2) };
            Chart { app: app.clone(), image, image_name, form, detail }
        },
    )
}
