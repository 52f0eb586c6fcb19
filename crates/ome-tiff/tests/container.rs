//! Containers that lie: loops, absurd counts, flipped bytes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{Form, Memory, Page, image, ome, open, plane, refusal, tiff};
use fairzarr_ome_tiff::{Fileset, LevelInfo};
use proptest::prelude::*;

const FORMS: [Form; 4] = [
    Form { big_endian: false, big_tiff: false },
    Form { big_endian: true, big_tiff: false },
    Form { big_endian: false, big_tiff: true },
    Form { big_endian: true, big_tiff: true },
];

fn gray(value: u8) -> Page {
    Page::gray(4, 4, 8, vec![value; 16])
}

fn described(planes: u32) -> String {
    ome("", &image("XYZCT", "uint8", [4, 4, planes, 1, 1], "<TiffData/>"))
}

/// Replaces the only occurrence of one number by another.
fn patch(file: &mut [u8], from: &[u8], to: &[u8]) {
    let at: Vec<_> = (0..=file.len() - from.len()).filter(|i| file[*i..].starts_with(from)).collect();
    assert_eq!(at.len(), 1, "the bytes are there once");
    file[at[0]..at[0] + to.len()].copy_from_slice(to);
}

#[test]
fn all_four_forms() {
    for form in FORMS {
        let set = open(tiff(form, &[gray(1).described(&described(2)), gray(2)])).unwrap();
        assert_eq!(plane(&set.images()[0], 0, 0, 1).unwrap(), [2; 16], "{form:?}");
    }
}

#[test]
fn loops_are_refused() {
    for form in FORMS {
        let mut file = tiff(form, &[gray(1).described(&described(2)), gray(2)]);
        // The link of the last directory points to the first.
        let first = if form.big_tiff { 8..16 } else { 4..8 };
        let at = file.len() - first.len();
        file.copy_within(first, at);
        assert!(refusal(open(file)).contains("the chain of IFDs is a loop: IFD 1 points back to IFD 0"));
    }
}

#[test]
fn a_chain_that_breaks_after_all_planes_is_read() {
    let mut file = tiff(Form::CLASSIC, &[gray(1).described(&described(1))]);
    let end = file.len();
    file[end - 4..].copy_from_slice(&[0xff; 4]);
    assert!(open(file.clone()).is_ok());
    let file = {
        let mut file = tiff(Form::CLASSIC, &[gray(1).described(&described(2))]);
        let end = file.len();
        file[end - 4..].copy_from_slice(&[0xff; 4]);
        file
    };
    let message = refusal(open(file));
    assert!(
        message.contains("1 of them missing") && message.contains("offset 4294967295, past the end"),
        "{message}"
    );
}

#[test]
fn absurd_counts_cost_nothing() {
    let xml = described(1);
    let mut file = tiff(Form::CLASSIC, &[gray(1).described(&xml)]);
    let [low, high] = (xml.len() as u16 + 1).to_le_bytes();
    patch(&mut file, &[14, 1, 2, 0, low, high, 0, 0], &[14, 1, 2, 0, 0xf0, 0xff, 0xff, 0xff]);
    let message = refusal(open(file));
    assert!(message.contains("ImageDescription has 4294967280 bytes, more than the limit"), "{message}");
}

#[test]
fn offsets_of_one_byte_are_refused() {
    // A flipped bit makes BYTE of LONG: then the first byte of an offset would be taken for the offset.
    let mut page = gray(1).described(&described(1));
    page.tags.insert(273, (1, vec![8]));
    let message = refusal(open(tiff(Form::CLASSIC, &[page])));
    assert!(message.contains("StripOffsets has field type 1, expected SHORT, LONG or LONG8"), "{message}");
}

#[test]
fn compression_that_got_lost_is_not_guessed() {
    let mut page = gray(1).described(&described(1));
    page.tags.remove(&259);
    assert!(open(tiff(Form::CLASSIC, std::slice::from_ref(&page))).is_ok());
    // More bytes than the samples need: they are compressed, or the byte count is wrong.
    page.chunks[0].extend([0; 3]);
    let message = refusal(open(tiff(Form::CLASSIC, std::slice::from_ref(&page))));
    assert!(message.contains("Compression is missing, but strip 0 at offset 8 has 19 bytes"), "{message}");
    page.set(259, &[1]);
    assert!(open(tiff(Form::CLASSIC, &[page])).is_ok());
}

#[test]
fn overlapping_directories_end() {
    // Every two bytes a directory that links to the next: a walk of the square of the length.
    let count = 2000_u16;
    let mut file = b"II\x2a\0\x08\0\0\0".to_vec();
    for n in 0..20_000_u32 {
        file.extend(if n % 6 == 0 { count.to_le_bytes() } else { (n as u16).to_le_bytes() });
    }
    let message = refusal(open(file));
    assert!(message.contains("damaged"), "{message}");
}

#[test]
fn levels_must_be_smaller_and_alike() {
    let sizes = |levels: &[LevelInfo]| levels.iter().map(|level| (level.y, level.x)).collect::<Vec<_>>();
    let small = |bits, size: u64| Page::gray(size, size, bits, vec![0; (size * size * bits / 8) as usize]);
    let with = |subs: Vec<Page>| {
        let mut page = gray(1).described(&described(1));
        page.sub_pages = subs;
        open(tiff(Form::CLASSIC, &[page])).unwrap()
    };
    let set = with(vec![small(8, 2), small(8, 1)]);
    assert_eq!(sizes(set.images()[0].levels()), [(4, 4), (2, 2), (1, 1)]);
    assert!(set.warnings().is_empty());
    let set = with(vec![small(16, 2)]);
    assert_eq!(sizes(set.images()[0].levels()), [(4, 4)]);
    assert!(set.warnings()[0].message.contains("it has 1 samples of 16 bits"), "{:?}", set.warnings());
    let set = with(vec![small(8, 5), small(8, 2)]);
    assert_eq!(sizes(set.images()[0].levels()), [(4, 4), (2, 2)]);
    assert!(set.warnings()[0].message.contains("it has 5 x 5 pixels, the level above it 4 x 4"));
}

#[test]
fn reduced_pages_that_follow_are_levels() {
    let reduced = |size: u64| {
        let mut page = Page::gray(size, size, 8, vec![size as u8; (size * size) as usize]);
        page.set(254, &[1]);
        page
    };
    let xml = ome(
        "",
        &image("XYZCT", "uint8", [4, 4, 2, 1, 1], r#"<TiffData IFD="0"/><TiffData IFD="2" FirstZ="1"/>"#),
    );
    let set = open(tiff(Form::CLASSIC, &[gray(1).described(&xml), reduced(2), gray(2), reduced(2)])).unwrap();
    assert_eq!(set.images()[0].levels().len(), 2);
    // Plain TIFF as well: two planes with a level each.
    let set = open(tiff(Form::CLASSIC, &[gray(1), reduced(2), gray(2), reduced(2)])).unwrap();
    assert_eq!((set.images().len(), set.images()[0].shape().z, set.images()[0].levels().len()), (1, 2, 2));
}

fn read_all(set: &Fileset) {
    for image in set.images() {
        if u64::from(image.shape().y) * u64::from(image.shape().x) < 1 << 20 {
            for group in 0..image.channel_groups().len().min(8) as u32 {
                let _ = plane(image, 0, group, 0);
            }
        }
    }
    for page in set.original_metadata().take(64) {
        let _ = page;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    /// Whatever bytes are changed: an image or an error, no panic.
    #[test]
    fn changed_bytes_never_panic(
        form in prop::sample::select(FORMS.to_vec()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut first = gray(1).described(&described(2));
        first.set(259, &[32773]);
        first.chunks = vec![vec![0x81, 7, 0x81 + 112, 7]];
        first.sub_pages = vec![Page::gray(2, 2, 8, vec![0; 4])];
        let mut second = Page::gray(4, 4, 8, Vec::new());
        second.tags.remove(&278);
        second.set(322, &[4]).set(323, &[2]);
        second.chunks = vec![vec![1; 8], vec![2; 8]];
        let mut file = tiff(form, &[first, second]);
        for (index, byte) in changes {
            let at = index.index(file.len());
            file[at] = byte;
        }
        if let Ok(set) = Memory::of([("a", file)]).open("a") {
            read_all(&set);
        }
    }
}
