//! What all options have in common: setters that chain, and ranges that are checked.

use std::ops::RangeInclusive;

use crate::error::{Error, Result};

/// Writes a setter for each field, with its documentation and example.
macro_rules! setters {
    ($options:ident { $($name:ident: $type:ty = $example:literal),+ $(,)? }) => {
        impl $options {
            $(
                #[doc = concat!("Sets [`", stringify!($name), "`](Self::", stringify!($name), ").")]
                ///
                /// ```
                /// # use parkq_core::*;
                #[doc = concat!("let options = ", stringify!($options), "::default().", stringify!($name), "(", $example, ");")]
                #[doc = concat!("assert_eq!(options.", stringify!($name), ", ", $example, ");")]
                /// ```
                #[must_use]
                pub fn $name(mut self, $name: $type) -> Self {
                    self.$name = $name;
                    self
                }
            )+
        }
    };
}
pub(crate) use setters;

/// An option's name and value, the range that it has to be in, and that range in words.
pub(crate) type Bounds = (&'static str, f64, RangeInclusive<f64>, &'static str);

/// The first option outside its range is an error.
pub(crate) fn check(bounds: impl IntoIterator<Item = Bounds>) -> Result<()> {
    for (name, actual, range, needed) in bounds {
        if !range.contains(&actual) {
            return Err(Error::Option { name, actual, needed });
        }
    }
    Ok(())
}
