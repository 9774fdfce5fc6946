//! The scanner: Orbit's own inventory of packages, fed with an archive as it comes.

use async_trait::async_trait;
use orbit_core::archive::{ArchiveFault, Inspection};
use orbit_core::port::{ByteStream, Kind, PortError, Scanner};
use orbit_core::scan::{Inventory, Report};

use super::file::{self, blocking};

/// Reads the package databases of images.
#[derive(Debug)]
pub(crate) struct PackageScanner;

#[async_trait]
impl Scanner for PackageScanner {
    async fn scan(&self, image: &Inspection, archive: ByteStream) -> Result<Report, PortError> {
        let inventory = file::fold(Inventory::new(image), archive, feed).await?;
        blocking(move || inventory.finish().map(Report::of).map_err(|fault| refused(&fault))).await
    }
}

fn feed(mut inventory: Inventory, bytes: &[u8]) -> Result<Inventory, PortError> {
    inventory.feed(bytes).map_err(|fault| refused(&fault))?;
    Ok(inventory)
}

fn refused(fault: &ArchiveFault) -> PortError {
    PortError::new(Kind::Rejected, fault.to_string()).typed(fault.kind())
}

#[cfg(test)]
mod tests {
    use orbit_core::archive::{Inspector, Limits};
    use orbit_core::testing::archives::{ImageSpec, LayerSpec, apk_entry, docker_archive};

    use super::*;
    use crate::embedded::testing::body;

    fn archive() -> Vec<u8> {
        let installed = apk_entry("musl", "1.2.5-r0");
        let layer = LayerSpec::of(&[("lib/apk/db/installed", &installed)]);
        docker_archive(&ImageSpec { layers: vec![layer], ..ImageSpec::default() })
    }

    fn inspection(archive: &[u8]) -> Inspection {
        let mut inspector = Inspector::new(Limits::default());
        inspector.feed(archive).unwrap();
        inspector.finish().unwrap()
    }

    #[tokio::test]
    async fn a_package_that_is_installed_is_reported() {
        let archive = archive();
        let report = PackageScanner.scan(&inspection(&archive), body(&archive)).await.unwrap();
        let names: Vec<_> = report.packages.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["musl"]);
    }

    #[tokio::test]
    async fn an_archive_that_ends_early_is_refused() {
        let archive = archive();
        let half = body(&archive[..archive.len() / 2]);
        let refused = PackageScanner.scan(&inspection(&archive), half).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Rejected);
        assert!(refused.error_type().is_some());
    }
}
