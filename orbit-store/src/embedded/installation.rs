//! The id of an installation, which the database and the data directory must agree on.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use super::OpenFault;
use super::database::Database;
use super::home::Home;

/// Returns the id of a data directory and of its database, if it has one here, or `None` if both are
/// new.
///
/// The file has its name only once the database holds the id, so a crash in between leaves a state
/// that the next look can tell from a file that somebody removed or mixed up.
pub(crate) async fn find(
    home: &Home,
    database: Option<&Database>,
) -> Result<Option<String>, OpenFault> {
    let path = home.installation();
    let in_file = read(&path)?;
    let Some(database) = database else { return Ok(in_file) };
    let draft = path.with_extension("new");
    match (in_file, database.installation().await?) {
        (Some(file), Some(database)) if file == database => Ok(Some(file)),
        (None, Some(database)) if read(&draft)?.as_ref() == Some(&database) => {
            publish(&draft, &path)?;
            Ok(Some(database))
        }
        (None, None) => Ok(None),
        (file, database) => {
            let say = |id: Option<String>| id.unwrap_or_else(|| "none".to_owned());
            Err(OpenFault::Mixed { path, file: say(file), database: say(database) })
        }
    }
}

/// Gives a new data directory, and its new database, the id of an installation. Processes that do so
/// at once wait for each other, and who comes second changes nothing.
pub(crate) async fn join(
    home: &Home,
    database: Option<&Database>,
    id: &str,
) -> Result<(), OpenFault> {
    let path = home.installation();
    let turn = home.take_turn("installation.lock");
    let _turn = turn.map_err(OpenFault::file(&path))?;
    if read(&path)?.is_some_and(|there| there == id) {
        return Ok(());
    }
    let draft = path.with_extension("new");
    write(&draft, id).map_err(OpenFault::file(&draft))?;
    if let Some(database) = database {
        database.set_installation(id).await?;
    }
    publish(&draft, &path)
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
