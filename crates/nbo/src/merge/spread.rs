//! Settings of one image that hold for many.

use super::Merge;
use crate::record::Object;

impl Merge {
    /// Micro-Meta App writes the settings of one image of a plate. They hold for all images of the store that were taken
    /// with the same microscope in the same channels, if none of them is that image. What is of the one image alone
    /// (name, day, planes, sizes) stays out. A store of one image has none that they could be shared with.
    pub(super) fn spread(
        &mut self,
        objects: &mut [Object],
        in_store: Option<&[Option<usize>]>,
        settings: &Object,
    ) -> bool {
        let instrument = settings.child("InstrumentRef").and_then(Object::target);
        // Settings files name their instrument; an image of another document is one of its own.
        if !settings.extra.contains_key("InstrumentID") || instrument.is_none() {
            return false;
        }
        let names = channels(settings).filter(|names| !names.is_empty());
        let held: Vec<usize> = in_store.into_iter().flatten().flatten().copied().collect();
        let mut fitting: Vec<&mut Object> = objects
            .iter_mut()
            .filter(|o| o.class == "Image")
            .enumerate()
            .filter(|(n, image)| {
                held.contains(n)
                    && image.child("InstrumentRef").and_then(Object::target) == instrument
                    && names.is_some()
                    && channels(image) == names
            })
            .map(|(_, image)| image)
            .collect();
        if fitting.len() < 2 {
            return false;
        }
        let mut shot = settings.clone();
        shot.fields.clear();
        shot.extra.clear();
        shot.children.retain(|c| c.class != "StageLabel");
        for pixels in shot.children.iter_mut().filter(|c| c.class == "Pixels") {
            pixels.fields.clear();
            pixels.children.retain(|c| c.class != "Plane");
        }
        for image in &mut fitting {
            self.join(image, None, shot.clone(), "");
        }
        true
    }
}

fn channels(image: &Object) -> Option<Vec<String>> {
    let channels = image.child("Pixels")?.children_of("Channel");
    channels.map(|channel| channel.str("Name").map(str::to_lowercase)).collect()
}
