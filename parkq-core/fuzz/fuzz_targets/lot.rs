//! Any text as a lot, in each format.
#![no_main]

use parkq_core::{Imported, Lot};

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(lot) = Lot::from_json(text) {
        assert_eq!(Lot::from_json(&lot.to_json()).unwrap(), lot);
    }
    let _ = Imported::pklot(text, 1280, 720);
    let _ = Imported::ultralytics(text, 1280, 720);
    let _ = Imported::acpds(text, "a.jpg");
    let _ = Imported::coco(text, "a.jpg");
});
