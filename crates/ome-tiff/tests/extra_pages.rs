//! Pages that no plane uses: they are named, kept or refused, and never taken for what they are not.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{Form, Memory, Page, image, ome, open, plane, refusal, tiff};
use fairzarr_ome_tiff::{Error, Fileset, OnExtraPages, OpenOptions, PageKind};

/// Two pages of one pixel, the first of which is a plane.
fn with(extra: Vec<Page>) -> Vec<u8> {
    let xml = ome("", &image("XYZCT", "uint8", [80, 64, 1, 1, 1], r#"<TiffData IFD="0" PlaneCount="1"/>"#));
    let pages = [vec![gray(80, 64).described(&xml)], extra].concat();
    tiff(Form::CLASSIC, &pages)
}

fn gray(x: u64, y: u64) -> Page {
    Page::gray(x, y, 8, vec![9; (x * y) as usize])
}

fn reduced(x: u64, y: u64) -> Page {
    let mut page = gray(x, y);
    page.set(254, &[1]);
    page
}

fn open_with(file: Vec<u8>, on_extra_pages: OnExtraPages) -> Result<Fileset, Error> {
    let mut options = OpenOptions::default();
    options.on_extra_pages = on_extra_pages;
    Memory::of([("a.ome.tif", file)]).open_with("a.ome.tif", options)
}

#[test]
fn every_page_that_no_plane_uses_is_named_with_what_it_is() {
    let mut label = gray(20, 60);
    label.text(270, "label of the slide");
    let mut overview = gray(30, 30);
    overview.set(254, &[9]);
    let mut mask = gray(80, 64);
    mask.set(254, &[4]);
    let set = open(with(vec![gray(80, 64), label, overview, gray(8, 9), mask])).unwrap();
    let found: Vec<_> = set.unmapped().iter().map(|page| (page.ifd, page.x, page.y, page.kind)).collect();
    assert_eq!(
        found,
        [
            (1, 80, 64, PageKind::Plane),
            (2, 20, 60, PageKind::Label),
            (3, 30, 30, PageKind::Overview),
            (4, 8, 9, PageKind::Image),
            (5, 80, 64, PageKind::Mask),
        ]
    );
    for page in set.unmapped() {
        let warned = set.warnings().iter().any(|warning| warning.ifd == Some(page.ifd));
        assert!(warned, "{page}: {:?}", set.warnings());
    }
}

#[test]
fn extra_pages_become_images_or_a_refusal_on_request() {
    let file = with(vec![gray(80, 64), gray(8, 9), gray(8, 9)]);
    let kept = open_with(file.clone(), OnExtraPages::Keep).unwrap();
    let shapes: Vec<_> = kept.images().iter().map(|image| (image.shape().z, image.shape().x)).collect();
    assert_eq!(shapes, [(1, 80), (1, 80), (2, 8)]);
    assert_eq!(plane(&kept.images()[2], 0, 0, 1).unwrap(), [9; 72]);
    assert!(kept.unmapped().is_empty() && kept.images()[1].ome_index().is_none());
    let message = refusal(open_with(file, OnExtraPages::Refuse));
    assert_eq!(
        message,
        "a.ome.tif, IFD 1: a plane of 80 x 64 pixels, 1 uint8 sample, is no plane of any image, and neither are 2 more pages"
    );
    // Nothing is extra here.
    assert!(open_with(with(Vec::new()), OnExtraPages::Refuse).is_ok());
}

#[test]
fn a_level_has_the_proportions_and_colours_of_its_image() {
    let mut inverted = reduced(40, 32);
    inverted.set(262, &[0]);
    for (page, why) in [
        (reduced(20, 60), "its 20 x 60 pixels are not in the proportion of 80 x 64"),
        (inverted, "its PhotometricInterpretation is 0, that of the full image 1"),
    ] {
        let set = open(with(vec![page])).unwrap();
        assert_eq!(set.images()[0].levels().len(), 1, "{why}");
        assert_eq!(set.unmapped()[0].reason.as_deref(), Some(why));
    }
    assert_eq!(open(with(vec![reduced(40, 32)])).unwrap().images()[0].levels().len(), 2);
    // Without OME-XML such a page is an image of its own.
    let set = open(tiff(Form::CLASSIC, &[gray(80, 64), reduced(20, 60), reduced(40, 32)])).unwrap();
    let levels: Vec<_> = set.images().iter().map(|image| image.levels().len()).collect();
    assert_eq!((levels, set.unmapped().len()), (vec![2, 1], 0));
}

#[test]
fn halves_that_nothing_marks_are_levels_of_a_described_image() {
    let set = open(with(vec![gray(40, 32), gray(20, 16)])).unwrap();
    assert_eq!(set.images()[0].levels().len(), 3);
    assert!(set.warnings().iter().any(|warning| warning.message.contains("NewSubfileType does not say so")));
    // A third of it is no level.
    assert_eq!(open(with(vec![gray(27, 22)])).unwrap().images()[0].levels().len(), 1);
}

#[test]
fn files_that_are_attached_and_not_there_are_named() {
    let content = format!(
        "{}{}",
        image("XYZCT", "uint8", [1, 1, 1, 1, 1], "<TiffData/>"),
        r#"<StructuredAnnotations><FileAnnotation ID="Annotation:0"><BinaryFile FileName="report.pdf" Size="7">
           <External href="file:///tmp/report.pdf" SHA1="00"/></BinaryFile></FileAnnotation>
           <FileAnnotation ID="Annotation:1"><BinaryFile FileName="inside" Size="3"><BinData Length="4">YWJj</BinData>
           </BinaryFile></FileAnnotation></StructuredAnnotations>"#
    );
    let set = open(tiff(Form::CLASSIC, &[gray(1, 1).described(&ome("", &content))])).unwrap();
    let names: Vec<_> = set.attached().iter().map(|file| (file.name.as_str(), file.size)).collect();
    assert_eq!(names, [("report.pdf", Some(7))]);
    assert!(set.warnings().iter().any(|warning| warning.message.contains("report.pdf")));
}
