//! One installation: all its stores hold one id.

use orbit_store::{Step, draw_name};

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
        None => match stores.shared.all().first() {
            Some((store, _)) => Err(ComposeFault::NotSetUp { store }),
            None => {
                let id = draw_name()?;
                join_own(&stores.own, &id).await?;
                Ok(id)
            }
        },
    }
}

/// Makes every store that belongs to no installation part of this one, and returns its id with what
/// was done.
///
/// They join in the order of [`members`]. So a setup that was broken off leaves new ones behind those
/// that joined, and goes on with them. A new one before one that is in use is another than was used: an
/// empty log of actions and locks, or an empty catalog of images that are there.
///
/// # Errors
/// [`ComposeFault::Mixed`], [`ComposeFault::Newcomer`], or what a store answers.
pub(super) async fn set_up(stores: &Stores) -> Result<(String, Vec<Step>), ComposeFault> {
    let members = members(stores).await?;
    let mut id = match agreed(&members)? {
        Some(known) => known,
        None => draw_name()?,
    };
    expect_no_newcomer(&members)?;
    let shared = stores.shared.all();
    let mut steps = Vec::new();
    for member in members.iter().filter(|member| member.id.is_none()) {
        // Another process may set up at the same time: who comes first decides.
        match shared.iter().find(|(name, _)| *name == member.name) {
            Some((name, store)) => {
                id = store.join(&id).await.map_err(ComposeFault::store(name))?;
            }
            None => join_own(&stores.own, &id).await?,
        }
        steps.push(Step::new(member.name, format!("belongs to installation {id}")));
    }
    Ok((find(stores).await?, steps))
}

fn expect_no_newcomer(members: &[Member]) -> Result<(), ComposeFault> {
    let mut rest = members.iter().skip_while(|member| member.id.is_some());
    let Some(Member { name: store, .. }) = rest.next() else { return Ok(()) };
    match rest.find_map(|member| Some((member.name, member.id.clone()?))) {
        None => Ok(()),
        Some((other, installation)) => Err(ComposeFault::Newcomer { store, other, installation }),
    }
}

/// Returns what every store says, in the order in which they join. A data directory that is a store
/// itself is the first: no other process sets up the same one. Else any number of them join, and last.
///
/// They are asked from the last to the first: while another process sets up, none that has joined is
/// seen behind one that was asked before it did.
async fn members(stores: &Stores) -> Result<Vec<Member>, ComposeFault> {
    let Own { directory, sqlite, is_a_store } = &stores.own;
    let id = directory.installation(sqlite.as_ref()).await?;
    let own = Member { name: DIRECTORY, id };
    let mut members = Vec::new();
    for (name, store) in stores.shared.all().into_iter().rev() {
        let id = store.installation().await.map_err(ComposeFault::store(name))?;
        members.push(Member { name, id });
    }
    members.reverse();
    let place = if *is_a_store { 0 } else { members.len() };
    members.insert(place, own);
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

async fn join_own(own: &Own, id: &str) -> Result<(), ComposeFault> {
    Ok(own.directory.join(own.sqlite.as_ref(), id).await?)
}
