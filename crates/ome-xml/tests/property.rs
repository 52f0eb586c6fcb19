//! Random OME documents, with all that XML allows in them, come back from their structured form.

// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

use fairzarr_ome_xml::{ByteOrder, Document, Normalisations, Structured, Table, canonical_hash, compare};
use proptest::prelude::*;
use std::sync::LazyLock;

const NAMESPACE: &str = "http://www.openmicroscopy.org/Schemas/OME/2016-06";

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let text = include_str!("../../../docs/schemas/ome-json.schema.json");
    jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap()
});

/// Text as it stands in a document, references and all.
fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![
            "[a-zA-Z0-9 .,:-]{0,8}",
            Just("µ漢😀".to_owned()),
            Just("&amp;&lt;&gt;&quot;".to_owned()),
            Just("&#xD;&#10;".to_owned()),
            Just("\n\t ".to_owned()),
            Just("]] >".to_owned()),
        ],
        0..4,
    )
    .prop_map(|parts| parts.concat())
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i32>().prop_map(|v| v.to_string()),
        any::<f64>().prop_filter("finite", |v| v.is_finite()).prop_map(|v| v.to_string()),
        any::<f32>().prop_filter("finite", |v| v.is_finite()).prop_map(|v| format!("{v:e}")),
        (0..100_000_u32).prop_map(|v| format!("{:.3}", f64::from(v) / 1000.0)),
        (1..9_u32).prop_map(|v| format!("{v}.0E-{v}")),
        prop::sample::select(vec![
            "NaN", "INF", "-INF", "+1", "01", ".5", "5.", "-0", "", " 1 ", "nonsense", "-0.0"
        ])
        .prop_map(str::to_owned),
    ]
}

/// Attributes of the given names, each there or not.
fn attributes(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    let one = |name: &'static str| {
        prop::option::of(prop_oneof![number(), text().prop_map(|t| t.replace('"', ""))])
            .prop_map(move |value| value.map_or(String::new(), |value| format!(" {name}=\"{value}\"")))
    };
    names.iter().map(|name| one(name)).collect::<Vec<_>>().prop_map(|list| list.concat())
}

fn misc() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "",
        "",
        "",
        "\n  ",
        "<!-- a comment - -->",
        "<?target  some data?>",
        "<![CDATA[ <x> ]]>",
        " text ",
    ])
    .prop_map(str::to_owned)
}

/// XML of another vocabulary, nested.
fn foreign() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![text(), misc(), Just("<empty/>".to_owned())];
    leaf.prop_recursive(3, 24, 4, |inner| {
        (prop::sample::select(vec!["a", "b", "x:c", "x:d"]), prop::collection::vec(inner, 0..4)).prop_map(
            |(name, parts)| {
                format!(
                    "<{name} xmlns:x=\"urn:x\" x:q=\"1\" xmlns=\"urn:y\" z=\" 2 \">{}</{name}>",
                    parts.concat()
                )
            },
        )
    })
}

fn plane() -> impl Strategy<Value = String> {
    let inside = prop_oneof![
        4 => Just(String::new()),
        1 => Just("<AnnotationRef ID=\"Annotation:1\"/><AnnotationRef ID=\"Annotation:2\"/>".to_owned()),
        1 => Just("\n<HashSHA1>1234567890123456789012345678901234567890</HashSHA1>\n".to_owned()),
        1 => Just("<!-- odd -->".to_owned()),
    ];
    (
        0..3_u8,
        0..3_u8,
        0..3_u8,
        attributes(&["DeltaT", "DeltaTUnit", "ExposureTime", "PositionX", "Unknown"]),
        inside,
    )
        .prop_map(|(z, c, t, more, inside)| {
            format!("<Plane TheZ=\"{z}\" TheT=\"{t}\" TheC=\"{c}\"{more}>{inside}</Plane>")
        })
}

fn tiff_data() -> impl Strategy<Value = String> {
    let uuid = prop_oneof![
        Just(String::new()),
        text().prop_map(|name| format!("<UUID FileName=\"{}\">urn:uuid:1</UUID>", name.replace('"', ""))),
        Just("<UUID>urn:uuid:2</UUID>".to_owned()),
    ];
    (attributes(&["IFD", "FirstZ", "PlaneCount"]), uuid)
        .prop_map(|(a, uuid)| format!("<TiffData{a}>{uuid}</TiffData>"))
}

fn pixels() -> impl Strategy<Value = String> {
    let bulk = prop::collection::vec(prop_oneof![3 => plane(), 2 => tiff_data(), 1 => misc()], 0..12);
    let channel = attributes(&["ID", "Name", "Color", "SamplesPerPixel", "PinholeSize"]);
    (attributes(&["ID", "PhysicalSizeX", "PhysicalSizeXUnit", "BigEndian", "SizeX"]), channel, bulk).prop_map(
        |(a, channel, bulk)| {
            format!("<Pixels{a}><Channel{channel}><LightPath/></Channel>{}</Pixels>", bulk.concat())
        },
    )
}

fn annotation() -> impl Strategy<Value = String> {
    prop_oneof![
        foreign().prop_map(|x| format!(
            "<XMLAnnotation ID=\"Annotation:0\"> <Value>\n {x}</Value></XMLAnnotation>"
        )),
        (text(), text()).prop_map(|(k, v)| {
            format!(
                "<MapAnnotation ID=\"Annotation:1\"><Value> <M K=\"{}\">{v}</M> </Value></MapAnnotation>",
                k.replace('"', "")
            )
        }),
        text().prop_map(|v| format!(
            "<CommentAnnotation ID=\"Annotation:2\"><Value>{v}</Value></CommentAnnotation>"
        )),
    ]
}

fn document() -> impl Strategy<Value = String> {
    let image =
        (attributes(&["ID", "Name"]), text(), pixels(), misc()).prop_map(|(a, description, pixels, misc)| {
            format!("<Image{a}><Description>{description}</Description>{misc}{pixels}</Image>")
        });
    let images = prop::collection::vec(image, 0..3);
    let annotations = prop::collection::vec(annotation(), 0..4);
    // Many Images share their tables.
    let times = prop::sample::select(vec![1, 1, 20]);
    (prop::bool::ANY, misc(), images, times, annotations, foreign()).prop_map(
        |(prefixed, misc, images, times, annotations, foreign)| {
            let body = format!(
                "{misc}{}<StructuredAnnotations>{}</StructuredAnnotations>",
                images.concat().repeat(times),
                annotations.concat()
            );
            let xml = format!(
                "<OME xmlns=\"{NAMESPACE}\" UUID=\"u\">{body}<v:x xmlns:v=\"urn:v\">{foreign}</v:x></OME>"
            );
            if prefixed { prefix(&xml) } else { xml }
        },
    )
}

/// Bytes that hurt.
fn damage() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 1..3),
        prop::sample::select(vec![
            "<",
            ">",
            "/>",
            "\"",
            "'",
            "&",
            ";",
            "--",
            "<!--",
            "-->",
            "]]>",
            "<![CDATA[",
            "<?xml ?>",
            "<?",
            "?>",
            ":",
            "=",
            "</",
            "</Pixels>",
            "<Pixels>",
            "<Plane>",
            "</Plane>",
            "<TiffData/>",
            "<OME>",
            "</OME>",
            "</Image>",
            "<a:b:c/>",
            "<+/>",
            " xmlns=\"\"",
            " xmlns:ome=\"urn:z\"",
            "&#x0;",
            "&#1;",
            "\u{fffe}",
            "\0",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ]
}

/// The same with a prefix for OME's names.
fn prefix(xml: &str) -> String {
    let mut xml = xml.replacen("xmlns=", "xmlns:ome=", 1);
    for name in
        ["OME", "Image", "Pixels", "Plane", "TiffData", "Channel", "Description", "StructuredAnnotations"]
    {
        for end in [" ", ">", "/"] {
            xml = xml.replace(&format!("<{name}{end}"), &format!("<ome:{name}{end}"));
        }
        xml = xml.replace(&format!("</{name}>"), &format!("</ome:{name}>"));
    }
    xml
}

proptest! {

    #[test]
    fn structured_form_gives_the_document_back(xml in document()) {
        let document = Document::parse(xml.as_bytes()).unwrap();
        let structured = Structured::from_document(&document);
        prop_assert!(SCHEMA.is_valid(&structured.json), "{}", structured.json);
        let json = serde_json::to_string(&structured.json).unwrap();
        let tables: Vec<Table> = structured
            .tables
            .iter()
            .map(|table| Table::from_arrays(&table.to_arrays(|_| [3, 3, 3])).unwrap())
            .collect();
        let again = Structured { json: serde_json::from_str(&json).unwrap(), tables, blobs: structured.blobs };
        let made = again.to_xml().unwrap();
        let differences = compare(&xml, &made, Normalisations::STRUCTURED).unwrap();
        prop_assert!(differences.is_empty(), "{}\n{xml}\n{made}", differences[0]);
        prop_assert_eq!(
            canonical_hash(&xml, Normalisations::STRUCTURED).unwrap(),
            canonical_hash(&made, Normalisations::STRUCTURED).unwrap()
        );
    }

    #[test]
    fn metadata_is_2016_06_and_keeps_the_images(xml in document()) {
        let document = Document::parse(xml.as_bytes()).unwrap();
        let all: Vec<_> = (0..document.ome().images.len()).rev().map(|index| (index, ByteOrder::Big)).collect();
        let metadata = Document::parse(document.metadata_only(&all).unwrap().into_bytes()).unwrap();
        let names = |d: &Document| d.ome().images.iter().map(|i| i.name.clone()).collect::<Vec<_>>();
        let mut expected = names(&document);
        expected.reverse();
        prop_assert_eq!(names(&metadata), expected);
        for image in &metadata.ome().images {
            let pixels = image.pixels.as_ref().unwrap();
            prop_assert!(pixels.metadata_only && pixels.tiff_data.is_empty());
            prop_assert_eq!(pixels.big_endian, Some(true));
        }
    }

    #[test]
    fn damaged_documents_are_refused_or_kept(
        xml in document(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), damage()), 1..6),
    ) {
        let mut bytes = xml.into_bytes();
        for (at, new) in damage {
            let at = at.index(bytes.len());
            bytes.splice(at..(at + new.len() / 2).min(bytes.len()), new);
        }
        if let Ok(document) = Document::parse(bytes) {
            let made = Structured::from_document(&document).to_xml().unwrap();
            let differences = compare(document.text(), &made, Normalisations::STRUCTURED).unwrap();
            prop_assert!(differences.is_empty(), "{}\n{}\n{made}", differences[0], document.text());
            let images: Vec<_> =
                (0..document.ome().images.len()).map(|index| (index, ByteOrder::Little)).collect();
            let metadata = Document::parse(document.metadata_only(&images).unwrap().into_bytes()).unwrap();
            prop_assert_eq!(metadata.ome().images.len(), images.len());
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Document::parse(bytes);
    }

    #[test]
    fn a_changed_attribute_is_found(xml in document(), name in "[a-z]{4,8}") {
        let changed = xml.replacen("UUID=\"u\"", &format!("UUID=\"{name}\""), 1);
        let differences = compare(&xml, &changed, Normalisations::STRUCTURED).unwrap();
        prop_assert_eq!(differences.len(), 1);
        prop_assert!(differences[0].path.ends_with("@UUID"));
    }
}
