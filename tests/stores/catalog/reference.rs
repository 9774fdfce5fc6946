//! The search as a filter over values in memory.

use orbit_core::query::{Search, Sort, StatusName};
use orbit_core::{Image, ImageId};

/// Returns which images a search finds, in its order.
pub(crate) fn found<'a>(
    images: impl IntoIterator<Item = &'a Image>,
    search: &Search,
) -> Vec<&'a ImageId> {
    let found = images.into_iter().filter(|image| matches(image, search));
    let mut found: Vec<_> = found.map(|image| (image.labels.name.to_lowercase(), image)).collect();
    found.sort_by(|(name, image), (other_name, other)| {
        let by = match search.sort {
            Sort::Newest => other.created.cmp(&image.created),
            Sort::Oldest => image.created.cmp(&other.created),
            Sort::LastChanged => other.updated.cmp(&image.updated),
            Sort::FirstChanged => image.updated.cmp(&other.updated),
            Sort::Name => name.cmp(other_name),
            Sort::NameBackwards => other_name.cmp(name),
        };
        by.then_with(|| image.id.cmp(&other.id))
    });
    found.into_iter().map(|(_, image)| &image.id).collect()
}

fn matches(image: &Image, search: &Search) -> bool {
    let labels = &image.labels;
    let same = |a: &Option<String>, b: &str| {
        a.as_ref().is_none_or(|a| a.to_lowercase() == b.to_lowercase())
    };
    let equal = |a: &Option<String>, b: &Option<String>| a.is_none() || a == b;
    search.text.as_ref().is_none_or(|text| holds(image, &text.to_lowercase()))
        && same(&search.name, &labels.name)
        && same(&search.category, &labels.category)
        && search.environment.as_ref().is_none_or(|name| *name == image.environment)
        && search.status.is_none_or(|status| status == StatusName::of(&image.status))
        && equal(&search.part, &labels.part)
        && equal(&search.tail, &labels.tail)
        && search.version.is_none_or(|version| version == image.id.version)
        && search.scanned.is_none_or(|scanned| scanned == image.report.is_some())
}

fn holds(image: &Image, text: &str) -> bool {
    let labels = &image.labels;
    let fields = [Some(&labels.name), labels.description.as_ref(), labels.part.as_ref()];
    let fields = fields.into_iter().chain([labels.tail.as_ref()]).flatten().map(String::as_str);
    fields.chain([image.id.uid.as_str()]).any(|field| field.to_lowercase().contains(text))
}
