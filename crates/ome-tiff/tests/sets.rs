//! Sets of several files: names, UUIDs, companions.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{Form, Memory, Page, image, ome, plane, refusal, tiff};
use fairzarr_ome_tiff::{Fileset, Kind, SourceContent};

/// A file of one page of one pixel.
fn file(pixel: u8, xml: &str) -> Vec<u8> {
    tiff(Form::CLASSIC, &[Page::gray(1, 1, 8, vec![pixel]).described(xml)])
}

/// The document of a set of two files, one for each focal plane.
fn document(uuid: &str, names: [&str; 2]) -> String {
    let elements = [0, 1].map(|z| {
        let name = names[z];
        format!(r#"<TiffData IFD="0" FirstZ="{z}" PlaneCount="1"><UUID FileName="{name}">urn:uuid:{z}</UUID></TiffData>"#)
    });
    let elements = elements.concat();
    ome(&format!(r#"UUID="urn:uuid:{uuid}""#), &image("XYZCT", "uint8", [1, 1, 2, 1, 1], &elements))
}

fn binary_only(uuid: &str, metadata: &str) -> String {
    let content = format!(r#"<BinaryOnly MetadataFile="{metadata}" UUID="urn:uuid:meta"/>"#);
    ome(&format!(r#"UUID="urn:uuid:{uuid}""#), &content)
}

fn pixels(set: &Fileset) -> Vec<u8> {
    (0..2).map(|z| plane(&set.images()[0], 0, 0, z).unwrap()[0]).collect()
}

fn warned(set: &Fileset, text: &str) -> bool {
    set.warnings().iter().any(|warning| warning.to_string().contains(text))
}

#[test]
fn any_member_names_the_set() {
    let names = ["a.ome.tif", "b.ome.tif"];
    let set = Memory::of([
        ("a.ome.tif", file(10, &document("0", names))),
        ("b.ome.tif", file(11, &document("1", names))),
    ]);
    for entry in names {
        let set = set.open(entry).unwrap();
        assert_eq!(pixels(&set), [10, 11], "{entry}");
        assert_eq!(set.kind(), Kind::OmeTiff);
        assert_eq!(set.files().len(), 2);
        assert_eq!(set.files()[0].name, entry);
        assert_eq!(set.sources().len(), 2, "the UUIDs differ");
        assert!(set.warnings().is_empty(), "{:?}", set.warnings());
    }
}

#[test]
fn the_uuid_wins_over_the_name() {
    let names = ["a.ome.tif", "b.ome.tif"];
    // Somebody exchanged the names.
    let set = Memory::of([
        ("b.ome.tif", file(10, &document("0", names))),
        ("a.ome.tif", file(11, &document("1", names))),
    ]);
    assert_eq!(pixels(&set.open("a.ome.tif").unwrap()), [10, 11]);
    // Or gave new ones.
    let set = Memory::of([
        ("x.ome.tif", file(10, &document("0", names))),
        ("y.ome.tif", file(11, &document("1", names))),
    ]);
    let set = set.open("y.ome.tif").unwrap();
    assert_eq!(pixels(&set), [10, 11]);
    assert!(
        warned(&set, "x.ome.tif: has the UUID urn:uuid:0, which the metadata give a.ome.tif"),
        "{:?}",
        set.warnings()
    );
}

#[test]
fn without_the_uuid_anywhere_the_name_decides() {
    let names = ["a.ome.tif", "b.ome.tif"];
    let set = Memory::of([
        ("a.ome.tif", file(10, &document("0", names))),
        ("b.ome.tif", file(11, &document("new", names))),
    ]);
    let set = set.open("a.ome.tif").unwrap();
    assert_eq!(pixels(&set), [10, 11]);
    assert!(warned(&set, "no other file has that, so the name decides"), "{:?}", set.warnings());
}

#[test]
fn foreign_paths_and_other_case() {
    for names in [
        ["C:\\data\\a.ome.tif", "C:\\data\\b.ome.tif"],
        ["/data/a.ome.tif", "../b.ome.tif"],
        ["A.OME.TIF", "B.ome.TIF"],
    ] {
        let set = Memory::of([
            ("a.ome.tif", file(10, &document("0", names))),
            ("b.ome.tif", file(11, &document("1", names))),
        ]);
        assert_eq!(pixels(&set.open("a.ome.tif").unwrap()), [10, 11], "{names:?}");
    }
}

#[test]
fn names_do_not_lead_out_of_the_folder() {
    let mut set = Memory::of([("a.ome.tif", file(10, &document("0", ["a.ome.tif", "../../etc/b.ome.tif"])))]);
    set.0.insert("../../etc/b.ome.tif".into(), file(11, &document("1", ["", ""])).into());
    let message = refusal(set.open("a.ome.tif"));
    assert_eq!(
        message,
        "a.ome.tif names \"../../etc/b.ome.tif\" (urn:uuid:1), which is not there; it would hold planes of image 0 \
         from t 0, c 0, z 1 on"
    );
}

#[test]
fn companion_and_binary_only() {
    let names = ["a.ome.tif", "sub/b.ome.tif"];
    let set = Memory::of([
        ("set.companion.ome", document("meta", names).into_bytes()),
        ("a.ome.tif", file(10, &binary_only("0", "set.companion.ome"))),
        ("sub/b.ome.tif", file(11, &binary_only("1", "set.companion.ome"))),
    ]);
    for entry in ["set.companion.ome", "a.ome.tif"] {
        let set = set.open(entry).unwrap();
        assert_eq!(pixels(&set), [10, 11], "{entry}");
        assert_eq!(set.document().unwrap().ome().uuid.as_deref(), Some("urn:uuid:meta"));
        let number = set.sources().iter().position(|source| source.role == "companion").unwrap();
        let companion = &set.sources()[number];
        assert_eq!(&set.source_bytes(number).unwrap()[..], document("meta", names).as_bytes());
        assert_eq!((companion.name.as_str(), companion.trailing_nuls), ("set.companion.ome", 0));
        let tag = set.sources().iter().find(|source| source.name == "a.ome.tif").unwrap();
        assert_eq!((tag.role, tag.trailing_nuls), ("ImageDescription", 1));
    }
}

#[test]
fn a_renamed_companion_is_found_by_its_uuid() {
    let set = Memory::of([
        ("renamed.companion.ome", document("meta", ["a.ome.tif", "b.ome.tif"]).into_bytes()),
        ("a.ome.tif", file(10, &binary_only("0", "set.companion.ome"))),
        ("b.ome.tif", file(11, &binary_only("1", "set.companion.ome"))),
    ]);
    assert_eq!(pixels(&set.open("b.ome.tif").unwrap()), [10, 11]);
}

#[test]
fn a_companion_one_folder_up_needs_the_uuid() {
    // As seen from the folder `sub`.
    let names = ["sub/a.ome.tif", "sub/b.ome.tif"];
    let mut set = Memory::of([
        ("a.ome.tif", file(10, &binary_only("0", "set.companion.ome"))),
        ("../sub/b.ome.tif", file(11, &binary_only("1", "set.companion.ome"))),
        ("../set.companion.ome", document("meta", names).into_bytes()),
    ]);
    assert_eq!(pixels(&set.open("a.ome.tif").unwrap()), [10, 11]);
    set.0.insert("../set.companion.ome".into(), document("other", names).into_bytes().into());
    assert!(
        refusal(set.open("a.ome.tif")).contains("which is not there; it would hold the metadata of the set")
    );
}

#[test]
fn pointers_that_lead_nowhere() {
    let alone = Memory::of([("a.ome.tif", file(10, &binary_only("0", "a.ome.tif")))]);
    assert!(refusal(alone.open("a.ome.tif")).contains("points to the file itself"));
    let itself =
        ome(r#"UUID="urn:uuid:meta""#, r#"<BinaryOnly MetadataFile="a.ome.tif" UUID="urn:uuid:meta"/>"#);
    let message = refusal(Memory::of([("a.ome.tif", file(10, &itself))]).open("a.ome.tif"));
    assert!(message.contains("BinaryOnly element points to the file itself"), "{message}");
    let circle = Memory::of([
        ("a.ome.tif", file(10, &binary_only("0", "b.ome.tif"))),
        ("b.ome.tif", file(10, &binary_only("meta", "a.ome.tif"))),
    ]);
    assert!(refusal(circle.open("a.ome.tif")).contains("only points on"));
}

#[test]
fn a_single_file_may_have_any_name() {
    let tiff_data = r#"<TiffData><UUID FileName="old.ome.tif">urn:uuid:old</UUID></TiffData>"#;
    let xml = ome(r#"UUID="urn:uuid:new""#, &image("XYZCT", "uint8", [1, 1, 1, 1, 1], tiff_data));
    let set = Memory::of([("new.ome.tif", file(10, &xml))]).open("new.ome.tif").unwrap();
    assert_eq!(plane(&set.images()[0], 0, 0, 0).unwrap(), [10]);
    assert!(warned(&set, "call this file \"old.ome.tif\" (urn:uuid:old), which is not there"));
}

#[test]
fn equal_documents_are_one_source() {
    let xml = ome(
        "",
        &image(
            "XYZCT",
            "uint8",
            [1, 1, 2, 1, 1],
            r#"<TiffData IFD="0"><UUID FileName="a.tif"/></TiffData><TiffData FirstZ="1" IFD="0"><UUID FileName="b.tif"/></TiffData>"#,
        ),
    );
    let set = Memory::of([("a.tif", file(10, &xml)), ("b.tif", file(11, &xml))]).open("a.tif").unwrap();
    assert_eq!(pixels(&set), [10, 11]);
    assert_eq!(set.sources().len(), 1);
    assert_eq!(set.sources()[0].files, ["a.tif", "b.tif"]);
}

#[test]
fn not_ours() {
    assert!(
        refusal(Memory::of([("a", b"hello".to_vec())]).open("a"))
            .contains("neither a TIFF file nor an OME-XML")
    );
    assert!(refusal(Memory::of([("a", Vec::new())]).open("a")).contains("0 bytes"));
    assert!(refusal(Memory::default().open("a")).contains("cannot read a"));
}

#[test]
fn documents_that_differ_in_few_places_are_kept_once() {
    let names = ["a.ome.tif", "b.ome.tif"];
    let padded =
        |uuid: &str| document(uuid, names).replace("</OME>", &format!("<!--{}--></OME>", "x".repeat(8192)));
    let texts = [padded("0"), padded("1")];
    let set = Memory::of([("a.ome.tif", file(10, &texts[0])), ("b.ome.tif", file(11, &texts[1]))]);
    for (entry, other) in [(0, 1), (1, 0)] {
        let set = set.open(names[entry]).unwrap();
        assert_eq!(pixels(&set), [10, 11]);
        assert_eq!(set.main_source(), Some(0));
        let [first, second] = set.sources() else { panic!("two documents") };
        assert!(matches!(first.content, SourceContent::Whole(_)));
        let SourceContent::Like { document: 0, edits, .. } = &second.content else { panic!("{second:?}") };
        assert_eq!(edits.len(), 1);
        for (number, text) in [(0, &texts[entry]), (1, &texts[other])] {
            assert_eq!(&*set.source_bytes(number).unwrap(), text.as_bytes());
            assert_eq!(set.sources()[number].bytes(), text.len());
        }
    }
}
