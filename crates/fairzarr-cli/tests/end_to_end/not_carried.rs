//! What of a source is not in the store is named: in a warning, in the report, in the store, and by `verify`.

use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

use crate::support::tiff::{Sample, Tiff};
use crate::support::{convert, run, verify};

/// A folder with an OME-TIFF.
struct Pages(TempDir);

impl Pages {
    /// Two pages of 16 x 16 pixels under any document.
    fn new(xml: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let pages = Tiff::of(Sample::U8, [2, 1, 1, 16, 16]);
        Tiff { described: Some(xml.to_owned()), ..pages }.write(&dir.path().join("a.ome.tiff"));
        Self(dir)
    }

    fn source(&self) -> std::path::PathBuf {
        self.0.path().join("a.ome.tiff")
    }

    fn target(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }
}

fn conversion(store: &Path) -> Value {
    let root: Value = serde_json::from_slice(&fs::read(store.join("zarr.json")).unwrap()).unwrap();
    root["attributes"]["fairzarr:conversion"].clone()
}

fn one_of_two() -> Pages {
    Pages::new(
        r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="16" SizeY="16" SizeZ="1" SizeC="1" SizeT="1"><TiffData IFD="0" PlaneCount="1"/></Pixels></Image></OME>"#,
    )
}

#[test]
fn a_page_that_no_plane_uses_is_named_everywhere() {
    let place = one_of_two();
    let target = place.target("a.zarr");
    let told = convert(&place.source(), &target, &["--json"]).done();
    assert!(told.err.contains("IFD 1: a plane of 16 x 16 pixels"), "{told:?}");
    assert_eq!(told.json()["not_carried"]["page_count"], 1);
    let page = &conversion(&target)["not_carried"]["pages"][0];
    assert_eq!((&page["ifd"], &page["x"], &page["kind"]), (&json!(1), &json!(16), &json!("plane")));
    let told = verify(&place.source(), &target).done();
    assert!(told.out.contains("carried    equal: not in the store: a.ome.tiff, IFD 1"), "{told:?}");
    let told = crate::support::fairzarr(["verify", target.to_str().unwrap()]).done();
    assert!(told.out.contains("not in the store: a.ome.tiff, IFD 1"), "{told:?}");
    // A store that forgot it does not pass.
    let path = target.join("zarr.json");
    let mut root: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    root["attributes"]["fairzarr:conversion"].as_object_mut().unwrap().remove("not_carried");
    fs::write(&path, root.to_string()).unwrap();
    let told = verify(&place.source(), &target).ends_with(1);
    assert!(told.out.contains("no word of it"), "{told:?}");
}

#[test]
fn extra_pages_are_kept_or_refused_and_a_split_conversion_does_as_planned() {
    let place = one_of_two();
    let told = convert(&place.source(), &place.target("a.zarr"), &["--extra-pages", "refuse"]).ends_with(3);
    assert!(told.message().contains("--extra-pages keep"), "{told:?}");
    assert!(!place.target("a.zarr").exists());
    let kept = place.target("b.zarr");
    convert(&place.source(), &kept, &["--extra-pages", "keep"]).done();
    assert!(kept.join("1/zarr.json").exists() && conversion(&kept).get("not_carried").is_none());
    let told = verify(&place.source(), &kept).done();
    assert!(told.out.contains("pixels     equal: 2 planes of 2 images"), "{told:?}");
    let split = place.target("c.zarr");
    run("plan", &place.source(), &split, &["--extra-pages", "keep"]).done();
    run("run", &place.source(), &split, &["--task", "1/1"]).done();
    let told = run("commit", &place.source(), &split, &["--extra-pages", "report"]).ends_with(2);
    assert!(told.message().contains("--extra-pages keep"), "{told:?}");
    run("commit", &place.source(), &split, &[]).done();
    crate::support::assert_same_tree(&split, &kept);
}

/// Images that the metadata do not mention are as whole as the others: valid, proved without the source, and exported.
#[test]
fn kept_pages_are_images_like_the_others() {
    let place = one_of_two();
    for ngff in ["0.4", "0.5"] {
        let (kept, exported, again) =
            (place.target("k.zarr"), place.target("k.ome.tif"), place.target("l.zarr"));
        convert(&place.source(), &kept, &["--extra-pages", "keep", "--ngff", ngff, "--overwrite"]).done();
        let metadata = fs::read_to_string(kept.join("OME/METADATA.ome.xml")).unwrap();
        assert_eq!(metadata.matches("<Image ").count(), 2, "{metadata}");
        assert!(metadata.contains("<Image ID=\"Image:unmapped:0\" Name=\"a.ome.tiff, plane of IFD 1\">"));
        let path = kept.to_str().unwrap();
        verify(&place.source(), &kept).done();
        crate::support::fairzarr(["verify", path]).done();
        crate::support::fairzarr(["validate", path]).done();
        crate::support::fairzarr(["export", path, exported.to_str().unwrap(), "--overwrite"]).done();
        convert(&exported, &again, &["--ngff", ngff, "--overwrite"]).done();
        for image in ["0", "1"] {
            let chunk = if ngff == "0.4" { "0/0/0/0/0/0" } else { "0/c/0/0/0/0/0" };
            let bytes = |store: &Path| fs::read(store.join(image).join(chunk)).unwrap();
            assert_eq!(bytes(&kept), bytes(&again));
        }
        // What is said of such an image has to be true of its array.
        let wrong = metadata.replacen(
            "SizeZ=\"1\" SizeC=\"1\" SizeT=\"1\"><Channel",
            "SizeZ=\"2\" SizeC=\"1\" SizeT=\"1\"><Channel",
            1,
        );
        assert_ne!(wrong, metadata);
        fs::write(kept.join("OME/METADATA.ome.xml"), wrong).unwrap();
        verify(&place.source(), &kept).ends_with(1);
        crate::support::fairzarr(["verify", path]).ends_with(1);
    }
}

/// Two images of one page each, with these elements before them.
fn on_plates(plates: &str) -> Pages {
    let image = |n: u8| {
        format!(
            r#"<Image ID="I:{n}"><Pixels ID="P:{n}" DimensionOrder="XYZCT" Type="uint8" SizeX="16" SizeY="16" SizeZ="1" SizeC="1" SizeT="1"><TiffData IFD="{n}" PlaneCount="1"/></Pixels></Image>"#
        )
    };
    let xmlns = r#"xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06""#;
    Pages::new(&format!("<OME {xmlns}>{plates}{}{}</OME>", image(0), image(1)))
}

fn well(n: u8, image: &str) -> String {
    format!(
        r#"<Well ID="W:{n}" Row="0" Column="{n}"><WellSample ID="S:{n}" Index="{n}"><ImageRef ID="{image}"/></WellSample></Well>"#
    )
}

#[test]
fn what_can_be_a_plate_is_one_and_the_rest_is_said() {
    let plate = |n: u8, wells: &str| format!(r#"<Plate ID="Plate:{n}">{wells}</Plate>"#);
    for (plates, groups, said) in [
        // An image in no well.
        (plate(0, &well(0, "I:0")), ["A/1/0", "images/1"], "in no well of the plate: image 1"),
        // A reference to an image that is not there.
        (
            plate(0, &(well(0, "I:0") + &well(1, "I:7"))),
            ["A/1/0", "images/1"],
            "refer to images that are not there",
        ),
        // An image in two wells.
        (
            plate(0, &(well(0, "I:0") + &well(1, "I:0") + &well(2, "I:1"))),
            ["A/1/0", "A/3/0"],
            "in another well already",
        ),
        // Two plates.
        (
            plate(0, &well(0, "I:0")) + &plate(1, &well(0, "I:1")),
            ["A/1/0", "plates/1/A/1/0"],
            "the images are on 2 plates",
        ),
    ] {
        for ngff in ["0.4", "0.5"] {
            let place = on_plates(&plates);
            let target = place.target("a.zarr");
            let told = convert(&place.source(), &target, &["--ngff", ngff]).done();
            assert!(told.err.contains(said), "{said}: {told:?}");
            let document = if ngff == "0.4" { ".zattrs" } else { "zarr.json" };
            for group in groups {
                assert!(target.join(group).join(document).exists(), "{said}: {group}");
            }
            let root = fs::read_to_string(target.join(document)).unwrap();
            assert!(root.contains(r#""plate""#), "{said}");
            verify(&place.source(), &target).done();
            crate::support::fairzarr(["validate", target.to_str().unwrap()]).done();
        }
    }
}
