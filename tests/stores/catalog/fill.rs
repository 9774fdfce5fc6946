//! Many images at once, by bulk loads: one by one they would take an hour.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use orbit_core::query::StatusName;
use orbit_core::testing::samples::{NOW, action_id, image};
use orbit_core::{Image, ImageVersion, Timestamp};
use sqlx::{AssertSqlSafe, MySqlConnection};

use super::dice::Dice;

pub(crate) const QUALITIES: [&str; 16] = [
    "blue", "red", "fast", "quiet", "rapid", "old", "new", "heavy", "light", "silent", "golden",
    "broken", "digital", "remote", "inner", "outer",
];
pub(crate) const THINGS: [&str; 16] = [
    "engine", "movie", "player", "catalog", "viewer", "panel", "seat", "galley", "monitor",
    "sensor", "camera", "router", "display", "lamp", "pump", "valve",
];
const CATEGORIES: [&str; 8] =
    ["Movie", "Music", "Game", "Map", "Firmware", "Portal", "Telemetry", "Maintenance"];

/// Returns image number `n` of a collection. Older ones are further on their way to production.
pub(crate) fn made(n: u32) -> Image {
    let dice = &mut Dice::new(n.into());
    let letters: Vec<char> = ('a'..='z').chain('A'..='Z').chain('0'..='9').collect();
    let mut image = image(n, 1);
    image.id.uid = dice.text(&letters, 60).parse().unwrap();
    image.id.version = ImageVersion::new(0, 0, u32::try_from(1 + dice.below(8)).unwrap());
    let mut phrase = || format!("{} {}", dice.of(&QUALITIES), dice.of(&THINGS));
    image.labels.name = format!("{} {n}", phrase());
    let (first, second) = (phrase(), phrase());
    image.labels.description = Some(format!("{first} for the {second} of aircraft {}", n % 977));
    image.labels.category = CATEGORIES[dice.below(8).min(dice.below(8))].to_owned();
    image.labels.part = dice.once_in(3).then(|| format!("{}-1", 20_000 + dice.below(5_000)));
    image.labels.tail = dice.once_in(2).then(|| format!("G-{:04}", dice.below(2_000)));
    let environments = ["development", "development", "testing", "production"];
    image.environment = dice.of(&environments).parse().unwrap();
    image.created = Timestamp::from_millis(NOW.millis() + i64::from(n / 3) * 1_000);
    let later = i64::try_from(dice.below(1_000_000_000)).unwrap();
    image.updated = Timestamp::from_millis(image.created.millis() + later);
    match dice.below(20) {
        0 => image.deleted(image.updated),
        1..=6 => image.scanned(action_id(1), image.updated),
        _ => image,
    }
}

/// Returns what a text search looks through.
pub(crate) fn text(image: &Image) -> String {
    let labels = &image.labels;
    let fields = [Some(&labels.name), labels.description.as_ref(), labels.part.as_ref()];
    let fields = fields.into_iter().chain([labels.tail.as_ref()]).flatten().map(String::as_str);
    let fields: Vec<_> = fields.chain([image.id.uid.as_str()]).collect();
    fields.join("\u{1f}").to_lowercase()
}

/// Returns an image as the stores keep it.
pub(crate) fn document(image: &Image) -> String {
    format!(r#"{{"v":1,"data":{}}}"#, serde_json::to_string(image).unwrap())
}

/// Loads images into an empty catalog, by files that the server reads in `dir`.
pub(crate) async fn load(
    connection: &mut MySqlConnection,
    dir: &Path,
    images: impl Iterator<Item = Image>,
) {
    let write = |name: &str| BufWriter::new(File::create(dir.join(name)).unwrap());
    let (mut rows, mut documents) = (write("images.tsv"), write("image_documents.tsv"));
    let mut pieces = Vec::new();
    for (id, image) in (1_u32..).zip(images) {
        writeln!(rows, "{id}\t{}", columns(&image)).unwrap();
        let document = document(&image);
        writeln!(documents, "{id}\t1\t{}\t{document}", action_id(1)).unwrap();
        add_pieces(&mut pieces, id, &text(&image));
    }
    pieces.sort_unstable();
    let mut all = write("image_pieces.tsv");
    for (piece, id) in &pieces {
        let end = piece.iter().position(|byte| *byte == 0).unwrap_or(piece.len());
        all.write_all(&piece[..end]).unwrap();
        writeln!(all, "\t{id}").unwrap();
    }
    drop(pieces);
    for mut file in [rows, documents, all] {
        file.flush().unwrap();
    }
    for table in ["images", "image_documents", "image_pieces"] {
        let file = dir.join(format!("{table}.tsv"));
        let load = format!(
            "LOAD DATA INFILE '{}' INTO TABLE {table} CHARACTER SET binary",
            file.display()
        );
        sqlx::raw_sql(AssertSqlSafe(load)).execute(&mut *connection).await.unwrap();
        std::fs::remove_file(file).unwrap();
    }
    let analyze = "ANALYZE TABLE images, image_documents, image_pieces";
    sqlx::raw_sql(analyze).execute(connection).await.unwrap();
}

fn columns(image: &Image) -> String {
    let (id, labels) = (&image.id, &image.labels);
    let version = id.version.to_string();
    let mut order = String::new();
    for number in version.trim_start_matches('v').split('-') {
        let number: u32 = number.parse().unwrap();
        for byte in number.to_be_bytes() {
            assert!(byte < 9, "greater numbers need escapes");
            write!(order, "{}", if byte == 0 { "\\0".to_owned() } else { char::from(byte).into() })
                .unwrap();
        }
    }
    let none = || "\\N".to_owned();
    [
        id.uid.to_string(),
        version,
        order,
        image.environment.to_string(),
        StatusName::of(&image.status).to_string(),
        labels.name.to_lowercase(),
        labels.category.clone(),
        labels.category.to_lowercase(),
        labels.part.clone().unwrap_or_else(none),
        labels.tail.clone().unwrap_or_else(none),
        u8::from(image.report.is_some()).to_string(),
        image.created.millis().to_string(),
        image.updated.millis().to_string(),
        text(image),
    ]
    .join("\t")
}

/// All of it is ASCII, so each byte is a character.
fn add_pieces(pieces: &mut Vec<([u8; 12], u32)>, id: u32, text: &str) {
    let own: BTreeSet<[u8; 12]> = (0..text.len())
        .map(|start| {
            let mut piece = [0; 12];
            let end = text.len().min(start + 12);
            piece[..end - start].copy_from_slice(&text.as_bytes()[start..end]);
            piece
        })
        .collect();
    pieces.extend(own.into_iter().map(|piece| (piece, id)));
}
