//! What `orbit setup --print` prints is what `orbit setup` makes.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::fleet::{Stores, Variables, variables};
use crate::harness::orbit;
use crate::servers::{self, KEY_ID, SECRET};

/// Makes the stack of a template, and waits for it.
const DEPLOY: &str = r#"
import boto3, sys
stacks = boto3.client("cloudformation", endpoint_url=sys.argv[1], region_name="us-east-1")
stacks.create_stack(StackName="orbit", TemplateBody=sys.stdin.read())
stacks.get_waiter("stack_create_complete").wait(StackName="orbit")
"#;

fn tool(name: &str) -> PathBuf {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("target/tools");
    let path = tools.join("servers/bin").join(name);
    assert!(path.exists(), "{name} is missing; scripts/tools.sh installs it, or ./test.sh");
    path
}

fn run(arguments: &[&str], variables: &Variables) -> String {
    let mut command = orbit(arguments);
    command.envs(variables.iter().map(|(name, value)| (*name, value.as_str())));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a program with a text on its standard input.
fn pipe(mut command: Command, text: &str) {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn the_template_is_sound_and_makes_what_setup_makes() {
    let home = tempfile::tempdir().unwrap();
    let mut stores = Stores::shared();
    stores.s3 = crate::fleet::Borrowed::Shared(servers::ministack());
    let variables = variables(&stores, home.path(), "-template");
    let template = run(&["setup", "--print"], &variables);
    let parsed: Value = serde_json::from_str(&template).unwrap();
    let resources = parsed["Resources"].as_object().unwrap();
    let n_of = |kind: &str| resources.values().filter(|r| r["Type"] == kind).count();
    assert_eq!((n_of("AWS::S3::Bucket"), n_of("AWS::DynamoDB::Table")), (5, 17));
    for (name, resource) in resources {
        assert_eq!(resource["DeletionPolicy"], "Retain", "{name} goes with its stack");
    }
    pipe(Command::new(tool("cfn-lint")), &template);

    let mut deploy = Command::new(tool("python3"));
    deploy.args(["-c", DEPLOY, &stores.dynamodb.endpoint()]);
    deploy.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
    pipe(deploy, &template);
    let said = run(&["setup"], &variables);
    // What ministack makes of a template has none of these.
    let is_expected = |line: &&str| {
        line.contains("installation")
            || line.ends_with(": turned point-in-time recovery on")
            || line.ends_with(": turned time to live on")
            || line.ends_with(": set rules for its life cycle")
    };
    let missing: Vec<_> = said.lines().filter(|line| !is_expected(line)).collect();
    assert!(missing.iter().all(|line| line.starts_with("database ")), "{missing:#?}");
}

#[test]
fn a_template_of_nothing_is_refused() {
    let output = orbit(&["setup", "--print"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("orbit: nothing is configured to be on AWS"), "{said}");
}
