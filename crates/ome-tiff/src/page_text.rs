//! What the pages of a TIFF without OME-XML call themselves: names of pages, and the descriptions of slide scanners.

use std::collections::HashSet;

use crate::{
    calibration::{Calibration, Step},
    container::{Container, Geometry, PageId, tag},
    described::{ChannelNote, Described},
    types::PageKind,
};

/// Pages whose texts are read; no acquisition has more channels, and each costs a read.
const MAX_NAMED: usize = 4096;
/// Characters of a description in which a word tells what the page is.
const MAX_LABEL: usize = 120;
/// Bytes of a description that are looked at.
const MAX_TEXT: u64 = 1 << 20;

/// The texts of one page.
#[derive(Debug, Default)]
pub(crate) struct PageText {
    /// PageName.
    pub(crate) name: Option<String>,
    /// ImageDescription.
    pub(crate) description: Option<String>,
}

impl PageText {
    /// The texts of a page; what cannot be read is as if it were not there, for nothing about the samples depends on it.
    pub(crate) fn of(container: &Container, page: PageId) -> Self {
        let text = |number| {
            let bytes = container.value(page, number, MAX_TEXT).ok().flatten()?;
            let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
            let text = String::from_utf8_lossy(&bytes[..end]).trim().to_owned();
            (!text.is_empty()).then_some(text)
        };
        Self { name: text(tag::PAGE_NAME), description: text(tag::IMAGE_DESCRIPTION) }
    }

    /// What the page says of itself, in words that people read; none where that is a document for programs.
    pub(crate) fn told(&self) -> Option<&str> {
        let is_document = |text: &&str| text.starts_with(['<', '{']);
        [&self.description, &self.name]
            .into_iter()
            .filter_map(Option::as_deref)
            .find(|text| !is_document(text))
    }

    /// What the page is for, where it says so.
    pub(crate) fn purpose(&self, geometry: &Geometry) -> Option<PageKind> {
        if geometry.is_mask() {
            return Some(PageKind::Mask);
        }
        if geometry.is_overview() {
            return Some(PageKind::Overview);
        }
        let texts = [self.name.as_deref(), self.description.as_deref()];
        texts.into_iter().flatten().find_map(|text| {
            let text = element(text, "ImageType").unwrap_or(text);
            // A long description of an acquisition may contain any word.
            let short: String = text.chars().take(MAX_LABEL).collect::<String>().to_lowercase();
            let words: Vec<&str> = short.split(|c: char| !c.is_alphanumeric()).collect();
            let kinds = [
                ("label", PageKind::Label),
                ("macro", PageKind::Overview),
                ("overview", PageKind::Overview),
                ("thumbnail", PageKind::Thumbnail),
                ("reducedresolution", PageKind::ReducedCopy),
            ];
            kinds.into_iter().find(|(word, _)| words.contains(word)).map(|(_, kind)| kind)
        })
    }

    /// The name of the channel that the page holds, by PageName or by PerkinElmer's description.
    fn channel(&self) -> ChannelNote {
        let Some(scanner) = self.description.as_deref().filter(|text| text.contains(QPTIFF)) else {
            return ChannelNote { name: self.name.clone(), ..ChannelNote::default() };
        };
        let name = element(scanner, "Biomarker").or_else(|| element(scanner, "Name")).map(str::to_owned);
        let color = element(scanner, "Color").and_then(|text| {
            let parts: Vec<u8> = text.split(',').filter_map(|part| part.trim().parse().ok()).collect();
            <[u8; 3]>::try_from(parts).ok()
        });
        ChannelNote { name: name.or_else(|| self.name.clone()), color, range: None }
    }
}

/// What is known of an image of these pages, and whether each of them is a channel.
pub(crate) fn describe(container: &Container, pages: &[PageId], geometry: &Geometry) -> (Described, bool) {
    let Some(first) = pages.first().copied() else { return (Described::default(), false) };
    let text = PageText::of(container, first);
    let mut calibration = Calibration::read(container, first, None);
    if let Some(size) = text.description.as_deref().and_then(aperio_size) {
        let step = || Step::micrometers(size);
        calibration = Some(Calibration { x: step(), y: step(), z: None, t: None });
    }
    let mut described = Described { calibration, ..Described::default() };
    if text.channel() == ChannelNote::default() || pages.len() > MAX_NAMED {
        return (described, false);
    }
    let notes: Vec<ChannelNote> = pages.iter().map(|page| PageText::of(container, *page).channel()).collect();
    let names: Vec<&str> = notes.iter().filter_map(|note| note.name.as_deref()).collect();
    if names.len() != notes.len() {
        return (described, false);
    }
    described.labels = names.iter().map(|name| (*name).to_owned()).collect();
    let distinct = names.iter().collect::<HashSet<_>>().len() == names.len();
    // A scanner of fluorescence has no focal planes: each page is a channel, whatever it is called.
    let by_scanner = text.description.as_deref().is_some_and(|text| text.contains(QPTIFF));
    let are_channels = by_scanner || distinct && !are_numbered(&names);
    if are_channels && geometry.samples == 1 {
        described.channels = notes;
    }
    (described, are_channels && pages.len() > 1)
}

/// Whether names only count: the same text before running numbers, as for focal planes.
fn are_numbered(names: &[&str]) -> bool {
    let split = |name: &str| {
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        Some((stem.to_owned(), name[stem.len()..].parse::<u64>().ok()?))
    };
    let parts: Option<Vec<(String, u64)>> = names.iter().map(|name| split(name)).collect();
    parts.is_some_and(|parts| {
        parts.windows(2).all(|pair| pair[0].0 == pair[1].0 && pair[0].1.checked_add(1) == Some(pair[1].1))
    })
}

/// Micrometres per pixel, as Aperio's scanners write them: `MPP = 0.4990`.
fn aperio_size(description: &str) -> Option<f64> {
    if !description.starts_with("Aperio") {
        return None;
    }
    let field = description.split('|').find_map(|part| part.trim().strip_prefix("MPP"))?;
    field.trim().strip_prefix('=')?.trim().parse().ok()
}

/// The text of the first element of a name; the descriptions are machine-made and flat.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (value, _) = rest.split_once(&format!("</{name}>"))?;
    let value = value.trim();
    (!value.is_empty()).then_some(value)
}

/// The root element of the descriptions of PerkinElmer's and Akoya's scanners.
const QPTIFF: &str = "PerkinElmer-QPI-ImageDescription";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scanners_say_sizes_and_channels() {
        assert_eq!(
            aperio_size("Aperio Image Library v11\r\n80x64|AppMag = 20|MPP = 0.4990|x = 1"),
            Some(0.499)
        );
        assert_eq!(aperio_size("MPP = 0.5"), None);
        let text = |name: &str| PageText {
            name: None,
            description: Some(format!("<{QPTIFF}><Name>{name}</Name><Color>255,0,16</Color></{QPTIFF}>")),
        };
        let note = text("DAPI").channel();
        assert_eq!((note.name.as_deref(), note.color), (Some("DAPI"), Some([255, 0, 16])));
    }

    #[test]
    fn names_that_count_are_focal_planes() {
        assert!(are_numbered(&["z 1", "z 2", "z 3"]));
        assert!(!are_numbered(&["Ir(191)_DNA", "Ir(193)_DNA"]));
        assert!(!are_numbered(&["CD4", "CD8"]));
    }
}
