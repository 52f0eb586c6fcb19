//! Rules of `multiscales` and `omero`.

use serde_json::{Map, Value};

use super::{Need, Report};
use crate::omero::parse_color;
use crate::{Version, units};

impl Report {
    pub(super) fn multiscales(&mut self, at: &str, value: &Value) {
        let Some(items) = value.as_array() else {
            return self.wrong(at, MULTISCALES, value, "an array");
        };
        if items.is_empty() {
            self.must(at, MULTISCALES, "empty, expected at least one image".into());
        }
        self.unique(at, MULTISCALES, "image", items.iter().map(Value::to_string));
        for (index, item) in items.iter().enumerate() {
            let at = format!("{at}/{index}");
            if let Some(object) = self.object(&at, MULTISCALES, item) {
                self.multiscale(&at, object);
            }
        }
    }

    fn multiscale(&mut self, at: &str, object: &Map<String, Value>) {
        if self.version == Version::V04 {
            self.version_member(at, object, MULTISCALES);
        }
        self.string(at, object, "name", Need::Should(MULTISCALES));
        self.string(at, object, "type", Need::Should(MULTISCALES));
        self.member(at, object, "metadata", Need::Should(MULTISCALES), "an object", Value::as_object);
        let datasets = self.array(at, object, "datasets", Need::Must(MULTISCALES));
        if datasets.is_some_and(<[Value]>::is_empty) {
            self.must(&format!("{at}/datasets"), MULTISCALES, "empty, expected at least one level".into());
        }
        let datasets: Vec<(String, &Map<String, Value>)> = datasets
            .unwrap_or_default()
            .iter()
            .enumerate()
            .filter_map(|(level, dataset)| {
                let at = format!("{at}/datasets/{level}");
                let object = self.object(&at, MULTISCALES, dataset)?;
                self.string(&at, object, "path", Need::Must(MULTISCALES));
                Some((at, object))
            })
            .collect();
        let scales = if self.version >= Version::V06 {
            self.coordinates(at, object, &datasets)
        } else {
            let axes = self.array(at, object, "axes", Need::Must(AXES));
            if let Some(axes) = axes {
                self.axes(&format!("{at}/axes"), axes);
            }
            let dimensions = axes.map(<[Value]>::len);
            if object.contains_key("coordinateTransformations") {
                self.scale_translation(at, object, dimensions);
            }
            datasets
                .iter()
                .filter_map(|(at, dataset)| {
                    Some((at.clone(), self.scale_translation(at, dataset, dimensions)?))
                })
                .collect()
        };
        self.descending(&scales);
    }

    pub(super) fn axes(&mut self, at: &str, axes: &[Value]) {
        let mut names = Vec::new();
        let mut ranks = Vec::new();
        for (index, axis) in axes.iter().enumerate() {
            let at = format!("{at}/{index}");
            let Some(object) = self.object(&at, AXES, axis) else { continue };
            let name = self.string(&at, object, "name", Need::Must(AXES));
            if name == Some("") && self.version >= Version::V06 {
                self.must(&format!("{at}/name"), AXES, "empty, expected a name".into());
            }
            names.extend(name.map(str::to_owned));
            let kind = self.string(&at, object, "type", Need::Should(AXES));
            self.unit(&at, object, kind);
            if self.version >= Version::V06 {
                self.member(&at, object, "discrete", Need::May(AXES), "true or false", Value::as_bool);
                self.string(&at, object, "longName", Need::May(AXES));
            }
            if self.is_draft {
                self.orientation(&at, object, kind);
            }
            ranks.push((at, Rank::of(kind)));
        }
        self.unique(at, AXES, "name", names.iter().cloned());
        if self.is_draft {
            if axes.is_empty() {
                self.must(at, AXES, "empty, expected at least one axis".into());
            }
            return;
        }
        if self.version >= Version::V06 && ranks.iter().filter(|(_, rank)| *rank == Rank::Array).count() >= 2
        {
            return;
        }
        let count = |wanted: Rank| ranks.iter().filter(|(_, rank)| *rank == wanted).count();
        let (space, time, other) = (count(Rank::Space), count(Rank::Time), count(Rank::Other));
        if !(2..=5).contains(&axes.len()) {
            self.must(at, AXES, format!("{} axes, expected 2 to 5", axes.len()));
        }
        if !(2..=3).contains(&space) {
            self.must(at, AXES, format!("{space} axes of type space, expected 2 or 3"));
        }
        if time > 1 {
            self.must(at, AXES, format!("{time} axes of type time, expected at most 1"));
        }
        if other > 1 {
            self.must(at, AXES, format!("{other} axes of type channel, custom or none, expected at most 1"));
        }
        for pair in ranks.windows(2) {
            if let [(_, before), (at, after)] = pair
                && before > after
            {
                self.must(at, AXES, "expected the order time, channel or custom, space".into());
            }
        }
        if space == 3 && names.ends_with(&["x".into(), "y".into(), "z".into()]) {
            self.should(at, AXES, "axes in space are x, y, z, expected z, y, x".into());
        }
    }

    /// RFC-4: which way of a body an axis in space goes.
    fn orientation(&mut self, at: &str, axis: &Map<String, Value>, kind: Option<&str>) {
        let Some(orientation) =
            self.member(at, axis, "orientation", Need::May(AXES), "an object", Value::as_object)
        else {
            return;
        };
        let at = format!("{at}/orientation");
        if kind.is_some_and(|kind| kind != "space") {
            self.should(&at, AXES, "found on an axis that is not of type space".into());
        }
        for (name, known) in [("type", &["anatomical"][..]), ("value", &ORIENTATIONS[..])] {
            let expected = format!("one of {}", known.join(", "));
            self.member(&at, orientation, name, Need::Must(AXES), &expected, |value| {
                value.as_str().filter(|value| known.contains(value))
            });
        }
    }

    fn unit(&mut self, at: &str, object: &Map<String, Value>, kind: Option<&str>) {
        let Some(unit) = self.string(at, object, "unit", Need::May(AXES)) else { return };
        let listed = match kind {
            Some("space") => units::SPACE.contains(&unit),
            Some("time") => units::TIME.contains(&unit),
            _ => true,
        };
        if !listed {
            let message = format!("{unit:?} is not a UDUNITS-2 name listed for this type of axis");
            self.should(&format!("{at}/unit"), AXES, message);
        }
    }

    /// Transformations of 0.4 and 0.5: one scale, then at most one translation. Returns the scale.
    fn scale_translation(
        &mut self,
        at: &str,
        object: &Map<String, Value>,
        dimensions: Option<usize>,
    ) -> Option<Vec<f64>> {
        let items = self.array(at, object, "coordinateTransformations", Need::Must(MULTISCALES))?;
        let at = format!("{at}/coordinateTransformations");
        let mut scale = None;
        let (mut scales, mut translations) = (0, 0);
        for (index, item) in items.iter().enumerate() {
            let at = format!("{at}/{index}");
            let Some(step) = self.object(&at, MULTISCALES, item) else { continue };
            match self.string(&at, step, "type", Need::Must(MULTISCALES)) {
                Some("scale") => {
                    scales += 1;
                    if translations > 0 {
                        self.must(&at, MULTISCALES, "scale after translation, expected it before".into());
                    }
                    scale = self.vector(&at, step, "scale", dimensions, MULTISCALES).or(scale);
                }
                Some("translation") => {
                    translations += 1;
                    self.vector(&at, step, "translation", dimensions, MULTISCALES);
                }
                Some(_) => {
                    self.wrong(&format!("{at}/type"), MULTISCALES, &step["type"], "scale or translation");
                }
                None => {}
            }
        }
        if scales != 1 {
            self.must(&at, MULTISCALES, format!("{scales} scales, expected exactly one"));
        }
        if translations > 1 {
            self.must(&at, MULTISCALES, format!("{translations} translations, expected at most one"));
        }
        scale
    }

    /// A vector over axes. A scale has to be positive: 0.6 demands it, and readers of all versions need it.
    pub(super) fn vector(
        &mut self,
        at: &str,
        object: &Map<String, Value>,
        name: &'static str,
        dimensions: Option<usize>,
        clause: &'static str,
    ) -> Option<Vec<f64>> {
        if self.version < Version::V06 && !object.contains_key(name) && object.contains_key("path") {
            // Parameters in a binary file.
            return None;
        }
        let values = self.member(at, object, name, Need::Must(clause), "an array of numbers", |value| {
            value.as_array()?.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>()
        })?;
        let at = format!("{at}/{name}");
        if let Some(dimensions) = dimensions.filter(|&dimensions| dimensions != values.len()) {
            let message = format!("{} numbers, expected {dimensions}, one per axis", values.len());
            self.must(&at, clause, message);
        }
        if name == "scale"
            && let Some(value) = values.iter().find(|&&value| value <= 0.0)
        {
            let message = format!("{value}, expected a positive number");
            if self.version >= Version::V06 {
                self.must(&at, clause, message);
            } else {
                self.should(&at, clause, message);
            }
        }
        Some(values)
    }

    fn descending(&mut self, scales: &[(String, Vec<f64>)]) {
        for pair in scales.windows(2) {
            if let [(_, finer), (at, coarser)] = pair
                && finer.iter().zip(coarser).any(|(finer, coarser)| coarser < finer)
            {
                let message = "resolution is higher than the level before, expected from highest to lowest";
                self.must(at, MULTISCALES, message.into());
            }
        }
    }

    pub(super) fn omero(&mut self, at: &str, value: &Value) {
        let Some(object) = self.object(at, OMERO, value) else { return };
        let Some(channels) = self.array(at, object, "channels", Need::Must(OMERO)) else { return };
        for (index, channel) in channels.iter().enumerate() {
            let at = format!("{at}/channels/{index}");
            let Some(channel) = self.object(&at, OMERO, channel) else { continue };
            // The draft leaves it to the writer what a channel says of itself.
            let need: fn(&'static str) -> Need = if self.is_draft { Need::May } else { Need::Must };
            self.member(&at, channel, "color", need(OMERO), "six hexadecimal digits", |value| {
                parse_color(value.as_str()?)
            });
            self.string(&at, channel, "label", Need::May(OMERO));
            self.string(&at, channel, "family", Need::May(OMERO));
            self.member(&at, channel, "active", Need::May(OMERO), "true or false", Value::as_bool);
            if self.is_draft {
                self.member(&at, channel, "inverted", Need::May(OMERO), "true or false", Value::as_bool);
            }
            let window = self.member(&at, channel, "window", need(OMERO), "an object", Value::as_object);
            let Some(window) = window else { continue };
            let at = format!("{at}/window");
            let mut end = |name, need: Need| self.member(&at, window, name, need, "a number", Value::as_f64);
            let (min, max) = (end("min", need(OMERO)), end("max", need(OMERO)));
            let (start, stop) = (end("start", Need::Must(OMERO)), end("end", Need::Must(OMERO)));
            if min.zip(max).is_some_and(|(min, max)| min > max) {
                self.should(&at, OMERO, "min is above max".into());
            }
            if start.zip(stop).is_some_and(|(start, stop)| start > stop) {
                self.should(&at, OMERO, "start is above end".into());
            }
        }
    }

    /// The `version` that 0.4 recommends in each object.
    pub(super) fn version_member(&mut self, at: &str, object: &Map<String, Value>, clause: &'static str) {
        if let Some(found) = self.string(at, object, "version", Need::Should(clause))
            && found != self.version.as_str()
        {
            let message = format!("version is {found:?}, expected {:?}", self.version.as_str());
            self.must(&format!("{at}/version"), clause, message);
        }
    }
}

/// The place of an axis in the order that the specification demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Time,
    Other,
    Space,
    /// 0.6: a dimension of an array, without a meaning.
    Array,
}

impl Rank {
    fn of(kind: Option<&str>) -> Self {
        match kind {
            Some("time") => Self::Time,
            Some("space") => Self::Space,
            Some("array") => Self::Array,
            _ => Self::Other,
        }
    }
}

/// The values that RFC-4 has for the orientation of an axis.
const ORIENTATIONS: [&str; 24] = [
    "left-to-right",
    "right-to-left",
    "anterior-to-posterior",
    "posterior-to-anterior",
    "inferior-to-superior",
    "superior-to-inferior",
    "dorsal-to-ventral",
    "ventral-to-dorsal",
    "dorsal-to-palmar",
    "palmar-to-dorsal",
    "dorsal-to-plantar",
    "plantar-to-dorsal",
    "rostral-to-caudal",
    "caudal-to-rostral",
    "cranial-to-caudal",
    "caudal-to-cranial",
    "proximal-to-distal",
    "distal-to-proximal",
    "superficial-to-deep",
    "deep-to-superficial",
    "apical-to-basal",
    "basal-to-apical",
    "apex-to-base",
    "base-to-apex",
];

const AXES: &str = "axes-md";
const MULTISCALES: &str = "multiscales-md";
const OMERO: &str = "omero-md";
