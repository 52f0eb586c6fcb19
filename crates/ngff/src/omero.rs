//! Rendering settings: the transitional `omero` member.

use serde_json::{Map, Value, json};

use crate::Version;
use crate::json::{add_extra, insert_some, others, sample, text};

/// Rendering settings of an image.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Omero {
    /// Title that viewers show.
    pub name: Option<String>,
    /// One entry per index of the c axis.
    pub channels: Vec<OmeroChannel>,
    /// Time point shown first.
    pub default_t: u64,
    /// Section shown first.
    pub default_z: u64,
    /// Whether channels are shown in their colours.
    pub model: RenderingModel,
    /// Members that this model does not know.
    pub extra: Map<String, Value>,
}

/// Rendering settings of one channel.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct OmeroChannel {
    /// Name that viewers show.
    pub label: String,
    /// Red, green, blue.
    pub color: [u8; 3],
    /// Range of the contrast control, and the part of it that is shown.
    pub window: Window,
    /// Whether the channel is shown at first.
    pub active: bool,
    /// Members that this model does not know (`lut`, …); `coefficient`, `family` and `inverted` are here when
    /// they differ from the 1, `linear` and false that are written otherwise.
    pub extra: Map<String, Value>,
}

/// Range of sample values, in stored sample values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Lowest value of the contrast control.
    pub min: f64,
    /// Highest value of the contrast control.
    pub max: f64,
    /// Value shown black.
    pub start: f64,
    /// Value shown in full colour.
    pub end: f64,
}

/// How channels are composed on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum RenderingModel {
    /// Channels in their colours, added.
    #[default]
    Color,
    /// One channel at a time, in grey.
    Greyscale,
}

impl Omero {
    /// Settings of these channels, which are shown in their colours.
    pub fn new(channels: Vec<OmeroChannel>) -> Self {
        Self { channels, ..Self::default() }
    }

    pub(crate) fn to_json(&self, version: Version) -> Value {
        let mut object = Map::new();
        if version == Version::V04 {
            object.insert("version".into(), version.as_str().into());
        }
        insert_some(&mut object, "name", self.name.clone());
        object.insert(
            "channels".into(),
            self.channels.iter().map(OmeroChannel::to_json).collect::<Vec<_>>().into(),
        );
        let model = match self.model {
            RenderingModel::Color => "color",
            RenderingModel::Greyscale => "greyscale",
        };
        object.insert(
            "rdefs".into(),
            json!({"defaultT": self.default_t, "defaultZ": self.default_z, "model": model}),
        );
        add_extra(&mut object, &self.extra);
        Value::Object(object)
    }

    /// `None` when there are no channels, which makes the whole member invalid.
    pub(crate) fn from_json(value: &Value) -> Option<Self> {
        let members = value.as_object()?;
        let channels =
            members.get("channels")?.as_array()?.iter().enumerate().map(OmeroChannel::from_json).collect();
        let rdefs = |name: &str| value.pointer(&format!("/rdefs/{name}"));
        Some(Self {
            name: text(members, "name"),
            channels,
            default_t: rdefs("defaultT").and_then(Value::as_u64).unwrap_or(0),
            default_z: rdefs("defaultZ").and_then(Value::as_u64).unwrap_or(0),
            model: match rdefs("model").and_then(Value::as_str) {
                Some("greyscale") => RenderingModel::Greyscale,
                _ => RenderingModel::Color,
            },
            extra: others(members, &["version", "name", "channels", "rdefs"]),
        })
    }
}

impl OmeroChannel {
    /// A channel that is shown at first.
    pub fn new(label: impl Into<String>, color: [u8; 3], window: Window) -> Self {
        Self { label: label.into(), color, window, active: true, extra: Map::new() }
    }

    fn to_json(&self) -> Value {
        let [r, g, b] = self.color;
        let mut object = Map::new();
        object.insert("label".into(), self.label.clone().into());
        object.insert("color".into(), format!("{r:02X}{g:02X}{b:02X}").into());
        object.insert("window".into(), self.window.to_json());
        object.insert("active".into(), self.active.into());
        for (name, value) in rendering_defaults() {
            object.insert(name.into(), self.extra.get(name).cloned().unwrap_or(value));
        }
        add_extra(&mut object, &self.extra);
        Value::Object(object)
    }

    fn from_json((index, value): (usize, &Value)) -> Self {
        let empty = Map::new();
        let members = value.as_object().unwrap_or(&empty);
        let mut extra = others(members, &["label", "color", "window", "active"]);
        for (name, value) in rendering_defaults() {
            if extra.get(name) == Some(&value) {
                extra.shift_remove(name);
            }
        }
        Self {
            label: text(members, "label").unwrap_or_else(|| format!("Channel {index}")),
            color: members.get("color").and_then(Value::as_str).and_then(parse_color).unwrap_or([0xFF; 3]),
            window: Window::from_json(members.get("window")),
            active: members.get("active").and_then(Value::as_bool).unwrap_or(true),
            extra,
        }
    }
}

impl Window {
    /// A window that shows the whole of its range.
    pub fn full(min: f64, max: f64) -> Self {
        Self { min, max, start: min, end: max }
    }

    fn to_json(self) -> Value {
        json!({
            "min": sample(self.min, 0.0),
            "max": sample(self.max, 1.0),
            "start": sample(self.start, 0.0),
            "end": sample(self.end, 1.0),
        })
    }

    /// Missing ends are taken from the other pair, and from 0 and 1 when both are missing.
    fn from_json(value: Option<&Value>) -> Self {
        let member = |name: &str| value?.get(name)?.as_f64();
        let (min, start) = (member("min"), member("start"));
        let (max, end) = (member("max"), member("end"));
        Self {
            min: min.or(start).unwrap_or(0.0),
            max: max.or(end).unwrap_or(1.0),
            start: start.or(min).unwrap_or(0.0),
            end: end.or(max).unwrap_or(1.0),
        }
    }
}

/// Reads six hexadecimal digits, as NGFF writes colours.
pub(crate) fn parse_color(text: &str) -> Option<[u8; 3]> {
    if text.len() != 6 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let [_, r, g, b] = u32::from_str_radix(text, 16).ok()?.to_be_bytes();
    Some([r, g, b])
}

fn rendering_defaults() -> [(&'static str, Value); 3] {
    [("coefficient", json!(1)), ("family", json!("linear")), ("inverted", json!(false))]
}
