//! The log in DynamoDB's tables, on ministack.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use orbit_core::Environments;
use orbit_core::event::Event;
use orbit_core::place::Names;
use orbit_core::port::{ActionFilter, ActionRecord, EventFilter, State};
use orbit_store::{AwsKey, AwsSettings, DynamoDb, SharedStore as _};

use super::cases::{Key, PAGE, Question, event_key};
use super::history::History;
use super::{AT_ONCE, Peer, servers};

/// Filled tables.
pub(crate) struct Filled {
    pub(crate) stores: DynamoDb,
    pub(crate) peer: List,
    _server: servers::Server,
}

/// All of the history in memory: it knows what a page must hold, and is no peer for its time.
pub(crate) struct List {
    events: Vec<Event>,
    actions: Vec<(ActionRecord, State)>,
}

/// Starts a server and fills its tables through the port.
pub(crate) async fn open(history: &History) -> Filled {
    let server = servers::own_ministack();
    let (id, secret) = (servers::KEY_ID.to_owned(), servers::SECRET.to_owned());
    let settings = AwsSettings {
        endpoint: Some(server.endpoint()),
        region: Some("us-east-1".to_owned()),
        key: Some(AwsKey { id, secret }),
        call_timeout: Duration::from_secs(600),
    };
    let stores = DynamoDb::connect(&settings, &Names::new(&Environments::default())).await;
    stores.setup().await.unwrap();
    let begun = Instant::now();
    let log = stores.log();
    let actions = (0..history.n_actions).map(|n| {
        let log = Arc::clone(&log);
        async move {
            let action = history.action(n);
            let begin = history.begin(&action, "bench");
            log.begin(&begin).await.unwrap();
            let entry = history.only_entry(&action);
            log.append(&action.record.id, &begin.owner, &entry).await.unwrap();
            action
        }
    });
    let actions: Vec<_> = stream::iter(actions).buffered(AT_ONCE).collect().await;
    let mut events: Vec<_> = actions
        .iter()
        .flat_map(|action| action.events.iter().map(|(_, event)| event.clone()))
        .collect();
    events.sort_by_cached_key(|event| (event.at, event_key(event)));
    let n = events.len();
    println!(
        "DynamoDB has {n} events of {} actions, filled in {:.0?}",
        actions.len(),
        begun.elapsed()
    );
    let actions = actions.into_iter().map(|action| (action.record, action.state)).collect();
    Filled { stores, peer: List { events, actions }, _server: server }
}

impl List {
    fn keys(&self, question: &Question) -> Vec<Key> {
        let mut keys: Vec<Key> = match question {
            Question::Events(filter) => {
                self.events.iter().filter(|event| is_event(filter, event)).map(event_key).collect()
            }
            Question::Actions(filter) => {
                let actions = self.actions.iter().filter(|action| is_action(filter, action));
                actions.map(|(record, _)| (record.id.to_string(), 0)).collect()
            }
        };
        if let Question::Actions(_) | Question::Events(EventFilter { newest_first: true, .. }) =
            question
        {
            keys.reverse();
        }
        keys
    }
}

fn is_event(filter: &EventFilter, event: &Event) -> bool {
    filter.action.as_ref().is_none_or(|action| *action == event.action)
        && filter.kind.is_none_or(|kind| kind == event.draft.event.action())
        && filter.uid.as_ref().is_none_or(|uid| *uid == event.image.uid)
        && filter.version.is_none_or(|version| version == event.image.version)
        && filter.username.as_ref().is_none_or(|name| *name == event.username)
        && filter.from.is_none_or(|from| from <= event.at)
        && filter.to.is_none_or(|to| event.at < to)
}

fn is_action(filter: &ActionFilter, (record, state): &(ActionRecord, State)) -> bool {
    filter.state.is_none_or(|wanted| wanted == *state)
        && filter.kind.is_none_or(|kind| kind == record.request.kind())
        && filter.uid.as_ref().is_none_or(|uid| *uid == record.request.image.uid)
}

impl Peer for List {
    async fn count(&mut self, question: &Question) -> u64 {
        u64::try_from(self.keys(question).len()).unwrap()
    }

    async fn page(&mut self, question: &Question, offset: u64) -> (Option<Duration>, Vec<Key>) {
        let keys = self.keys(question).into_iter().skip(usize::try_from(offset).unwrap());
        (None, keys.take(usize::try_from(PAGE).unwrap()).collect())
    }
}
