//! What is written reads back the same, and nothing that is read brings reading or judging down.
#![allow(clippy::unwrap_used, clippy::panic)]

use fairzarr_ngff::{
    Axis, AxisKind, Dataset, Downscaling, Multiscale, Omero, OmeroChannel, RenderingModel, Severity, Version,
    Window, classify, image_attributes, parse_image, validate,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const VERSIONS: [Version; 3] = [Version::V04, Version::V05, Version::V06];

proptest! {
    #[test]
    fn images_read_back_the_same(image in multiscale(), omero in prop::option::of(omero())) {
        for version in VERSIONS {
            let attributes = image_attributes(version, &image, omero.as_ref());
            let musts: Vec<_> = validate(Some(version), &attributes.clone().into(), None)
                .into_iter()
                .filter(|finding| finding.severity == Severity::Must)
                .collect();
            prop_assert_eq!(musts, []);
            let text = serde_json::to_vec(&attributes).unwrap();
            let attributes: Map<String, Value> = serde_json::from_slice(&text).unwrap();
            let (found, mut read, read_omero) = parse_image(&attributes).unwrap();
            prop_assert_eq!(found, version);
            if version == Version::V06 {
                prop_assert_eq!(read.coordinate_system.take(), Some("intrinsic".to_owned()));
            }
            prop_assert_eq!(&read, &image);
            prop_assert_eq!(&read_omero, &omero);
        }
    }

    #[test]
    fn no_number_is_written_that_json_does_not_have(scale in vec(any::<f64>(), 2), end in any::<f64>()) {
        let mut image = flat();
        image.datasets[0].scale = scale.clone();
        image.datasets[0].translation = Some(scale);
        let window = Window::full(end, end);
        let omero = Omero::new(vec![OmeroChannel::new("a", [0; 3], window)]);
        for version in VERSIONS {
            let attributes = image_attributes(version, &image, Some(&omero));
            prop_assert!(!Value::Object(attributes.clone()).to_string().contains("null"));
            prop_assert!(parse_image(&attributes).is_ok());
        }
    }

    #[test]
    fn anything_can_be_read_and_judged(value in hostile()) {
        validate(None, &value, None);
        if let Value::Object(attributes) = value {
            classify(&attributes);
            let _ = parse_image(&attributes);
        }
    }
}

#[test]
fn unknown_members_are_kept() {
    for version in VERSIONS {
        let mut attributes = Value::Object(image_attributes(version, &flat(), None));
        let image = if version == Version::V04 {
            &mut attributes["multiscales"][0]
        } else {
            &mut attributes["ome"]["multiscales"][0]
        };
        image["@type"] = json!("ngff:Image");
        if version == Version::V06 {
            image["coordinateSystems"].as_array_mut().unwrap().push(json!({"name": "stage", "axes": []}));
            image["coordinateTransformations"] = json!([{"type": "identity"}]);
            image["coordinateSystems"][0]["axes"][0]["discrete"] = json!(false);
        }
        let (_, read, _) = parse_image(attributes.as_object().unwrap()).unwrap();
        assert_eq!(Value::Object(image_attributes(version, &read, None)), attributes);
    }
}

#[test]
fn what_an_image_lacks_is_named() {
    let missing = |attributes: Value| parse_image(attributes.as_object().unwrap()).unwrap_err().to_string();
    assert_eq!(missing(json!({})), "/ome/multiscales: member is missing, expected an image");
    assert_eq!(
        missing(json!({"ome": {"version": "0.7", "multiscales": []}})),
        "NGFF version \"0.7\" is not supported, expected 0.4, 0.5 or 0.6"
    );
    assert_eq!(
        missing(json!({"multiscales": [{"axes": [{"name": "y"}], "datasets": [{"path": "0"}]}]})),
        "/multiscales/0/datasets/0/coordinateTransformations: member is missing, expected an array"
    );
    assert_eq!(
        missing(json!({"multiscales": [{"axes": [{"name": "y"}], "datasets": [{"path": "0",
            "coordinateTransformations": [{"type": "scale", "scale": [1, 2]}]}]}]})),
        "/multiscales/0/datasets/0/coordinateTransformations: found a vector of 2 for 1 axes, expected one \
         number per axis"
    );
}

/// As many findings as a hostile document likes would be a report larger than the document.
#[test]
fn reports_have_an_end() {
    let attributes = json!({"multiscales": vec![json!(null); 100_000]});
    assert_eq!(validate(None, &attributes, None).len(), 1000);
    let deep = (0..100).fold(
        json!({"type": "identity"}),
        |inner, _| json!({"type": "sequence", "transformations": [inner]}),
    );
    let attributes = json!({"ome": {"version": "0.6", "scene": {"coordinateTransformations": [deep]}}});
    let findings = validate(None, &attributes, None);
    assert!(findings.iter().any(|finding| finding.message.contains("nested")), "{findings:?}");
}

fn flat() -> Multiscale {
    let axes = ["y", "x"].map(|name| Axis::new(name, AxisKind::Space));
    Multiscale::new(axes.into(), vec![Dataset::new("0", vec![1.0, 1.0])])
}

fn multiscale() -> impl Strategy<Value = Multiscale> {
    let space = vec(prop::option::of(prop::sample::select(&fairzarr_ngff::units::SPACE[..])), 3);
    let scale = vec(1e-9..1e9_f64, 5);
    let translation = prop::option::of(vec(-1e9..1e9_f64, 5));
    let downscaling = prop::option::of(("[a-z]+", prop::option::of("[a-z ]+")));
    (prop::option::of(".*"), space, vec((scale, translation), 1..4), downscaling).prop_map(
        |(name, units, mut levels, downscaling)| {
            let mut axes = vec![Axis::new("t", AxisKind::Time), Axis::new("c", AxisKind::Channel)];
            axes.extend(["z", "y", "x"].into_iter().zip(units).map(|(name, unit)| {
                let axis = Axis::new(name, AxisKind::Space);
                if let Some(unit) = unit { axis.with_unit(unit) } else { axis }
            }));
            for level in 1..levels.len() {
                for axis in 0..5 {
                    levels[level].0[axis] = levels[level].0[axis].max(levels[level - 1].0[axis]);
                }
            }
            let datasets = levels.into_iter().enumerate().map(|(level, (scale, translation))| {
                let mut dataset = Dataset::new(level.to_string(), scale);
                dataset.translation = translation;
                dataset
            });
            let mut image = Multiscale::new(axes, datasets.collect());
            image.name = name;
            image.downscaling = downscaling.map(|(method, description)| {
                let mut downscaling = Downscaling::new(method);
                downscaling.description = description;
                downscaling.metadata = Map::from_iter([("args".to_owned(), json!([2, "mean"]))]);
                downscaling
            });
            image
        },
    )
}

fn omero() -> impl Strategy<Value = Omero> {
    let window = (-1e6..1e6_f64, 0.0..1e6_f64).prop_map(|(start, width)| Window::full(start, start + width));
    let channels = vec((".*", any::<[u8; 3]>(), window), 0..5);
    (prop::option::of(".*"), channels, any::<u32>(), any::<bool>()).prop_map(|(name, channels, z, grey)| {
        let channels =
            channels.into_iter().map(|(label, color, window)| OmeroChannel::new(label, color, window));
        let mut omero = Omero::new(channels.collect());
        omero.name = name;
        omero.default_z = z.into();
        omero.model = if grey { RenderingModel::Greyscale } else { RenderingModel::Color };
        omero
    })
}

/// JSON of any shape, made of the words that the specification uses.
fn hostile() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(&WORDS[..]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0_u64..6).prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    let members = leaf.prop_recursive(7, 200, 6, move |inner| {
        let word = prop::sample::select(&WORDS[..]);
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((word, inner), 0..6).prop_map(|members| {
                members
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect::<Map<_, _>>()
                    .into()
            }),
        ]
    });
    (members, prop::sample::select(&["0.4", "0.5", "0.6"][..]), word).prop_map(|(value, version, member)| {
        match version {
            "0.4" => json!({member: value}),
            version => json!({"ome": {"version": version, member: value}}),
        }
    })
}

const WORDS: [&str; 44] = [
    "multiscales",
    "omero",
    "plate",
    "well",
    "labels",
    "image-label",
    "series",
    "scene",
    "bioformats2raw.layout",
    "axes",
    "datasets",
    "coordinateSystems",
    "coordinateTransformations",
    "transformations",
    "transformation",
    "type",
    "scale",
    "translation",
    "sequence",
    "identity",
    "affine",
    "rotation",
    "mapAxis",
    "projectAxis",
    "byDimension",
    "bijection",
    "forward",
    "inverse",
    "inputAxes",
    "outputAxes",
    "droppedInputs",
    "input",
    "output",
    "path",
    "name",
    "unit",
    "space",
    "channels",
    "window",
    "rows",
    "columns",
    "wells",
    "rowIndex",
    "images",
];
