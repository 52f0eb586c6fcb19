//! Scenes of 0.6: the images that they place, and the coordinate systems that they name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::walk::Walk;
use super::{Documents, Stop, members, objects, resolve};
use crate::Finding;
use crate::graph::Graph;

impl<D: Documents> Walk<'_, D> {
    pub(super) fn scene(&mut self, path: &str, scene: &Map<String, Value>) -> Result<(), Stop<D::Error>> {
        let at = format!("{}/scene", self.pointer());
        let mut graph = Graph::default();
        for system in objects(scene.get("coordinateSystems")) {
            if let Some(name) = system.get("name").and_then(Value::as_str) {
                graph.node(node("", name));
            }
        }
        let mut images: BTreeMap<String, Option<BTreeSet<String>>> = BTreeMap::new();
        for (index, transformation) in objects(scene.get("coordinateTransformations")).enumerate() {
            let at = format!("{at}/coordinateTransformations/{index}");
            let mut ends = Vec::new();
            for end in ["input", "output"] {
                let Some(value) = transformation.get(end).and_then(Value::as_object) else { continue };
                let Some(name) = value.get("name").and_then(Value::as_str) else { continue };
                let relative = value.get("path").and_then(Value::as_str).unwrap_or_default();
                ends.push(node(relative, name));
                if relative.is_empty() {
                    continue;
                }
                let at = format!("{at}/{end}");
                let Some(image) = resolve(path, relative) else {
                    let message =
                        format!("{relative:?} leads out of the hierarchy, expected the path of an image");
                    self.add(path, Finding::must(format!("{at}/path"), SCENE, message));
                    continue;
                };
                if !images.contains_key(&image) {
                    let systems = self.image_systems(path, &image, &at, relative, &mut graph)?;
                    images.insert(image.clone(), systems);
                }
                if let Some(Some(systems)) = images.get(&image)
                    && !systems.contains(name)
                {
                    let message =
                        format!("{name:?}, expected a coordinate system of image {relative:?}: {systems:?}");
                    self.add(path, Finding::must(format!("{at}/name"), SCENE, message));
                }
            }
            if let [input, output] = ends.as_slice() {
                graph.edge(input.clone(), output.clone());
            }
            if let Some(parameters) = transformation.get("path").and_then(Value::as_str)
                && let Some(array) = resolve(path, parameters)
                && matches!(self.array_at(&array)?, super::node::Found::Absent)
            {
                let message = format!(
                    "{parameters:?}: there is no array here, expected the parameters of the transformation"
                );
                self.add(path, Finding::must(format!("{at}/path"), "coord-trafo-md", message));
            }
        }
        if let Some(apart) = graph.unconnected() {
            let message = format!(
                "no transformation leads to {apart:?}, expected all coordinate systems to be connected"
            );
            self.add(
                path,
                Finding::must(format!("{at}/coordinateTransformations"), "coord-trafo-md", message),
            );
        }
        Ok(())
    }

    /// Names of the coordinate systems of an image that a scene names; `None` where it cannot be read.
    fn image_systems(
        &mut self,
        scene: &str,
        image: &str,
        at: &str,
        relative: &str,
        graph: &mut Graph,
    ) -> Result<Option<BTreeSet<String>>, Stop<D::Error>> {
        let Some(group) = self.visit_image(image, SCENE, "the scene")? else {
            let message = format!("{relative:?}: there is no image here, expected the path of an image");
            self.add(scene, Finding::must(format!("{at}/path"), SCENE, message));
            return Ok(None);
        };
        let mut systems = BTreeSet::new();
        for multiscale in objects(members(&group.attributes).get("multiscales")) {
            let mut first = None;
            for system in objects(multiscale.get("coordinateSystems")) {
                let Some(name) = system.get("name").and_then(Value::as_str) else { continue };
                systems.insert(name.to_owned());
                graph.node(node(relative, name));
                // Whether an image's own systems are connected is judged with the image.
                match &first {
                    None => first = Some(name.to_owned()),
                    Some(first) => graph.edge(node(relative, first), node(relative, name)),
                }
            }
        }
        Ok(Some(systems))
    }
}

fn node(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}#{name}") }
}

const SCENE: &str = "scene-md";
