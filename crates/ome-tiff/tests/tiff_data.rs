//! Which page is which plane: TiffData in every form.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{Form, Memory, Page, chain, image, ome, open, plane, refusal, tiff};
use fairzarr_ome_tiff::{Fileset, OnMissing, OpenOptions};
use proptest::prelude::*;

/// Pages of one pixel that holds the number of the page.
fn numbered(count: u8, xml: &str) -> Vec<u8> {
    let mut pages: Vec<Page> = (0..count).map(|n| Page::gray(1, 1, 8, vec![n])).collect();
    pages[0].text(270, xml);
    tiff(Form::CLASSIC, &pages)
}

/// The page of each plane, t slowest and z fastest.
fn map(set: &Fileset, index: usize) -> Vec<u8> {
    let image = &set.images()[index];
    let shape = image.shape();
    let mut pages = Vec::new();
    for t in 0..shape.t {
        for c in 0..shape.c {
            for z in 0..shape.z {
                pages.push(plane(image, t, c, z).unwrap()[0]);
            }
        }
    }
    pages
}

/// Z 2, C 2, T 2 in eight pages.
fn eight(order: &str, tiff_data: &str) -> Result<Vec<u8>, String> {
    let xml = ome("", &image(order, "uint8", [1, 1, 2, 2, 2], tiff_data));
    open(numbered(8, &xml)).map(|set| map(&set, 0)).map_err(|e| chain(&e))
}

#[test]
fn planes_follow_dimension_order() {
    // Rows: t c z = 000 001 010 011 100 101 110 111.
    for (order, expected) in [
        ("XYZCT", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("XYZTC", [0, 1, 4, 5, 2, 3, 6, 7]),
        ("XYCZT", [0, 2, 1, 3, 4, 6, 5, 7]),
        ("XYCTZ", [0, 4, 1, 5, 2, 6, 3, 7]),
        ("XYTCZ", [0, 4, 2, 6, 1, 5, 3, 7]),
        ("XYTZC", [0, 2, 4, 6, 1, 3, 5, 7]),
    ] {
        assert_eq!(eight(order, "<TiffData/>").unwrap(), expected, "{order}");
        assert_eq!(eight(order, "").unwrap(), expected, "{order} without TiffData");
    }
}

#[test]
fn omitted_attributes_have_their_defaults() {
    let all = [0, 1, 2, 3, 4, 5, 6, 7];
    for tiff_data in [
        r#"<TiffData IFD="0" PlaneCount="8"/>"#,
        r#"<TiffData PlaneCount="8"/>"#,
        r#"<TiffData PlaneCount="4"/><TiffData IFD="4" FirstT="1" PlaneCount="4"/>"#,
        r#"<TiffData IFD="4" FirstT="1" PlaneCount="4"/><TiffData IFD="0" PlaneCount="4"/>"#,
        // Tolerated: more planes than there are, none at all, one by the letter, counted from 1.
        r#"<TiffData IFD="0" PlaneCount="99"/>"#,
        r#"<TiffData IFD="0" PlaneCount="0"/>"#,
        r#"<TiffData IFD="0"/>"#,
    ] {
        assert_eq!(eight("XYZCT", tiff_data).as_deref(), Ok(&all[..]), "{tiff_data}");
    }
}

#[test]
fn gaps_and_repetitions() {
    let swapped = r#"<TiffData IFD="3" PlaneCount="4" FirstT="1"/><TiffData IFD="0" FirstZ="1" PlaneCount="3"/><TiffData IFD="7"/>"#;
    assert_eq!(eight("XYZCT", swapped).unwrap(), [7, 0, 1, 2, 3, 4, 5, 6]);
    let same = r#"<TiffData IFD="0" PlaneCount="7"/><TiffData IFD="0" FirstT="1" FirstC="1" FirstZ="1"/>"#;
    assert_eq!(eight("XYZCT", same).unwrap(), [0, 1, 2, 3, 4, 5, 6, 0]);
    let twice = r#"<TiffData IFD="0" PlaneCount="8"/><TiffData IFD="7"/>"#;
    assert_eq!(eight("XYZCT", twice).unwrap(), [7, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn broken_promises_are_refused_and_counted() {
    let message = eight("XYZCT", r#"<TiffData IFD="5" PlaneCount="8"/>"#).unwrap_err();
    assert_eq!(
        message,
        "image 0 promises 8 planes, 5 of them missing: the first of them is t 0, c 1, z 1; \
         a TiffData element points to IFD 8, the file has 8"
    );
    let message = eight("XYZCT", r#"<TiffData IFD="0" FirstZ="2" PlaneCount="1"/>"#).unwrap_err();
    assert!(message.contains("8 of them missing") && message.contains("FirstZ 2, outside"), "{message}");
    let message = eight("XYZCT", r#"<TiffData IFD="4294967295" PlaneCount="8"/>"#).unwrap_err();
    assert!(message.contains("points to IFD 4294967295"), "{message}");
    let xml = ome("", &image("XYZCT", "uint8", [1, 1, 1, 1, 2_147_483_647], "<TiffData/>"));
    let message = refusal(open(numbered(1, &xml)));
    assert!(message.contains("promises 2147483647 planes"), "{message}");
}

/// Found by fuzzing: the sum of all counts overflowed.
#[test]
fn plane_counts_of_the_greatest_size() {
    let twice = format!(r#"<TiffData IFD="0" PlaneCount="{0}"/>"#, u64::MAX - 1).repeat(2);
    assert_eq!(eight("XYZCT", &twice).unwrap(), [0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn missing_planes_can_be_left_out() {
    let xml = ome("", &image("XYZCT", "uint8", [1, 1, 2, 2, 2], r#"<TiffData IFD="5" PlaneCount="8"/>"#));
    let mut options = OpenOptions::default();
    options.on_missing = OnMissing::Fill;
    let set = Memory::of([("a.tif", numbered(8, &xml))]).open_with("a.tif", options).unwrap();
    let image = &set.images()[0];
    assert!(image.has_plane(0, 1, 0) && !image.has_plane(0, 1, 1) && !image.has_plane(9, 0, 0));
    assert_eq!(plane(image, 0, 1, 0).unwrap(), [7]);
    let message = chain(&plane(image, 0, 1, 1).unwrap_err());
    assert_eq!(message, "image 0, t 0, channel group 1, z 1: no file holds this plane");
    assert!(set.warnings().iter().any(|warning| warning.message.contains("5 of them missing")));
}

#[test]
fn writers_that_count_from_one() {
    let xml = ome(
        "",
        &image(
            "XYZCT",
            "uint8",
            [1, 1, 2, 1, 1],
            r#"<TiffData IFD="0" FirstZ="1"/><TiffData IFD="1" FirstZ="2"/>"#,
        ),
    );
    let set = open(numbered(2, &xml)).unwrap();
    assert_eq!(map(&set, 0), [0, 1]);
    assert!(set.warnings()[0].message.contains("FirstZ of the TiffData elements counts from 1"));
}

#[test]
fn images_interleaved_in_one_file() {
    let one =
        image("XYZCT", "uint8", [1, 1, 2, 1, 1], r#"<TiffData IFD="3"/><TiffData IFD="1" FirstZ="1"/>"#);
    let two =
        image("XYZCT", "uint8", [1, 1, 1, 1, 2], r#"<TiffData IFD="0"/><TiffData IFD="2" FirstT="1"/>"#);
    let set = open(numbered(4, &ome("", &format!("{one}{two}")))).unwrap();
    assert_eq!((map(&set, 0), map(&set, 1)), (vec![3, 1], vec![0, 2]));
}

#[test]
fn images_without_tiff_data_follow_each_other() {
    let one = image("XYZCT", "uint8", [1, 1, 3, 1, 1], "<MetadataOnly/>");
    let two = image("XYZCT", "uint8", [1, 1, 1, 2, 1], r#"<Channel ID="a"/><Channel ID="b"/>"#);
    let set = open(numbered(5, &ome("", &format!("{one}{two}")))).unwrap();
    assert_eq!((map(&set, 0), map(&set, 1)), (vec![0, 1, 2], vec![3, 4]));
}

proptest! {
    /// Any partition of any image into TiffData elements, in any order, pages shuffled.
    #[test]
    fn every_plane_finds_its_page(
        sizes in prop::array::uniform3(1_u32..5),
        order in prop::sample::select(vec!["XYZCT", "XYZTC", "XYCZT", "XYCTZ", "XYTCZ", "XYTZC"]),
        pages in Just((0..64_u8).collect::<Vec<_>>()).prop_shuffle(),
        element_order in Just((0..64_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let [z, c, t] = sizes;
        let total = (z * c * t) as usize;
        // Planes in DimensionOrder, as digits in mixed radix.
        let size_of = |axis: u8| match axis { b'Z' => z, b'C' => c, _ => t };
        let mut elements = Vec::new();
        let mut expected = vec![0; total];
        for (rank, page) in pages.iter().enumerate().take(total) {
            let (mut rest, mut at) = (rank as u32, [0; 3]);
            for axis in order.bytes().skip(2) {
                let position = rest % size_of(axis);
                rest /= size_of(axis);
                at[match axis { b'T' => 0, b'C' => 1, _ => 2 }] = position;
            }
            expected[((at[0] * c + at[1]) * z + at[2]) as usize] = *page;
            elements.push((rank, at));
        }
        // Consecutive planes on consecutive pages share an element.
        let mut tiff_data: Vec<String> = Vec::new();
        let mut n = 0;
        while n < total {
            let mut run = 1;
            while n + run < total && usize::from(pages[n + run]) == usize::from(pages[n]) + run {
                run += 1;
            }
            let [t, c, z] = elements[n].1;
            tiff_data.push(format!(
                r#"<TiffData IFD="{}" FirstT="{t}" FirstC="{c}" FirstZ="{z}" PlaneCount="{run}"/>"#, pages[n]
            ));
            n += run;
        }
        let shuffled: String = element_order.iter().filter_map(|i| tiff_data.get(*i).cloned()).collect();
        let xml = ome("", &image(order, "uint8", [1, 1, z, c, t], &shuffled));
        let set = open(numbered(64, &xml)).unwrap();
        prop_assert_eq!(map(&set, 0), expected);
    }
}

#[test]
fn samples_of_channels_that_add_up_to_more_than_there_can_be_are_refused() {
    let channel = |samples: u64| format!(r#"<Channel ID="Channel:0" SamplesPerPixel="{samples}"/>"#);
    let most = u64::from(u32::MAX);
    for (size_c, channels) in [
        // The sum is no number of 32 bits, and would be SizeC if it stopped at the largest one.
        (u32::MAX, vec![most - 4; 4]),
        (u32::MAX, vec![1, most]),
        // The sum is right, and no image has so many.
        (u32::MAX, vec![1, most - 1]),
        (1 << 21, vec![1 << 20, 1 << 20]),
    ] {
        for tiff_data in
            ["", "<TiffData/>", r#"<TiffData IFD="0" PlaneCount="1"/>"#, r#"<TiffData IFD="77"/>"#]
        {
            let content: String = channels.iter().map(|samples| channel(*samples)).collect();
            let xml =
                ome("", &image("XYZTC", "uint8", [1, 1, 1, size_c, 1], &format!("{content}{tiff_data}")));
            for on_missing in [OnMissing::Error, OnMissing::Fill] {
                let mut options = OpenOptions::default();
                options.on_missing = on_missing;
                let opened = Memory::of([("a", numbered(2, &xml))]).open_with("a", options);
                let message = refusal(opened);
                assert!(message.contains("SizeC is"), "{channels:?} {tiff_data}: {message}");
            }
        }
    }
}
