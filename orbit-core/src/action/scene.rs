//! An image and its surroundings, as the plans of most actions need them.

use serde_json::Value;

use super::{Case, Refusal, Verdict};
use crate::archive::Inspection;
use crate::chart::ChartRevision;
use crate::event::{EventDraft, EventType, ResourceNumbers};
use crate::image::Image;
use crate::intent::{Commit, Intent};
use crate::list::{Entry, Tombstone};
use crate::place::{ChartPlace, Names, RecordTable, Shelf, Slot};
use crate::plan::{Known, Plan, Prepare, Rest, Settle, Step};
use crate::port::{Lists, Record, RecordKey, Row, Stored, StoredChart};
use crate::{ActionId, AppName, EnvironmentSpec, ImageId};

/// A case on an image that the catalog knows, in a configured environment.
pub(super) struct Scene<'a> {
    pub(super) case: Case<'a>,
    pub(super) row: &'a Row,
    pub(super) here: &'a EnvironmentSpec,
}

impl<'a> Scene<'a> {
    pub(super) fn image(&self) -> &'a Image {
        &self.row.image
    }

    pub(super) fn id(&self) -> ImageId {
        self.row.image.id.clone()
    }

    pub(super) fn action(&self) -> ActionId {
        self.case.action.id.clone()
    }

    pub(super) fn live(&self) -> Shelf {
        Shelf::Live(self.here.name.clone())
    }

    pub(super) fn deleted(&self) -> Shelf {
        Shelf::Deleted(self.here.name.clone())
    }

    pub(super) fn slot(&self, shelf: Shelf) -> Slot {
        Slot { shelf, image: self.id() }
    }

    /// Returns the pen for the events of an action that stays in the environment.
    pub(super) fn pen(&self) -> Pen {
        let numbers = Names::new(&self.case.settings.environments).numbers(&self.here.name);
        Pen { here: numbers, next: numbers }
    }

    /// Refuses what may not be done to a deleted image.
    pub(super) fn refuse_deleted(&self) -> Result<(), Refusal> {
        if self.image().is_deleted() { Err(Refusal::ImageDeleted(self.id())) } else { Ok(()) }
    }

    /// Returns the object in a slot that the image must lie in.
    pub(super) fn object(&self, slot: &Slot) -> Result<&'a Stored, Refusal> {
        let object = self.case.seen.objects.get(slot).and_then(Option::as_ref);
        object.ok_or_else(|| Refusal::Missing { what: format!("the archive in {slot}") })
    }

    /// Returns the image's charts on a shelf; there must be the one its row names.
    pub(super) fn charts(&self, shelf: &Shelf) -> Result<&'a [StoredChart], Refusal> {
        let charts = self.case.seen.charts.get(shelf).map_or(&[][..], Vec::as_slice);
        let revision = &self.image().chart;
        if charts.iter().any(|stored| stored.place.revision == *revision) {
            return Ok(charts);
        }
        Err(Refusal::Missing { what: format!("chart {revision} on {shelf}") })
    }

    pub(super) fn chart(&self, shelf: &Shelf) -> Result<&'a StoredChart, Refusal> {
        let revision = &self.image().chart;
        let found = self.charts(shelf)?.iter().find(|stored| stored.place.revision == *revision);
        found.ok_or_else(|| Refusal::Missing { what: format!("chart {revision} on {shelf}") })
    }

    /// Returns the image's archive as validation found it.
    pub(super) fn inspection(&self) -> Result<&'a Inspection, Refusal> {
        let inspection = self.case.seen.inspection.as_ref();
        inspection.ok_or_else(|| Refusal::Missing { what: "the image's metadata".to_owned() })
    }

    pub(super) fn lists(&self) -> Result<&'a Lists, Refusal> {
        let lists = self.case.seen.lists.as_ref();
        lists.ok_or_else(|| Refusal::Missing { what: "the environment's lists".to_owned() })
    }

    /// Returns the deploy list's entry of exactly this UID and version.
    pub(super) fn listed(&self) -> Result<Option<&'a Entry>, Refusal> {
        let id = &self.image().id;
        let mut entries = self.lists()?.deploy.iter();
        Ok(entries.find(|entry| entry.image_uid == id.uid && entry.image_version == id.version))
    }

    /// Returns the delete list's tombstone of exactly this UID and version.
    pub(super) fn tombstone(&self) -> Result<Option<&'a Tombstone>, Refusal> {
        let id = &self.image().id;
        let mut stones = self.lists()?.delete.iter();
        Ok(stones.find(|stone| {
            stone.entry.image_uid == id.uid && stone.entry.image_version == id.version
        }))
    }

    /// Returns the verdict to prepare these steps, and then to go on as is known.
    pub(super) fn planned(&self, prepare: Vec<Step<Prepare>>, known: Known) -> Verdict {
        let kind = self.case.action.request.kind();
        let rest = Rest::Known(Box::new(known));
        Verdict::Plan(Box::new(Plan { action: self.action(), kind, prepare, rest }))
    }

    /// Words a commit of this action.
    pub(super) fn commit(&self, verb: &str, intent: Intent) -> Result<Commit, Refusal> {
        let (image, action) = (self.image(), self.case.action);
        let mut trailers = vec![("Orbit-Action".to_owned(), action.id.to_string())];
        if let Intent::Deploy { entry, .. } = &intent {
            trailers.push(("Orbit-Deployment".to_owned(), entry.deployment_id.clone()));
        }
        let reference = self.reference(&image.app);
        trailers.push(("Orbit-Image".to_owned(), format!("{reference}@{}", image.digest)));
        trailers.push(("Orbit-Actor".to_owned(), one_line(&action.actor.username)));
        Ok(Commit {
            action: action.id.clone(),
            environment: self.here.name.clone(),
            subject: format!("{verb}({}): {} {}", self.here.name, image.app, image.id.version),
            trailers,
            date: self.case.at,
            since: self.lists()?.commit.clone(),
            intent,
        })
    }

    pub(super) fn reference(&self, app: &AppName) -> String {
        format!("{}/{app}", self.case.settings.registry)
    }

    /// Returns copies of charts to another shelf, with an event before the first and after the last.
    pub(super) fn copy_charts(
        &self,
        charts: &[StoredChart],
        to: &Shelf,
        events: (EventDraft, EventDraft),
    ) -> Vec<Step<Prepare>> {
        let (before, after) = events;
        let mut steps: Vec<_> = charts.iter().map(|stored| put_chart(stored, to)).collect();
        if let Some(first) = steps.first_mut() {
            first.before.push(before);
        }
        if let Some(last) = steps.last_mut() {
            last.after.push(after);
        }
        steps
    }

    /// Returns the removal of an image's archive and of all its charts from a shelf.
    pub(super) fn remove_all(
        &self,
        slot: &Slot,
        object: &Stored,
        charts: &[StoredChart],
    ) -> Vec<Step<Settle>> {
        let image = Settle::RemoveImage { slot: slot.clone(), tag: object.tag.clone() };
        let charts = charts.iter().map(|stored| Settle::RemoveChart {
            place: stored.place.clone(),
            writer: stored.writer.clone(),
        });
        std::iter::once(image).chain(charts).map(Step::silent).collect()
    }

    pub(super) fn record(&self, table: RecordTable, sort: &str, body: Value) -> Record {
        let partition = self.case.action.id.to_string();
        let key = RecordKey { table, partition, sort: sort.to_owned() };
        Record { key, body, at: self.case.at, writer: self.action() }
    }
}

pub(super) fn put_chart(stored: &StoredChart, to: &Shelf) -> Step<Prepare> {
    let place = ChartPlace { shelf: to.clone(), ..stored.place.clone() };
    Step::silent(Prepare::Chart { place, chart: Box::new(stored.chart.clone()) })
}

/// Returns the place of a chart.
pub(super) fn chart_place(shelf: Shelf, image: ImageId, revision: ChartRevision) -> ChartPlace {
    ChartPlace { shelf, image, revision }
}

/// Returns a user's text as it may stand in one line of a commit message: without line breaks,
/// control characters and characters that change the direction of text.
pub(super) fn one_line(text: &str) -> String {
    let is_plain = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
            && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().filter(is_plain).take(100).collect()
}

/// Writes events with the process ids of the environments an action is about.
#[derive(Clone, Copy)]
pub(super) struct Pen {
    pub(super) here: ResourceNumbers,
    pub(super) next: ResourceNumbers,
}

impl Pen {
    pub(super) fn event(self, event: EventType) -> EventDraft {
        self.detailed(event, Value::Null)
    }

    pub(super) fn detailed(self, event: EventType, detail: Value) -> EventDraft {
        EventDraft { event, pid: event.pid(self.here, self.next), detail }
    }

    /// Returns a step between two events.
    pub(super) fn step<W>(self, before: EventType, work: W, after: EventType) -> Step<W> {
        Step { before: vec![self.event(before)], work, after: vec![self.event(after)] }
    }
}
