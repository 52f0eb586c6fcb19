//! Shapes against the plain statement of what each covers.

use fairzarr_ome_xml::Document;
use fairzarr_pixel::Shape as Size;
use proptest::prelude::*;

use crate::{Grid, Painter, Rois, of_image};

const SIZE: Size = Size { t: 3, c: 2, z: 4, y: 20, x: 24 };

fn rois(shapes: &str) -> Rois {
    let xml = format!(
        r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">
        <Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="24" SizeY="20" SizeZ="4" SizeC="2" SizeT="3"/>
        <ROIRef ID="ROI:0"/><ROIRef ID="ROI:1"/></Image>{shapes}</OME>"#
    );
    of_image(&Document::parse(xml.into_bytes()).unwrap(), 0, SIZE)
}

fn roi(shape: &str) -> Rois {
    rois(&format!(r#"<ROI ID="ROI:0"><Union>{shape}</Union></ROI>"#))
}

fn painted(rois: &Rois, plane: [u32; 3]) -> Vec<u32> {
    let full = (SIZE.y, SIZE.x);
    Painter::new(rois, plane).unwrap().paint(&Grid::new(full, full, (0, SIZE.y), (0, SIZE.x)))
}

/// Pixels that are covered, as (x, y).
fn covered(shape: &str) -> Vec<(u32, u32)> {
    let samples = painted(&roi(shape), [0, 0, 0]);
    let place = |n: usize| (n as u32 % SIZE.x, n as u32 / SIZE.x);
    (0..samples.len()).filter(|n| samples[*n] == 1).map(place).collect()
}

/// Pixels whose centre passes.
fn expected(of: impl Fn(f64, f64) -> bool) -> Vec<(u32, u32)> {
    let all = (0..SIZE.y).flat_map(|y| (0..SIZE.x).map(move |x| (x, y)));
    all.filter(|(x, y)| of(f64::from(*x) + 0.5, f64::from(*y) + 0.5)).collect()
}

fn distance((px, py): (f64, f64), (qx, qy): (f64, f64), x: f64, y: f64) -> f64 {
    let (dx, dy) = (qx - px, qy - py);
    let square = dx * dx + dy * dy;
    let along = if square > 0.0 { ((x - px) * dx + (y - py) * dy) / square } else { 0.0 };
    let along = along.clamp(0.0, 1.0);
    (x - px - along * dx).hypot(y - py - along * dy)
}

proptest! {
    #[test]
    fn rectangles_and_ellipses_cover_the_centres_inside(
        x in -5.0..25.0f64, y in -5.0..25.0f64, w in 0.1..20.0f64, h in 0.1..20.0f64,
    ) {
        let inside = expected(|a, b| a >= x && a < x + w && b > y && b <= y + h);
        prop_assert_eq!(covered(&format!(r#"<Rectangle ID="S" X="{x}" Y="{y}" Width="{w}" Height="{h}"/>"#)), inside);
        let inside = expected(|a, b| ((a - x) / w).powi(2) + ((b - y) / h).powi(2) <= 1.0);
        prop_assert_eq!(covered(&format!(r#"<Ellipse ID="S" X="{x}" Y="{y}" RadiusX="{w}" RadiusY="{h}"/>"#)), inside);
    }

    #[test]
    fn lines_cover_the_centres_near_them(
        points in proptest::collection::vec((-5.0..30.0f64, -5.0..25.0f64), 2..5), width in 0.0..6.0f64,
    ) {
        let text: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let near = |x: f64, y: f64| {
            points.windows(2).any(|pair| distance(pair[0], pair[1], x, y) <= width.max(1.0) / 2.0)
        };
        let shape = format!(r#"<Polyline ID="S" StrokeWidth="{width}" Points="{}"/>"#, text.join(" "));
        prop_assert_eq!(covered(&shape), expected(near));
    }

    #[test]
    fn polygons_cover_what_an_odd_number_of_lines_lies_beside(
        points in proptest::collection::vec((-5.0..30.0f64, -5.0..25.0f64), 3..8),
    ) {
        let text: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let odd = |x: f64, y: f64| {
            let lines = points.iter().zip(points.iter().cycle().skip(1));
            let beside = |(p, q): &(&(f64, f64), &(f64, f64))| {
                (p.1 <= y) != (q.1 <= y) && x >= p.0 + (y - p.1) * ((q.0 - p.0) / (q.1 - p.1))
            };
            lines.filter(beside).count() % 2 == 1
        };
        prop_assert_eq!(covered(&format!(r#"<Polygon ID="S" Points="{}"/>"#, text.join(" "))), expected(odd));
    }
}

#[test]
fn a_transform_moves_the_shape() {
    let turned = r#"<Transform A00="0" A01="-1" A02="12" A10="1" A11="0" A12="2"/>"#;
    // (x, y) to (12 - y, 2 + x).
    let rectangle =
        covered(&format!(r#"<Rectangle ID="S" X="1" Y="2" Width="4" Height="3">{turned}</Rectangle>"#));
    assert_eq!(rectangle, expected(|a, b| (7.0..10.0).contains(&a) && (3.0..7.0).contains(&b)));
    let ellipse =
        covered(&format!(r#"<Ellipse ID="S" X="4" Y="3" RadiusX="3" RadiusY="1.6">{turned}</Ellipse>"#));
    assert_eq!(ellipse, expected(|a, b| ((a - 9.0) / 1.6).powi(2) + ((b - 6.0) / 3.0).powi(2) <= 1.0));
    assert_eq!(covered(&format!(r#"<Point ID="S" X="1.5" Y="2.5">{turned}</Point>"#)), [(9, 3)]);
    let flat = r#"<Transform A00="0" A01="0" A02="1" A10="0" A11="0" A12="2"/>"#;
    let left = roi(&format!(r#"<Ellipse ID="S" X="4" Y="3" RadiusX="3" RadiusY="1">{flat}</Ellipse>"#));
    assert!(left.is_empty() && left.left_out.len() == 1);
}

#[test]
fn masks_are_bits_one_after_the_other_or_in_rows_of_bytes_plain_or_compressed() {
    // 3 x 3: a cross.
    for (data, attributes) in [
        ("XQA=", r#"Compression="none""#),
        ("QOBA", ""),
        ("AAEAAQEBAAEA", ""),
        ("eJyLZQAAALwAXg==", r#"Compression="zlib""#),
    ] {
        let mask = format!(
            r#"<Mask ID="S" X="2" Y="1" Width="3" Height="3"><BinData BigEndian="false" Length="2" {attributes}>{data}</BinData></Mask>"#
        );
        assert_eq!(covered(&mask), [(3, 1), (2, 2), (3, 2), (4, 2), (3, 3)], "{data}");
    }
    for (data, compression, size) in [
        ("", "none", r#"Width="3" Height="3""#),
        ("!!", "none", r#"Width="3" Height="3""#),
        ("XQA=", "bzip2", r#"Width="3" Height="3""#),
        ("XQA=", "none", r#"Width="0" Height="3""#),
        ("XQA=", "none", r#"Width="1e300" Height="3""#),
    ] {
        let mask = format!(
            r#"<Mask ID="S" X="2" Y="1" {size}><BinData BigEndian="false" Length="2" Compression="{compression}">{data}</BinData></Mask>"#
        );
        let rois = roi(&mask);
        assert!(rois.is_empty() && rois.left_out.len() == 1, "{data} {compression} {size}");
    }
}

#[test]
fn shapes_are_on_the_planes_that_they_say_and_the_last_region_lies_on_top() {
    let rois = rois(
        r#"<ROI ID="ROI:0" Name="a"><Union><Rectangle ID="S0" X="0" Y="0" Width="2" Height="1" TheZ="1"/>
        <Rectangle ID="S1" X="0" Y="0" Width="1" Height="1" TheZ="2" FillColor="-16776193"/></Union></ROI>
        <ROI ID="ROI:1"><Union><Point ID="S2" X="1" Y="0"/><Label ID="S3" X="1" Y="1" Text="t"/></Union></ROI>
        <ROI ID="ROI:9"><Union><Point ID="S4" X="5" Y="5"/></Union></ROI>"#,
    );
    assert_eq!((rois.planes(SIZE), rois.rois.len()), ([1, 1, 4], 2));
    let row = |z| painted(&rois, [0, 0, z])[..3].to_vec();
    assert_eq!([row(0), row(1), row(2)], [[0, 2, 0], [1, 2, 0], [1, 2, 0]]);
    assert_eq!(rois.rois[0].color, Some([0xff, 0, 3, 0xff]));
    assert_eq!(rois.rois[0].shapes.iter().map(|shape| shape.id.as_str()).collect::<Vec<_>>(), ["S0", "S1"]);
}

#[test]
fn hostile_numbers_are_left_out_with_a_reason() {
    for shape in [
        r#"<Rectangle ID="S" X="NaN" Y="0" Width="1" Height="1"/>"#,
        r#"<Rectangle ID="S" X="inf" Y="0" Width="1" Height="1"/>"#,
        r#"<Rectangle ID="S" Y="0" Width="1" Height="1"/>"#,
        r#"<Rectangle ID="S" X="100" Y="0" Width="1" Height="1"/>"#,
        r#"<Rectangle ID="S" X="-1e308" Y="0" Width="-1e308" Height="1"/>"#,
        r#"<Polygon ID="S" Points="1,2 3"/>"#,
        r#"<Polygon ID="S" Points=""/>"#,
        r#"<Ellipse ID="S" X="1" Y="1" RadiusX="0" RadiusY="1"/>"#,
        r#"<Point ID="S" X="1" Y="1" TheZ="4"/>"#,
        r#"<Point ID="S" X="1" Y="1" TheT="-1"/>"#,
        r#"<Point ID="S" X="-0.5" Y="1"/>"#,
    ] {
        let rois = roi(shape);
        assert!(
            rois.is_empty() && rois.left_out.len() == 1 && !rois.left_out[0].reason.is_empty(),
            "{shape}"
        );
    }
    // Large numbers that cover the image do so.
    for shape in [
        r#"<Rectangle ID="S" X="-1e300" Y="-1e300" Width="1e301" Height="1e301"/>"#,
        r#"<Ellipse ID="S" X="0" Y="0" RadiusX="1e200" RadiusY="1e200"/>"#,
        r#"<Line ID="S" X1="-1e9" Y1="0" X2="1e9" Y2="0" StrokeWidth="1e9"/>"#,
    ] {
        assert_eq!(covered(shape).len(), (SIZE.x * SIZE.y) as usize, "{shape}");
    }
}

#[test]
fn pieces_and_coarser_grids_hold_the_same_samples() {
    let rois = roi(r#"<Ellipse ID="S" X="11" Y="9" RadiusX="9" RadiusY="6"/>"#);
    let whole = painted(&rois, [0, 0, 0]);
    let full = (SIZE.y, SIZE.x);
    let painter = Painter::new(&rois, [0, 0, 0]).unwrap();
    let piece = painter.paint(&Grid::new(full, full, (3, 11), (5, 40)));
    let coarse = painter.paint(&Grid::new((7, 8), full, (0, 7), (0, 8)));
    for (n, sample) in piece.iter().enumerate() {
        assert_eq!(*sample, whole[(3 + n / 19) * 24 + 5 + n % 19]);
    }
    for (n, sample) in coarse.iter().enumerate() {
        assert_eq!(*sample, whole[(n / 8 * 20 / 7) * 24 + n % 8 * 3]);
    }
    assert!(painter.is_empty((0, 3), (0, 24)) && !painter.is_empty((3, 4), (0, 24)));
}
