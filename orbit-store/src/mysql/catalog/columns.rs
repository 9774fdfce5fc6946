//! An image as the values of its columns.

use orbit_core::port::{Kind, PortError};
use orbit_core::query::{StatusName, fold, searched_text};
use orbit_core::{Image, ImageLabels, ImageVersion};

/// The bytes of a name: four for each of the 200 characters that a request may have.
const MAX_NAME: usize = 800;
/// The bytes of a category, a part or a tail number: four for each of 100 characters.
const MAX_LABEL: usize = 400;
/// The bytes of everything that a text search looks through: three times what requests can make of
/// it. It bounds how many pieces are written for one image.
const MAX_TEXT: usize = 64 << 10;

/// The columns of `images` that follow from the image, but for those of its id.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) environment: String,
    pub(super) status: StatusName,
    pub(super) name_folded: String,
    pub(super) category: String,
    pub(super) category_folded: String,
    pub(super) part: Option<String>,
    pub(super) tail: Option<String>,
    pub(super) scanned: bool,
    pub(super) created: i64,
    pub(super) updated: i64,
    /// What a text search looks through.
    pub(super) text_folded: String,
}

impl Columns {
    /// Returns the columns of an image.
    ///
    /// # Errors
    /// `Rejected` if a text is longer than its column.
    pub(super) fn of(image: &Image) -> Result<Self, PortError> {
        let ImageLabels { name, category, part, tail, .. } = &image.labels;
        let columns = Self {
            environment: image.environment.to_string(),
            status: StatusName::of(&image.status),
            name_folded: fold(name),
            category: category.clone(),
            category_folded: fold(category),
            part: part.clone(),
            tail: tail.clone(),
            scanned: image.report.is_some(),
            created: image.created.millis(),
            updated: image.updated.millis(),
            text_folded: searched_text(image),
        };
        columns.fit(image)?;
        Ok(columns)
    }

    fn fit(&self, image: &Image) -> Result<(), PortError> {
        let texts = [
            ("name", Some(&self.name_folded), MAX_NAME),
            ("category", Some(&self.category), MAX_LABEL),
            ("category", Some(&self.category_folded), MAX_LABEL),
            ("part", self.part.as_ref(), MAX_LABEL),
            ("tail", self.tail.as_ref(), MAX_LABEL),
            ("searched text", Some(&self.text_folded), MAX_TEXT),
        ];
        for (what, text, expected) in texts {
            let found = text.map_or(0, String::len);
            if found > expected {
                let id = &image.id;
                let message = format!(
                    "the {what} of image {id} has {found} bytes, expected at most {expected}"
                );
                return Err(PortError::new(Kind::Rejected, message));
            }
        }
        Ok(())
    }
}

/// Returns bytes that sort as the version does.
pub(super) fn version_order(version: ImageVersion) -> Vec<u8> {
    let text = version.to_string();
    let numbers = text.trim_start_matches('v').split('-');
    numbers
        .flat_map(|number| number.parse::<u32>().expect("a version is three numbers").to_be_bytes())
        .collect()
}
