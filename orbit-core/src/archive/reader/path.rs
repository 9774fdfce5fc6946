//! What names entries and links may have.

use super::super::fault::Situation;
use super::super::limits::{Limits, length, within};

/// Returns the name of an entry of the archive itself, without `./` in front and `/` at the end.
///
/// The name of the root is the empty text. Nothing is cleaned beyond that: what is not a plain
/// relative path is refused.
pub(crate) fn archive_path(name: &[u8], limits: &Limits) -> Result<String, Situation> {
    measure(name, limits)?;
    let text = std::str::from_utf8(name).map_err(|_| Situation::Path("it is not UTF-8"))?;
    if text.is_empty() {
        return Err(Situation::Path("it is empty"));
    }
    let text = if text == "." { "" } else { text.strip_prefix("./").unwrap_or(text) };
    let text = text.strip_suffix('/').unwrap_or(text);
    if text.starts_with('/') || name.starts_with(b"/") {
        return Err(Situation::Path("it is absolute"));
    }
    let components = text.split('/').filter(|_| !text.is_empty());
    for component in components {
        match component {
            "" => return Err(Situation::Path("a component is empty")),
            "." => return Err(Situation::Path("a component is '.'")),
            ".." => return Err(Situation::Path("a component is '..'")),
            _ => {}
        }
    }
    Ok(text.to_owned())
}

/// Returns the name of an entry of a layer as a path from the root, without empty and `.` components.
///
/// Layers are made by many tools, and nothing of them is unpacked here; so a leading slash is as
/// good as none. A path that leaves the root is refused.
pub(crate) fn layer_path(name: &[u8], limits: &Limits) -> Result<Vec<u8>, Situation> {
    measure(name, limits)?;
    let mut path = Vec::with_capacity(name.len());
    for component in name.split(|&byte| byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." => return Err(Situation::Path("a component is '..'")),
            _ => {
                if !path.is_empty() {
                    path.push(b'/');
                }
                path.extend_from_slice(component);
            }
        }
    }
    Ok(path)
}

/// Checks that the target of a link in `directory` stays inside the archive, taken as a text.
pub(crate) fn link_target(
    directory: &str,
    target: &[u8],
    limits: &Limits,
) -> Result<(), Situation> {
    measure(target, limits)?;
    if target.is_empty() || target.starts_with(b"/") {
        return Err(Situation::Path("the target of a link is empty or absolute"));
    }
    let mut depth = directory.split('/').filter(|component| !component.is_empty()).count();
    for component in target.split(|&byte| byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." => {
                let outside = Situation::Path("the target of a link is outside of the archive");
                depth = depth.checked_sub(1).ok_or(outside)?;
            }
            _ => depth += 1,
        }
    }
    Ok(())
}

/// Checks what holds for every path: its length, its components' lengths, no NUL.
fn measure(name: &[u8], limits: &Limits) -> Result<(), Situation> {
    within("bytes of path", length(name.len()), length(limits.path))?;
    if name.contains(&0) {
        return Err(Situation::Path("it holds NUL"));
    }
    let longest = name.split(|&byte| byte == b'/').map(<[u8]>::len).max().unwrap_or(0);
    within("bytes of path component", length(longest), length(limits.component))
}
