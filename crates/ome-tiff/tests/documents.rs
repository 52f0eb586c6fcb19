//! The OME-XML that is there is used: in any encoding, tag and spelling of names.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{Form, Memory, Page, image, ome, open, plane, tiff};
use fairzarr_ome_tiff::{Fileset, Kind};

fn document(content: &str) -> String {
    format!(r#"<?xml version="1.0"?>{}"#, ome("", &image("XYCZT", "uint8", [1, 1, 1, 2, 1], content)))
}

fn two_pages() -> [Page; 2] {
    [1, 2].map(|value| Page::gray(1, 1, 8, vec![value]))
}

/// The text in UTF-16.
fn utf16(text: &str, big_endian: bool, mark: bool) -> Vec<u8> {
    let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
    units.flat_map(|unit| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

fn assert_channels(set: &Fileset, what: &str) {
    assert_eq!(set.kind(), Kind::OmeTiff, "{what}");
    let shape = set.images()[0].shape();
    assert_eq!((shape.c, shape.z), (2, 1), "{what}");
    assert_eq!(plane(&set.images()[0], 0, 1, 0).unwrap(), [2], "{what}");
}

#[test]
fn utf16_is_read_with_and_without_mark_and_nuls_in_a_tag_and_in_a_companion() {
    for big_endian in [false, true] {
        for mark in [false, true] {
            for nuls in 0..4 {
                let what = format!("big-endian {big_endian}, mark {mark}, {nuls} NULs");
                let encoded = |content: &str| utf16(&document(content), big_endian, mark);
                let text = [encoded("<TiffData/>"), vec![0; nuls]].concat();
                let mut pages = two_pages();
                pages[0].tags.insert(270, (2, text.iter().copied().map(u64::from).collect()));
                let set = open(tiff(Form::CLASSIC, &pages)).unwrap();
                assert_channels(&set, &what);
                assert_eq!(
                    set.sources()[0].trailing_nuls + set.source_bytes(0).unwrap().len(),
                    text.len(),
                    "{what}"
                );

                let companion = encoded(
                    r#"<TiffData PlaneCount="2"><UUID FileName="a.tif">urn:uuid:1</UUID></TiffData>"#,
                );
                let files = [("a.tif", tiff(Form::CLASSIC, &two_pages())), ("b.companion.ome", companion)];
                assert_channels(&Memory::of(files).open("b.companion.ome").unwrap(), &what);
            }
        }
    }
}

#[test]
fn the_ome_xml_is_used_in_whichever_image_description_it_stands() {
    let xml = document("<TiffData/>");
    for texts in
        [["{\"shape\": [2, 1, 1]}", &xml], [&xml, "{\"shape\": [2, 1, 1]}"], ["ImageJ=1.53\nimages=2", &xml]]
    {
        let file = with_descriptions(&texts);
        assert_channels(&open(file).unwrap(), texts[0]);
    }
}

/// Two pages, the first with several tags of one number, which the tests' writer cannot have in its table.
fn with_descriptions(texts: &[&str]) -> Vec<u8> {
    let mut pages = two_pages();
    for (n, text) in texts.iter().enumerate() {
        pages[0].text(270 + n as u16, text);
    }
    let file = tiff(Form::CLASSIC, &pages);
    // The entries of the first directory that stand for further descriptions get its number.
    let mut file = file;
    let at = u32::from_le_bytes(file[4..8].try_into().unwrap()) as usize;
    let count = usize::from(u16::from_le_bytes(file[at..at + 2].try_into().unwrap()));
    for entry in 0..count {
        let at = at + 2 + 12 * entry;
        let number = u16::from_le_bytes(file[at..at + 2].try_into().unwrap());
        if (271..270 + texts.len() as u16).contains(&number) {
            file[at..at + 2].copy_from_slice(&270_u16.to_le_bytes());
        }
    }
    file
}

#[test]
fn names_are_compared_composed_and_without_escapes() {
    for (in_folder, in_document) in [
        ("e\u{301}.tif", "\u{e9}.tif"),
        ("\u{e9}.tif", "e\u{301}.tif"),
        ("a b.tif", "a%20b.tif"),
        ("A.tif", "a.TIF"),
    ] {
        let xml = document(&format!(
            r#"<TiffData PlaneCount="2"><UUID FileName="{in_document}">urn:uuid:1</UUID></TiffData><TiffData FirstC="1" IFD="1"><UUID FileName="none">urn:uuid:2</UUID></TiffData>"#
        ));
        let xml = xml.replace(
            r#"<TiffData FirstC="1" IFD="1"><UUID FileName="none">urn:uuid:2</UUID></TiffData>"#,
            "",
        );
        let mut files = Memory::of([("b.companion.ome", xml.into_bytes())]);
        files.0.insert(in_folder.to_owned(), tiff(Form::CLASSIC, &two_pages()).into());
        assert_channels(&files.open("b.companion.ome").unwrap(), in_document);
    }
}

#[test]
fn a_description_that_mentions_ome_and_is_none_is_not_passed_over_in_silence() {
    let mut pages = two_pages();
    pages[0].text(270, "see http://www.openmicroscopy.org/Schemas/OME/2016-06");
    let set = open(tiff(Form::CLASSIC, &pages)).unwrap();
    assert_eq!(set.kind(), Kind::PlainTiff);
    assert!(set.warnings().iter().any(|warning| warning.message.contains("schema of OME")));
}

#[test]
fn an_axis_that_is_missing_from_the_order_is_the_one_of_length_one() {
    let xml = document("<TiffData/>").replace(r#"DimensionOrder="XYCZT""#, r#"DimensionOrder="XYCZ""#);
    let mut pages = two_pages();
    pages[0].text(270, &xml);
    let set = open(tiff(Form::CLASSIC, &pages)).unwrap();
    assert_channels(&set, "XYCZ");
    assert!(set.warnings().iter().any(|warning| warning.message.contains("read as XYCZT")));
}
