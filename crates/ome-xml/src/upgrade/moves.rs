//! Rules that concern several elements: references turned round, channels, regions of interest and annotations moved.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{Attr, Element, Node};
use crate::upgrade::Upgrade;

pub(super) fn resolve(root: &mut Element<'_>, upgrade: &mut Upgrade) {
    images(root, upgrade);
    microbeams(root, upgrade);
    rois(root, upgrade);
    plates(root, upgrade);
    reverse(root, upgrade, "Image", "DatasetRef", "Dataset", "ImageRef");
    reverse(root, upgrade, "Dataset", "ProjectRef", "Project", "DatasetRef");
    reverse(root, upgrade, "Plate", "ScreenRef", "Screen", "PlateRef");
    groups(root, upgrade);
    custom_attributes(root, upgrade);
    links(root, upgrade);
    annotation_refs(root, upgrade);
}

/// One Pixels per Image, sizes and channels in it.
fn images(root: &mut Element<'_>, upgrade: &mut Upgrade) {
    for image in root.elements_mut().filter(|e| !e.foreign && e.name() == "Image") {
        let wanted = image.take("AcquiredPixels").or(image.take("DefaultPixels"));
        choose_pixels(image, wanted.as_deref(), upgrade);
        let logical = image.take_children("LogicalChannel");
        let moved: Vec<(&str, Option<_>)> =
            IMAGE_TO_PIXELS.iter().map(|(from, to)| (*to, image.take(from))).collect();
        let Some(pixels) = image.elements_mut().find(|e| !e.foreign && e.name() == "Pixels") else {
            continue;
        };
        for (to, value) in moved {
            if let Some(value) = value
                && pixels.attr(to).is_none()
            {
                upgrade.note(&format!("`{to}` moved from `Image` to `Pixels`"));
                pixels.set(to, value);
            }
        }
        let id = pixels.attr("ID").unwrap_or_default().to_owned();
        let channels: Vec<_> = logical.into_iter().flat_map(|l| channels(l, &id, upgrade)).collect();
        let channels = channels.into_iter().map(|c| Node::Element(Box::new(c)));
        pixels.nodes.splice(0..0, channels);
        for channel in pixels.elements_mut().filter(|e| e.name() == "Channel") {
            light_path(channel, upgrade);
        }
    }
}

fn choose_pixels(image: &mut Element<'_>, wanted: Option<&str>, upgrade: &mut Upgrade) {
    let mut all = 0;
    let mut chosen = None;
    for pixels in image.children("Pixels") {
        if chosen.is_none() && wanted.is_some() && pixels.attr("ID") == wanted {
            chosen = Some(all);
        }
        all += 1;
    }
    if all < 2 {
        return;
    }
    let mut at = 0;
    image.nodes.retain(|n| {
        if !matches!(n, Node::Element(e) if !e.foreign && e.name() == "Pixels") {
            return true;
        }
        at += 1;
        at - 1 == chosen.unwrap_or(0)
    });
    upgrade.note("further `Pixels` of an `Image` left out: 2016-06 has one, the acquired or default one");
}

/// A `Channel` for each component that a logical channel has in these Pixels.
fn channels<'a>(mut logical: Element<'a>, pixels: &str, upgrade: &mut Upgrade) -> Vec<Element<'a>> {
    let components = logical.take_children("ChannelComponent");
    logical.name = upgrade.qualify("Channel").into();
    logical.take("PhotometricInterpretation");
    let id = logical.attr("ID").unwrap_or("LogicalChannel").replace("LogicalChannel", "Channel");
    for filter in logical.take_children("FilterRef") {
        let reference = upgrade.reference("FilterSetRef", filter.attr("ID").unwrap_or_default());
        logical.push_element(reference);
    }
    upgrade.note("`LogicalChannel` and its components made `Channel` of `Pixels`");
    if components.is_empty() {
        logical.set("ID", id);
        return vec![logical];
    }
    logical.take("SamplesPerPixel");
    let mine =
        components.into_iter().enumerate().filter(|(_, c)| c.attr("Pixels").is_none_or(|p| p == pixels));
    mine.map(|(n, component)| {
        let mut channel = logical.clone();
        channel.set("ID", format!("{id}:{}", n + 1));
        if let Some(color) = component.attr("ColorDomain").and_then(color_domain) {
            channel.set("Color", color);
        }
        channel
    })
    .collect()
}

/// Signed RGBA of the one colour that the domain names.
fn color_domain(domain: &str) -> Option<&'static str> {
    let domain = domain.to_ascii_lowercase();
    [('r', "-16776961"), ('g', "16711935"), ('b', "65535")]
        .into_iter()
        .find(|(c, _)| domain.contains(*c))
        .map(|c| c.1)
}

fn light_path(channel: &mut Element<'_>, upgrade: &mut Upgrade) {
    let filters = ["ExcitationFilterRef", "EmissionFilterRef"].map(|name| (name, channel.take(name)));
    if filters.iter().all(|(_, id)| id.is_none()) {
        return;
    }
    let mut path = upgrade.make("LightPath");
    for (name, id) in filters {
        if let Some(id) = id {
            path.push_element(upgrade.reference(name, &id));
        }
    }
    channel.push_element(path);
    upgrade.note("secondary filters of `Channel` made a `LightPath`");
}

/// `Image/MicrobeamManipulation` to the `Experiment` that refers to it.
fn microbeams(root: &mut Element<'_>, upgrade: &mut Upgrade) {
    let mut found = BTreeMap::new();
    for image in root.elements_mut().filter(|e| !e.foreign && e.name() == "Image") {
        for manipulation in image.take_children("MicrobeamManipulation") {
            let id = manipulation.attr("ID").unwrap_or_default().to_owned();
            image.push_element(upgrade.reference("MicrobeamManipulationRef", &id));
            found.insert(id, manipulation);
            upgrade.note("`MicrobeamManipulation` moved from `Image` to `Experiment`");
        }
    }
    for experiment in root.elements_mut().filter(|e| !e.foreign && e.name() == "Experiment") {
        for reference in experiment.take_children("MicrobeamManipulationRef") {
            if let Some(manipulation) = reference.attr("ID").and_then(|id| found.remove(id)) {
                experiment.push_element(manipulation);
            }
        }
    }
}

/// `Image/ROI` to the root; regions without a shape that 2016-06 knows go, and what refers to them.
fn rois(root: &mut Element<'_>, upgrade: &mut Upgrade) {
    let mut moved = Vec::new();
    for image in root.elements_mut().filter(|e| !e.foreign && e.name() == "Image") {
        let mut rois = image.take_children("ROI");
        for mut options in image.take_children("DisplayOptions") {
            rois.append(&mut options.take_children("ROI"));
        }
        for roi in rois {
            image.push_element(upgrade.reference("ROIRef", roi.attr("ID").unwrap_or_default()));
            moved.push(roi);
            upgrade.note("`ROI` moved from `Image` to `OME`");
        }
    }
    for roi in moved {
        root.push_element(roi);
    }
    let mut gone = BTreeSet::new();
    for roi in root.elements_mut().filter(|e| !e.foreign && e.name() == "ROI") {
        let union = roi.elements_mut().find(|e| e.name() == "Union");
        let empty = union.is_none_or(|union| {
            if !union.take_children("Path").is_empty() {
                upgrade.note("`Path` left out: 2016-06 does not have it");
            }
            union.elements().next().is_none()
        });
        if empty {
            upgrade.note("`ROI` without a shape of 2016-06 left out");
            gone.insert(roi.attr("ID").unwrap_or_default().to_owned());
        }
    }
    if !gone.is_empty() {
        remove(root, &|e| {
            matches!(e.name(), "ROI" | "ROIRef") && e.attr("ID").is_some_and(|id| gone.contains(id))
        });
    }
}

fn remove(element: &mut Element<'_>, unwanted: &dyn Fn(&Element<'_>) -> bool) {
    element.nodes.retain(|n| !matches!(n, Node::Element(e) if !e.foreign && unwanted(e)));
    for child in element.elements_mut() {
        remove(child, unwanted);
    }
}

/// Acquisitions of screens to their plates, and an index for every well sample.
fn plates(root: &mut Element<'_>, upgrade: &mut Upgrade) {
    let mut acquisitions: BTreeMap<String, Vec<Element<'_>>> = BTreeMap::new();
    for screen in root.elements_mut().filter(|e| !e.foreign && e.name() == "Screen") {
        let taken = screen.take_children("PlateAcquisition");
        if !taken.is_empty() {
            acquisitions.insert(screen.attr("ID").unwrap_or_default().to_owned(), taken);
        }
    }
    for plate in root.elements_mut().filter(|e| !e.foreign && e.name() == "Plate") {
        let samples: BTreeSet<String> = plate
            .children("Well")
            .flat_map(|w| w.children("WellSample"))
            .filter_map(|s| s.attr("ID").map(str::to_owned))
            .collect();
        let plate_id = plate.attr("ID").unwrap_or_default().to_owned();
        let screens: Vec<String> =
            plate.children("ScreenRef").filter_map(|s| s.attr("ID").map(str::to_owned)).collect();
        for acquisition in screens.iter().filter_map(|s| acquisitions.get(s)).flatten() {
            if acquisition
                .children("WellSampleRef")
                .any(|r| r.attr("ID").is_some_and(|id| samples.contains(id)))
            {
                let mut acquisition = acquisition.clone();
                let id = acquisition.attr("ID").unwrap_or_default().to_owned();
                acquisition.set("ID", format!("PlateAcquisition:{plate_id}:{id}"));
                remove(&mut acquisition, &|e| {
                    e.name() == "WellSampleRef" && !e.attr("ID").is_some_and(|id| samples.contains(id))
                });
                plate.push_element(acquisition);
                upgrade.note("`ScreenAcquisition` made a `PlateAcquisition` of `Plate`");
            }
        }
        let wells = plate.children("Well").count();
        for (well_number, well) in plate.elements_mut().filter(|e| e.name() == "Well").enumerate() {
            for (n, sample) in well.elements_mut().filter(|e| e.name() == "WellSample").enumerate() {
                if sample.attr("Index").is_none() {
                    sample.set("Index", (well_number + 1 + wells * n).to_string());
                    upgrade.note("`WellSample@Index`, mandatory in 2016-06, made explicit");
                }
            }
        }
    }
}

/// References from `holder` to `target` become references from `target` to `holder`.
fn reverse(
    root: &mut Element<'_>,
    upgrade: &mut Upgrade,
    holder: &str,
    reference: &str,
    target: &str,
    reversed: &str,
) {
    let mut links: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for element in root.elements_mut().filter(|e| !e.foreign && e.name() == holder) {
        let id = element.attr("ID").unwrap_or_default().to_owned();
        for link in element.take_children(reference) {
            links.entry(link.attr("ID").unwrap_or_default().to_owned()).or_default().push(id.clone());
            upgrade.note(&format!("`{holder}/{reference}` turned round to `{target}/{reversed}`"));
        }
    }
    for element in root.elements_mut().filter(|e| !e.foreign && e.name() == target) {
        for id in links.remove(element.attr("ID").unwrap_or_default()).into_iter().flatten() {
            if !element.children(reversed).any(|r| r.attr("ID") == Some(&id)) {
                element.push_element(upgrade.reference(reversed, &id));
            }
        }
    }
}

/// Members of groups are listed by the group, but for its leaders; no leader twice.
fn groups(root: &mut Element<'_>, upgrade: &mut Upgrade) {
    for group in root.elements_mut().filter(|e| !e.foreign && e.name() == "ExperimenterGroup") {
        let mut seen = BTreeSet::new();
        group.nodes.retain(|n| match n {
            Node::Element(e) if !e.foreign && e.name() == "Leader" => {
                seen.insert(e.attr("ID").unwrap_or_default().to_owned())
            }
            _ => true,
        });
    }
    reverse(root, upgrade, "Experimenter", "GroupRef", "ExperimenterGroup", "ExperimenterRef");
    for group in root.elements_mut().filter(|e| !e.foreign && e.name() == "ExperimenterGroup") {
        let leaders: BTreeSet<String> =
            group.children("Leader").filter_map(|l| l.attr("ID").map(str::to_owned)).collect();
        group.nodes.retain(|n| {
            !matches!(n, Node::Element(e) if e.name() == "ExperimenterRef"
                && e.attr("ID").is_some_and(|id| leaders.contains(id)))
        });
    }
    for image in
        root.elements_mut().filter(|e| !e.foreign && matches!(e.name(), "Image" | "Project" | "Dataset"))
    {
        let qualified = upgrade.qualify("ExperimenterGroupRef");
        for reference in image.elements_mut().filter(|e| !e.foreign && e.name() == "GroupRef") {
            reference.name = qualified.clone().into();
            upgrade.note("`GroupRef` renamed to `ExperimenterGroupRef`");
        }
    }
}

/// `CustomAttributes` become XML annotations.
fn custom_attributes(root: &mut Element<'_>, upgrade: &mut Upgrade) {
    let mut annotations = Vec::new();
    take_custom_attributes(root, &mut annotations, upgrade);
    if annotations.is_empty() {
        return;
    }
    if root.child("StructuredAnnotations").is_none() {
        root.push_element(upgrade.make("StructuredAnnotations"));
    }
    if let Some(list) = root.elements_mut().find(|e| e.name() == "StructuredAnnotations") {
        for annotation in annotations {
            list.push_element(annotation);
        }
    }
}

fn take_custom_attributes<'a>(
    element: &mut Element<'a>,
    annotations: &mut Vec<Element<'a>>,
    upgrade: &mut Upgrade,
) {
    for custom in element.take_children("CustomAttributes") {
        if custom.nodes.iter().all(Node::is_blank) {
            continue;
        }
        let id = format!("Annotation:CustomAttributes{}", annotations.len() + 1);
        element.push_element(upgrade.reference("AnnotationRef", &id));
        let mut value = upgrade.make("Value");
        value.nodes = custom.nodes;
        let mut annotation = upgrade.make("XMLAnnotation");
        annotation.attrs.push(Attr::new("ID", id));
        annotation.push_element(value);
        annotations.push(annotation);
        upgrade.note("`CustomAttributes` made an `XMLAnnotation`");
    }
    for child in element.elements_mut().filter(|e| !e.foreign && e.name() != "Value") {
        take_custom_attributes(child, annotations, upgrade);
    }
}

/// Links from annotations become references to annotations, at what they link to.
fn links(root: &mut Element<'_>, upgrade: &mut Upgrade) {
    let mut ids = BTreeSet::new();
    let mut links: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for list in root.elements_mut().filter(|e| !e.foreign && e.name() == "StructuredAnnotations") {
        ids.extend(list.elements().filter_map(|a| a.attr("ID").map(str::to_owned)));
        for annotation in list.elements_mut() {
            let id = annotation.attr("ID").unwrap_or_default().to_owned();
            for mut inner in annotation.take_children("List") {
                for link in inner.take_children("Link") {
                    if ids.contains(&*link.text()) {
                        annotation.push_element(upgrade.reference("AnnotationRef", &link.text()));
                    }
                }
            }
            for link in annotation.take_children("Link") {
                links.entry(link.text().trim().to_owned()).or_default().push(id.clone());
                upgrade.note("`Link` of an annotation turned round to `AnnotationRef`");
            }
        }
    }
    if !links.is_empty() {
        apply_links(root, &mut links, upgrade);
    }
}

fn apply_links(element: &mut Element<'_>, links: &mut BTreeMap<String, Vec<String>>, upgrade: &mut Upgrade) {
    for child in element.elements_mut().filter(|e| !e.foreign) {
        if let Some(annotations) =
            child.attr("ID").filter(|_| !child.name().ends_with("Ref")).and_then(|id| links.remove(id))
        {
            for id in annotations {
                child.push_element(upgrade.reference("AnnotationRef", &id));
            }
        }
        apply_links(child, links, upgrade);
    }
}

/// References to annotations from Pixels and WellSample go to the Image.
fn annotation_refs(root: &mut Element<'_>, upgrade: &mut Upgrade) {
    let mut from_samples: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for plate in root.elements_mut().filter(|e| !e.foreign && e.name() == "Plate") {
        let wells = plate.elements_mut().filter(|e| e.name() == "Well");
        for sample in wells.flat_map(Element::elements_mut).filter(|e| e.name() == "WellSample") {
            let image = sample.child("ImageRef").and_then(|r| r.attr("ID")).unwrap_or_default().to_owned();
            let taken = sample.take_children("AnnotationRef");
            let ids = taken.iter().filter_map(|r| r.attr("ID").map(str::to_owned));
            from_samples.entry(image).or_default().extend(ids);
        }
    }
    for image in root.elements_mut().filter(|e| !e.foreign && e.name() == "Image") {
        let mut ids = from_samples.remove(image.attr("ID").unwrap_or_default()).unwrap_or_default();
        for pixels in image.elements_mut().filter(|e| !e.foreign && e.name() == "Pixels") {
            let taken = pixels.take_children("AnnotationRef");
            ids.extend(taken.iter().filter_map(|r| r.attr("ID").map(str::to_owned)));
        }
        for id in ids {
            if !image.children("AnnotationRef").any(|r| r.attr("ID") == Some(&id)) {
                image.push_element(upgrade.reference("AnnotationRef", &id));
            }
            upgrade.note("`AnnotationRef` moved from `Pixels` or `WellSample` to `Image`");
        }
    }
}

const IMAGE_TO_PIXELS: [(&str, &str); 4] = [
    ("PixelSizeX", "PhysicalSizeX"),
    ("PixelSizeY", "PhysicalSizeY"),
    ("PixelSizeZ", "PhysicalSizeZ"),
    ("TimeIncrement", "TimeIncrement"),
];
