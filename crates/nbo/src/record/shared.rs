//! What the images of a store say alike: said once, in the common record.

use std::collections::{BTreeMap, HashMap};

use super::json::SHARED;
use super::{Object, resolve};
use crate::catalogue::{self, Class};

/// Objects that images share, by class. Objects are known by their address, so that finding one is no comparison.
#[derive(Default)]
pub(crate) struct Shared<'a> {
    classes: BTreeMap<&'a str, Vec<(&'a Object, Option<&'static Class>)>>,
    places: HashMap<*const Object, (&'a str, usize)>,
}

/// An object, and the class of its parent, which its own may depend on.
type Said<'a> = (&'a Object, Option<&'static str>);

impl<'a> Shared<'a> {
    /// Finds what at least two of the images say, and one in ten; so the common record cannot grow beyond ten images'
    /// worth, however many there are. Of nested objects the outermost is shared.
    pub(crate) fn of(images: &[&'a Object]) -> Self {
        let mut counts: HashMap<Said, usize> = HashMap::new();
        let mut ambiguous = false;
        for image in images {
            walk(image, &mut |object, parent| {
                ambiguous |=
                    object.fields.iter().any(|f| f.value.as_str().is_some_and(|v| v.starts_with(SHARED)));
                *counts.entry((object, parent.map(|p| p.path))).or_default() += 1;
            });
        }
        let mut shared = Self::default();
        if ambiguous {
            return shared;
        }
        let enough = (images.len() / 10).max(2);
        let is_common = |said: &Said| counts.get(said).is_some_and(|n| *n >= enough) && is_worth_it(said.0);
        let mut known = HashMap::new();
        for image in images {
            let class = catalogue::class(&image.class);
            for child in &image.children {
                shared.take(child, class, &is_common, &mut known);
            }
        }
        shared
    }

    /// Class and number of an object that is shared.
    pub(super) fn place(&self, object: &Object) -> Option<(&'a str, usize)> {
        self.places.get(&std::ptr::from_ref(object)).copied()
    }

    /// What is shared, with the class of the parent, by class.
    pub(super) fn classes(&self) -> impl Iterator<Item = (&'a str, &[(&'a Object, Option<&'static Class>)])> {
        self.classes.iter().map(|(class, objects)| (*class, objects.as_slice()))
    }

    fn take(
        &mut self,
        object: &'a Object,
        parent: Option<&'static Class>,
        is_common: &impl Fn(&Said<'a>) -> bool,
        known: &mut HashMap<Said<'a>, (&'a str, usize)>,
    ) {
        let said = (object, parent.map(|p| p.path));
        if is_common(&said) {
            let place = *known.entry(said).or_insert_with(|| {
                let list = self.classes.entry(&object.class).or_default();
                list.push((object, parent));
                (&object.class, list.len() - 1)
            });
            self.places.insert(object, place);
            return;
        }
        let class = resolve(parent, &object.class);
        for child in &object.children {
            self.take(child, class, is_common, known);
        }
    }
}

/// Whether an object is longer than what refers to it.
fn is_worth_it(object: &Object) -> bool {
    object.descendants().iter().map(|o| 1 + o.fields.len()).sum::<usize>() > 3
}

fn walk<'a>(image: &'a Object, visit: &mut impl FnMut(&'a Object, Option<&'static Class>)) {
    fn below<'a>(
        object: &'a Object,
        parent: Option<&'static Class>,
        visit: &mut impl FnMut(&'a Object, Option<&'static Class>),
    ) {
        visit(object, parent);
        let class = resolve(parent, &object.class);
        for child in &object.children {
            below(child, class, visit);
        }
    }
    let class = catalogue::class(&image.class);
    for child in &image.children {
        below(child, class, visit);
    }
}
