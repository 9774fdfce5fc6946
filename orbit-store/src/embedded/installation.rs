//! The id of an installation, which the database and the data directory must agree on.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use super::OpenFault;
use super::database::Database;
use super::home::Home;
use crate::system::draw_name;

/// Returns the installation's id, which is drawn at the first open.
///
/// The file has its name only once the database holds the id, so a crash in between leaves a state
/// that the next open can tell from a file that somebody removed or mixed up.
pub(crate) async fn agree(home: &Home, database: &Database) -> Result<String, OpenFault> {
    let path = home.installation();
    let draft = path.with_extension("new");
    let in_file = read(&path)?;
    match (in_file, database.installation().await?) {
        (Some(file), Some(database)) if file == database => Ok(file),
        (None, Some(database)) if read(&draft)?.as_ref() == Some(&database) => {
            publish(&draft, &path)?;
            Ok(database)
        }
        (None, None) => {
            let id = draw_name().map_err(|fault| OpenFault::Random { reason: fault.chain() })?;
            write(&draft, &id).map_err(OpenFault::file(&draft))?;
            database.set_installation(&id).await?;
            publish(&draft, &path)?;
            Ok(id)
        }
        (file, database) => {
            let say = |id: Option<String>| id.unwrap_or_else(|| "none".to_owned());
            Err(OpenFault::Mixed { path, file: say(file), database: say(database) })
        }
    }
}

fn read(path: &Path) -> Result<Option<String>, OpenFault> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim_end().to_owned())),
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(fault) => Err(OpenFault::file(path)(fault)),
    }
}

fn write(path: &Path, id: &str) -> io::Result<()> {
    let mut file = File::create(path)?;
    writeln!(file, "{id}")?;
    file.sync_all()
}

fn publish(draft: &Path, path: &Path) -> Result<(), OpenFault> {
    let renamed = fs::rename(draft, path).and_then(|()| super::file::sync_parent(path));
    renamed.map_err(OpenFault::file(path))
}
