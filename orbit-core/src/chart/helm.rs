//! Packing rendered objects as a Helm chart.

use std::io::{self, Write as _};

use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};
use tar::{Builder, Header};

use super::Chart;
use crate::yaml;

/// Returns the chart's archive; every time in it is the epoch, so that it depends on nothing else.
pub(super) fn archive(chart: &Chart, objects: &[Value]) -> Vec<u8> {
    pack(chart, objects).expect("a Vec takes every write, and the names are short")
}

fn pack(chart: &Chart, objects: &[Value]) -> io::Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    append(&mut archive, chart, "Chart.yaml", &yaml::quoted(&about(chart)))?;
    let values = "# The objects are complete: there is nothing to set.\n{}\n";
    append(&mut archive, chart, "values.yaml", values)?;
    for object in objects {
        let kind = object.pointer("/kind").and_then(Value::as_str).unwrap_or_default();
        let file = format!("templates/{}.yaml", kind.to_ascii_lowercase());
        append(&mut archive, chart, &file, &template(object))?;
    }
    let mut gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::default());
    gzip.write_all(&archive.into_inner()?)?;
    gzip.finish()
}

fn append(
    archive: &mut Builder<Vec<u8>>,
    chart: &Chart,
    file: &str,
    content: &str,
) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_size(u64::try_from(content.len()).map_err(io::Error::other)?);
    archive.append_data(&mut header, format!("{}/{file}", chart.app), content.as_bytes())
}

fn about(chart: &Chart) -> Value {
    json!({
        "apiVersion": "v2",
        "type": "application",
        "name": chart.app,
        "description": chart.image_name,
        "version": chart.image.version.semver(),
        "appVersion": chart.image.version,
    })
}

/// Returns an object as a template that renders to it.
///
/// Two braces open an action wherever they stand, and they stand only in quoted strings. There the
/// second is written by its number: Helm sees no action, YAML the same text.
fn template(object: &Value) -> String {
    yaml::quoted(object).replace("{{", "{\\x7B")
}
