#![no_main]

use fairzarr_store::{Location, Scheme};
use libfuzzer_sys::fuzz_target;

// What is typed as a place is refused, or stands for itself when it is shown and typed again.
fuzz_target!(|text: &str| {
    let Ok(place) = Location::parse(text) else { return };
    let shown = place.to_string();
    let _ = place.join("a/b c").to_string();
    if place.scheme() == Scheme::Local {
        return;
    }
    let again = Location::parse(&shown).expect("a place that has been shown");
    assert_eq!(again.to_string(), shown);
});
