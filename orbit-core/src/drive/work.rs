//! The steps of a plan, each one call or one stream on the ports.

use futures_util::StreamExt as _;

use super::blobs::{SLICE, StoredBlobs, give_way};
use super::not_there;
use super::run::Run;
use crate::archive::{Inspection, Inspector};
use crate::place::{ChartPlace, Slot};
use crate::plan::{Decide, Leftover, Prepare, Settle, Swap};
use crate::port::{Kind, PortError, Record, Stored};
use crate::saga::Finding;
use crate::scan::Report;

impl Run<'_> {
    pub(super) async fn prepare(&mut self, step: &Prepare) -> Result<Finding, PortError> {
        let (ports, action) = (&self.orbit.ports, &self.action.id);
        match step {
            Prepare::Sweep(leftover) => {
                self.sweep(leftover).await?;
                Ok(Finding::Nothing)
            }
            Prepare::Receive { slot } => self.receive(slot).await,
            Prepare::Inspect { slot } => {
                let inspection = self.inspect(slot).await?;
                Ok(Finding::Inspected(Box::new(inspection)))
            }
            Prepare::Verify { slot, object } => {
                self.verify(slot, object).await?;
                Ok(Finding::Nothing)
            }
            Prepare::Copy { from, object, to } => {
                let copy = ports.images.copy((from, object), to, action).await?;
                Ok(Finding::Stored(copy))
            }
            Prepare::Record(record) => {
                ports.records.put(record).await?;
                Ok(Finding::Nothing)
            }
            Prepare::VerifyChart { place } => self.verify_chart(place).await,
            Prepare::Chart { place, chart } => {
                ports.charts.put(place, action, chart).await?;
                Ok(Finding::Nothing)
            }
            Prepare::Push { repository, tag, slot, object, image } => {
                let source = StoredBlobs::new(ports.images.clone(), slot, object, image);
                ports.registry.push(repository, tag, image, &source).await?;
                Ok(Finding::Nothing)
            }
            Prepare::Scan { slot, object, image, report } => {
                self.scan(slot, object, image, report).await
            }
        }
    }

    pub(super) async fn decide(&self, step: &Decide) -> Result<Finding, PortError> {
        let (ports, action) = (&self.orbit.ports, &self.action.id);
        match step {
            Decide::Insert(image) => {
                ports.catalog.insert(image, action).await?;
                Ok(Finding::Nothing)
            }
            Decide::Swap(swap) => self.swap(swap).await,
            Decide::Commit(commit) => Ok(Finding::Committed(ports.gitops.commit(commit).await?)),
        }
    }

    /// Returns what a decision found if it took effect, whoever sent it and whenever.
    pub(super) async fn arrived(&self, step: &Decide) -> Result<Option<Finding>, PortError> {
        let (ports, action) = (&self.orbit.ports, &self.action.id);
        let image = match step {
            Decide::Insert(image) => image.as_ref(),
            Decide::Swap(swap) => &swap.image,
            Decide::Commit(commit) => {
                let commit = ports.gitops.find(action, &commit.since).await?;
                return Ok(commit.map(Finding::Committed));
            }
        };
        let row = ports.catalog.find(&image.id).await?;
        let arrived = row.is_some_and(|row| row.writer == *action && row.image == *image);
        Ok(arrived.then_some(Finding::Nothing))
    }

    pub(super) async fn settle(&self, step: &Settle) -> Result<Finding, PortError> {
        let ports = &self.orbit.ports;
        match step {
            Settle::Swap(swap) => return self.swap(swap).await,
            Settle::RemoveImage { slot, tag } => gone(ports.images.remove(slot, tag).await)?,
            Settle::RemoveChart { place, writer } => {
                gone(ports.charts.remove(place, writer).await)?;
            }
            Settle::Record(record) => ports.records.put(record).await?,
        }
        Ok(Finding::Nothing)
    }

    /// Removes what a step of this action put, and nothing else.
    pub(super) async fn undo(&self, step: &Prepare) -> Result<(), PortError> {
        let (ports, action) = (&self.orbit.ports, &self.action.id);
        if let Some(slot) = step.fills() {
            match ports.images.find(slot).await? {
                Some(object) if object.writer == *action => {
                    gone(ports.images.remove(slot, &object.tag).await)?;
                }
                Some(_) | None => {}
            }
        }
        if let Prepare::Chart { place, .. } = step {
            gone(ports.charts.remove(place, action).await)?;
        }
        if let Some(key) = step.puts() {
            gone(ports.records.remove(key, action).await)?;
        }
        Ok(())
    }

    async fn sweep(&self, leftover: &Leftover) -> Result<(), PortError> {
        let ports = &self.orbit.ports;
        tracing::warn!(?leftover, "Removing what an action left after its end");
        match leftover {
            Leftover::Image { slot, tag } => gone(ports.images.remove(slot, tag).await),
            Leftover::Record { key, writer } => gone(ports.records.remove(key, writer).await),
        }
    }

    async fn swap(&self, swap: &Swap) -> Result<Finding, PortError> {
        self.orbit.ports.catalog.swap(swap.expected, &swap.image, &self.action.id).await?;
        Ok(Finding::Nothing)
    }

    async fn receive(&mut self, slot: &Slot) -> Result<Finding, PortError> {
        let body = self.body();
        let (images, action) = (&self.orbit.ports.images, &self.action.id);
        let Some(body) = body else {
            // The store may have kept all of it, with only its answer lost.
            return match images.find(slot).await? {
                Some(object) if object.writer == *action => Ok(Finding::Stored(object)),
                Some(_) | None => {
                    let message = "the upload ended before all of its bytes had come";
                    Err(PortError::new(Kind::Rejected, message).typed("upload-incomplete"))
                }
            };
        };
        Ok(Finding::Stored(images.put(slot, action, body).await?))
    }

    async fn verify(&self, slot: &Slot, object: &Stored) -> Result<(), PortError> {
        let found = self.orbit.ports.images.find(slot).await?.ok_or_else(|| not_there(slot))?;
        if found == *object {
            return Ok(());
        }
        Err(PortError::new(Kind::Conflict, format!("another object lies in {slot}")))
    }

    async fn verify_chart(&self, place: &ChartPlace) -> Result<Finding, PortError> {
        let found = self.orbit.ports.charts.find(place).await?;
        let missing = || PortError::new(Kind::NotFound, format!("there is no chart {place}"));
        found.map(|_| Finding::Nothing).ok_or_else(missing)
    }

    /// Reads the received archive once, from the store it lies in, and checks all of it.
    async fn inspect(&self, slot: &Slot) -> Result<Inspection, PortError> {
        let object = self.saga.object().ok_or_else(|| not_there(slot))?;
        let mut stream = self.orbit.ports.images.read(slot, &object.tag, None).await?;
        let mut inspector = Inspector::new(self.orbit.settings.limits);
        let refused = |fault: crate::archive::ArchiveFault| {
            PortError::new(Kind::Rejected, fault.to_string()).typed(fault.kind())
        };
        while let Some(chunk) = stream.next().await {
            for slice in chunk?.chunks(SLICE) {
                inspector.feed(slice).map_err(refused)?;
                give_way().await;
            }
        }
        inspector.finish().map_err(refused)
    }

    async fn scan(
        &self,
        slot: &Slot,
        object: &Stored,
        image: &Inspection,
        report: &Record,
    ) -> Result<Finding, PortError> {
        let ports = &self.orbit.ports;
        // A report that this action kept already stays: a second scan might know more.
        let kept = ports.records.find(&report.key).await?;
        let kept = kept.filter(|record| record.writer == self.action.id);
        if let Some(Ok(kept)) = kept.map(|record| serde_json::from_value::<Report>(record.body)) {
            return Ok(Finding::Scanned(kept.summary()));
        }
        let archive = ports.images.read(slot, &object.tag, None).await?;
        let found = ports.scanner.scan(image, archive).await?;
        let body = serde_json::to_value(&found).map_err(|source| {
            PortError::caused(Kind::Rejected, "the report cannot be kept", source)
        })?;
        ports.records.put(&Record { body, ..report.clone() }).await?;
        Ok(Finding::Scanned(found.summary()))
    }
}

/// Takes a removal that came too late for success: what was named is gone, whoever removed it.
fn gone(result: Result<(), PortError>) -> Result<(), PortError> {
    match result {
        Err(error) if matches!(error.kind(), Kind::Conflict | Kind::NotFound) => {
            tracing::warn!(error = %error.chain(), "Left alone what lies in the place now");
            Ok(())
        }
        result => result,
    }
}
