//! One installation: all its stores hold one id.

use orbit_core::port::{Entropy as _, PortError};
use orbit_store::{Step, SystemEntropy};

use super::ComposeFault;
use super::stores::{Own, Stores};

/// What a store says of the installation that it belongs to.
struct Member {
    name: &'static str,
    id: Option<String>,
}

/// What the data directory is called among the stores.
const DIRECTORY: &str = "the data directory";

/// Returns the id that every store holds.
///
/// Where everything is on this machine, a new data directory draws one.
///
/// # Errors
/// [`ComposeFault::NotSetUp`], [`ComposeFault::Mixed`], or what a store answers.
pub(super) async fn find(stores: &Stores) -> Result<String, ComposeFault> {
    let members = members(stores).await?;
    match agreed(&members)? {
        Some(id) => match members.iter().find(|member| member.id.is_none()) {
            None => Ok(id),
            Some(Member { name, .. }) => Err(ComposeFault::NotSetUp { store: name }),
        },
        None => match members.as_slice() {
            [Member { name, .. }, _, ..] => Err(ComposeFault::NotSetUp { store: name }),
            [_] | [] => {
                let id = draw()?;
                join_own(&stores.own, &id).await?;
                Ok(id)
            }
        },
    }
}

/// Makes every store that belongs to no installation part of this one, and returns its id with what
/// was done.
///
/// A data directory that holds images or rows of its own joins at its birth only: a new one beside
/// stores that are in use already would make a second catalog of the same images.
///
/// # Errors
/// [`ComposeFault::Mixed`], [`ComposeFault::Newcomer`], or what a store answers.
pub(super) async fn set_up(stores: &Stores) -> Result<(String, Vec<Step>), ComposeFault> {
    let members = members(stores).await?;
    let known = agreed(&members)?;
    let own_is_new = members.iter().any(|member| member.name == DIRECTORY && member.id.is_none());
    let is_a_store = stores.own.is_a_store;
    let mut id = match known {
        Some(installation) if own_is_new && is_a_store => {
            return Err(ComposeFault::Newcomer { installation });
        }
        Some(known) => known,
        None => draw()?,
    };
    let mut steps = Vec::new();
    // Before all others: a setup that was broken off in between would find them in use, and its own
    // directory new. No other process sets up the same one meanwhile.
    if own_is_new && is_a_store {
        steps.push(join_own(&stores.own, &id).await?);
    }
    for (name, store) in stores.shared.all() {
        let was_new = members.iter().any(|member| member.name == name && member.id.is_none());
        // Another process may set up at the same time: who comes first decides.
        id = store.join(&id).await.map_err(ComposeFault::store(name))?;
        if was_new {
            steps.push(belonging(name, &id));
        }
    }
    if own_is_new && !is_a_store {
        steps.push(join_own(&stores.own, &id).await?);
    }
    Ok((find(stores).await?, steps))
}

async fn members(stores: &Stores) -> Result<Vec<Member>, ComposeFault> {
    let mut members = Vec::new();
    for (name, store) in stores.shared.all() {
        let id = store.installation().await.map_err(ComposeFault::store(name))?;
        members.push(Member { name, id });
    }
    let Own { directory, sqlite, .. } = &stores.own;
    let id = directory.installation(sqlite.as_ref()).await?;
    members.push(Member { name: DIRECTORY, id });
    Ok(members)
}

/// Returns the one id that is there, or `None` if there is none yet.
fn agreed(members: &[Member]) -> Result<Option<String>, ComposeFault> {
    let mut known = members.iter().filter_map(|member| Some((member.name, member.id.clone()?)));
    let Some((first, id)) = known.next() else { return Ok(None) };
    match known.find(|(_, other)| *other != id) {
        None => Ok(Some(id)),
        Some((other, other_id)) => Err(ComposeFault::Mixed { first, id, other, other_id }),
    }
}

async fn join_own(own: &Own, id: &str) -> Result<Step, ComposeFault> {
    own.directory.join(own.sqlite.as_ref(), id).await?;
    Ok(belonging(DIRECTORY, id))
}

fn belonging(name: &str, id: &str) -> Step {
    Step::new(name, format!("belongs to installation {id}"))
}

/// Draws an id: 128 random bits, as 32 hex digits.
fn draw() -> Result<String, PortError> {
    let mut bytes = [0; 16];
    SystemEntropy.fill(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
