//! Rules of coordinate systems, coordinate transformations and scenes in 0.6.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{Need, Report};
use crate::graph::Graph;

/// Names of coordinate systems and their numbers of axes.
type Systems<'a> = HashMap<&'a str, usize>;

impl Report {
    /// Coordinate systems and transformations of a multiscale image. Returns the scale of each level.
    pub(super) fn coordinates(
        &mut self,
        at: &str,
        object: &Map<String, Value>,
        datasets: &[(String, &Map<String, Value>)],
    ) -> Vec<(String, Vec<f64>)> {
        let systems = self.systems(at, object, Need::Must(SYSTEMS));
        let mut scales = Vec::new();
        let mut intrinsic = None;
        for (at, dataset) in datasets {
            let Some(items) = self.array(at, dataset, "coordinateTransformations", Need::Must(SYSTEMS))
            else {
                continue;
            };
            let at = format!("{at}/coordinateTransformations");
            let [item] = items else {
                let message = format!("{} transformations, expected exactly one", items.len());
                self.must(&at, SYSTEMS, message);
                continue;
            };
            let at = format!("{at}/0");
            let Some(transformation) = self.object(&at, SYSTEMS, item) else { continue };
            let input = self.end(&at, transformation, "input", "path");
            if let Some(input) = input
                && dataset.get("path").and_then(Value::as_str).is_some_and(|path| path != input)
            {
                let message = format!("{input:?}, expected the path of this level's array");
                self.must(&format!("{at}/input/path"), SYSTEMS, message);
            }
            let output = self.end(&at, transformation, "output", "name");
            if let Some(output) = output {
                let first = *intrinsic.get_or_insert(output);
                if first != output {
                    let message = format!("{output:?}, expected {first:?} like the levels before");
                    self.must(&format!("{at}/output/name"), SYSTEMS, message);
                }
                if !systems.contains_key(output) {
                    let message = format!("{output:?} is not among the coordinate systems");
                    self.must(&format!("{at}/output/name"), SYSTEMS, message);
                }
            }
            let dimensions = output.and_then(|output| systems.get(output).copied());
            if let Some(scale) = self.level(&at, transformation, dimensions) {
                scales.push((at, scale));
            }
        }
        if let Some(further) = self.array(at, object, "coordinateTransformations", Need::May(SYSTEMS)) {
            let at = format!("{at}/coordinateTransformations");
            if further.is_empty() {
                self.must(&at, SYSTEMS, "empty, expected at least one entry".into());
            }
            for (index, item) in further.iter().enumerate() {
                self.between(&format!("{at}/{index}"), item, &systems, intrinsic);
            }
            self.names_of(&at, further);
        }
        self.connected(at, object, intrinsic);
        scales
    }

    /// All coordinate systems of an image have to be reachable from the one that its levels map into.
    fn connected(&mut self, at: &str, object: &Map<String, Value>, intrinsic: Option<&str>) {
        let Some(intrinsic) = intrinsic else { return };
        let list = |name: &str| object.get(name).and_then(Value::as_array).into_iter().flatten();
        let mut graph = Graph::default();
        graph.node(intrinsic.to_owned());
        for system in list("coordinateSystems") {
            if let Some(name) = system.get("name").and_then(Value::as_str) {
                graph.node(name.to_owned());
            }
        }
        for transformation in list("coordinateTransformations") {
            let end = |name: &str| transformation.get(name)?.get("name")?.as_str().map(str::to_owned);
            if let (Some(input), Some(output)) = (end("input"), end("output")) {
                graph.edge(input, output);
            }
        }
        if let Some(apart) = graph.unconnected() {
            let message = format!(
                "no transformation leads to {apart:?}, expected all coordinate systems to be connected"
            );
            self.must(&format!("{at}/coordinateSystems"), TRANSFORMATIONS, message);
        }
    }

    /// Names of transformations. The text wants them unique in their list; its own cases repeat them.
    fn names_of(&mut self, at: &str, transformations: &[Value]) {
        let mut names = HashSet::new();
        for (index, item) in transformations.iter().enumerate() {
            let name = item.get("name").and_then(Value::as_str);
            if let Some(name) = name.filter(|name| !names.insert(*name)) {
                let message =
                    format!("{name:?} is the name of another transformation, expected a name of its own");
                self.should(&format!("{at}/{index}/name"), TRANSFORMATIONS, message);
            }
        }
    }

    /// A scene: images placed in common coordinate systems.
    pub(super) fn scene(&mut self, at: &str, value: &Value) {
        let Some(object) = self.object(at, SCENE, value) else { return };
        let systems = self.systems(at, object, Need::May(SYSTEMS));
        let Some(items) = self.array(at, object, "coordinateTransformations", Need::Must(SCENE)) else {
            return;
        };
        if items.is_empty() {
            let at = format!("{at}/coordinateTransformations");
            self.must(&at, SCENE, "empty, expected at least one entry".into());
        }
        for (index, item) in items.iter().enumerate() {
            self.between(&format!("{at}/coordinateTransformations/{index}"), item, &systems, None);
        }
        self.names_of(&format!("{at}/coordinateTransformations"), items);
    }

    fn systems<'a>(&mut self, at: &str, object: &'a Map<String, Value>, need: Need) -> Systems<'a> {
        let Some(items) = self.array(at, object, "coordinateSystems", need) else {
            return Systems::new();
        };
        let at = format!("{at}/coordinateSystems");
        if items.is_empty() && matches!(need, Need::Must(_)) {
            self.must(&at, SYSTEMS, "empty, expected at least one entry".into());
        }
        let mut systems = Systems::new();
        for (index, item) in items.iter().enumerate() {
            let at = format!("{at}/{index}");
            let Some(system) = self.object(&at, SYSTEMS, item) else { continue };
            let axes = self.array(&at, system, "axes", Need::Must(SYSTEMS));
            if let Some(axes) = axes {
                self.axes(&format!("{at}/axes"), axes);
            }
            match self.string(&at, system, "name", Need::Must(SYSTEMS)) {
                Some("") => self.must(&format!("{at}/name"), SYSTEMS, "empty, expected a name".into()),
                Some(name) if systems.insert(name, axes.map_or(0, <[Value]>::len)).is_some() => {
                    let message = format!("{name:?} is the name of another coordinate system");
                    self.must(&format!("{at}/name"), SYSTEMS, message);
                }
                _ => {}
            }
        }
        systems
    }

    /// `input` or `output` of a level: an object with `wanted`.
    fn end<'a>(
        &mut self,
        at: &str,
        transformation: &'a Map<String, Value>,
        name: &str,
        wanted: &str,
    ) -> Option<&'a str> {
        let expected = if wanted == "path" { "an object with a path" } else { "an object with a name" };
        self.member(at, transformation, name, Need::Must(SYSTEMS), expected, |value| {
            value.as_object()?.get(wanted)?.as_str()
        })
    }

    /// The transformation of a level: an identity, a scale, or a sequence of scale and translation.
    fn level(
        &mut self,
        at: &str,
        transformation: &Map<String, Value>,
        dimensions: Option<usize>,
    ) -> Option<Vec<f64>> {
        match self.string(at, transformation, "type", Need::Must(SYSTEMS))? {
            "identity" => Some(vec![1.0; dimensions?]),
            "scale" => self.vector(at, transformation, "scale", dimensions, SYSTEMS),
            "sequence" => {
                let steps = self.array(at, transformation, "transformations", Need::Must(SYSTEMS))?;
                let kinds: Vec<_> =
                    steps.iter().map(|step| step.get("type").and_then(Value::as_str)).collect();
                if kinds != [Some("scale"), Some("translation")] {
                    let at = format!("{at}/transformations");
                    self.must(&at, SYSTEMS, "expected a scale and a translation, in this order".into());
                    return None;
                }
                let mut step = |index: usize, name| {
                    let step = steps[index].as_object()?;
                    self.vector(&format!("{at}/transformations/{index}"), step, name, dimensions, SYSTEMS)
                };
                step(1, "translation");
                step(0, "scale")
            }
            other => {
                let message = format!("{other:?}, expected identity, scale or sequence");
                self.must(&format!("{at}/type"), SYSTEMS, message);
                None
            }
        }
    }

    /// A transformation between named coordinate systems, here or in a child (`path`). Inside an image, one end
    /// has to be the system that the levels map into.
    fn between(&mut self, at: &str, item: &Value, systems: &Systems<'_>, intrinsic: Option<&str>) {
        let Some(transformation) = self.object(at, TRANSFORMATIONS, item) else { return };
        let mut dimensions = [None, None];
        let mut names = Vec::new();
        for (end, dimensions) in ["input", "output"].into_iter().zip(&mut dimensions) {
            let Some(name) = self.end(at, transformation, end, "name") else { continue };
            let path = transformation[end].get("path").and_then(Value::as_str).unwrap_or_default();
            if !path.is_empty() {
                continue;
            }
            names.push(name);
            *dimensions = systems.get(name).copied();
            if dimensions.is_none() {
                let message = format!("{name:?} is not among the coordinate systems");
                self.must(&format!("{at}/{end}/name"), TRANSFORMATIONS, message);
            }
        }
        if let Some(intrinsic) = intrinsic
            && names.len() == 2
            && !names.contains(&intrinsic)
        {
            let message = format!("expected input or output to be {intrinsic:?}, which the levels map into");
            self.must(at, TRANSFORMATIONS, message);
        }
        let [input, output] = dimensions;
        self.transformation(at, transformation, input, output, 0);
    }

    fn transformation(
        &mut self,
        at: &str,
        object: &Map<String, Value>,
        input: Option<usize>,
        output: Option<usize>,
        depth: usize,
    ) {
        /// Deeper nesting serves nobody but an attacker.
        const DEEPEST: usize = 16;
        if depth > DEEPEST {
            return self.must(at, TRANSFORMATIONS, format!("nested more than {DEEPEST} deep"));
        }
        let Some(kind) = self.string(at, object, "type", Need::Must(TRANSFORMATIONS)) else { return };
        match kind {
            "identity" => self.same(at, input, output),
            "scale" => {
                self.same(at, input, output);
                self.vector(at, object, "scale", input.or(output), TRANSFORMATIONS);
            }
            "translation" => {
                self.same(at, input, output);
                self.vector(at, object, "translation", input.or(output), TRANSFORMATIONS);
            }
            "mapAxis" => self.map_axis(at, object, input.or(output)),
            "projectAxis" => self.project_axis(at, object, input, output),
            "affine" => self.matrix(at, object, "affine", output, input.map(|input| input + 1)),
            "rotation" => {
                self.same(at, input, output);
                self.matrix(at, object, "rotation", output, input);
                self.rotation(at, object);
            }
            "sequence" => self.sequence(at, object, input, output, depth),
            "byDimension" => self.by_dimension(at, object, input, output, depth),
            "bijection" => {
                for (name, input, output) in [("forward", input, output), ("inverse", output, input)] {
                    let half = self.member(
                        at,
                        object,
                        name,
                        Need::Must(TRANSFORMATIONS),
                        "a transformation",
                        Value::as_object,
                    );
                    if let Some(half) = half {
                        self.transformation(&format!("{at}/{name}"), half, input, output, depth + 1);
                    }
                }
            }
            "displacements" | "coordinates" => {
                self.string(at, object, "path", Need::Must(TRANSFORMATIONS));
                self.member(
                    at,
                    object,
                    "interpolation",
                    Need::May(TRANSFORMATIONS),
                    "nearest, linear or cubic",
                    |value| ["nearest", "linear", "cubic"].contains(&value.as_str()?).then_some(()),
                );
            }
            other => {
                let message = format!("{other:?} is not a type of transformation");
                self.must(&format!("{at}/type"), TRANSFORMATIONS, message);
            }
        }
    }

    fn same(&mut self, at: &str, input: Option<usize>, output: Option<usize>) {
        if let (Some(input), Some(output)) = (input, output)
            && input != output
        {
            let message = format!("{input} axes to {output}, expected as many");
            self.must(at, TRANSFORMATIONS, message);
        }
    }

    /// A permutation of the input's axes.
    fn map_axis(&mut self, at: &str, object: &Map<String, Value>, input: Option<usize>) {
        let Some(axes) = self.indices(at, object, "mapAxis", Need::Must(TRANSFORMATIONS)) else { return };
        let dimensions = input.unwrap_or(axes.len());
        if !(2..=5).contains(&axes.len()) || axes.len() != dimensions || axes.iter().any(|&i| i >= dimensions)
        {
            let message = format!("{axes:?} is not a permutation of {dimensions} axes");
            self.must(&format!("{at}/mapAxis"), TRANSFORMATIONS, message);
        }
    }

    fn project_axis(
        &mut self,
        at: &str,
        object: &Map<String, Value>,
        input: Option<usize>,
        output: Option<usize>,
    ) {
        /// Of at most five axes at least two have to remain.
        const MOST: usize = 3;
        let dropped = self.indices(at, object, "droppedInputs", Need::May(TRANSFORMATIONS));
        let created = self.indices(at, object, "createdOutputs", Need::May(TRANSFORMATIONS));
        for (name, indices, axes) in
            [("droppedInputs", &dropped, input), ("createdOutputs", &created, output)]
        {
            let Some(indices) = indices else { continue };
            if indices.is_empty()
                || indices.len() > MOST
                || indices.iter().any(|&index| index >= axes.unwrap_or(5))
            {
                let message = format!("{indices:?}, expected one to three of the axes");
                self.must(&format!("{at}/{name}"), TRANSFORMATIONS, message);
            }
        }
        if dropped.is_none() && created.is_none() {
            self.must(at, TRANSFORMATIONS, "expected droppedInputs or createdOutputs".into());
        }
        let count = |indices: Option<Vec<usize>>| indices.map_or(0, |indices| indices.len());
        if let (Some(input), Some(output)) = (input, output)
            && input + count(created) != output + count(dropped)
        {
            let message = format!("does not lead from {input} to {output} axes");
            self.must(at, TRANSFORMATIONS, message);
        }
    }

    fn sequence(
        &mut self,
        at: &str,
        object: &Map<String, Value>,
        input: Option<usize>,
        output: Option<usize>,
        depth: usize,
    ) {
        let Some(steps) = self.array(at, object, "transformations", Need::Must(TRANSFORMATIONS)) else {
            return;
        };
        if steps.is_empty() {
            let message = "empty, expected at least one transformation";
            self.must(&format!("{at}/transformations"), TRANSFORMATIONS, message.into());
        }
        // A step's number of axes is known as long as no step before can have changed it.
        let mut known = input;
        for (index, step) in steps.iter().enumerate() {
            let at = format!("{at}/transformations/{index}");
            let Some(step) = self.object(&at, TRANSFORMATIONS, step) else { continue };
            let keeps = matches!(
                step.get("type").and_then(Value::as_str),
                Some("identity" | "scale" | "translation" | "rotation" | "mapAxis")
            );
            let after = if index + 1 == steps.len() {
                output
            } else if keeps {
                known
            } else {
                None
            };
            self.transformation(&at, step, known, after, depth + 1);
            known = after;
        }
    }

    fn by_dimension(
        &mut self,
        at: &str,
        object: &Map<String, Value>,
        input: Option<usize>,
        output: Option<usize>,
        depth: usize,
    ) {
        let Some(items) = self.array(at, object, "transformations", Need::Must(TRANSFORMATIONS)) else {
            return;
        };
        let mut outputs = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let at = format!("{at}/transformations/{index}");
            let Some(item) = self.object(&at, TRANSFORMATIONS, item) else { continue };
            let mut ends = [None, None];
            for ((name, axes), end) in
                [("inputAxes", input), ("outputAxes", output)].into_iter().zip(&mut ends)
            {
                let Some(indices) = self.indices(&at, item, name, Need::Must(TRANSFORMATIONS)) else {
                    continue;
                };
                *end = Some(indices.len());
                if let Some(axes) = axes
                    && indices.iter().any(|&index| index >= axes)
                {
                    let message = format!("{indices:?}, expected indices of {axes} axes");
                    self.must(&format!("{at}/{name}"), TRANSFORMATIONS, message);
                }
                if name == "outputAxes" {
                    outputs.extend(indices.iter().map(usize::to_string));
                }
            }
            let inner = self.member(
                &at,
                item,
                "transformation",
                Need::Must(TRANSFORMATIONS),
                "a transformation",
                Value::as_object,
            );
            if let Some(inner) = inner {
                self.transformation(&format!("{at}/transformation"), inner, ends[0], ends[1], depth + 1);
            }
        }
        if let Some(axes) = output.filter(|&axes| axes != outputs.len()) {
            let message = format!("{} output axes, expected each of {axes} once", outputs.len());
            self.must(&format!("{at}/transformations"), TRANSFORMATIONS, message);
        }
        self.unique(&format!("{at}/transformations"), TRANSFORMATIONS, "output axis", outputs.into_iter());
    }

    /// Different, non-negative integers.
    fn indices(
        &mut self,
        at: &str,
        object: &Map<String, Value>,
        name: &str,
        need: Need,
    ) -> Option<Vec<usize>> {
        let expected = "an array of axis indices";
        let indices = self.member(at, object, name, need, expected, |value| {
            let index = |value: &Value| usize::try_from(value.as_u64()?).ok();
            value.as_array()?.iter().map(index).collect::<Option<Vec<usize>>>()
        })?;
        self.unique(&format!("{at}/{name}"), TRANSFORMATIONS, "index", indices.iter().map(usize::to_string));
        Some(indices)
    }
}

const SYSTEMS: &str = "coordinate-systems-md";
pub(super) const TRANSFORMATIONS: &str = "coord-trafo-md";
const SCENE: &str = "scene-md";
