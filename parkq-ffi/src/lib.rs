//! parkq for C and C++: `include/parkq.h` is made of these types and functions, and is their
//! manual. They convert and forward; what parkq does is in `parkq-core`.
//!
//! Pointers that may be NULL are `Option`s of references and boxes, which Rust lays out as
//! nullable pointers: so `unsafe` is left for arrays, strings and planes, whose lengths only the
//! caller knows, and for the allocator.
#![allow(non_camel_case_types)] // they are C's types

// In the order of the header.
mod library;

mod boundary;
mod status;

mod memory;

mod lot;

mod frame;

mod occupancy;

mod estimator;

mod detector;

mod policy;

mod picture;

mod anonymizer;

mod stream;

mod pipeline;

mod pointers;

pub use anonymizer::*;
pub use boundary::parkq_last_error;
#[cfg(feature = "testing")]
pub use boundary::parkq_test_panic;
pub use detector::*;
pub use estimator::*;
pub use frame::*;
pub use library::*;
pub use lot::*;
pub use memory::{parkq_memory_set_ceiling, parkq_memory_usage};
pub use occupancy::*;
pub use picture::*;
pub use pipeline::*;
pub use policy::*;
pub use status::{parkq_status, parkq_status_name};
pub use stream::*;

/// Wipes what it frees: tensors and decoders' working memory hold pieces of pictures.
#[global_allocator]
static ALLOCATOR: memory::Wiping = memory::Wiping;
