//! The world as text, for comparing two of them.

use std::fmt::Write as _;

use super::{Action, State, World};
use crate::place::RecordTable;
use crate::saga::Outcome;

impl World {
    /// Returns all that the stores hold: objects, charts, rows, records and the repository, but not
    /// the error log, and not the registry, where what is named by its content may stay.
    ///
    /// Action ids are replaced by their order, and tags and commit ids are left out, so that two
    /// runs of the same requests give the same text.
    pub fn stores(&self) -> String {
        let shared = self.lock();
        shared.state.numbered(shared.state.render_stores())
    }

    /// Returns what users see: the catalog and the repository.
    pub fn visible(&self) -> String {
        let shared = self.lock();
        shared.state.numbered(shared.state.render_visible())
    }

    /// Returns every action with its state, events and errors, in order.
    pub fn log(&self) -> String {
        let shared = self.lock();
        shared.state.numbered(shared.state.render_log())
    }
}

impl State {
    fn render_stores(&self) -> String {
        let mut text = String::new();
        for (slot, (stored, _)) in &self.objects {
            say(&mut text, format_args!("object {slot} {} by {}", stored.digest, stored.writer));
        }
        for (place, stored) in &self.charts {
            say(&mut text, format_args!("chart {place} by {}", stored.writer));
        }
        let errors = RecordTable::ErrorLog;
        for record in self.records.values().filter(|record| record.key.table != errors) {
            say(&mut text, format_args!("record {:?} {}", record.key, record.body));
        }
        text + &self.render_visible()
    }

    fn render_visible(&self) -> String {
        let mut text = String::new();
        for row in self.rows.values() {
            say(&mut text, format_args!("row {row:?}"));
        }
        for (path, file) in &self.head().files {
            say(&mut text, format_args!("file {path}\n{file}"));
        }
        say(&mut text, format_args!("{} commits, locks {:?}", self.branch.len(), self.locks));
        text
    }

    fn render_log(&self) -> String {
        let mut text = String::new();
        for (id, action) in &self.actions {
            let kind = action.record.request.kind();
            let ended = action.ended.as_ref().map(|(outcome, _)| outcome);
            say(&mut text, format_args!("action {id} {kind} {ended:?}"));
            for event in &action.events {
                let (name, pid) = (event.draft.event, event.draft.pid);
                say(&mut text, format_args!("  {} {name} {pid}", event.sequence));
            }
        }
        let errors = RecordTable::ErrorLog;
        for record in self.records.values().filter(|record| record.key.table == errors) {
            say(&mut text, format_args!("error {:?} {}", record.key, record.body));
        }
        text
    }

    /// Replaces what differs between two runs of the same requests.
    fn numbered(&self, mut text: String) -> String {
        // A failed action is numbered behind the others: the one that was asked for in its place has
        // the number that it would have had.
        let has_failed = |action: &Action| matches!(&action.ended, Some((Outcome::Failed(_), _)));
        let mut ids: Vec<_> = self.actions.iter().collect();
        ids.sort_by_key(|(_, action)| has_failed(action));
        for (number, (id, _)) in ids.into_iter().enumerate() {
            text = text.replace(id.as_str(), &format!("#{number}"));
        }
        for (number, revision) in self.branch.iter().enumerate().skip(1) {
            text = text.replace(&revision.id.0, &format!("commit-{number}"));
        }
        text
    }
}

fn say(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a string takes all there is memory for");
}
