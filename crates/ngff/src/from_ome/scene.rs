//! Images on the stage as 0.6 has it: a coordinate system `stage`, and for each image a translation from its own into that.

use serde_json::{Map, Value, json};

use crate::{Axis, Multiscale};

/// An image and where its first sample lies on the stage, along its axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// Its group, relative to that of the scene.
    pub path: String,
    /// Its axes.
    pub axes: Vec<Axis>,
    /// One number for each of them, in their units.
    pub place: Vec<f64>,
}

/// The scene of images that lie below its group, for the member `scene` of 0.6; `None` of no images.
///
/// # Errors
/// The place in the list of the first image whose axes are not those of the first one: no coordinate system has room for both.
pub fn scene(images: &[Placed]) -> Result<Option<Value>, usize> {
    let Some(first) = images.first() else { return Ok(None) };
    if let Some(other) = images.iter().position(|image| image.axes != first.axes) {
        return Err(other);
    }
    let transformations: Vec<Value> = images
        .iter()
        .map(|image| {
            json!({
                "type": "translation",
                "input": {"path": image.path, "name": INTRINSIC},
                "output": {"name": STAGE},
                "translation": image.place,
            })
        })
        .collect();
    Ok(Some(
        json!({"coordinateSystems": [system(&first.axes)], "coordinateTransformations": transformations}),
    ))
}

/// An image at the root, where no scene has a path for it: the coordinate system of the stage is one of its own.
#[must_use]
pub fn on_stage(mut image: Multiscale, place: &[f64]) -> Multiscale {
    let more = Map::from_iter([
        ("coordinateSystems".to_owned(), json!([system(&image.axes)])),
        (
            "coordinateTransformations".to_owned(),
            json!([{
                "type": "translation",
                "input": {"name": INTRINSIC},
                "output": {"name": STAGE},
                "translation": place,
            }]),
        ),
    ]);
    image.extra.extend(more);
    image
}

fn system(axes: &[Axis]) -> Value {
    json!({"name": STAGE, "axes": axes.iter().map(Axis::to_json).collect::<Vec<_>>()})
}

/// The coordinate system of the microscope's stage.
const STAGE: &str = "stage";
/// That which the levels of an image map into.
const INTRINSIC: &str = "intrinsic";
