//! What TIFF without OME-XML says of its images: sizes, channels, labels.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{Form, Page, open, tiff};
use fairzarr_ome_tiff::{Fileset, Image};

/// Pages of one pixel; the first is described, and has these pixels per unit.
fn described(count: usize, text: &str, resolution: Option<(u64, u64)>) -> Vec<u8> {
    let mut pages = vec![Page::gray(1, 1, 8, vec![0]); count];
    pages[0].text(270, text);
    if let Some((unit, per_unit)) = resolution {
        for page in &mut pages {
            page.set(296, &[unit]);
            // A fraction: two numbers of four bytes.
            for tag in [282, 283] {
                page.tags.insert(tag, (5, vec![per_unit, 1]));
            }
        }
    }
    let file = tiff(Form::CLASSIC, &pages);
    with_counts_of_fractions(file)
}

/// The tests' writer counts the numbers of a value; TIFF counts fractions.
fn with_counts_of_fractions(mut file: Vec<u8>) -> Vec<u8> {
    let number = |file: &[u8], at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let mut link = 4;
    while number(&file, link) > 0 {
        let at = number(&file, link);
        let count = usize::from(u16::from_le_bytes(file[at..at + 2].try_into().unwrap()));
        for entry in (0..count).map(|n| at + 2 + 12 * n) {
            if file[entry + 2] == 5 {
                file[entry + 4..entry + 8].copy_from_slice(&1_u32.to_le_bytes());
            }
        }
        link = at + 2 + 12 * count;
    }
    file
}

/// Sizes along x, z and t with their units, as OME-XML would say them.
fn sizes(image: &Image) -> [Option<String>; 3] {
    let pixels = image.to_ome().pixels.unwrap();
    [pixels.physical_size_x, pixels.physical_size_z, pixels.time_increment]
        .map(|size| size.map(|size| size.to_string()))
}

fn some<const N: usize>(texts: [&str; N]) -> [Option<String>; N] {
    texts.map(|text| (!text.is_empty()).then(|| text.to_owned()))
}

fn first(set: &Fileset) -> &Image {
    &set.images()[0]
}

#[test]
fn imagej_says_sizes_in_every_spelling_of_units() {
    let stack = |unit: &str| {
        format!(
            "ImageJ=1.53t\nimages=6\nslices=2\nframes=3\nhyperstack=true\nunit={unit}\nspacing=2.0\nfinterval=0.5\n"
        )
    };
    for unit in ["micron", "um", "µm", "\\u00B5m", "microns", "\u{3bc}m", "micrometer"] {
        let set = open(described(6, &stack(unit), Some((1, 5)))).unwrap();
        assert_eq!(sizes(first(&set)), some(["0.2 µm", "2 µm", "0.5 s"]), "{unit}");
    }
    for (unit, x, z) in [
        ("nm", "0.2 nm", "2 nm"),
        ("mm", "0.2 mm", "2 mm"),
        ("cm", "2000 µm", "20000 µm"),
        ("inch", "5080 µm", "50800 µm"),
    ] {
        let set = open(described(6, &stack(unit), Some((1, 5)))).unwrap();
        assert_eq!(sizes(first(&set)), some([x, z, "0.5 s"]), "{unit}");
    }
    // Without a unit the ratio of the sides is kept.
    let set = open(described(6, &stack(""), Some((1, 5)))).unwrap();
    assert_eq!(sizes(first(&set)), some(["0.2 pixel", "2 pixel", "0.5 s"]));
}

#[test]
fn imagej_says_units_of_axes_apart_and_rates() {
    let text = "ImageJ=1.53t\nimages=4\nslices=2\nframes=2\nhyperstack=true\nunit=nm\nzunit=micron\nspacing=-0.3\nfps=4\ntunit=ms\n";
    let set = open(described(4, text, Some((1, 5)))).unwrap();
    assert_eq!(sizes(first(&set)), some(["0.2 nm", "0.3 µm", "0.25 ms"]));
}

#[test]
fn plain_tiff_says_centimetres_and_inches() {
    for (unit, expected) in [(3, "10 µm"), (2, "25.4 µm"), (1, "")] {
        let set = open(described(1, "no program", Some((unit, 1000)))).unwrap();
        assert_eq!(sizes(first(&set))[0], some([expected])[0], "{unit}");
    }
}

#[test]
fn scifio_says_axes_in_lists() {
    let text =
        "SCIFIO=0.42.0\naxes=X,Y,Z\nlengths=1,1,3\nscales=0.5,0.5,1.5\nunits=um,um,um\nimages=3\nslices=3\n";
    let set = open(described(3, text, None)).unwrap();
    assert_eq!(sizes(first(&set)), some(["0.5 µm", "1.5 µm", ""]));
}

#[test]
fn samples_that_imagej_counts_as_channels_are_samples() {
    for samples in [3, 4] {
        let text = format!(
            "ImageJ=\nhyperstack=true\nimages={0}\nchannels={samples}\nslices=2\nframes=1",
            2 * samples
        );
        let mut pages = vec![Page::gray(1, 1, 8, vec![0; samples]); 2];
        pages[0].text(270, &text);
        for page in &mut pages {
            page.set(262, &[2]).set(277, &[samples as u64]).set(258, &vec![8; samples]);
        }
        let set = open(tiff(Form::CLASSIC, &pages)).unwrap();
        let shape = first(&set).shape();
        assert_eq!((shape.c, shape.z), (samples as u32, 2));
        assert!(
            set.warnings().iter().any(|warning| warning.message.contains("samples of a pixel as channels"))
        );
    }
}

#[test]
fn names_of_pages_are_channels_and_descriptions_of_scanners_too() {
    let named = |names: &[&str]| {
        let pages: Vec<Page> = names
            .iter()
            .map(|name| {
                let mut page = Page::gray(1, 1, 8, vec![0]);
                page.text(285, name);
                page
            })
            .collect();
        open(tiff(Form::CLASSIC, &pages)).unwrap()
    };
    let set = named(&["Ir(191)_DNA", "Yb(176)_CD45"]);
    assert_eq!((first(&set).shape().c, first(&set).shape().z), (2, 1));
    let notes: Vec<_> = first(&set).channel_notes().iter().map(|note| note.name.as_deref()).collect();
    assert_eq!(notes, [Some("Ir(191)_DNA"), Some("Yb(176)_CD45")]);
    // Names that only count are focal planes.
    assert_eq!(first(&named(&["z 1", "z 2"])).shape().z, 2);
    let pages: Vec<Page> = ["DAPI", "Opal 520"].iter().map(|name| {
        Page::gray(1, 1, 8, vec![0]).described(&format!("<PerkinElmer-QPI-ImageDescription><Name>{name}</Name><Color>0,255,0</Color></PerkinElmer-QPI-ImageDescription>"))
    }).collect();
    let set = open(tiff(Form::CLASSIC, &pages)).unwrap();
    let note = &first(&set).channel_notes()[1];
    assert_eq!((note.name.as_deref(), note.color), (Some("Opal 520"), Some([0, 255, 0])));
}

/// A palette of even steps is the colour of its channel. Of others no viewer of the store learns, and that is said.
#[test]
fn a_palette_is_a_colour_or_said() {
    let page = |entry: &dyn Fn(u64) -> [u64; 3]| {
        let mut page = Page::gray(4, 4, 8, vec![9; 16]);
        page.set(262, &[3]);
        let map: Vec<u64> = (0..3).flat_map(|part| (0..256).map(move |value| entry(value)[part])).collect();
        page.set(320, &map);
        page
    };
    let red = page(&|value| [value * 257, 0, 0]);
    let labels = page(&|value| [(value % 7) * 9000, (value % 5) * 13000, 0]);
    for (page, color, is_told) in [(red, Some([255, 0, 0]), false), (labels, None, true)] {
        let set = open(tiff(Form::CLASSIC, &[page])).unwrap();
        assert_eq!(set.images()[0].appearance().color, color);
        let told = set.warnings().iter().any(|warning| warning.message.contains("palette"));
        assert_eq!(told, is_told, "{:?}", set.warnings());
    }
}
